//! Whether a registration has the one live order it needs.

use crate::domain::{Order, OrderStatus, Payable};
use crate::plan::Finding;
use crate::plan::case::{About, Case};
use crate::plan::elect::Role;

/// Nothing was ever billed, or only what tourney itself retired.
pub(super) fn missing_order(case: &Case<'_>) -> Option<Finding> {
    (owes_without_order(case)? && !case.world.stopped() && !ended_by_others(case)).then_some(Finding::MissingOrder)
}

/// The last order was canceled by someone else, or refunded by anyone: a person must say whether to bill again.
pub(super) fn settled_before(case: &Case<'_>) -> Option<Finding> {
    (owes_without_order(case)? && ended_by_others(case)).then_some(Finding::SettledBefore)
}

/// More than one live order: the others go, as long as no money lies or is on its way at them.
pub(super) fn duplicate_order(case: &Case<'_>) -> Option<Finding> {
    let order = case.order_as(Role::Extra)?;
    let moved = |payable: &Payable| payable.is_processing() || (payable.is_paid() && !case.is_elsewhere(payable));
    let loose = case.group.into_iter().flat_map(|group| group.loose_of(order));
    let loose = loose.filter(|payable| payable.money() == Some(order.amount));
    let moved = case.recorded.known().into_iter().chain(loose).any(moved) || case.is_contested();
    (order.status == OrderStatus::Pending && !moved).then_some(Finding::DuplicateOrder)
}

fn owes_without_order(case: &Case<'_>) -> Option<bool> {
    let wanted = case.wanted()?;
    Some(matches!(case.about, About::Vacant) && wanted.amount.minor > 0 && !wanted.paid_elsewhere)
}

fn ended_by_others(case: &Case<'_>) -> bool {
    let retired = &case.world.observed.facts.retired;
    let by_tourney = |order: &Order| {
        order.status == OrderStatus::Canceled && retired.iter().any(|retired| retired.order == order.id)
    };
    case.group.is_some_and(|group| group.orders.iter().any(|(order, _)| !order.status.is_live() && !by_tourney(order)))
}
