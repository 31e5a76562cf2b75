//! Carries out one change, step by step.

use crate::domain::{Metadata, OrderId, OrderStatus, Ownership, Payable, PayableKind, Registration, Seen, SessionId};
use crate::ledger::{Attempt, AttemptFor, Ledger, LedgerError, RetireHow, Written};
use crate::plan::{Change, Finding, Step};
use crate::settle::{SettleError, Settled, settle_as_planned, settle_elsewhere};
use crate::stripe::{Closed, StripeError};
use crate::world::{Clock, Wire};

use super::Hands;
use super::report::ChangeResult;
use super::retry::again;

/// Why a step of a change failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The orders database.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Stripe.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// A payment could not be settled.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// An order stands, and its payable was not made, as far as we know.
    #[error("order {order} has no link yet: {source}")]
    Unmade {
        /// The order.
        order: OrderId,
        /// What stood in the way.
        source: StripeError,
    },
    /// An order's payable stands at Stripe, and the order does not record it, as far as we know.
    #[error("the {} of order {order} is made and not recorded yet: {source}", PayableKind::of(.session).noun())]
    Unrecorded {
        /// The order.
        order: OrderId,
        /// The payable.
        session: SessionId,
        /// What stood in the way.
        source: LedgerError,
    },
    /// A step that the manifest cannot have asked for.
    #[error("{0}")]
    Internal(String),
}

impl StepError {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Ledger(LedgerError::Fenced) | Self::Unrecorded { source: LedgerError::Fenced, .. } => "lock-lost",
            Self::Ledger(_) | Self::Unrecorded { .. } => "database",
            Self::Stripe(_) | Self::Unmade { .. } => "stripe",
            Self::Settle(_) => "settle",
            Self::Internal(_) => "internal",
        }
    }
}

/// How a change came out, beside its result.
pub(super) enum Carried {
    /// Carried out, or failed: the result says which.
    Through(ChangeResult),
    /// The world has moved: the registration must be observed and planned again. What was done instead, where the payer was
    /// faster.
    Moved(ChangeResult, Option<Box<ChangeResult>>),
}

/// What one step means for the next.
enum Went {
    On,
    /// The rest of the change is not needed; why.
    Ends(String),
    /// The same, since the payable that was to be closed had been paid: that payment is recorded now.
    Paid {
        session: SessionId,
        order: OrderId,
    },
    /// The row was not as it was seen.
    Moved,
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Carries out the steps of a change in their order.
    pub(super) async fn carry_out(&self, change: &Change) -> Carried {
        let mut result = ChangeResult::of(change);
        let mut done: Vec<&'static str> = Vec::new();
        for step in &change.steps {
            match self.carry_out_step(step, change, &mut result).await {
                Ok(Went::On) => done.push(word(step)),
                Ok(Went::Ends(why)) => return Carried::Moved(result.skipped(why), None),
                Ok(Went::Paid { session, order }) => {
                    let why = format!("it was paid meanwhile: the payment is recorded on order {order}");
                    let instead = ChangeResult::of_payment(change, session, order);
                    return Carried::Moved(result.skipped(why), Some(Box::new(instead)));
                }
                Ok(Went::Moved) => {
                    let before =
                        if done.is_empty() { String::new() } else { format!("; done before: {}", done.join(", ")) };
                    let why = format!("the order changed meanwhile: it is looked at again{before}");
                    return Carried::Moved(result.skipped(why), None);
                }
                Err(error) => {
                    let stands = match &error {
                        StepError::Unmade { order, .. } => Some((order, None)),
                        StepError::Unrecorded { order, session, .. } => Some((order, Some(session))),
                        _ => None,
                    };
                    if let Some((order, session)) = stands {
                        result.order = Some(order.clone());
                        result.session = session.cloned();
                    }
                    let before = match &error {
                        _ if !done.is_empty() => format!("done before: {}; ", done.join(", ")),
                        _ if stands.is_some() => String::new(),
                        _ => "nothing was done before; ".to_owned(),
                    };
                    let message = format!("{} failed: {error} ({before}safe to run again)", word(step));
                    return Carried::Through(result.failed(error.code(), message));
                }
            }
        }
        Carried::Through(result)
    }

    async fn carry_out_step(&self, step: &Step, change: &Change, result: &mut ChangeResult) -> Result<Went, StepError> {
        match step {
            Step::Expire { session, order } => self.expire(session, order.as_ref()).await,
            Step::Retire { seen, how, reason, canceled_too } => self.retire(seen, *how, *reason, *canceled_too).await,
            Step::Bill { registration, amount } => {
                let subject = AttemptFor::New { registration: registration.clone(), amount: *amount };
                Ok(made(self.bill(registration, *amount, subject).await?, result))
            }
            Step::Renew { seen } => {
                let subject = AttemptFor::Standing(seen.clone());
                Ok(made(self.bill(&seen.registration, seen.amount, subject).await?, result))
            }
            Step::Repair { session, order, registration } => self.repair(session, order, registration, result).await,
            Step::Rename { seen, to } => {
                if let Some(registration) = &change.subject.registration {
                    result.registration = Some(registration.clone());
                }
                Ok(went(again(self.clock, || self.ledger.rename(&self.guard, seen, to)).await?))
            }
            Step::RecordPayment { session, order } => self.record_payment(session, order).await,
            Step::Settle { seen, canceled_too } => {
                let written = again(self.clock, || settle_elsewhere(self.ledger, seen)).await?;
                let Some(canceled) = canceled_since(seen, written, *canceled_too) else { return Ok(went(written)) };
                Ok(went(again(self.clock, || settle_elsewhere(self.ledger, &canceled)).await?))
            }
            Step::RecordRefund { seen } => Ok(went(again(self.clock, || self.ledger.mark_refunded(seen)).await?)),
        }
    }

    /// Closes a payable at Stripe; where that fails, it is read again and what is true is done.
    async fn expire(&self, session: &SessionId, order: Option<&OrderId>) -> Result<Went, StepError> {
        match self.stripe.close(session).await? {
            Closed::Expired | Closed::Complete(_) | Closed::Unknown => Ok(Went::On),
            Closed::Paid(paid) => {
                Ok(match self.settle(&paid.id, order).await? {
                    Settled::Recorded { order } => Went::Paid { session: paid.id, order },
                    // Known before: a link that was opened again behind its payment is closed like any other.
                    Settled::AlreadyRecorded { .. } => Went::On,
                    settled => Went::Ends(format!("it was paid meanwhile: {settled}")),
                })
            }
            Closed::Processing(_) => Ok(Went::Ends("a payment is on its way: it is left alone".to_owned())),
        }
    }

    /// Puts metadata right. A session that has closed meanwhile refuses an update: then it is looked at again.
    async fn repair(
        &self,
        session: &SessionId,
        order: &OrderId,
        registration: &Registration,
        result: &mut ChangeResult,
    ) -> Result<Went, StepError> {
        let mut metadata = self.ownership(order, registration);
        let mut standing = None;
        if PayableKind::of(session) == PayableKind::PaymentLink {
            let Some(link) = self.stripe.payable(session).await? else { return Ok(Went::Moved) };
            // Its payments get all that the link has, not only what makes it ours.
            metadata = link.metadata.clone().into_iter().chain(metadata).collect();
            standing = Some(link);
        }
        match self.stripe.update_metadata(session, &metadata).await {
            // The payer was faster: what is true now is looked at.
            Ok(payable) if !payable.is_open() => Ok(Went::Moved),
            Ok(payable) => {
                let went = match standing {
                    Some(before) => self.close_early_visits(&before, order).await?,
                    None => Went::On,
                };
                result.url = payable.url;
                result.expires_at = payable.expires_at;
                Ok(went)
            }
            Err(error) if error.is_permanent() => {
                let open = self.stripe.payable(session).await?.is_some_and(|payable| payable.is_open());
                if open { Err(error.into()) } else { Ok(Went::Moved) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sessions that a link's visits made before it was repaired keep what it said then: their own metadata shows, and that of
    /// their payment can be told by the link's alone, as it was `before`. A payment there would find no order. Those that
    /// came since the plan are met here.
    async fn close_early_visits(&self, before: &Payable, order: &OrderId) -> Result<Went, StepError> {
        let unnamed = before.order_of_payments().is_some_and(|named| named != order.to_string());
        let visits = self.stripe.visits(&before.id).await?;
        let names = |visit: &Payable| Ownership::order_in(&visit.metadata).as_ref() == Some(order);
        let early = |visit: &&Payable| visit.is_open() && (unnamed || !names(visit));
        for visit in visits.iter().filter(early) {
            let went = self.expire(&visit.id, Some(order)).await?;
            if !matches!(went, Went::On) {
                return Ok(went);
            }
        }
        Ok(Went::On)
    }

    async fn retire(
        &self,
        seen: &Seen,
        how: RetireHow,
        reason: Finding,
        canceled_too: bool,
    ) -> Result<Went, StepError> {
        let now = self.stripe.time().await?;
        let retire = async |seen: &Seen| {
            again(self.clock, || self.ledger.retire(&self.guard, seen, how, reason.code(), now)).await
        };
        let written = retire(seen).await?;
        let Some(canceled) = canceled_since(seen, written, canceled_too) else { return Ok(went(written)) };
        Ok(went(retire(&canceled).await?))
    }

    async fn record_payment(&self, session: &SessionId, order: &OrderId) -> Result<Went, StepError> {
        Ok(match self.settle(session, Some(order)).await? {
            Settled::Recorded { .. } | Settled::AlreadyRecorded { .. } => Went::On,
            other => Went::Ends(other.to_string()),
        })
    }

    /// Settles a session; where the database does not answer, it is tried again like any other write.
    pub(super) async fn settle(&self, session: &SessionId, order: Option<&OrderId>) -> Result<Settled, SettleError> {
        let settle = || async {
            match settle_as_planned(self.stripe, self.ledger, session, order).await {
                Err(SettleError::Ledger(error)) => Err(error),
                settled => Ok(settled),
            }
        };
        again(self.clock, settle).await?
    }

    /// What a payable that is repaired in place must say.
    fn ownership(&self, order: &OrderId, registration: &Registration) -> Metadata {
        Ownership {
            order: order.clone(),
            ledger: self.ledger_id.clone(),
            attempt: None,
            tournament: self.manifest.tournament.id.clone(),
            player: registration.player.clone(),
            fee: registration.fee.clone(),
        }
        .to_metadata()
    }
}

fn made(made: Option<(Attempt, Payable)>, result: &mut ChangeResult) -> Went {
    let Some((attempt, payable)) = made else { return Went::Moved };
    result.order = Some(attempt.order);
    *result = result.clone().made(payable);
    Went::On
}

/// The order as the application's webhook leaves it when a session of it has expired: what was to be done about a pending
/// one holds for it too.
fn canceled_since(seen: &Seen, written: Written, canceled_too: bool) -> Option<Seen> {
    let canceled = || Seen { status: OrderStatus::Canceled, ..seen.clone() };
    (written == Written::Moved && canceled_too).then(canceled)
}

fn went(written: Written) -> Went {
    match written {
        Written::Done => Went::On,
        Written::Moved => Went::Moved,
    }
}

fn word(step: &Step) -> &'static str {
    match step {
        Step::Expire { session, .. } => match PayableKind::of(session) {
            PayableKind::Session => "expiring the session",
            PayableKind::PaymentLink => "closing the payment link",
        },
        Step::Retire { .. } => "retiring the order",
        Step::Bill { .. } => "making the order and its link",
        Step::Renew { .. } => "making the new link",
        Step::Repair { .. } => "repairing the metadata",
        Step::Rename { .. } => "moving the order",
        Step::RecordPayment { .. } => "recording the payment",
        Step::Settle { .. } => "marking the order paid",
        Step::RecordRefund { .. } => "recording the refund",
    }
}
