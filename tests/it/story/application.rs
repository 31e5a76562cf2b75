//! The club's application, as far as its webhook goes: it marks an order paid by `order_id`, on the club's own database.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::club::{Club, text};

/// What its events are signed with.
pub(crate) const SECRET: &str = "whsec_1a2b3c";

/// How a club's handler is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handler {
    /// It takes a signature of any age.
    pub(crate) ignores_time: bool,
    /// It looks for the order in another field.
    pub(crate) looks_elsewhere: bool,
    /// It answers at once and does the work a moment later.
    pub(crate) works_later: bool,
    /// What another part of the application does when the first payment arrives.
    pub(crate) meanwhile: Option<String>,
    /// What it does when a session expires.
    pub(crate) on_expired: OnExpired,
}

/// What a handler does when it hears that a session has expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnExpired {
    #[default]
    Nothing,
    /// It cancels the pending order that the session names.
    Cancels,
    /// The same, but only when the next event comes.
    CancelsWithTheNext,
    /// The same at once, as long as the order still holds that session.
    CancelsItsOwn,
    /// The same, as long as the order holds no other session.
    CancelsUnlessItHoldsAnother,
}

/// The application, until it is dropped.
pub(crate) struct Application {
    url: String,
    works: Arc<Works>,
    serving: tokio::task::JoinHandle<()>,
}

struct Works {
    handler: Handler,
    database: String,
    /// What Stripe signs with, once the endpoint is registered there.
    registered: OnceLock<String>,
    /// What is to be done when the next event comes.
    postponed: OnceLock<Value>,
}

impl Application {
    pub(crate) fn start(club: &Club, handler: Handler) -> Self {
        let (registered, postponed) = (OnceLock::new(), OnceLock::new());
        let works = Arc::new(Works { handler, database: club.database().to_owned(), registered, postponed });
        let app = Router::new().route("/hook", post(hear)).with_state(Arc::clone(&works));
        let socket = club.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let serving = club.spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, works, serving }
    }

    /// Stripe itself delivers what happens to sessions.
    pub(crate) fn register(&self, club: &Club) {
        let events = "enabled_events[]=checkout.session.completed&enabled_events[]=checkout.session.expired";
        let endpoint = club.stripe("webhook_endpoints", Some(&format!("url={}&{events}", self.url)));
        self.works.registered.set(text(&endpoint["secret"]).to_owned()).unwrap();
    }

    /// Stripe tells, late, that a session has expired.
    pub(crate) fn hears_of_the_end_of(&self, club: &Club, session: &str) {
        let object = club.session(session);
        assert_eq!(object["status"], "expired");
        let body = json!({"id": "evt_late", "object": "event", "type": "checkout.session.expired",
            "data": {"object": object}})
        .to_string();
        let now = jiff::Timestamp::now().as_second();
        let signature = format!("t={now},v1={}", tag(SECRET, &now.to_string(), &body));
        let sent = reqwest::Client::new().post(&self.url).header("stripe-signature", signature).body(body).send();
        assert_eq!(club.block_on(sent).unwrap().status(), 200);
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hear(State(works): State<Arc<Works>>, headers: HeaderMap, body: String) -> StatusCode {
    let signature = headers["stripe-signature"].to_str().unwrap();
    let part = |name: &str| signature.split(',').find_map(|part| part.strip_prefix(name)).unwrap_or_default();
    let age = jiff::Timestamp::now().as_second() - part("t=").parse::<i64>().unwrap();
    let mut secrets = works.registered.get().map(String::as_str).into_iter().chain([SECRET]);
    let signed = secrets.any(|secret| tag(secret, part("t="), &body) == part("v1="));
    if !signed || (age > 300 && !works.handler.ignores_time) {
        return StatusCode::BAD_REQUEST;
    }
    let event: Value = serde_json::from_str(&body).unwrap();
    let work = work(Arc::clone(&works), event);
    if works.handler.works_later {
        drop(tokio::spawn(work))
    } else {
        work.await
    }
    StatusCode::OK
}

/// Stripe's signature.
fn tag(secret: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

async fn work(works: Arc<Works>, event: Value) {
    let session = event["data"]["object"].clone();
    if let Some(postponed) = works.postponed.get() {
        cancel(&works, postponed, "").await;
    }
    match (event["type"].as_str().unwrap(), works.handler.on_expired) {
        ("checkout.session.completed", _) => record(works, session).await,
        ("checkout.session.expired", OnExpired::Cancels) => cancel(&works, &session, "").await,
        ("checkout.session.expired", OnExpired::CancelsWithTheNext) => drop(works.postponed.set(session)),
        ("checkout.session.expired", OnExpired::CancelsItsOwn) => {
            let own = format!(" AND stripe_checkout_session_id = '{}'", text(&session["id"]));
            cancel(&works, &session, &own).await;
        }
        ("checkout.session.expired", OnExpired::CancelsUnlessItHoldsAnother) => {
            let id = text(&session["id"]);
            let no_other = format!(" AND (stripe_checkout_session_id IS NULL OR stripe_checkout_session_id = '{id}')");
            cancel(&works, &session, &no_other).await;
        }
        _ => {}
    }
}

async fn cancel(works: &Works, session: &Value, only: &str) {
    let Some(order) = session["metadata"]["order_id"].as_str() else { return };
    let cancel = format!("UPDATE orders SET status = 'canceled' WHERE id = '{order}' AND status = 'pending'{only}");
    super::club::run_sql(&works.database, &cancel).await;
}

async fn record(works: Arc<Works>, session: Value) {
    let field = if works.handler.looks_elsewhere { "orderId" } else { "order_id" };
    let (Some(order), Some(intent)) = (session["metadata"][field].as_str(), session["payment_intent"].as_str()) else {
        return;
    };
    let mark = format!(
        "UPDATE orders SET status = 'paid', stripe_payment_intent_id = '{intent}' WHERE id = '{order}' AND status = 'pending'"
    );
    for statement in [Some(mark), works.handler.meanwhile.clone()].into_iter().flatten() {
        super::club::run_sql(&works.database, &statement).await;
    }
}
