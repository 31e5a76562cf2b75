//! Whether a payment at the recorded payable would be matched to its order.

use crate::domain::{Payable, key};
use crate::plan::Finding;
use crate::plan::case::Case;

/// No `order_id`: the webhook handler would find no order. Also a reason where the payment was lost that way. Payments at a
/// Payment Link have metadata of their own, by which an application may go as well.
pub(super) fn missing_metadata(case: &Case<'_>) -> Option<Finding> {
    let payable = case.recorded.known()?;
    let missing = payable.metadata.get(key::ORDER).is_none_or(String::is_empty)
        || payable.order_of_payments().is_some_and(str::is_empty);
    let matters = case.billed() || case.unrecorded().is_some_and(|paid| paid.id == payable.id);
    (missing && matters).then_some(Finding::MissingMetadata)
}

/// `order_id` names another order: a predecessor, or one that has nothing to do with this registration. The latter is
/// dangerous wherever the session is open or paid, and then nothing is done about the order. Where only the payments at a
/// Payment Link would name another one, the link itself says whose they are.
pub(super) fn wrong_metadata(case: &Case<'_>) -> Option<Finding> {
    let payable = case.recorded.known()?;
    if !case.has_pending_order() {
        return None;
    }
    if case.visit_paid_for_another().is_some() {
        return Some(Finding::WrongMetadata);
    }
    let matters = if !case.names_another() {
        case.billed() && case.payments_name_another()
    } else if case.names_a_stranger() {
        case.billed() || payable.is_open() || payable.is_paid()
    } else {
        case.billed() || case.unrecorded().is_some_and(|paid: &Payable| paid.id == payable.id)
    };
    matters.then_some(Finding::WrongMetadata)
}
