//! The ONE path that marks an order paid: fetch the session afresh, judge it, record the payment.
//!
//! The receiver, a failed expiring, `apply` and a periodic reconcile all come here. It may be called many times, and at
//! once, for one session; the write is conditional on the pending order as it was judged, so it commutes with an
//! application's own handler.

mod judge;

pub use judge::{Candidate, Verdict, judge};

use std::fmt;

use crate::domain::{Order, OrderId, Ownership, Payable, Seen, SessionId};
use crate::ledger::{Ledger, LedgerError, Written};
use crate::stripe::{Sessions, StripeError};

/// How often an order that moves under our hands is judged again.
const TRIES: u32 = 4;

/// What settling a session came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The order is paid, by this call.
    Recorded {
        /// Which.
        order: OrderId,
    },
    /// The order had this payment before.
    AlreadyRecorded {
        /// Which.
        order: OrderId,
    },
    /// There is no payment for this database to record; why.
    NotPaid(String),
    /// There is a payment, and no order that it settles; why. A person must look at it.
    Unmatched(String),
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded { order } => write!(f, "the payment is recorded on order {order}"),
            Self::AlreadyRecorded { order } => write!(f, "order {order} had the payment already"),
            Self::NotPaid(why) | Self::Unmatched(why) => f.write_str(why),
        }
    }
}

/// Why a session could not be settled. Safe to try again.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// Stripe did not show the session.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The orders database did not read or write.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Somebody else keeps changing the order.
    #[error("order {0} changed each time its payment was to be recorded: run the same again")]
    Moved(OrderId),
}

/// Records the payment of a session on its order, if there is one.
///
/// Guarantees: an order becomes paid only if Stripe says now that this session is paid, in the order's amount, currency
/// and mode; a payment that settles no order is told, never dropped. Harmless when repeated.
///
/// # Errors
/// [`SettleError`]; nothing was recorded, or it was and the answer was lost.
pub async fn settle(
    sessions: &impl Sessions,
    ledger: &impl Ledger,
    session: &SessionId,
) -> Result<Settled, SettleError> {
    settle_as_planned(sessions, ledger, session, None).await
}

/// As [`settle`], with the order that `plan` has found the session to pay: from retired copies and renamed players, which
/// a session and its order alone do not show.
///
/// # Errors
/// As [`settle`].
pub async fn settle_as_planned(
    sessions: &impl Sessions,
    ledger: &impl Ledger,
    session: &SessionId,
    planned: Option<&OrderId>,
) -> Result<Settled, SettleError> {
    let Some(payable) = sessions.session(session).await? else {
        return Ok(Settled::NotPaid(format!("Stripe does not know the session {session}")));
    };
    let identity = ledger.identity().await?;
    let mut tries = 0;
    loop {
        let (named, recorded) = candidates(ledger, &payable).await?;
        let recorded: Vec<&Order> = recorded.iter().collect();
        let planned = match planned {
            Some(id) => ledger.order(id).await?,
            None => None,
        };
        let candidate = Candidate { named: named.as_ref(), recorded: &recorded, planned: planned.as_ref() };
        match judge(&payable, &candidate, identity.as_ref()) {
            Verdict::Settled(settled) => return Ok(settled),
            Verdict::Record(seen) => {
                let written = ledger.mark_paid(&seen, payable.payment_intent.as_ref()).await?;
                let order = seen.id;
                if written == Written::Done {
                    tracing::info!(%order, session = %payable.id, "payment recorded");
                    return Ok(Settled::Recorded { order });
                }
                tries += 1;
                if tries == TRIES {
                    return Err(SettleError::Moved(order));
                }
            }
        }
    }
}

/// Marks an order paid that was settled outside Stripe, as the manifest says: no payment intent.
///
/// # Errors
/// [`LedgerError`]; safe to try again.
pub async fn settle_elsewhere(ledger: &impl Ledger, seen: &Seen) -> Result<Written, LedgerError> {
    ledger.mark_paid_elsewhere(seen).await
}

/// The order that the session's metadata names, and the orders on which it is recorded, or the Payment Link whose visit made it.
async fn candidates(ledger: &impl Ledger, payable: &Payable) -> Result<(Option<Order>, Vec<Order>), LedgerError> {
    let named = match Ownership::order_in(&payable.metadata) {
        Some(id) => ledger.order(&id).await?,
        None => None,
    };
    let mut recorded = Vec::new();
    for id in [Some(&payable.id), payable.link.as_ref()].into_iter().flatten() {
        let found = ledger.search(id.as_str()).await?;
        recorded.extend(found.into_iter().filter(|order| order.session.as_ref() == Some(id)));
    }
    Ok((named, recorded))
}
