//! The HTTP side of the receiver.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use futures_util::StreamExt;
use tokio::net::TcpListener;

use super::Receiver;
use super::accept::accept;
use crate::ledger::Ledger;
use crate::stripe::{Sessions, signature};
use crate::world::Clock;

/// The path of the contract's example.
pub const DEFAULT_PATH: &str = "/webhooks/stripe";

/// Stripe's events have a few kilobytes.
const LARGEST_BODY: usize = 256 * 1024;
/// So much of a body that is too large is read away, for a sender that is cut off early never sees our 413.
const LARGEST_DISCARDED: usize = 16 * LARGEST_BODY;
/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

type Answer = (StatusCode, String);

/// The receiver as a router: POST on its path.
pub fn router<S, L, C>(receiver: Arc<Receiver<S, L, C>>) -> Router
where
    S: Sessions + 'static,
    L: Ledger + 'static,
    C: Clock + 'static,
{
    let path = receiver.path.clone();
    Router::new().route(&path, post(receive::<S, L, C>)).with_state(receiver)
}

/// Serves a router until `shutdown` resolves; requests in flight are finished.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn receive<S, L, C>(State(receiver): State<Arc<Receiver<S, L, C>>>, headers: HeaderMap, body: Body) -> Answer
where
    S: Sessions + 'static,
    L: Ledger + 'static,
    C: Clock + 'static,
{
    match take(&receiver, &headers, body).await {
        Ok(said) => (StatusCode::OK, said.to_owned()),
        Err((status, why)) => {
            tracing::warn!(status = status.as_u16(), why, "webhook refused");
            (status, why)
        }
    }
}

/// Reads a delivery as HTTP brings it, and accepts it.
async fn take<S: Sessions, L: Ledger, C: Clock>(
    receiver: &Receiver<S, L, C>,
    headers: &HeaderMap,
    body: Body,
) -> Result<&'static str, Answer> {
    let body = tokio::select! {
        biased;
        body = read(body) => body?,
        () = receiver.clock.sleep(BODY_TIMEOUT) => {
            return Err((StatusCode::REQUEST_TIMEOUT, "the body did not come in time".to_owned()));
        }
    };
    let not_text = |_| (StatusCode::BAD_REQUEST, "the Stripe-Signature header is not text".to_owned());
    let header = headers.get(signature::HEADER).map(|header| header.to_str().map_err(not_text)).transpose()?;
    let said = accept(receiver, header, &body).await;
    said.map_err(|(status, why)| (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), why))
}

async fn read(body: Body) -> Result<Vec<u8>, Answer> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| (StatusCode::BAD_REQUEST, "the body was cut off".to_owned()))?;
        length += chunk.len();
        if length <= LARGEST_BODY {
            bytes.extend_from_slice(&chunk);
        } else if length > LARGEST_DISCARDED {
            break;
        }
    }
    if length > LARGEST_BODY {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {LARGEST_BODY} bytes")));
    }
    Ok(bytes)
}
