//! Payables besides the one that a pending order records.

use crate::domain::{OrderStatus, Payable, PaymentIntentId};
use crate::plan::Finding;
use crate::plan::case::{About, Case, cases};
use crate::plan::elect::Role;
use crate::plan::match_up::{Group, Loose};

/// An open payable besides the recorded one of a pending order, or any open one of an order that is not pending, or is
/// about to be recorded as paid, or while a payment of its registration is on its way at another.
///
/// Where closing one of two would have the application's webhook cancel the order that stays payable at the other, it is a
/// finding about the order and not about the payable: both must go.
pub(super) fn payable_twice(case: &Case<'_>) -> Option<Finding> {
    let twice = match case.about {
        About::Vacant => false,
        About::Order(order, _) => {
            let settled = order.status != OrderStatus::Pending || case.unrecorded().is_some();
            let moving = case.group.is_some_and(Group::is_processing);
            let open = case.recorded.known().is_some_and(Payable::is_open);
            ((settled || moving) && open) || keeps_another(case)
        }
        About::Loose(loose) => is_beside(case.group, loose) && !is_its_keepers(case, loose),
    };
    twice.then_some(Finding::PayableTwice)
}

/// An open payable that was made for an order which does not record it.
fn is_beside(group: Option<&Group<'_>>, loose: &Loose<'_>) -> bool {
    loose.payable.is_open() && !loose.young && loose.order.is_some() && !is_of_attempt(group, loose)
}

/// The webhook cancels, and an open payable stands beside the one of the order that should be payable.
fn keeps_another(case: &Case<'_>) -> bool {
    let Some((order, group)) = case.pending().zip(case.group).filter(|_| case.world.canceling) else { return false };
    let mut its = group.loose.iter().filter(|loose| loose.order.is_some_and(|of| of.id == order.id));
    case.billed() && its.any(|loose| is_beside(case.group, loose))
}

/// The order of a loose payable answers for it.
fn is_its_keepers(case: &Case<'_>, loose: &Loose<'_>) -> bool {
    let Some(group) = case.group.filter(|_| case.world.canceling) else { return false };
    let keeper = cases(case.world, group).into_iter().find(|case| case.pending().is_some());
    keeper.is_some_and(|keeper| keeper.billed() && keeper.order().map(|of| &of.id) == loose.order.map(|of| &of.id))
}

/// An open payable that is ours and whose order, if it ever had one, is gone.
pub(super) fn ad_hoc_session(case: &Case<'_>) -> Option<Finding> {
    let loose = case.loose()?;
    (loose.payable.is_open() && !loose.young && loose.order.is_none()).then_some(Finding::AdHocSession)
}

/// What an open attempt has made for a pending order that has no open payable yet is that order's own.
fn is_of_attempt(group: Option<&Group<'_>>, loose: &Loose<'_>) -> bool {
    let pending = loose.order.filter(|order| loose.attempted && order.status == OrderStatus::Pending);
    let Some(order) = pending else { return false };
    let orders = group.map(|group| group.orders.as_slice()).unwrap_or_default();
    let recorded = orders.iter().find(|(other, _)| other.id == order.id).and_then(|(_, recorded)| recorded.known());
    !recorded.is_some_and(Payable::is_open)
}

pub(super) fn ad_hoc_payment(case: &Case<'_>) -> Option<Finding> {
    is_ad_hoc_payment(case).then_some(Finding::AdHocPayment)
}

/// Money that has arrived, was not paid back, and that no live order accounts for; or a second payment.
pub(crate) fn is_ad_hoc_payment(case: &Case<'_>) -> bool {
    match case.about {
        About::Vacant => false,
        About::Order(order, role) => {
            let arrived = case.recorded.known().filter(|payable| payable.has_arrived());
            let kept =
                arrived.filter(|payable| !payable.is_returned(Some(order.amount)) && !case.is_elsewhere(payable));
            match role {
                Role::Keeper => paid_by_card_and_cash(case) || paid_by_two_cards(case, order.payment_intent.as_ref()),
                // A second paid order is a second payment, wherever it was paid.
                Role::Extra if order.status == OrderStatus::Paid => arrived.is_none() || kept.is_some(),
                Role::Extra => kept.is_some(),
                Role::Past => order.status == OrderStatus::Canceled && kept.is_some(),
            }
        }
        About::Loose(loose) => {
            loose.payable.has_arrived() && !loose.payable.is_returned(None) && !is_accounted_for(case, loose.payable)
        }
    }
}

fn paid_by_card_and_cash(case: &Case<'_>) -> bool {
    let cash = case.wanted().is_some_and(|wanted| wanted.paid_elsewhere);
    cash && case.paying().is_some() && !case.is_returned()
}

/// The order's recorded intent is not that of its recorded session, which is paid too.
fn paid_by_two_cards(case: &Case<'_>, intent: Option<&PaymentIntentId>) -> bool {
    let ordered = case.keeper().map(|order| order.amount);
    let paid = case.recorded.known().filter(|payable| payable.has_arrived() && !payable.is_returned(ordered));
    let other = paid.and_then(|payable| payable.payment_intent.as_ref());
    intent.zip(other).is_some_and(|(intent, other)| intent != other) && !case.is_returned()
}

/// Whether a loose payment is the one that its order records, or is about to.
fn is_accounted_for(case: &Case<'_>, payable: &Payable) -> bool {
    let (Some(group), Some(order)) = (case.group, case.loose().and_then(|loose| loose.order)) else { return false };
    let Some((_, recorded)) = group.orders.iter().find(|(other, _)| other.id == order.id) else { return false };
    match order.status {
        OrderStatus::Canceled => false,
        OrderStatus::Pending => {
            let keeper = cases(case.world, group).into_iter().find(|case| case.pending().is_some());
            keeper.and_then(|keeper| keeper.unrecorded()).is_some_and(|unrecorded| unrecorded.id == payable.id)
        }
        OrderStatus::Paid | OrderStatus::Refunded => match &order.payment_intent {
            Some(intent) => payable.payment_intent.as_ref() == Some(intent),
            // An orders table without intents: the first payment for the order is taken for its payment.
            None => {
                let cash = group.wanted.is_some_and(|wanted| wanted.paid_elsewhere);
                let first = group.loose.iter().rev().find(|loose| {
                    loose.order.is_some_and(|other| other.id == order.id)
                        && loose.payable.has_arrived()
                        && loose.payable.money() == Some(order.amount)
                });
                !cash
                    && !recorded.known().is_some_and(Payable::has_arrived)
                    && first.is_some_and(|first| first.payable.id == payable.id)
            }
        },
    }
}
