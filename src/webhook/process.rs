//! What comes of a stored event.

use crate::domain::{Mode, SessionId};
use crate::ledger::{Event, EventOutcome, Ledger, LedgerError};
use crate::settle::{SettleError, Settled, settle};
use crate::stripe::Sessions;

use super::event::Envelope;

/// How many unfinished events are looked through at once.
const UNFINISHED: u32 = 10_000;

/// Why an event could not be processed. It is stored: it is processed again when Stripe sends it again, and by `apply`.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Its session could not be settled.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The orders database did not read or write.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Works a stored event off and writes down what came of it. Harmless when repeated.
///
/// # Errors
/// See [`WebhookError`]; the event stays unfinished.
pub(super) async fn process(
    sessions: &impl Sessions,
    ledger: &impl Ledger,
    mode: Mode,
    event: &Event,
) -> Result<EventOutcome, WebhookError> {
    let outcome = outcome(sessions, ledger, mode, event).await?;
    ledger.finish_event(&event.id, &outcome).await?;
    tracing::info!(event = event.id, kind = event.kind, outcome = ?outcome, "webhook event");
    Ok(outcome)
}

/// Works off every stored event of which nothing has come yet, oldest first; answers with what came of each. One that
/// fails does not keep the others from their turn.
///
/// # Errors
/// The first failure, after all were tried.
pub async fn process_unfinished(
    sessions: &impl Sessions,
    ledger: &impl Ledger,
    mode: Mode,
) -> Result<Vec<(Event, EventOutcome)>, WebhookError> {
    let mut done = Vec::new();
    let mut failure = None;
    for event in ledger.unfinished_events(UNFINISHED).await? {
        match process(sessions, ledger, mode, &event).await {
            Ok(outcome) => done.push((event, outcome)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(done), Err)
}

async fn outcome(
    sessions: &impl Sessions,
    ledger: &impl Ledger,
    mode: Mode,
    event: &Event,
) -> Result<EventOutcome, WebhookError> {
    let none = |why: &str| Ok(EventOutcome::NoEffect(why.to_owned()));
    let said = Envelope::parse(&event.body).ok().and_then(|envelope| envelope.mode);
    if let Some(other) = said.filter(|said| *said != mode) {
        return none(&format!("an event of {other} mode, here is {mode} mode"));
    }
    let Some(session) = &event.session else { return none("not about a session") };
    match event.kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            Ok(match settle(sessions, ledger, session).await? {
                Settled::Recorded { order } => EventOutcome::Recorded(order.to_string()),
                Settled::AlreadyRecorded { order } => EventOutcome::NoEffect(format!("order {order} had it already")),
                Settled::NotPaid(why) => EventOutcome::NoEffect(why),
                Settled::Unmatched(why) => EventOutcome::Unmatched(why),
            })
        }
        "checkout.session.expired" => closed(ledger, session, "expired").await,
        "checkout.session.async_payment_failed" => closed(ledger, session, "failed to be paid").await,
        _ => none("a type without effect"),
    }
}

/// A session that expired, or whose delayed payment failed, never cancels an order: `plan` sees it at Stripe. It is only
/// told apart whether the order's current session is meant.
async fn closed(ledger: &impl Ledger, session: &SessionId, what: &str) -> Result<EventOutcome, WebhookError> {
    let orders = ledger.search(session.as_str()).await?;
    let current = orders.iter().find(|order| order.session.as_ref() == Some(session));
    Ok(EventOutcome::NoEffect(match current {
        Some(order) => format!("the current session of order {} {what}; the order stays {}", order.id, order.status),
        None => format!("a session that is no order's current one {what}"),
    }))
}
