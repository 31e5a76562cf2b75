//! What can be wrong with the payable of a pending order that should be payable.

use crate::domain::PayableState;
use crate::plan::Finding;
use crate::plan::case::Case;
use crate::plan::match_up::Recorded;

pub(super) fn missing_session(case: &Case<'_>) -> Option<Finding> {
    (case.billed() && matches!(case.recorded, Recorded::None)).then_some(Finding::MissingSession)
}

/// A link that closed itself over a payment has not expired: whether that is on its way or has failed is another finding.
pub(super) fn expired_session(case: &Case<'_>) -> Option<Finding> {
    let expired = case.recorded.known().is_some_and(|payable| payable.state == PayableState::Expired);
    let used = case.finished_visits().any(|visit| visit.is_processing() || visit.has_failed());
    (case.billed() && expired && !used).then_some(Finding::ExpiredSession)
}

/// Where every recorded session is unknown, the finding stands even on orders that nobody should pay: nothing may be
/// retired in the belief that there is nothing to expire.
pub(super) fn unknown_session(case: &Case<'_>) -> Option<Finding> {
    let unknown = matches!(case.recorded, Recorded::Unknown(_));
    let matters = case.billed() || (case.world.mass_unknown && case.has_pending_order());
    (unknown && matters).then_some(Finding::UnknownSession)
}

/// In minor units; where the currencies differ, the amounts cannot be compared.
pub(super) fn wrong_amount(case: &Case<'_>) -> Option<Finding> {
    let (order, wanted) = (case.pending()?, case.wanted()?);
    let ordered = order.amount.currency == wanted.amount.currency && order.amount.minor != wanted.amount.minor;
    let charged = case.recorded.known().is_some_and(|payable| {
        payable.currency.is_none_or(|currency| currency == wanted.amount.currency)
            && payable.amount.is_some_and(|amount| amount != wanted.amount.minor)
    });
    (case.billed() && (ordered || charged)).then_some(Finding::WrongAmount)
}

pub(super) fn wrong_currency(case: &Case<'_>) -> Option<Finding> {
    let (order, wanted) = (case.pending()?, case.wanted()?);
    let charged = case.recorded.known().and_then(|payable| payable.currency);
    let differs = order.amount.currency != wanted.amount.currency
        || charged.is_some_and(|currency| currency != wanted.amount.currency);
    (case.billed() && differs).then_some(Finding::WrongCurrency)
}

pub(super) fn changed_email(case: &Case<'_>) -> Option<Finding> {
    let payable = case.recorded.known().filter(|payable| payable.is_open())?;
    let prefilled = payable.customer_email.as_deref()?;
    (case.billed() && !case.wanted()?.email.same_as(prefilled)).then_some(Finding::ChangedEmail)
}

/// A session where the policy is links, or the other way round; or a link that its first payment does not close.
pub(super) fn changed_link(case: &Case<'_>) -> Option<Finding> {
    let payable = case.payable().filter(|payable| payable.is_open())?;
    (case.billed() && (case.is_of_other_kind() || payable.is_unlimited())).then_some(Finding::ChangedLink)
}
