//! Money that has moved, or is moving.

use crate::domain::Payable;
use crate::plan::Finding;
use crate::plan::case::Case;

pub(super) fn unrecorded_payment(case: &Case<'_>) -> Option<Finding> {
    case.unrecorded().map(|_| Finding::UnrecordedPayment)
}

/// A delayed method on its way, at any payable of ours.
pub(super) fn payment_processing(case: &Case<'_>) -> Option<Finding> {
    case.payable().is_some_and(Payable::is_processing).then_some(Finding::PaymentProcessing)
}

/// At the recorded session, or at the visit that closed the recorded link.
pub(super) fn payment_failed(case: &Case<'_>) -> Option<Finding> {
    let failed = case.recorded.known().into_iter().chain(case.finished_visits()).any(Payable::has_failed);
    (case.billed() && failed).then_some(Finding::PaymentFailed)
}

/// In full or in part, on an order that is paid or whose payment is about to be recorded; or of a payment that was never
/// recorded, since it was not what was ordered.
pub(super) fn refunded_at_stripe(case: &Case<'_>) -> Option<Finding> {
    let refunded = case.payment().is_some_and(|payment| payment.refunded > 0) || case.is_unrecordable_and_returned();
    refunded.then_some(Finding::RefundedAtStripe)
}

pub(super) fn paid_withdrawn(case: &Case<'_>) -> Option<Finding> {
    (paid_and_unwanted(case) && !case.group?.committed).then_some(Finding::PaidWithdrawn)
}

pub(super) fn paid_other_fee(case: &Case<'_>) -> Option<Finding> {
    (paid_and_unwanted(case) && case.group?.committed).then_some(Finding::PaidOtherFee)
}

fn paid_and_unwanted(case: &Case<'_>) -> bool {
    case.wanted().is_none() && case.is_paid() && !case.is_returned()
}

/// The manifest asks another amount than was paid, or Stripe took another than was ordered, or nothing at all.
pub(super) fn paid_amount_differs(case: &Case<'_>) -> Option<Finding> {
    let order = case.keeper()?;
    let recorded = || case.recorded.known().filter(|payable| payable.has_arrived() && order.may_be_paid_by(payable));
    let taken = case.paid_with().or_else(recorded);
    // What Stripe does not say cannot be taken for what was ordered.
    let otherwise = taken.is_some_and(|payable| payable.money() != Some(order.amount));
    let otherwise = otherwise && !case.names_a_stranger() && !case.is_unrecordable_and_returned();
    let asked = case.wanted().is_some_and(|wanted| wanted.amount != order.amount);
    let differs = otherwise || (case.is_paid() && asked) || order.is_paid_by_canary();
    (differs && !case.is_returned()).then_some(Finding::PaidAmountDiffers)
}

pub(super) fn disputed(case: &Case<'_>) -> Option<Finding> {
    case.payment().is_some_and(|payment| payment.disputed).then_some(Finding::Disputed)
}
