//! The second stage: which order of a registration lives.

use std::cmp::Reverse;

use crate::domain::{Order, OrderStatus, key};

use super::match_up::{Group, Recorded};

/// What an order is to its registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The live order that stays.
    Keeper,
    /// Another live order of the same registration.
    Extra,
    /// Canceled or refunded.
    Past,
}

/// The group's orders with their roles: the keeper first, then the extras and the past ones by id.
///
/// The paid order stays, else the one whose payment has arrived, as long as it was not paid back; else the one that was paid
/// back or that says paid and was paid by nobody, the one whose payment is on its way, the newest payable one. Where all are `stopped`, and so closed, payable counts
/// for nothing.
pub(crate) fn elect<'a>(group: &Group<'a>, stopped: bool) -> Vec<(&'a Order, Recorded<'a>, Role)> {
    let mut live: Vec<_> = group.orders.iter().filter(|(order, _)| order.status.is_live()).copied().collect();
    live.sort_by_key(|(order, recorded)| {
        let renamed = order.registration != group.registration;
        (Reverse(rank(group, stopped, order, *recorded)), renamed, Reverse(order.created_at), Reverse(&order.id))
    });
    let keeper = live.iter().take(1).map(|(order, recorded)| (*order, *recorded, Role::Keeper));
    let mut extras: Vec<_> = live.iter().skip(1).map(|(order, recorded)| (*order, *recorded, Role::Extra)).collect();
    extras.sort_by_key(|(order, ..)| &order.id);
    let past = group.orders.iter().filter(|(order, _)| !order.status.is_live());
    keeper.chain(extras).chain(past.map(|(order, recorded)| (*order, *recorded, Role::Past))).collect()
}

/// How strongly a live order should stay.
fn rank(group: &Group<'_>, stopped: bool, order: &Order, recorded: Recorded<'_>) -> u8 {
    let payable = recorded.known();
    if order.is_paid_by_canary() {
        return 5;
    }
    if order.status == OrderStatus::Paid {
        let paid_by = payable.filter(|payable| order.may_be_paid_by(payable));
        let returned = paid_by.is_some_and(|payable| payable.is_returned(Some(order.amount)));
        return if returned { 5 } else { 7 };
    }
    let made_for_it = group.loose_of(order).filter(|payable| payable.money() == Some(order.amount));
    let arrived = payable.into_iter().chain(made_for_it).filter(|one| one.has_arrived());
    let best = arrived.map(|payable| if payable.is_returned(Some(order.amount)) { 4 } else { 6 }).max();
    match (best, payable) {
        (Some(best), _) => best,
        (None, Some(payable)) if payable.is_processing() => 3,
        (None, Some(payable)) if payable.is_open() && !stopped => {
            let own = payable.metadata.get(key::ORDER).is_some_and(|id| *id == order.id.to_string());
            if own { 2 } else { 1 }
        }
        _ => 0,
    }
}
