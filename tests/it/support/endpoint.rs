//! A real webhook endpoint on a local port, which verifies what it hears.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::mpsc;

/// The endpoint, until it is dropped.
#[derive(Debug)]
pub(crate) struct Endpoint {
    url: String,
    heard: mpsc::UnboundedReceiver<(String, String)>,
    serving: tokio::task::JoinHandle<()>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let hear =
            async |State(tell): State<mpsc::UnboundedSender<(String, String)>>, headers: HeaderMap, body: String| {
                let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
                let _ = tell.send((signature, body));
            };
        let app = Router::new().route("/hook", post(hear)).with_state(tell);
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, heard, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The next event of this type; every event on the way must be signed with the secret.
    pub(crate) async fn next_of(&mut self, wanted: &str, secret: &str) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await;
            let (signature, body) = next.unwrap_or_else(|_| panic!("no {wanted} came")).unwrap();
            assert!(is_signed(&signature, &body, secret), "a bad signature: {signature}");
            let event: Value = serde_json::from_str(&body).unwrap();
            if event["type"] == wanted {
                return event;
            }
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Stripe's scheme, written here anew so that the sandbox is not checked against itself.
fn is_signed(signature: &str, body: &str, secret: &str) -> bool {
    let part = |name: &str| signature.split(',').find_map(|part| part.strip_prefix(name)).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{}.{body}", part("t=")).as_bytes());
    hex::encode(mac.finalize().into_bytes()) == part("v1=")
}
