//! The only join of ledger and Stripe: what is, in scope.
//!
//! Guarantees: reads only; every page of the sessions in the window and of the active Payment Links is read; each recorded
//! session of a live order, and each link of a pending one, is either among them or was asked for by its id. Assumes: a
//! session lives 24 hours at most, so that every open one lies in the window. Caveat: the two sides are not read at one
//! moment; every write is therefore conditional.

mod facts;
mod payments;

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::domain::{FeeId, Mode, Order, OrderId, OrderStatus, Payable, PayableKind, SessionId, agreeing};
use crate::ledger::{Ledger, LedgerError, LedgerFacts, Scope};
use crate::stripe::{Stripe, StripeError};
use crate::world::{Clock, Wire};

pub use facts::Observation;

/// How many sessions are asked for by their id at once.
const RETRIEVES_AT_ONCE: usize = 8;

/// A day and an hour: no open session is older (stripe/facts.md, Sessions).
const OPEN_WINDOW: SignedDuration = SignedDuration::from_hours(25);

/// Why nothing could be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The orders database did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Stripe did not answer.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// A recorded session of the other mode.
    #[error("order {order} holds {session}, which is not of {mode} mode")]
    WrongMode {
        /// The order.
        order: OrderId,
        /// The session it holds.
        session: SessionId,
        /// The key's mode.
        mode: Mode,
    },
    /// Orders that belong to another tournament by tourney's own tables.
    #[error("{} of the orders in scope {} to another tournament: {}", .0.len(), agreeing(.0.len(), "belongs", "belong"), listed(.0))]
    Overlap(Vec<OrderId>),
    /// The tournament was applied with wholly other fees.
    #[error("this tournament.id was applied with other fees: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Copied(BTreeSet<FeeId>),
}

/// The first few ids.
fn listed(ids: &[OrderId]) -> String {
    let shown: Vec<String> = ids.iter().take(10).map(ToString::to_string).collect();
    shown.join(", ")
}

/// Reads ledger and Stripe; writes nothing, anywhere.
///
/// # Errors
/// [`ObserveError`] where one side does not answer: half an observation is none.
pub async fn observe<W: Wire, C: Clock>(
    ledger: &impl Ledger,
    stripe: &Stripe<W, C>,
    scope: &Scope,
    account: &str,
    mode: Mode,
) -> Result<Observation, ObserveError> {
    let identity = ledger.identity().await?;
    let facts = ledger.read(scope).await?;
    check(&facts, mode)?;
    let now = stripe.time().await?;
    let since = window_start(&facts, now);
    // Links before the sessions of their visits: a payment closes its link, and one that came between the two reads must not
    // show as a closed link alone.
    let links = active_links(stripe, &facts).await?;
    let links_unread = links.is_none();
    let mut payables = stripe.list_sessions(Some(since), None).await?;
    payables.extend(links.into_iter().flatten());
    let unknown = retrieve_missing(stripe, &facts, &mut payables).await?;
    let payments = payments::read_behind(stripe, &facts, &mut payables, since).await?;
    payables.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(Observation {
        at: now,
        account: account.to_owned(),
        mode,
        ledger: identity.map(|identity| identity.ledger),
        facts,
        payables,
        payments,
        links_unread,
        unknown,
    })
}

/// Refuses facts that show a wrong key or a wrong scope, before anything is planned.
fn check(facts: &LedgerFacts, mode: Mode) -> Result<(), ObserveError> {
    if !facts.overlapping.is_empty() {
        return Err(ObserveError::Overlap(facts.overlapping.clone()));
    }
    if !facts.foreign_fees.is_empty() {
        return Err(ObserveError::Copied(facts.foreign_fees.clone()));
    }
    for order in &facts.orders {
        if let Some(session) =
            order.session.as_ref().filter(|id| Mode::of_session(id.as_str()).is_some_and(|its| its != mode))
        {
            return Err(ObserveError::WrongMode { order: order.id.clone(), session: session.clone(), mode });
        }
    }
    Ok(())
}

/// From when on sessions are listed: before the first order in scope, also where it has gone since, and far enough back for
/// every open one.
fn window_start(facts: &LedgerFacts, now: Timestamp) -> Timestamp {
    let orders = facts.orders.iter().filter_map(|order| order.created_at);
    let retired = facts.retired.iter().map(|retired| retired.made_at.unwrap_or(retired.at));
    let attempts = facts.attempts.iter().map(|attempt| attempt.began_at);
    orders.chain(retired).chain(attempts).chain([now]).min().unwrap_or(now) - OPEN_WINDOW
}

/// The account's active Payment Links. Where the ledger knows of none, a key or a server that does not show them is no failure.
async fn active_links<W: Wire, C: Clock>(
    stripe: &Stripe<W, C>,
    facts: &LedgerFacts,
) -> Result<Option<Vec<Payable>>, StripeError> {
    let made = facts.sessions_made.iter().any(|(id, _)| PayableKind::of(id) == PayableKind::PaymentLink);
    let open = facts.attempts.iter().any(|attempt| attempt.kind() == PayableKind::PaymentLink);
    match stripe.list_active_payment_links().await {
        Err(error) if error.is_permanent() && !made && !open => Ok(None),
        answer => answer.map(Some),
    }
}

/// Asks by id for the recorded sessions of pending and paid orders that no page held; gives those that Stripe does not know.
/// A paid order's link that is not active has nothing to tell: its visits are sessions.
async fn retrieve_missing<W: Wire, C: Clock>(
    stripe: &Stripe<W, C>,
    facts: &LedgerFacts,
    payables: &mut Vec<Payable>,
) -> Result<BTreeSet<SessionId>, StripeError> {
    let listed: BTreeSet<&SessionId> = payables.iter().map(|payable| &payable.id).collect();
    let tells = |order: &Order, id: &SessionId| match PayableKind::of(id) {
        PayableKind::Session => order.status.is_live(),
        PayableKind::PaymentLink => order.status == OrderStatus::Pending,
    };
    let wanted: BTreeSet<SessionId> = facts
        .orders
        .iter()
        .filter_map(|order| order.session.clone().filter(|id| tells(order, id)))
        .filter(|id| !listed.contains(id))
        .collect();
    let answers: Vec<(SessionId, Option<Payable>)> = stream::iter(wanted)
        .map(|id| async move { stripe.payable(&id).await.map(|answer| (id, answer)) })
        .buffer_unordered(RETRIEVES_AT_ONCE)
        .try_collect()
        .await?;
    let mut unknown = BTreeSet::new();
    for (id, answer) in answers {
        match answer {
            Some(payable) => payables.push(payable),
            None => {
                unknown.insert(id);
            }
        }
    }
    Ok(unknown)
}
