//! What a change's findings do not say themselves, in a few words for people. Never a name or an address.

use crate::domain::{Id, Order, OrderStatus, Ownership, Payable, key};

use super::case::Case;
use super::decide::Verdict;
use super::decisions::last_order;
use super::{Action, Finding};

/// The attributes that change, and what a person must know to decide.
pub(crate) fn detail(case: &Case<'_>, verdict: &Verdict) -> Option<String> {
    let words = verdict.findings.iter().filter_map(|finding| words(case, verdict.action, *finding));
    let text = words.chain(webhook(case, verdict)).collect::<Vec<_>>().join("; ");
    Some(text).filter(|text| !text.is_empty())
}

fn words(case: &Case<'_>, action: Action, finding: Finding) -> Option<String> {
    match finding {
        Finding::WrongAmount | Finding::WrongCurrency => wrong_money(case),
        Finding::PaidAmountDiffers => paid_otherwise(case),
        Finding::Renamed => {
            let (order, registration) = (case.order()?, case.registration()?);
            Some(format!("player {} → {}", order.registration.player, registration.player))
        }
        Finding::ChangedEmail => Some("the e-mail address has changed".to_owned()),
        Finding::UnknownSession if action == Action::Attention => {
            Some("Stripe knows none of the recorded sessions and links: is it the right account?".to_owned())
        }
        Finding::WrongMetadata => {
            if let Some(visit) = case.visit_paid_for_another() {
                let named = Ownership::order_in(&visit.metadata)?;
                return Some(format!("what was paid at its link, {}, counts for order {named}", visit.id));
            }
            let payable = case.payable()?;
            let own = payable.metadata.get(key::ORDER).map(String::as_str).filter(|_| case.names_another());
            let named = own.or_else(|| payable.order_of_payments())?;
            let at = if own.is_none() { " of payments at the link" } else { "" };
            // Whatever is no id may be a name, an address or a link.
            Some(Id::parse(named).map_or_else(
                |_| format!("what stands in order_id{at} is the id of no order"),
                |id| format!("order_id {id}{at} names another order"),
            ))
        }
        Finding::MissingMetadata if case.payable()?.metadata.get(key::ORDER).is_some_and(|id| !id.is_empty()) => {
            Some("payments at the link would carry no order_id".to_owned())
        }
        Finding::ChangedLink if !case.is_of_other_kind() => Some("the link could be paid more than once".to_owned()),
        Finding::RefundedAtStripe if action == Action::Attention => {
            let (payable, order) = (case.paying().or(case.payable())?, case.order()?);
            let refunded = payable.payment.as_ref()?.refunded;
            let refunded = crate::domain::Money::new(refunded, order.amount.currency);
            Some(format!("{refunded} of {} was refunded", payable.money().unwrap_or(order.amount)))
        }
        Finding::SettledBefore => last_order(case).map(|order| format!("order {} is {}", order.id, order.status)),
        Finding::AdHocPayment => ad_hoc(case),
        _ => None,
    }
}

/// What the application's webhook makes of it, which cancels an order when one of its sessions expires.
fn webhook(case: &Case<'_>, verdict: &Verdict) -> Option<String> {
    if verdict.not_renewed {
        return Some("not kept: the application's webhook would cancel the order behind its open link".to_owned());
    }
    let order = case.order().filter(|order| order.status == OrderStatus::Pending)?;
    let closes = verdict.action == Action::Expire && case.world.canceling && case.unrecorded().is_none();
    closes.then(|| format!("the application's webhook cancels order {} then", order.id))
}

fn wrong_money(case: &Case<'_>) -> Option<String> {
    let (ordered, wanted) = (case.order()?.amount, case.wanted()?.amount);
    let charged = case.payable().and_then(Payable::money).unwrap_or(ordered);
    let from = if ordered == wanted { charged } else { ordered };
    Some(format!("amount {from} → {wanted}"))
}

fn paid_otherwise(case: &Case<'_>) -> Option<String> {
    let order = case.keeper()?;
    if let Some(told) = paid_by_canary(order) {
        return Some(told);
    }
    let paid = case.paying().or(case.payable()).filter(|payable| payable.is_paid());
    let taken = paid.and_then(Payable::money);
    if paid.is_some() && taken.is_none() {
        return Some(format!("Stripe does not say how much was paid, the order says {}", order.amount));
    }
    let taken = taken.unwrap_or(order.amount);
    Some(match case.wanted() {
        Some(wanted) if wanted.amount == taken => format!("paid {taken}, the order says {}", order.amount),
        Some(wanted) => format!("paid {taken}, the manifest says {}", wanted.amount),
        None => format!("paid {taken}, the order says {}", order.amount),
    })
}

/// What a person must know of an order that says paid and was paid by nobody.
fn paid_by_canary(order: &Order) -> Option<String> {
    let intent = order.payment_intent.as_ref().filter(|_| order.is_paid_by_canary())?;
    Some(format!(
        "NOBODY PAID: order {} says paid with {intent}, the canary of a verify that is not of this database; set it back to \
         pending, without payment intent, by hand",
        order.id
    ))
}

fn ad_hoc(case: &Case<'_>) -> Option<String> {
    if let Some(told) = case.order().and_then(paid_by_canary) {
        return Some(told);
    }
    let paid = case.payable().and_then(Payable::money).or_else(|| case.order().map(|order| order.amount))?;
    let told = match case.order() {
        Some(order) if order.status.is_live() => {
            format!("{paid} besides or instead of what order {} accounts for", order.id)
        }
        Some(order) => format!("{paid} for order {}, which is {}", order.id, order.status),
        None => format!("{paid} that no order accounts for"),
    };
    // What a person looks up, and pays back.
    let at = case.payable().map(|payable| match &payable.payment_intent {
        Some(intent) => format!(": {intent} at {}", payable.id),
        None => format!(": {}", payable.id),
    });
    Some(told + &at.unwrap_or_default())
}
