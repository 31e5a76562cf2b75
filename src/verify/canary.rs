//! The canary: an order of its own, made through the helper like any other, and removed whatever happens.

use crate::apply::{Hands, StepError};
use crate::domain::{AttemptId, Email, Money, Order, OrderId, Registration, Seen, SessionId};
use crate::ledger::{AttemptFor, AttemptState, Canary, CanaryEnd, Ledger};
use crate::stripe::{Bill, LIFETIME};
use crate::world::{Clock, Wire};

use super::VerifyError;

/// Who the canary is and what it owes.
#[derive(Clone, Debug)]
pub(super) struct Bird {
    pub(super) registration: Registration,
    pub(super) fee_name: String,
    pub(super) email: Email,
    pub(super) amount: Money,
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Makes a payable for the canary: its first with a new order, a further one for the order that stands.
    pub(super) async fn hatch(&self, bird: &Bird, standing: Option<Seen>) -> Result<(OrderId, SessionId), VerifyError> {
        let bill = Bill {
            ledger: self.ledger_id.clone(),
            attempt: AttemptId(self.uuid()),
            tournament: self.manifest.tournament.id.clone(),
            tournament_name: self.manifest.tournament.name.clone(),
            registration: bird.registration.clone(),
            fee_name: bird.fee_name.clone(),
            player_name: "Canary".to_owned(),
            email: bird.email.clone(),
            amount: bird.amount,
            checkout: self.checkout.clone(),
            lifetime: LIFETIME,
        };
        let subject = standing.map_or_else(
            || AttemptFor::New { registration: bird.registration.clone(), amount: bird.amount },
            AttemptFor::Standing,
        );
        let made = self.make_payable(&bill, subject).await.map_err(VerifyError::Step)?;
        made.map(|(attempt, payable)| (attempt.order, payable.id)).ok_or(VerifyError::CanaryMoved)
    }

    /// The canary's order as it is now.
    pub(super) async fn canary_order(&self, id: &OrderId) -> Result<Order, VerifyError> {
        self.ledger.order(id).await?.ok_or(VerifyError::CanaryMoved)
    }

    /// Closes every payable of a canary at Stripe, then removes its row.
    pub(super) async fn remove(&self, canary: &Canary) -> Result<CanaryEnd, StepError> {
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

    /// A canary's order, also where it broke off before the order's id was journalled: its session may be open.
    async fn order_of(&self, canary: &Canary) -> Result<Option<OrderId>, StepError> {
        if canary.order.is_some() {
            return Ok(canary.order.clone());
        }
        let journalled = self.ledger.open_canaries().await?.into_iter().find(|other| other.run == canary.run);
        Ok(journalled.and_then(|canary| canary.order))
    }
}
