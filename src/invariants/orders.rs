//! Rules about orders: one lives, none comes back, paid stays paid, nothing is left undone.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Order, OrderId, OrderStatus, Registration};
use crate::observe::Observation;
use crate::plan::Plan;

use super::world::World;
use super::{Rule, Violation};

/// I1, by registration.
pub(super) fn live_twice(world: &World<'_>) -> Vec<Violation> {
    let mut live: BTreeMap<&Registration, Vec<&OrderId>> = BTreeMap::new();
    for order in world.observed.facts.orders.iter().filter(|order| order.status.is_live()) {
        live.entry(&order.registration).or_default().push(&order.id);
    }
    let twice = live.into_iter().filter(|(_, orders)| orders.len() > 1);
    twice
        .map(|(registration, orders)| Violation {
            rule: Rule::LiveTwice,
            registration: Some(registration.clone()),
            subjects: orders.iter().map(ToString::to_string).collect(),
            said: format!("{registration} has {} live orders", orders.len()),
        })
        .collect()
}

/// I1: what was retired, or is gone, does not live again.
pub(super) fn used_again(before: &Observation, after: &Observation) -> Vec<Violation> {
    let stood: BTreeMap<&OrderId, &Order> = before.facts.orders.iter().map(|order| (&order.id, order)).collect();
    let retired: BTreeSet<&OrderId> = before.facts.retired.iter().map(|retired| &retired.order).collect();
    let lived = |order: &Order| stood.get(&order.id).is_some_and(|before| before.status != OrderStatus::Canceled);
    let again = after.facts.orders.iter().filter(|order| order.status == OrderStatus::Pending);
    let again = again.filter(|order| retired.contains(&order.id) && !lived(order));
    again
        .map(|order| Violation {
            rule: Rule::UsedAgain,
            registration: Some(order.registration.clone()),
            subjects: vec![order.id.to_string()],
            said: format!("order {} was retired, and is pending again", order.id),
        })
        .collect()
}

/// I4: status, payment, amount and fee of a paid order stay.
pub(super) fn paid_and_no_more(before: &Observation, after: &Observation) -> Vec<Violation> {
    let now: BTreeMap<&OrderId, &Order> = after.facts.orders.iter().map(|order| (&order.id, order)).collect();
    let paid = before.facts.orders.iter().filter(|order| order.status == OrderStatus::Paid);
    paid.filter_map(|order| {
        let why = what_became(order, now.get(&order.id).copied())?;
        Some(Violation {
            rule: Rule::PaidAndNoMore,
            registration: Some(order.registration.clone()),
            subjects: vec![order.id.to_string()],
            said: format!("order {} was paid, and {why}", order.id),
        })
    })
    .collect()
}

fn what_became(order: &Order, now: Option<&Order>) -> Option<String> {
    let Some(now) = now else { return Some("is gone".to_owned()) };
    if !matches!(now.status, OrderStatus::Paid | OrderStatus::Refunded) {
        return Some(format!("is {} now", now.status));
    }
    if order.payment_intent.is_some() && now.payment_intent != order.payment_intent {
        return Some("records another payment now".to_owned());
    }
    if now.amount != order.amount {
        return Some(format!("owes {} now instead of {}", now.amount, order.amount));
    }
    (now.registration.fee != order.registration.fee).then(|| format!("is for fee {} now", now.registration.fee))
}

/// I6: no attempt is open, and no step is left to do.
pub(super) fn unfinished(observed: &Observation, planned: &Plan) -> Vec<Violation> {
    let attempts = observed.facts.attempts.iter().map(|attempt| Violation {
        rule: Rule::Unfinished,
        registration: Some(attempt.registration.clone()),
        subjects: vec![attempt.order.to_string()],
        said: format!("an attempt to make a link for order {} is open", attempt.order),
    });
    let left = planned.changes.iter().filter(|change| !change.steps.is_empty()).map(|change| {
        let subject = &change.subject;
        let order = subject.order.as_ref().map(|seen| seen.id.to_string());
        let session = subject.session.as_ref().map(|session| session.id.to_string());
        let whose = subject.registration.as_ref().map(|registration| format!(" of {registration}")).unwrap_or_default();
        Violation {
            rule: Rule::Unfinished,
            registration: subject.registration.clone(),
            subjects: order.into_iter().chain(session).collect(),
            said: format!("{}{whose} is left to do", change.action.word()),
        }
    });
    attempts.chain(left).collect()
}
