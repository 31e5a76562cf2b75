//! The orders that are not the canary's: as before, but for what a payer legitimately did meanwhile.

use std::collections::BTreeMap;

use crate::apply::Hands;
use crate::domain::{Order, OrderId, OrderStatus, counted};
use crate::ledger::Ledger;
use crate::world::{Clock, Wire};

use super::{Check, VerifyError};

/// Compares the orders in scope before and after; a pending order that was paid at its own session is no fault.
pub(super) async fn others<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    before: &[Order],
    after: &[Order],
) -> Result<Check, VerifyError> {
    let was: BTreeMap<&OrderId, &Order> = before.iter().map(|order| (&order.id, order)).collect();
    let is: BTreeMap<&OrderId, &Order> = after.iter().map(|order| (&order.id, order)).collect();
    let mut changed: Vec<String> =
        was.keys().filter(|id| !is.contains_key(*id)).map(|id| format!("order {id} is gone")).collect();
    let mut paid = Vec::new();
    for (id, now) in is {
        match was.get(id) {
            None => changed.push(format!("order {id} is new")),
            Some(then) if *then == now => {}
            Some(then) if was_paid(hands, then, now).await? => paid.push(id.to_string()),
            Some(then) => changed.push(format!("order {id} changed ({} before, {} now)", then.status, now.status)),
        }
    }
    if !changed.is_empty() {
        return Ok(Check::new("other-orders", false, format!("meanwhile {}", changed.join(", "))));
    }
    let detail = match paid.as_slice() {
        [] => format!("{} as before", counted(before.len(), "order")),
        paid => format!(
            "{} as before; paid meanwhile at Stripe, each at its own session: {}",
            counted(before.len() - paid.len(), "order"),
            paid.join(", ")
        ),
    };
    Ok(Check::new("other-orders", true, detail))
}

/// Whether an order has become paid and nothing else, and Stripe has that very payment at the order's own session.
async fn was_paid<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    then: &Order,
    now: &Order,
) -> Result<bool, VerifyError> {
    let (OrderStatus::Pending, OrderStatus::Paid, Some(session)) = (then.status, now.status, &then.session) else {
        return Ok(false);
    };
    // A handler may take the link off what is paid.
    let turned =
        Order { status: now.status, payment_intent: now.payment_intent.clone(), url: now.url.clone(), ..then.clone() };
    if turned != *now {
        return Ok(false);
    }
    let payable = hands.stripe.session(session).await?;
    Ok(payable.is_some_and(|payable| {
        payable.has_arrived()
            && payable.money() == Some(now.amount)
            && (now.payment_intent.is_none() || now.payment_intent == payable.payment_intent)
    }))
}
