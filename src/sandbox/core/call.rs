//! What goes in and out of the core: requests, answers, and what a store must remember.

use serde_json::Value;

use super::fault::What;
use super::route::Request;

/// One HTTP request as it came.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `GET`, `POST` or `DELETE`, in capitals.
    pub method: String,
    /// The path with its leading slash, without the query.
    pub path: String,
    /// The encoded query, without its question mark.
    pub query: String,
    /// The body, form-encoded.
    pub body: Vec<u8>,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Call {
    /// The first header of this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// One HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in Stripe's spelling.
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    pub body: String,
    /// The HTTP layer drops the connection instead of answering: the answer is lost.
    pub cut: bool,
}

impl Answer {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A request that has begun; only [`super::Core::finish`] ends it. Its idempotency key stays in flight until then, so
/// a caller never drops one.
#[derive(Debug)]
#[must_use = "the idempotency key stays in flight until the ticket is finished"]
pub struct Ticket(pub(super) Box<Work>);

/// What a ticket carries.
#[derive(Debug)]
pub(super) struct Work {
    pub request: Request,
    /// A fault that strikes after the work is done.
    pub after: Option<What>,
}

/// What became of a request when it began.
#[derive(Debug)]
pub enum Begun {
    /// Answered at once: refused, replayed or faulted. The puts are committed before the answer is sent.
    Answered(Answer, Vec<Put>),
    /// To be finished with [`super::Core::finish`], at once or after the configured latency.
    Working(Ticket),
}

/// One thing a store must remember: an upsert of a document by kind and id, or its deletion.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The kind, for example `checkout.session`.
    pub kind: String,
    /// The id, unique within the kind.
    pub id: String,
    /// The whole document; `None` deletes.
    pub document: Option<Value>,
}

/// One webhook delivery to make now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The delivery's own id, for [`super::Core::delivered`].
    pub id: String,
    /// Where to POST.
    pub url: String,
    /// The exact bytes to send.
    pub body: String,
    /// The value of the `Stripe-Signature` header, signed for this attempt.
    pub signature: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What the hosted page shows of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutView {
    /// The session's id.
    pub session: String,
    /// `open`, `complete` or `expired`.
    pub status: String,
    /// `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: String,
    /// The total in minor units.
    pub amount: i64,
    /// The currency, lower-case ISO 4217.
    pub currency: String,
    /// The lines: name, quantity, total in minor units.
    pub lines: Vec<(String, i64, i64)>,
    /// The prefilled address.
    pub email: Option<String>,
    /// Whether the payer can write another address instead.
    pub email_editable: bool,
    /// Where the payer goes after paying, with `{CHECKOUT_SESSION_ID}` filled in; none: the page itself says thanks.
    pub success_url: Option<String>,
    /// What the page says after paying, in the organiser's words.
    pub thanks: Option<String>,
    /// Where the payer goes who gives up.
    pub cancel_url: Option<String>,
    /// Whether the session is of live mode.
    pub livemode: bool,
}

/// What the page of a payment link shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// The link's id.
    pub link: String,
    /// Whether a visit makes a session.
    pub active: bool,
    /// What is said instead where it is not, in the organiser's words.
    pub inactive_message: Option<String>,
    /// The total in minor units.
    pub amount: i64,
    /// The currency, lower-case ISO 4217.
    pub currency: String,
    /// The lines: name, quantity, total in minor units.
    pub lines: Vec<(String, i64, i64)>,
    /// Whether the link is of live mode.
    pub livemode: bool,
}
