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
    /// What came of attempts: a payable that an earlier run made and nobody heard of, or a failure.
    pub(super) results: Vec<ChangeResult>,
    /// Whether what was observed before is old news.
    pub(super) moved: bool,
    /// Registrations whose attempt could not be settled: nothing else is begun for them.
    pub(super) unsettled: BTreeSet<Registration>,
    /// What to say of canaries that an earlier verify left. They are no part of the plan: nothing is old news for them.
    pub(super) canaries: Vec<String>,
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Works off stored webhook events, removes canaries that were left, then settles every open attempt. One that fails
    /// does not keep the others from their turn.
    pub(super) async fn settle_leftovers(&self, mode: Mode, observed: &Observation) -> Leftovers {
        let mut left = Leftovers { moved: self.work_off_events(mode).await, ..Leftovers::default() };
        left.canaries = self.left_over_canaries().await;
        let may_be_canceled = observed.may_be_canceled();
        for attempt in &observed.facts.attempts {
            match self.recover(attempt, &may_be_canceled).await {
                Ok(made) => {
                    left.recovered += 1;
                    left.results.extend(made.map(|payable| ChangeResult::of_attempt(attempt).made(payable)));
                }
                Err(error) => {
                    let message = format!(
                        "an unfinished attempt of an earlier run could not be settled: {error} (nothing else was begun \
                         for this registration; safe to run again)"
                    );
                    left.unsettled.insert(attempt.registration.clone());
                    // A renamed player's changes go by the new id.
                    let player = self.manifest.player_now(&attempt.registration.player).map(|now| now.id.clone());
                    left.unsettled.extend(player.map(|player| Registration { player, ..attempt.registration.clone() }));
                    left.results.push(ChangeResult::of_attempt(attempt).failed(error.code(), message));
                }
            }
        }
        left.moved |= left.recovered > 0;
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
