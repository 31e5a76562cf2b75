//! The account, its webhook endpoints and its events. Plain paths.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::request::{get, path_id};
use super::{Stripe, StripeError};
use crate::domain::SessionId;
use crate::world::{Clock, Method, Wire, WireRequest};

/// The account a key belongs to. It does not say its mode: the key's prefix does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// `acct_…`.
    pub id: String,
    /// Whether it may charge at all, where Stripe says.
    #[serde(default)]
    pub charges_enabled: Option<bool>,
    /// Its country, ISO 3166.
    #[serde(default)]
    pub country: Option<String>,
}

/// A registered webhook endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WebhookEndpoint {
    /// `we_…`.
    pub id: String,
    /// Where Stripe POSTs to.
    pub url: String,
    /// `enabled` or `disabled`.
    #[serde(default)]
    pub status: String,
    /// The event types it gets; `*` for nearly all.
    #[serde(default)]
    pub enabled_events: Vec<String>,
    /// The API version its events are rendered in; none for the account's own.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Whether it is of live mode.
    #[serde(default)]
    pub livemode: bool,
}

impl WebhookEndpoint {
    /// Whether it is enabled.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    /// Whether it gets events of this type.
    #[must_use]
    pub fn gets(&self, kind: &str) -> bool {
        self.enabled_events.iter().any(|event| event == "*" || event == kind)
    }
}

/// An endpoint that was registered just now.
#[derive(Clone, Debug, Deserialize)]
pub struct Registered {
    /// `we_…`.
    pub id: String,
    /// Its signing secret, `whsec_…`.
    pub secret: SecretString,
}

fn plain(method: Method, path: &str, body: Option<String>) -> WireRequest {
    WireRequest { method, path: path.to_owned(), query: None, body, idempotency_key: None }
}

/// An event as Stripe lists it (for 30 days).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeEvent {
    /// `evt_…`.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// When it happened.
    pub created: Timestamp,
    /// How many endpoints have not answered with 2xx yet.
    pub pending_webhooks: u32,
    /// The session it is about, if it is about one.
    pub session: Option<SessionId>,
}

#[derive(Deserialize)]
struct EventAnswer {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(default)]
    pending_webhooks: Option<u32>,
    #[serde(default)]
    data: Value,
}

impl From<EventAnswer> for StripeEvent {
    fn from(event: EventAnswer) -> Self {
        let object = &event.data["object"];
        let is_session = object["object"] == "checkout.session";
        Self {
            session: object["id"].as_str().filter(|_| is_session).map(SessionId::from),
            created: Timestamp::from_second(event.created).unwrap_or_default(),
            pending_webhooks: event.pending_webhooks.unwrap_or_default(),
            id: event.id,
            kind: event.kind,
        }
    }
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// The account of the key.
    ///
    /// # Errors
    /// As any request; a refused key is told from everything else.
    pub async fn account(&self) -> Result<Account, StripeError> {
        self.call(get("/v1/account", &[])).await?.decode()
    }

    /// The webhook endpoints of the account in the key's mode.
    ///
    /// # Errors
    /// As any request; a restricted key may lack the right.
    pub async fn webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, StripeError> {
        self.all_at("/v1/webhook_endpoints", &[]).await
    }

    /// Registers an endpoint for the events of Checkout; its signing secret is told only now.
    ///
    /// # Errors
    /// As any request.
    pub async fn register_endpoint(&self, url: &str) -> Result<Registered, StripeError> {
        let kinds = ["completed", "expired", "async_payment_succeeded", "async_payment_failed"];
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("url", url);
        for (index, kind) in kinds.iter().enumerate() {
            form.append_pair(&format!("enabled_events[{index}]"), &format!("checkout.session.{kind}"));
        }
        self.call(plain(Method::Post, "/v1/webhook_endpoints", Some(form.finish()))).await?.decode()
    }

    /// Takes an endpoint away again.
    ///
    /// # Errors
    /// As any request.
    pub async fn unregister_endpoint(&self, registered: &Registered) -> Result<(), StripeError> {
        let path = format!("/v1/webhook_endpoints/{}", path_id(&registered.id)?);
        self.call(plain(Method::Delete, &path, None)).await.map(drop)
    }

    /// The events of these types since a time, newest first. Stripe takes at most 20 types, and keeps events 30 days.
    ///
    /// # Errors
    /// As any request.
    pub async fn events(
        &self,
        kinds: &[&str],
        created_gte: Option<Timestamp>,
    ) -> Result<Vec<StripeEvent>, StripeError> {
        let since = created_gte.map(|since| since.as_second().to_string());
        let mut parameters: Vec<(&str, &str)> = kinds.iter().map(|kind| ("types[]", *kind)).collect();
        parameters.extend(since.as_deref().map(|since| ("created[gte]", since)));
        let events: Vec<EventAnswer> = self.all_at("/v1/events", &parameters).await?;
        Ok(events.into_iter().map(StripeEvent::from).collect())
    }
}
