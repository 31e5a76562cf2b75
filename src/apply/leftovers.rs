//! What earlier runs and the receiver left unfinished. It is settled before anything new is begun.

use std::collections::BTreeSet;

use crate::domain::{Mode, Registration};
use crate::ledger::{EventOutcome, Ledger};
use crate::observe::Observation;
use crate::webhook::process_unfinished;
use crate::world::{Clock, Wire};

use super::Hands;
use super::report::ChangeResult;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// How many attempts were settled.
    pub(super) recovered: u32,
    /// Whether a stored event recorded a payment.
    pub(super) recorded: bool,
    /// Registrations whose attempt could not be settled: nothing else is begun for them.
    pub(super) unsettled: BTreeSet<Registration>,
    /// A failure for each of them.
    pub(super) failures: Vec<ChangeResult>,
}

impl Leftovers {
    /// Whether what was observed before is old news.
    pub(super) const fn moved(&self) -> bool {
        self.recovered > 0 || self.recorded
    }
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Works off stored webhook events, then settles every open attempt. One that fails does not keep the others from
    /// their turn.
    pub(super) async fn settle_leftovers(&self, mode: Mode, observed: &Observation) -> Leftovers {
        let mut left = Leftovers { recorded: self.work_off_events(mode).await, ..Leftovers::default() };
        for attempt in &observed.facts.attempts {
            match self.recover(attempt).await {
                Ok(()) => left.recovered += 1,
                Err(error) => {
                    let message = format!(
                        "an unfinished attempt of an earlier run could not be settled: {error} (nothing else was begun \
                         for this registration; safe to run again)"
                    );
                    left.unsettled.insert(attempt.registration.clone());
                    left.failures.push(ChangeResult::of_attempt(attempt).failed(error.code(), message));
                }
            }
        }
        left
    }

    /// Whether a payment was recorded. Events that cannot be worked off now stay stored; whatever they would record is
    /// seen at Stripe as well.
    async fn work_off_events(&self, mode: Mode) -> bool {
        match process_unfinished(self.stripe, self.ledger, mode).await {
            Ok(done) => done.iter().any(|(_, outcome)| matches!(outcome, EventOutcome::Recorded(_))),
            Err(error) => {
                tracing::warn!(%error, "stored webhook events are left for the next run");
                true
            }
        }
    }
}
