//! The payments behind complete payables and paid orders: processing, failed, refunded, disputed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use jiff::Timestamp;

use crate::domain::{OrderStatus, Payable, PayableKind, PayableState, Payment, PaymentIntentId, SessionId, key};
use crate::ledger::LedgerFacts;
use crate::stripe::{Stripe, StripeError};
use crate::world::{Clock, Wire};

use super::RETRIEVES_AT_ONCE;

/// Fills in [`Payable::payment`] where it can decide something: on complete payables that something in our database or
/// metadata points to. They are listed page by page; only one that no page held is asked for by its id. Answers with those
/// that paid orders record and that no payable here has.
pub(super) async fn read_behind<W: Wire, C: Clock>(
    stripe: &Stripe<W, C>,
    facts: &LedgerFacts,
    payables: &mut [Payable],
    since: Timestamp,
) -> Result<BTreeMap<PaymentIntentId, Payment>, StripeError> {
    let recorded: BTreeSet<&str> = recorded_sessions(facts);
    // What a visit does not say, its link does.
    let says = |payable: &Payable| payable.metadata.contains_key(key::ORDER);
    let links = payables.iter().filter(|payable| payable.kind == PayableKind::PaymentLink && says(payable));
    let links: BTreeSet<&str> = links.map(|link| link.id.as_str()).collect();
    let is_pointed_to = |id: &SessionId| recorded.contains(id.as_str()) || links.contains(id.as_str());
    let wanted: BTreeSet<PaymentIntentId> = payables
        .iter()
        .filter(|payable| payable.state == PayableState::Complete)
        .filter(|payable| {
            says(payable) || is_pointed_to(&payable.id) || payable.link.as_ref().is_some_and(is_pointed_to)
        })
        .filter_map(|payable| payable.payment_intent.clone())
        .chain(paid_with(facts).cloned())
        .collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let listed = stripe.list_payments(since).await?;
    let mut payments: BTreeMap<PaymentIntentId, Payment> =
        listed.into_iter().map(|payment| (payment.intent.clone(), payment)).collect();
    let missing = wanted.into_iter().filter(|intent| !payments.contains_key(intent)).collect::<Vec<_>>();
    let asked: BTreeMap<PaymentIntentId, Payment> = stream::iter(missing)
        .map(|intent| async move { stripe.payment(&intent).await })
        .buffer_unordered(RETRIEVES_AT_ONCE)
        .try_filter_map(|payment| async move { Ok(payment.map(|payment| (payment.intent.clone(), payment))) })
        .try_collect()
        .await?;
    payments.extend(asked);
    let shown: BTreeSet<PaymentIntentId> = payables.iter().filter_map(|one| one.payment_intent.clone()).collect();
    for payable in payables {
        payable.payment = payable.payment_intent.as_ref().and_then(|intent| payments.get(intent).cloned());
    }
    let alone = paid_with(facts).filter(|intent| !shown.contains(*intent));
    Ok(alone.filter_map(|intent| payments.get(intent).map(|payment| (intent.clone(), payment.clone()))).collect())
}

/// The payment intents that paid orders record.
fn paid_with(facts: &LedgerFacts) -> impl Iterator<Item = &PaymentIntentId> {
    let paid = facts.orders.iter().filter(|order| order.status == OrderStatus::Paid);
    paid.filter_map(|order| order.payment_intent.as_ref())
}

/// Every session that the database names.
fn recorded_sessions(facts: &LedgerFacts) -> BTreeSet<&str> {
    let orders = facts.orders.iter().filter_map(|order| order.session.as_ref());
    let retired = facts.retired.iter().filter_map(|retired| retired.session.as_ref());
    let made = facts.sessions_made.iter().map(|(session, _)| session);
    orders.chain(retired).chain(made).map(SessionId::as_str).collect()
}
