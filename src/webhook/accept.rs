//! What the receiver does with one delivery, however it came.

use super::Receiver;
use super::event::{Envelope, EnvelopeError};
use super::process::process;
use crate::ledger::{Ledger, StoredEvent};
use crate::stripe::{Sessions, signature};
use crate::world::Clock;

/// The delivery is to be sent in another way, or never.
const BAD_REQUEST: u16 = 400;
/// The delivery is to be sent again.
const FAILED: u16 = 500;

/// What a delivery is answered: an HTTP status and a line for whoever sent it.
pub type Answer = (u16, String);

/// Verify, store, process: in this order. Gives what a delivery that was taken is answered with 200.
///
/// Guarantees: an `Ok` means that the event is committed, with what came of it (I5). `header` is the `Stripe-Signature`.
///
/// # Errors
/// An [`Answer`]: 400 where it is no event that Stripe has signed for us; 500 where it could not be processed now.
pub async fn accept<S: Sessions, L: Ledger, C: Clock>(
    receiver: &Receiver<S, L, C>,
    header: Option<&str>,
    body: &[u8],
) -> Result<&'static str, Answer> {
    let refused = |why: String| (BAD_REQUEST, why);
    let header = header.ok_or_else(|| refused(format!("no {} header", signature::HEADER)))?;
    let now = receiver.clock.now();
    signature::verify(header, body, &receiver.secrets, now, signature::TOLERANCE)
        .map_err(|error| refused(error.to_string()))?;
    let text = std::str::from_utf8(body).map_err(|_| refused(EnvelopeError::NotText.to_string()))?;
    let event = Envelope::parse(text).map_err(|error| refused(error.to_string()))?.to_event(text, now);

    let failed = |why: &dyn std::fmt::Display| {
        tracing::error!(event = event.id, %why, "webhook event not processed");
        (FAILED, "the event could not be processed now: send it again".to_owned())
    };
    // What came before and was not finished then, because Stripe or the database failed, is done now.
    if receiver.ledger.store_event(&event).await.map_err(|error| failed(&error))? == StoredEvent::Finished {
        return Ok("known");
    }
    process(&receiver.sessions, &receiver.ledger, receiver.mode, &event).await.map_err(|error| failed(&error))?;
    Ok("ok")
}
