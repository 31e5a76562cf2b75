//! Webhook events built around the real session object, and signed as Stripe signs.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::stripe::signature;

/// A signed event, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) body: String,
    pub(super) header: String,
}

/// Builds events about one session.
pub(super) struct Events<'a> {
    /// The session object as Stripe gave it.
    pub(super) session: &'a Value,
    /// The payment intent that the canary is shown as paid with.
    pub(super) intent: &'a str,
    /// Stripe's API version of the envelope.
    pub(super) api_version: &'a str,
    /// Now, in seconds.
    pub(super) now: i64,
}

impl Events<'_> {
    /// `checkout.session.completed` with the session paid.
    pub(super) fn completed(&self, id: &str) -> String {
        let mut session = self.session.clone();
        session["status"] = json!("complete");
        session["payment_status"] = json!("paid");
        session["payment_intent"] = json!(self.intent);
        session["url"] = Value::Null;
        self.envelope(id, "checkout.session.completed", session)
    }

    /// `checkout.session.expired` of a session.
    pub(super) fn expired(&self, id: &str, session: &Value) -> String {
        self.envelope(id, "checkout.session.expired", session.clone())
    }

    /// An event of a type that nobody knows.
    pub(super) fn unknown(&self, id: &str) -> String {
        self.envelope(id, "tourney.canary.unknown_type", self.session.clone())
    }

    fn envelope(&self, id: &str, kind: &str, object: Value) -> String {
        json!({
            "id": id,
            "object": "event",
            "api_version": self.api_version,
            "created": self.now,
            "data": {"object": object},
            "livemode": false,
            "pending_webhooks": 1,
            "request": {"id": null, "idempotency_key": null},
            "type": kind,
        })
        .to_string()
    }
}

/// Signs a body with a secret at a time.
pub(super) fn signed(body: String, secret: &SecretString, at: Timestamp) -> Signed {
    let header = signature::sign(secret, at, body.as_bytes());
    Signed { body, header }
}
