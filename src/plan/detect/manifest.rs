//! Where the manifest has changed since the order was made.

use crate::domain::{Order, Payable};
use crate::plan::Finding;
use crate::plan::case::Case;

/// A pending order that nothing has been paid or is being paid on: one that may leave.
fn unpaid<'a>(case: &Case<'a>) -> Option<&'a Order> {
    let moving = case.payable().is_some_and(|payable| payable.is_processing() || payable.is_paid());
    case.pending().filter(|_| case.unrecorded().is_none() && !moving && !case.is_contested())
}

pub(super) fn withdrawn(case: &Case<'_>) -> Option<Finding> {
    (unpaid(case).is_some() && case.wanted().is_none()).then_some(Finding::Withdrawn)
}

/// The live order stands under the player's former id; one that is about to be refunded lives no longer.
pub(super) fn renamed(case: &Case<'_>) -> Option<Finding> {
    let (order, registration) = (case.keeper()?, case.registration()?);
    let moved = case.wanted().is_some() && order.registration.player != registration.player && !case.is_returned();
    moved.then_some(Finding::Renamed)
}

pub(super) fn waived(case: &Case<'_>) -> Option<Finding> {
    (unpaid(case).is_some() && case.wanted()?.amount.minor == 0).then_some(Finding::Waived)
}

pub(super) fn paid_elsewhere(case: &Case<'_>) -> Option<Finding> {
    let wanted = case.wanted()?;
    (unpaid(case).is_some() && wanted.paid_elsewhere && wanted.amount.minor > 0).then_some(Finding::PaidElsewhere)
}

pub(super) fn past_due(case: &Case<'_>) -> Option<Finding> {
    (case.world.past_due && still_payable(case)).then_some(Finding::PastDue)
}

pub(super) fn closed(case: &Case<'_>) -> Option<Finding> {
    (!case.world.manifest.tournament.open && still_payable(case)).then_some(Finding::Closed)
}

/// At the recorded session, or at one that an interrupted run has made.
fn still_payable(case: &Case<'_>) -> bool {
    let attempted = case.loose().is_some_and(|loose| loose.attempted && loose.payable.is_open());
    attempted || (case.has_pending_order() && case.recorded.known().is_some_and(Payable::is_open))
}
