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

use super::event::EnvelopeError;
use super::process::process;
use super::{Envelope, Receiver};
use crate::ledger::{Ledger, StoredEvent};
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
    match accept(&receiver, &headers, body).await {
        Ok(said) => (StatusCode::OK, said),
        Err((status, why)) => {
            tracing::warn!(status = status.as_u16(), why, "webhook refused");
            (status, why)
        }
    }
}

/// Verify, store, process: in this order.
async fn accept<S: Sessions, L: Ledger, C: Clock>(
    receiver: &Receiver<S, L, C>,
    headers: &HeaderMap,
    body: Body,
) -> Result<String, Answer> {
    let refused = |why: String| (StatusCode::BAD_REQUEST, why);
    let body = tokio::select! {
        biased;
        body = read(body) => body?,
        () = receiver.clock.sleep(BODY_TIMEOUT) => {
            return Err((StatusCode::REQUEST_TIMEOUT, "the body did not come in time".to_owned()));
        }
    };
    let header = headers.get(signature::HEADER).ok_or_else(|| refused("no Stripe-Signature header".to_owned()))?;
    let header = header.to_str().map_err(|_| refused("the Stripe-Signature header is not text".to_owned()))?;
    let now = receiver.clock.now();
    signature::verify(header, &body, &receiver.secrets, now, signature::TOLERANCE)
        .map_err(|error| refused(error.to_string()))?;
    let text = std::str::from_utf8(&body).map_err(|_| refused(EnvelopeError::NotText.to_string()))?;
    let event = Envelope::parse(text).map_err(|error| refused(error.to_string()))?.to_event(text, now);

    let failed = |why: &dyn std::fmt::Display| {
        tracing::error!(event = event.id, %why, "webhook event not processed");
        (StatusCode::INTERNAL_SERVER_ERROR, "the event could not be processed now: send it again".to_owned())
    };
    // What came before and was not finished then, because Stripe or the database failed, is done now.
    if receiver.ledger.store_event(&event).await.map_err(|error| failed(&error))? == StoredEvent::Finished {
        return Ok("known".to_owned());
    }
    process(&receiver.sessions, &receiver.ledger, receiver.mode, &event).await.map_err(|error| failed(&error))?;
    Ok("ok".to_owned())
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
