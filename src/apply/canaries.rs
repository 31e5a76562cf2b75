//! Removing canaries: `verify`'s own at its end, and by whichever run comes next those of a run that never came to it.

use crate::domain::{OrderId, RunId};
use crate::ledger::{AttemptState, Canary, CanaryEnd, Ledger, LedgerError};
use crate::world::{Clock, Wire};

use super::Hands;
use super::change::StepError;

/// What came of one canary of an earlier run.
pub(crate) type LeftOver = (RunId, Result<CanaryEnd, StepError>);

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Closes every payable of a canary at Stripe, then removes its row.
    pub(crate) async fn remove_canary(&self, canary: &Canary) -> Result<CanaryEnd, StepError> {
        for session in &canary.sessions {
            self.stripe.close(session).await?;
        }
        if let Some(order) = self.order_of(canary).await? {
            for attempt in self.ledger.attempts_of(&order).await? {
                match (&attempt.session, attempt.state) {
                    (Some(session), _) => drop(self.stripe.close(session).await?),
                    (None, AttemptState::Open) => self.undo(&attempt).await?,
                    (None, _) => {}
                }
            }
        }
        Ok(self.ledger.remove_canary(canary).await?)
    }

    /// Removes what runs that broke off have left of theirs: whoever holds the lock knows that none of them still flies.
    /// One that cannot be removed does not keep the others from their turn.
    pub(crate) async fn remove_left_over(&self) -> Result<Vec<LeftOver>, LedgerError> {
        let mut ends = Vec::new();
        for canary in self.ledger.open_canaries().await? {
            let end = self.remove_canary(&canary).await;
            ends.push((canary.run, end));
        }
        Ok(ends)
    }

    /// What an apply says of the canaries that it could not remove: they are no reason not to go on.
    pub(super) async fn left_over_canaries(&self) -> Vec<String> {
        let ends = match self.remove_left_over().await {
            Ok(ends) => ends,
            Err(error) => return vec![format!("Canaries of an earlier verify were not looked for: {error}")],
        };
        let told = |(run, end): LeftOver| match end {
            Ok(_) => format!("The canary of an earlier verify ({run}), which broke off, is removed."),
            Err(error) => format!("The canary of an earlier verify ({run}) could not be removed: {error}"),
        };
        ends.into_iter().map(told).collect()
    }

    /// A canary's order, also where it broke off before the order's id was journalled: its session may be open.
    async fn order_of(&self, canary: &Canary) -> Result<Option<OrderId>, StepError> {
        if canary.order.is_some() {
            return Ok(canary.order.clone());
        }
        let journalled = self.ledger.open_canaries().await?.into_iter().find(|other| other.run == canary.run);
        Ok(journalled.and_then(|canary| canary.order))
    }
}
