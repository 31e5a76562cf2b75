//! Removing canaries: `verify`'s own at its end, and by whichever run comes next those of a run that never came to it.

use std::fmt;

use crate::domain::{OrderId, RunId};
use crate::ledger::{AttemptState, Canary, CanaryEnd, Ledger, LedgerError};
use crate::stripe::Closed;
use crate::world::{Clock, Wire};

use super::Hands;
use super::change::StepError;

/// What came of one canary of an earlier run.
pub(crate) type LeftOver = (RunId, Result<Gone, StepError>);

/// How a canary ended: what its session came to, and its row.
#[derive(Debug)]
pub(crate) struct Gone {
    session: &'static str,
    row: CanaryEnd,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.row {
            CanaryEnd::Removed => write!(f, "its session {} and its row removed", self.session),
            CanaryEnd::Canceled { why } => {
                write!(f, "its session {}; its row could not be deleted and is cancelled: {why}", self.session)
            }
        }
    }
}

/// What is said of a session that was closed; a payment at it is said of the whole canary.
const fn closed_as(closed: &Closed) -> Option<&'static str> {
    match closed {
        Closed::Paid(_) => Some("was paid"),
        Closed::Processing(_) => Some("has a payment on its way"),
        Closed::Expired | Closed::Complete(_) | Closed::Unknown => None,
    }
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Closes every payable of a canary at Stripe, then removes its row.
    pub(crate) async fn remove_canary(&self, canary: &Canary) -> Result<Gone, StepError> {
        let mut paid = None;
        for session in &canary.sessions {
            paid = paid.or(closed_as(&self.stripe.close(session).await?));
        }
        if let Some(order) = self.order_of(canary).await? {
            for attempt in self.ledger.attempts_of(&order).await? {
                match (&attempt.session, attempt.state) {
                    (Some(session), _) => paid = paid.or(closed_as(&self.stripe.close(session).await?)),
                    (None, AttemptState::Open) => self.undo(&attempt).await?,
                    (None, _) => {}
                }
            }
        }
        let row = self.ledger.remove_canary(canary).await?;
        Ok(Gone { session: paid.unwrap_or("is expired"), row })
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
            Ok(gone) => format!("The canary of an earlier verify ({run}), which broke off, is removed: {gone}."),
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
