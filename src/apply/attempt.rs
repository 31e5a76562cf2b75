//! Making a payable, crash-safe, and settling what an earlier run left open.
//!
//! 1. Transaction A stores the order, the claim, the attempt, its key and the exact request.
//! 2. The request is sent with that key; no transaction is open.
//! 3. Transaction B writes the payable onto the order.
//!
//! A crash anywhere leaves an open attempt. It is settled before another begins: sent again with the same bytes and key
//! while Stripe surely remembers the key, else looked up by its metadata.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    AttemptId, Money, Order, OrderId, OrderStatus, Ownership, Payable, PayableKind, Registration, key,
};
use crate::ledger::{Attempt, AttemptFor, Begun, Ledger, LedgerError, Rendered, Written};
use crate::manifest::Player;
use crate::stripe::{
    Bill, Closed, LIFETIME, PayableRequest, PriceId, StripeError, create_player_checkout_session,
    create_player_payment_link, render, render_payment_link,
};
use crate::world::{Clock, Wire};

use super::Hands;
use super::change::StepError;
use super::retry::again;

/// Younger than this, a key is surely remembered (24 h at Stripe; stripe/facts.md, Idempotency keys).
const KEY_LIVES: SignedDuration = SignedDuration::from_hours(23);
/// A payable that dies sooner than this is not worth adopting.
const WORTH: SignedDuration = SignedDuration::from_hours(1);
/// Clocks may differ by this much when sessions are looked up by their age.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Makes the payable that the manifest wants for a new or a standing order; none where the order has moved.
    pub(super) async fn bill(
        &self,
        registration: &Registration,
        amount: Money,
        subject: AttemptFor,
    ) -> Result<Option<(Attempt, Payable)>, StepError> {
        let attempt = AttemptId(self.uuid());
        let bill = self.bill_for(registration, amount, &attempt)?;
        self.make_payable(&bill, subject).await
    }

    /// Makes a payable through the helper; none where the order has moved.
    pub(crate) async fn make_payable(
        &self,
        bill: &Bill,
        subject: AttemptFor,
    ) -> Result<Option<(Attempt, Payable)>, StepError> {
        let now = self.stripe.time().await?;
        // A price comes before anything else: it is found again by what it says, and nobody can pay at it.
        let price = match self.manifest.policy.link {
            PayableKind::Session => None,
            PayableKind::PaymentLink => Some(self.price(bill).await?),
        };
        let rendered = |order: &OrderId| {
            let request = match &price {
                Some(price) => render_payment_link(bill, order, price),
                None => render(bill, order, now),
            };
            Rendered { body: request.body, expires_at: request.expires_at }
        };
        let tournament = &self.manifest.tournament.id;
        let begun = again(self.clock, || {
            self.ledger.begin_attempt(&self.guard, tournament, &bill.attempt, &subject, now, &rendered)
        });
        let Begun::Begun(attempt) = begun.await? else { return Ok(None) };
        let payable = match self.send(&attempt).await {
            Ok(payable) => payable,
            Err(source) => {
                if source.is_permanent() {
                    self.abandon(&attempt, "Stripe refused the request").await?;
                }
                return Err(StepError::Unmade { order: attempt.order, source });
            }
        };
        Ok(self.record(&attempt, &payable).await?.then_some((attempt, payable)))
    }

    fn bill_for(&self, registration: &Registration, amount: Money, attempt: &AttemptId) -> Result<Bill, StepError> {
        let unknown = || StepError::Internal(format!("{registration} is not in the manifest"));
        let player = self.manifest.player(&registration.player).ok_or_else(unknown)?;
        let fee = self.manifest.fee(&registration.fee).ok_or_else(unknown)?;
        Ok(Bill {
            ledger: self.ledger_id.clone(),
            attempt: attempt.clone(),
            tournament: self.manifest.tournament.id.clone(),
            tournament_name: self.manifest.tournament.name.clone(),
            registration: registration.clone(),
            fee_name: fee.name.clone(),
            player_name: player.name.clone(),
            email: player.email.clone(),
            amount,
            checkout: self.checkout.clone(),
            lifetime: LIFETIME,
        })
    }

    async fn price(&self, bill: &Bill) -> Result<PriceId, StripeError> {
        self.stripe.price(&bill.line(), bill.amount, &format!("tourney-price-{}", bill.attempt)).await
    }

    async fn send(&self, attempt: &Attempt) -> Result<Payable, StripeError> {
        let request = PayableRequest { body: attempt.request.clone(), expires_at: attempt.expires_at };
        match attempt.kind() {
            PayableKind::Session => {
                create_player_checkout_session(self.stripe, &attempt.order, &request, &attempt.key).await
            }
            PayableKind::PaymentLink => {
                create_player_payment_link(self.stripe, &attempt.order, &request, &attempt.key).await
            }
        }
    }

    /// Transaction B. Where the order has moved meanwhile, the new payable is closed again: `false`.
    async fn record(&self, attempt: &Attempt, payable: &Payable) -> Result<bool, StepError> {
        let write = || self.ledger.record_session(&self.guard, &attempt.id, payable);
        let unrecorded = |source| {
            let (order, session) = (attempt.order.clone(), payable.id.clone());
            StepError::Unrecorded { order, session, source }
        };
        if again(self.clock, write).await.map_err(unrecorded)? == Written::Done {
            return Ok(true);
        }
        self.discard(payable).await?;
        self.abandon(attempt, "the order moved while its payable was made").await?;
        Ok(false)
    }

    /// Closes a payable that no order will hold; a payment that was faster is settled like any other.
    async fn discard(&self, payable: &Payable) -> Result<(), StepError> {
        if let Closed::Paid(paid) = self.stripe.close(&payable.id).await? {
            self.settle(&paid.id, None).await?;
        }
        Ok(())
    }

    async fn abandon(&self, attempt: &Attempt, why: &str) -> Result<(), LedgerError> {
        again(self.clock, || self.ledger.abandon_attempt(&self.guard, &attempt.id, why)).await.map(drop)
    }

    /// Settles an attempt that an earlier run left open.
    ///
    /// While the request may still be under way at Stripe, the attempt stays open: a second one beside it could make a
    /// second payable. What nobody is to pay (any more) is closed; else it is recorded, and that payable is the answer.
    /// Orders that `may_be_canceled` by an expired event of another session are not kept with a new one.
    pub(super) async fn recover(
        &self,
        attempt: &Attempt,
        may_be_canceled: &BTreeSet<OrderId>,
    ) -> Result<Option<Payable>, StepError> {
        let now = self.stripe.time().await?;
        let order = self.ledger.order(&attempt.order).await?;
        let order = order.filter(|order| order.status == OrderStatus::Pending);
        let wanted =
            order.as_ref().is_some_and(|order| self.is_wanted(order, now) && !may_be_canceled.contains(&order.id));
        if order.is_some() && is_fresh(attempt, now) {
            match self.send(attempt).await {
                Ok(payable) if wanted => return Ok(self.record(attempt, &payable).await?.then_some(payable)),
                Ok(payable) => {
                    self.discard(&payable).await?;
                    self.abandon(attempt, "nobody is to pay it any more").await?;
                    return Ok(None);
                }
                Err(error) if error.is_permanent() || error.is_over() => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.look_up(attempt, order.as_ref().filter(|_| wanted), now).await
    }

    /// Whether the manifest still asks for what a pending order is about, through Stripe, and now.
    fn is_wanted(&self, order: &Order, now: Timestamp) -> bool {
        let asks = |player: &Player| {
            let owed = player.owes.iter().find(|owed| owed.fee == order.registration.fee);
            player.paid.is_none() && owed.is_some_and(|owed| owed.amount == order.amount)
        };
        let player = self.manifest.player_now(&order.registration.player);
        !self.manifest.tournament.is_stopped(now) && player.is_some_and(asks)
    }

    /// Finds what an attempt made by its metadata: adopts one that agrees in everything, closes the rest.
    async fn look_up(
        &self,
        attempt: &Attempt,
        order: Option<&Order>,
        now: Timestamp,
    ) -> Result<Option<Payable>, StepError> {
        let mut made = self.made_by(attempt).await?;
        let adopted = made.iter().position(|payable| self.is_adoptable(attempt, order, payable, now));
        let adopted = adopted.map(|index| made.swap_remove(index));
        let recorded = match &adopted {
            Some(payable) => self.record(attempt, payable).await?,
            None => false,
        };
        for payable in made.iter().filter(|payable| payable.is_open()) {
            self.discard(payable).await?;
        }
        if adopted.is_none() {
            self.abandon(attempt, "nothing that it made is worth keeping").await?;
        }
        Ok(adopted.filter(|_| recorded))
    }

    /// Closes whatever an open attempt made, and the attempt.
    pub(crate) async fn undo(&self, attempt: &Attempt) -> Result<(), StepError> {
        for payable in self.made_by(attempt).await?.iter().filter(|payable| payable.is_open()) {
            self.discard(payable).await?;
        }
        Ok(self.abandon(attempt, "it was undone").await?)
    }

    /// Every payable that carries an attempt's id.
    async fn made_by(&self, attempt: &Attempt) -> Result<Vec<Payable>, StripeError> {
        let mut made = match attempt.kind() {
            PayableKind::Session => self.stripe.list_sessions(Some(attempt.began_at - CLOCK_SLACK), None).await?,
            PayableKind::PaymentLink => self.stripe.list_active_payment_links().await?,
        };
        made.retain(|payable| payable.metadata.get(key::ATTEMPT).is_some_and(|id| id == attempt.id.as_str()));
        Ok(made)
    }

    /// Ledger id, attempt, order, amount and currency must agree, and someone must have paid or be able to.
    fn is_adoptable(&self, attempt: &Attempt, order: Option<&Order>, payable: &Payable, now: Timestamp) -> bool {
        let Some(order) = order.filter(|order| order.status == OrderStatus::Pending) else { return false };
        let lives = payable.is_open() && payable.expires_at.is_none_or(|at| at - WORTH >= now);
        Ownership::is_ours(&payable.metadata, &self.ledger_id, &self.manifest.tournament.id)
            && payable.metadata.get(key::ORDER) == Some(&attempt.order.to_string())
            && payable.money() == Some(order.amount)
            && (lives || payable.is_paid() || payable.is_processing())
    }
}

fn is_fresh(attempt: &Attempt, now: Timestamp) -> bool {
    let dies = attempt.expires_at.unwrap_or(attempt.began_at + KEY_LIVES);
    now.duration_since(attempt.began_at) < KEY_LIVES && dies - WORTH >= now
}
