//! The envelope of an event, read leniently and only after its signature was verified.

use jiff::Timestamp;
use serde::Deserialize;

use super::known::Known;

use crate::domain::{Mode, PaymentIntentId, SessionId};
use crate::ledger::Event;

/// What is read of an event. Its object is a snapshot of the past: only ids are taken from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `evt_…`.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its mode, where it says.
    pub mode: Option<Mode>,
    /// The session it is about, if it is about one.
    pub session: Option<SessionId>,
    /// The payment intent it names.
    pub payment_intent: Option<PaymentIntentId>,
}

/// Why a signed body is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotText,
    /// Not JSON, or not an object with an `id` and a `type`.
    #[error("the body is not an event: JSON with an id and a type is wanted")]
    NotAnEvent,
}

#[derive(Deserialize)]
struct Outer {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    livemode: Known,
    #[serde(default)]
    data: Known,
}

/// The longest id and type that are stored.
const LONGEST: usize = 255;

impl Envelope {
    /// Reads a verified body.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn parse(body: &str) -> Result<Self, EnvelopeError> {
        // An array would do for a struct's fields, too.
        if !body.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return Err(EnvelopeError::NotAnEvent);
        }
        let outer: Outer = serde_json::from_str(body).map_err(|_| EnvelopeError::NotAnEvent)?;
        // PostgreSQL keeps no zero byte, and no id or type has a control character.
        let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        if !fits(&outer.id) || !fits(&outer.kind) {
            return Err(EnvelopeError::NotAnEvent);
        }
        let object = outer.data.at("object");
        let id_at = |key: &str| {
            let value = object.at(key);
            value.text().or_else(|| value.at("id").text()).filter(|id| fits(id)).map(str::to_owned)
        };
        let id_if = |kind: &str| id_at("id").filter(|_| object.at("object").text() == Some(kind));
        Ok(Self {
            mode: outer.livemode.is_true().map(|live| if live { Mode::Live } else { Mode::Test }),
            session: id_if("checkout.session").map(SessionId),
            payment_intent: id_if("payment_intent").or_else(|| id_at("payment_intent")).map(PaymentIntentId),
            id: outer.id,
            kind: outer.kind,
        })
    }

    /// As it is stored, with its raw body.
    #[must_use]
    pub fn to_event(&self, body: &str, received_at: Timestamp) -> Event {
        Event {
            id: self.id.clone(),
            kind: self.kind.clone(),
            session: self.session.clone(),
            payment_intent: self.payment_intent.clone(),
            body: body.to_owned(),
            received_at,
            outcome: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, beside: &str, object: &str) -> Result<Envelope, EnvelopeError> {
        Envelope::parse(&format!(r#"{{"id":{id},"type":"x.y",{beside}"data":{{"object":{object}}}}}"#))
    }

    #[test]
    fn what_nobody_reads_may_be_anything() {
        let deep = format!(r#""a":{}{},"b":1e999,"c":"\ud800","#, "[".repeat(9_000), "]".repeat(9_000));
        let object = format!(r#"{{"object":"checkout.session",{deep}"id":"cs_1","payment_intent":{{"id":"pi_1"}}}}"#);
        let envelope = event(r#""evt_1""#, &deep, &object).unwrap();
        assert_eq!(envelope.session, Some(SessionId::from("cs_1")));
        assert_eq!(envelope.payment_intent, Some(PaymentIntentId::from("pi_1")));
        for other in ["null", "5", "[1,[2]]", "\"cs_1\"", "{}", &deep[4..18_004]] {
            assert_eq!(event(r#""evt_1""#, "", other).unwrap().session, None, "{other:.20}");
        }
    }

    #[test]
    fn an_id_that_no_database_keeps_is_none() {
        for id in [r#""evt\u0000""#, r#""evt\n""#, r#""""#, "5", "null"] {
            assert_eq!(event(id, "", "{}"), Err(EnvelopeError::NotAnEvent), "{id}");
        }
        let object = r#"{"object":"checkout.session","id":"cs\u0000","payment_intent":"pi\u0000"}"#;
        let envelope = event(r#""evt_1""#, "", object).unwrap();
        assert_eq!((envelope.session, envelope.payment_intent), (None, None));
    }

    #[test]
    fn an_array_of_an_events_fields_is_no_event() {
        for body in [r#"["evt_1","x.y"]"#, r#" ["evt_1","x.y",false,{}]"#, "[]", ""] {
            assert_eq!(Envelope::parse(body), Err(EnvelopeError::NotAnEvent), "{body}");
        }
        assert!(Envelope::parse("\r\n\t {\"id\":\"evt_1\",\"type\":\"x\"} \n").is_ok());
    }
}
