//! Rules about what can be paid: at most one for a registration, with its order, in its amount, carrying its id.

use std::collections::BTreeMap;

use crate::domain::{Order, OrderId, OrderStatus, Ownership, Payable, Registration, SessionId, key};

use super::world::World;
use super::{Rule, Violation};

/// A violation that is about one payable.
fn about(world: &World<'_>, rule: Rule, payable: &Payable, what: &str) -> Violation {
    let order = world.order_of(payable).map(|order| order.to_string());
    Violation {
        rule,
        registration: world.registration_of(payable),
        subjects: std::iter::once(payable.id.to_string()).chain(order).collect(),
        said: format!("{} {what}", payable.id),
    }
}

/// I2, by registration: whichever of its orders a payment would be for. While a link is closed, the visits that it made are
/// still one place: they were a part of it, and are closed one after the other.
pub(super) fn payable_twice(world: &World<'_>) -> Vec<Violation> {
    let mut open: BTreeMap<Registration, BTreeMap<&SessionId, Vec<&Payable>>> = BTreeMap::new();
    for payable in world.open() {
        if let Some(registration) = world.registration_of(payable) {
            let place = payable.link.as_ref().filter(|link| !world.is_open_link(link)).unwrap_or(&payable.id);
            open.entry(registration).or_default().entry(place).or_default().push(payable);
        }
    }
    let twice = open.into_iter().filter(|(_, places)| places.len() > 1);
    twice
        .map(|(registration, places)| {
            let mut subjects: Vec<String> = places.values().flatten().map(|one| one.id.to_string()).collect();
            subjects.sort();
            let said = format!("{registration} can be paid at {} places", places.len());
            Violation { rule: Rule::PayableTwice, registration: Some(registration), subjects, said }
        })
        .collect()
}

/// I2: of several open attempts each may have made a payable of which nobody knows.
pub(super) fn attempted_twice(world: &World<'_>) -> Vec<Violation> {
    let mut open: BTreeMap<&Registration, Vec<&OrderId>> = BTreeMap::new();
    for attempt in &world.observed.facts.attempts {
        open.entry(&attempt.registration).or_default().push(&attempt.order);
    }
    let twice = open.into_iter().filter(|(_, orders)| orders.len() > 1);
    twice
        .map(|(registration, orders)| Violation {
            rule: Rule::AttemptedTwice,
            registration: Some(registration.clone()),
            subjects: orders.iter().map(ToString::to_string).collect(),
            said: format!("{registration} has {} open attempts", orders.len()),
        })
        .collect()
}

/// I2: a payable is closed before its order leaves.
pub(super) fn without_their_order(world: &World<'_>) -> Vec<Violation> {
    let lost = |payable: &&Payable| {
        let order = world.order_of(payable).filter(|_| world.holders(payable).is_empty());
        order.is_some_and(|order| world.is_retired(&order) || (world.order(&order).is_none() && world.is_ours(payable)))
    };
    let open = world.open().filter(lost);
    open.map(|payable| about(world, Rule::WithoutItsOrder, payable, "can be paid, and its order is gone")).collect()
}

/// I2: what is paid, or was canceled by somebody else, is to be paid no more.
pub(super) fn behind_what_is_settled(world: &World<'_>) -> Vec<Violation> {
    let order = |payable: &Payable| world.order_of(payable).and_then(|id| world.order(&id));
    let pending = |payable: &Payable| world.holders(payable).iter().any(|order| order.status == OrderStatus::Pending);
    let settled = |payable: &&Payable| {
        !pending(payable)
            && order(payable).is_some_and(|order| order.status != OrderStatus::Pending && !world.is_retired(&order.id))
    };
    let open = world.open().filter(settled);
    open.map(|payable| {
        let status = order(payable).map_or("gone", |order| order.status.word());
        about(world, Rule::BehindWhatIsSettled, payable, &format!("can be paid, and its order is {status}"))
    })
    .collect()
}

/// I2: an open payable is owned by one live order.
pub(super) fn of_several_orders(world: &World<'_>) -> Vec<Violation> {
    let open = world.open().filter(|payable| world.holders(payable).len() > 1);
    open.map(|payable| about(world, Rule::OfSeveralOrders, payable, "is held by several live orders")).collect()
}

/// I2: amount and currency are those of its order.
pub(super) fn of_another_amount(world: &World<'_>) -> Vec<Violation> {
    let differs = |payable: &&Payable| {
        let held = world.holders(payable).iter();
        held.into_iter().any(|order| payable.money().is_some_and(|money| money != order.amount))
    };
    let open = world.open().filter(differs);
    open.map(|payable| about(world, Rule::OfAnotherAmount, payable, "charges something else than its order says"))
        .collect()
}

/// I10: whatever the helper made names an order, open or not. A visit has of its link what the link had then.
pub(super) fn made_without_order_id(world: &World<'_>) -> Vec<Violation> {
    let ours = world.payables().filter(|payable| {
        let helper = payable.link.is_none() && payable.metadata.contains_key(key::ATTEMPT) && world.is_ours(payable);
        helper && Ownership::order_in(&payable.metadata).is_none()
    });
    ours.map(|payable| about(world, Rule::MadeWithoutOrderId, payable, "was made by tourney and carries no order_id"))
        .collect()
}

/// I10: what an order records, and can be paid, carries that order's id, and so will its payment.
pub(super) fn not_naming_their_order(world: &World<'_>) -> Vec<Violation> {
    let strays = |payable: &&Payable| {
        let (named, holders) = (Ownership::order_in(&payable.metadata), world.holders(payable));
        let of_payments = |order: &Order| payable.order_of_payments().is_none_or(|id| id == order.id.to_string());
        !holders.is_empty() && !holders.iter().any(|order| named.as_ref() == Some(&order.id) && of_payments(order))
    };
    let open = world.open().filter(strays);
    open.map(|payable| about(world, Rule::NotNamingItsOrder, payable, "does not carry its order's id")).collect()
}
