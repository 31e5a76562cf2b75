//! Rules about money: a payment counts on one order, once, and only where it has arrived.

use std::collections::BTreeMap;

use crate::domain::{Order, OrderId, OrderStatus, Payable, PaymentIntentId};
use crate::observe::Observation;

use super::world::World;
use super::{Rule, Violation};

/// Whether an order says that it has been paid, now or before a refund.
fn was_paid(order: &Order) -> bool {
    matches!(order.status, OrderStatus::Paid | OrderStatus::Refunded)
}

/// I3: one payment pays one order.
pub(super) fn recorded_twice(world: &World<'_>) -> Vec<Violation> {
    let mut by: BTreeMap<&PaymentIntentId, Vec<&Order>> = BTreeMap::new();
    for order in world.observed.facts.orders.iter().filter(|order| was_paid(order)) {
        if let Some(intent) = &order.payment_intent {
            by.entry(intent).or_default().push(order);
        }
    }
    let twice = by.into_iter().filter(|(_, orders)| orders.len() > 1);
    twice
        .map(|(intent, orders)| Violation {
            rule: Rule::RecordedTwice,
            registration: orders.first().map(|order| order.registration.clone()),
            subjects: orders.iter().map(|order| order.id.to_string()).collect(),
            said: format!("payment {intent} is recorded on {} orders", orders.len()),
        })
        .collect()
}

/// I3: what is recorded as paid was paid.
pub(super) fn recorded_and_not_paid(world: &World<'_>) -> Vec<Violation> {
    let payables = || world.payables().filter(|payable| !payable.has_arrived());
    let unpaid: BTreeMap<&PaymentIntentId, &Payable> =
        payables().filter_map(|payable| Some((payable.payment_intent.as_ref()?, payable))).collect();
    let orders = world.observed.facts.orders.iter().filter(|order| order.status == OrderStatus::Paid);
    orders
        .filter_map(|order| {
            let payable = unpaid.get(order.payment_intent.as_ref()?)?;
            Some(Violation {
                rule: Rule::RecordedAndNotPaid,
                registration: Some(order.registration.clone()),
                subjects: vec![order.id.to_string(), payable.id.to_string()],
                said: format!("order {} is paid by {}, which is unpaid", order.id, payable.id),
            })
        })
        .collect()
}

/// I3: what has arrived for a registration, and was not paid back, is recorded.
pub(super) fn not_recorded(world: &World<'_>) -> Vec<Violation> {
    let arrived = world.payables().filter(|payable| payable.has_arrived() && !is_recorded(world, payable));
    arrived
        .filter_map(|payable| {
            let order = world.order_of(payable);
            let ordered = order.as_ref().and_then(|id| world.order(id)).map(|order| order.amount);
            let registration = world.registration_of(payable).filter(|_| !payable.is_returned(ordered))?;
            Some(Violation {
                rule: Rule::NotRecorded,
                said: format!("{} was paid for {registration}, and no order records it", payable.id),
                registration: Some(registration),
                subjects: std::iter::once(payable.id.to_string()).chain(order.map(|id| id.to_string())).collect(),
            })
        })
        .collect()
}

/// I3: an order is retired only while nobody has paid for it. What was paid in another amount, or paid back, never was its payment.
pub(super) fn left_behind(before: &World<'_>, after: &Observation) -> Vec<Violation> {
    let pays = |payable: &&Payable| payable.has_arrived() && !is_recorded(before, payable);
    let retired = |id: &OrderId| after.facts.retired.iter().any(|retired| retired.order == *id);
    before
        .payables()
        .filter(pays)
        .filter_map(|payable| {
            let order = before.order_of(payable).and_then(|id| before.order(&id))?;
            let its = payable.money() == Some(order.amount) && !payable.is_returned(Some(order.amount));
            let left = order.status == OrderStatus::Pending && its && retired(&order.id);
            left.then(|| Violation {
                rule: Rule::RetiredThoughPaid,
                registration: Some(order.registration.clone()),
                subjects: vec![payable.id.to_string(), order.id.to_string()],
                said: format!("order {} was retired, and {} was paid for it before", order.id, payable.id),
            })
        })
        .collect()
}

/// An application's own handler may mark an order paid and leave the payment intent out.
fn is_recorded(world: &World<'_>, payable: &Payable) -> bool {
    let holds = |order: &Order| {
        order.session.is_some() && [Some(&payable.id), payable.link.as_ref()].contains(&order.session.as_ref())
    };
    let orders = world.observed.facts.orders.iter();
    orders.filter(|order| was_paid(order)).any(|order| match (&order.payment_intent, &payable.payment_intent) {
        (Some(recorded), Some(intent)) => recorded == intent,
        (Some(_), None) => false,
        (None, _) => holds(order),
    })
}
