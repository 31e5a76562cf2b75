//! Thin answers: of each object only what is used. Unknown fields and unknown enum values decode, for Stripe adds them
//! without notice (stripe/facts.md, Webhooks).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::{
    Currency, LinkTerms, Metadata, Mode, Payable, PayableKind, PayableState, PaymentIntentId, PaymentState,
    PaymentStatus, SessionId,
};

/// A reference that Stripe shows as an id, or as the object where it was expanded.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Reference<T> {
    /// The object.
    Object(T),
    /// Its id.
    Id(String),
}

/// An object of which only the id matters.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

impl Reference<Named> {
    fn into_id(self) -> String {
        match self {
            Self::Object(object) => object.id,
            Self::Id(id) => id,
        }
    }
}

/// A Checkout Session.
#[derive(Debug, Deserialize)]
pub(super) struct SessionAnswer {
    id: String,
    status: Option<String>,
    payment_status: Option<String>,
    amount_total: Option<i64>,
    currency: Option<String>,
    livemode: Option<bool>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Value>>,
    client_reference_id: Option<String>,
    customer_email: Option<String>,
    payment_intent: Option<Reference<Named>>,
    payment_link: Option<Reference<Named>>,
    url: Option<String>,
    created: i64,
    expires_at: Option<i64>,
}

impl SessionAnswer {
    fn mode(&self) -> Mode {
        let by_id = Mode::of_session(&self.id).unwrap_or(Mode::Test);
        self.livemode.map_or(by_id, |live| if live { Mode::Live } else { Mode::Test })
    }

    /// A status that we do not know is taken for open where there is a link to pay at, else for complete and not yet
    /// paid, of which nothing is renewed, replaced or recorded.
    fn state(&self) -> PayableState {
        match self.status.as_deref() {
            Some("open") => PayableState::Open,
            Some("complete") => PayableState::Complete,
            Some("expired") => PayableState::Expired,
            _ if self.url.is_some() => PayableState::Open,
            _ => PayableState::Complete,
        }
    }
}

impl From<SessionAnswer> for Payable {
    fn from(answer: SessionAnswer) -> Self {
        let mode = answer.mode();
        let state = answer.state();
        let metadata = texts(answer.metadata);
        Self {
            id: SessionId(answer.id),
            kind: PayableKind::Session,
            state,
            payment_status: match answer.payment_status.as_deref() {
                Some("paid") => PaymentStatus::Paid,
                Some("no_payment_required") => PaymentStatus::NoPaymentRequired,
                _ => PaymentStatus::Unpaid,
            },
            amount: answer.amount_total,
            currency: answer.currency.as_deref().and_then(|code| Currency::parse(code).ok()),
            mode,
            metadata,
            terms: LinkTerms::default(),
            client_reference_id: answer.client_reference_id,
            customer_email: answer.customer_email,
            payment_intent: answer.payment_intent.map(|reference| PaymentIntentId(reference.into_id())),
            payment: None,
            link: answer.payment_link.map(|reference| SessionId(reference.into_id())),
            url: answer.url.filter(|_| state == PayableState::Open),
            created: Timestamp::from_second(answer.created).ok(),
            expires_at: answer.expires_at.and_then(|second| Timestamp::from_second(second).ok()),
        }
    }
}

/// A Payment Link, with its line items where they were asked for.
#[derive(Debug, Deserialize)]
pub(super) struct LinkAnswer {
    id: String,
    active: bool,
    url: Option<String>,
    currency: Option<String>,
    livemode: Option<bool>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Value>>,
    line_items: Option<LineItems>,
    #[serde(default, deserialize_with = "shown")]
    payment_intent_data: Shown<IntentData>,
    #[serde(default, deserialize_with = "shown")]
    restrictions: Shown<Restrictions>,
}

/// A field that a server may not have at all, which is not the same as `null`: there nothing was set.
type Shown<T> = Option<Option<T>>;

fn shown<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Shown<T>, D::Error> {
    Option::deserialize(field).map(Some)
}

#[derive(Debug, Deserialize)]
struct IntentData {
    #[serde(default, deserialize_with = "shown")]
    metadata: Shown<BTreeMap<String, Value>>,
}

#[derive(Debug, Deserialize)]
struct Restrictions {
    completed_sessions: Option<CompletedSessions>,
}

#[derive(Debug, Deserialize)]
struct CompletedSessions {
    limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct LineItems {
    data: Vec<LineItem>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Debug, Deserialize)]
struct LineItem {
    amount_total: Option<i64>,
    currency: Option<String>,
}

impl LinkAnswer {
    /// The link's own part of the payments that will be made at it. A server may show `payment_intent_data` without its
    /// metadata, as Stripe's older versions do: then nothing is known of it.
    fn terms(&mut self) -> LinkTerms {
        let data = self.payment_intent_data.take();
        let payment_metadata = match data {
            None => None,
            Some(None) => Some(Metadata::new()),
            Some(Some(data)) => data.metadata.map(texts),
        };
        let limit = |restrictions: Option<Restrictions>| restrictions?.completed_sessions?.limit;
        LinkTerms { payment_metadata, paid_once: self.restrictions.take().map(|one| limit(one) == Some(1)) }
    }
}

impl From<LinkAnswer> for Payable {
    fn from(mut answer: LinkAnswer) -> Self {
        let terms = answer.terms();
        // What somebody else's link does not say is no reason to stop: it is not known what that one costs.
        let lines = answer.line_items.filter(|lines| !lines.has_more);
        let currency = lines.as_ref().and_then(|lines| lines.data.first()).and_then(|line| line.currency.clone());
        let currency = answer.currency.or(currency);
        Self {
            id: SessionId(answer.id),
            kind: PayableKind::PaymentLink,
            state: if answer.active { PayableState::Open } else { PayableState::Expired },
            payment_status: PaymentStatus::Unpaid,
            amount: lines.and_then(|lines| lines.data.iter().map(|line| line.amount_total).sum()),
            currency: currency.as_deref().and_then(|code| Currency::parse(code).ok()),
            mode: if answer.livemode == Some(true) { Mode::Live } else { Mode::Test },
            metadata: texts(answer.metadata),
            terms,
            client_reference_id: None,
            customer_email: None,
            payment_intent: None,
            payment: None,
            link: None,
            url: answer.url.filter(|_| answer.active),
            created: None,
            expires_at: None,
        }
    }
}

fn texts(metadata: Option<BTreeMap<String, Value>>) -> Metadata {
    metadata.unwrap_or_default().into_iter().filter_map(text_of).collect()
}

fn text_of((key, value): (String, Value)) -> Option<(String, String)> {
    match value {
        Value::String(text) => Some((key, text)),
        _ => None,
    }
}

/// A payment intent.
#[derive(Debug, Deserialize)]
pub(super) struct IntentAnswer {
    pub(super) id: String,
    status: Option<String>,
    pub(super) latest_charge: Option<Reference<ChargeAnswer>>,
}

impl IntentAnswer {
    /// After a payer has finished, a payment intent that wants another method, or is cancelled, has failed
    /// (stripe/facts.md, Sessions). What we do not know is on its way: nothing is done about it.
    pub(super) fn state(&self) -> PaymentState {
        match self.status.as_deref() {
            Some("succeeded") => PaymentState::Succeeded,
            Some("requires_payment_method" | "canceled") => PaymentState::Failed,
            _ => PaymentState::Processing,
        }
    }

    /// Whether it shows its charge, or has none: money that has arrived always has one, also where a server leaves it out.
    pub(super) fn tells_its_charge(&self) -> bool {
        match self.latest_charge {
            Some(Reference::Object(_)) => true,
            Some(Reference::Id(_)) => false,
            None => self.state() != PaymentState::Succeeded,
        }
    }
}

/// A charge.
#[derive(Debug, Deserialize)]
pub(super) struct ChargeAnswer {
    pub(super) amount_refunded: Option<i64>,
    pub(super) disputed: Option<bool>,
}

/// A dispute.
#[derive(Debug, Deserialize)]
pub(super) struct DisputeAnswer {
    pub(super) status: Option<String>,
    pub(super) payment_intent: Option<String>,
}

impl DisputeAnswer {
    /// Decided for the organiser, or never one.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status.as_deref(), Some("won" | "warning_closed" | "prevented"))
    }
}

/// An event about a dispute.
#[derive(Debug, Deserialize)]
pub(super) struct DisputeEvent {
    pub(super) data: DisputeEventData,
}

/// What it carries.
#[derive(Debug, Deserialize)]
pub(super) struct DisputeEventData {
    pub(super) object: DisputeAnswer,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(text: &str) -> Payable {
        Payable::from(serde_json::from_str::<SessionAnswer>(text).unwrap())
    }

    #[test]
    fn a_session_with_news_in_it_decodes() {
        let payable = session(
            r#"{"id":"cs_test_1","object":"checkout.session","status":"open","payment_status":"unpaid","amount_total":5500,
            "currency":"usd","livemode":false,"metadata":{"order_id":"7","odd":5},"payment_intent":null,"url":"https://x.example/1",
            "created":1775000000,"expires_at":1775085000,"customer_email":"p@example.com","client_reference_id":"7","new":{"a":[1]}}"#,
        );
        assert!(payable.is_open());
        assert_eq!(payable.metadata, Metadata::from([("order_id".to_owned(), "7".to_owned())]));
        assert_eq!(
            payable.money().map(|money| (money.minor, money.currency.to_string())),
            Some((5500, "usd".to_owned()))
        );
    }

    #[test]
    fn unknown_values_never_read_as_paid_or_closed() {
        let odd =
            session(r#"{"id":"cs_live_1","status":"paused","payment_status":"partly","created":1,"currency":"zzz"}"#);
        assert_eq!(odd.mode, Mode::Live);
        assert!(odd.is_processing() && !odd.is_paid() && odd.currency.is_none(), "{odd:?}");
        assert!(session(r#"{"id":"cs_1","status":null,"created":1,"url":"https://x.example"}"#).is_open());
    }

    #[test]
    fn a_link_is_open_while_it_is_active_and_costs_what_its_lines_do() {
        let link = |active: bool, lines: &str| {
            let text = format!(
                r#"{{"id":"plink_1","active":{active},"url":"https://buy.example/1","livemode":false,"metadata":{{}}{lines}}}"#
            );
            Payable::from(serde_json::from_str::<LinkAnswer>(&text).unwrap())
        };
        let line = r#","line_items":{"data":[{"amount_total":5500,"currency":"usd"}],"has_more":false}"#;
        let open = link(true, line);
        assert!(open.is_open() && open.kind == PayableKind::PaymentLink && open.url.is_some(), "{open:?}");
        assert_eq!(open.money().map(|money| money.minor), Some(5500));
        assert_eq!(PayableKind::of(&open.id), PayableKind::PaymentLink);
        // The payer says how much, and nobody else does.
        let others = r#","line_items":{"data":[{"amount_total":null,"currency":null}],"has_more":false}"#;
        assert!(link(true, others).is_open() && link(true, others).money().is_none());
        let closed = link(false, "");
        assert!(!closed.is_open() && closed.url.is_none() && closed.money().is_none(), "{closed:?}");
    }

    #[test]
    fn an_expanded_payment_intent_is_read_like_its_id() {
        for intent in [r#""pi_1""#, r#"{"id":"pi_1","amount":1}"#] {
            let payable = session(&format!(r#"{{"id":"cs_1","created":1,"payment_intent":{intent}}}"#));
            assert_eq!(payable.payment_intent, Some(PaymentIntentId::from("pi_1")));
        }
    }

    #[test]
    fn the_state_of_a_payment() {
        let state = |status: &str| {
            serde_json::from_str::<IntentAnswer>(&format!(r#"{{"id":"pi_1","status":"{status}"}}"#)).unwrap().state()
        };
        assert_eq!(state("succeeded"), PaymentState::Succeeded);
        assert_eq!(state("requires_payment_method"), PaymentState::Failed);
        assert_eq!(state("canceled"), PaymentState::Failed);
        assert_eq!(state("processing"), PaymentState::Processing);
        assert_eq!(state("something_new"), PaymentState::Processing);
    }
}
