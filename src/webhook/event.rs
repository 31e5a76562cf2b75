//! The envelope of an event, read leniently and only after its signature was verified.

use serde::Deserialize;
use serde_json::Value;

use jiff::Timestamp;

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
    livemode: Value,
    #[serde(default)]
    data: Value,
}

/// The longest id and type that are stored.
const LONGEST: usize = 255;

impl Envelope {
    /// Reads a verified body.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn parse(body: &str) -> Result<Self, EnvelopeError> {
        let outer: Outer = serde_json::from_str(body).map_err(|_| EnvelopeError::NotAnEvent)?;
        let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST;
        if !fits(&outer.id) || !fits(&outer.kind) {
            return Err(EnvelopeError::NotAnEvent);
        }
        let object = &outer.data["object"];
        let id_at = |key: &str| {
            let value = &object[key];
            value.as_str().or_else(|| value["id"].as_str()).filter(|id| fits(id)).map(str::to_owned)
        };
        let id_if = |kind: &str| id_at("id").filter(|_| object["object"] == kind);
        Ok(Self {
            mode: outer.livemode.as_bool().map(|live| if live { Mode::Live } else { Mode::Test }),
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
