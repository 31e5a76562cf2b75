//! The club's application, as far as its webhook goes: it marks an order paid by `order_id`, on the club's own database.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::club::Club;

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
}

/// The application, until it is dropped.
pub(crate) struct Application {
    url: String,
    serving: tokio::task::JoinHandle<()>,
}

struct Works {
    handler: Handler,
    database: String,
}

impl Application {
    pub(crate) fn start(club: &Club, handler: Handler) -> Self {
        let works = Arc::new(Works { handler, database: club.database().to_owned() });
        let app = Router::new().route("/hook", post(hear)).with_state(works);
        let socket = club.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let serving = club.spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, serving }
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
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.{body}", part("t=")).as_bytes());
    let age = jiff::Timestamp::now().as_second() - part("t=").parse::<i64>().unwrap();
    if hex::encode(mac.finalize().into_bytes()) != part("v1=") || (age > 300 && !works.handler.ignores_time) {
        return StatusCode::BAD_REQUEST;
    }
    let event: Value = serde_json::from_str(&body).unwrap();
    if event["type"] == "checkout.session.completed" {
        let work = record(Arc::clone(&works), event["data"]["object"].clone());
        if works.handler.works_later { drop(tokio::spawn(work)) } else { work.await }
    }
    StatusCode::OK
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
