//! A round trip with everything around it: the binding, the lock, the heartbeat, the history.

use jiff::SignedDuration;

use crate::apply::{ApplyError, Asking, Hands, take_lock};
use crate::domain::{Mode, RunId, uuid};
use crate::ledger::{Ledger, LedgerError, LockHolder, Run};
use crate::manifest::Manifest;
use crate::stripe::{CheckoutSettings, Stripe};
use crate::world::{Clock, Wire};

use super::roundtrip::{Flown, Trip, round_trip};
use super::{Check, tally};

/// For what and by whom a round trip is made.
#[derive(Clone, Debug)]
pub struct Round<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// How payables are made.
    pub checkout: &'a CheckoutSettings,
    /// The Stripe account.
    pub account: &'a str,
    /// The mode; never live.
    pub mode: Mode,
    /// The environment's name.
    pub environment: &'a str,
    /// User, host and process, for lock and history.
    pub who: String,
    /// Whether the process of the lock's holder is known to be gone: then the lock is taken over at once.
    pub is_gone: fn(&LockHolder) -> bool,
    /// What the audit before it found, for the history.
    pub audit: &'a [Check],
    /// How long to wait for the lock.
    pub lock_timeout: SignedDuration,
}

/// Makes one round trip under the lock.
///
/// # Errors
/// [`ApplyError`] where it did not begin. One that broke off is no error here: its checks were made.
pub async fn round<L: Ledger, W: Wire, C: Clock>(
    ledger: &L,
    stripe: &Stripe<W, C>,
    clock: &C,
    round: &Round<'_>,
    trip: &Trip<'_>,
) -> Result<Flown, ApplyError> {
    let identity = crate::apply::bound(ledger, clock, round.account, round.mode).await?;
    let run = RunId(uuid(clock.random()));
    let asking = Asking {
        run: &run,
        who: &round.who,
        is_gone: round.is_gone,
        timeout: round.lock_timeout,
        stop: trip.stop,
        says: &|line| tracing::info!("{line}"),
    };
    let (guard, _) = take_lock(ledger, clock, &asking).await?;
    let hands = Hands {
        ledger,
        stripe,
        clock,
        manifest: round.manifest,
        checkout: round.checkout,
        ledger_id: identity.ledger,
        guard,
    };
    let outcome = tokio::select! {
        // As in `converge`: what is done follows from what is met alone.
        biased;
        outcome = recorded(&hands, round, trip) => outcome,
        () = hands.keep_alive() => Err(ApplyError::Ledger(LedgerError::Fenced)),
    };
    // The lock's lease ends by itself: a lost answer here must not turn a finished trip into a failed one.
    let _ = ledger.unlock(&hands.guard).await;
    outcome
}

async fn recorded<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    round: &Round<'_>,
    trip: &Trip<'_>,
) -> Result<Flown, ApplyError> {
    let run = Run {
        id: hands.guard.run.clone(),
        command: "verify".to_owned(),
        tournament: round.manifest.tournament.id.clone(),
        environment: round.environment.to_owned(),
        manifest_sha256: round.manifest.sha256.clone(),
        who: round.who.clone(),
        started_at: hands.clock.now(),
        finished_at: None,
        outcome: None,
        summary: None,
    };
    hands.ledger.start_run(&run).await?;
    let flown = round_trip(hands, trip).await;
    let (failed, line) = tally(&[round.audit, &flown.checks].concat());
    let (word, line) = match &flown.broke {
        Some(error) => ("failed", error.to_string()),
        None if trip.stop.is_asked() => ("interrupted", line),
        None => (if failed == 0 { "done" } else { "failed" }, line),
    };
    // History is for people; the trip is made whether or not this line is written.
    let _ = hands.ledger.finish_run(&run.id, hands.clock.now(), word, &line).await;
    Ok(flown)
}
