//! The third stage: a table of small functions, each from a case to a finding or none. One file for each family.

mod loose;
mod manifest;
mod metadata;
mod order;
mod payment;
mod session;

use super::Finding;
use super::case::Case;

pub(crate) use loose::is_ad_hoc_payment;

/// A judgement of one fact.
type Detector = fn(&Case<'_>) -> Option<Finding>;

/// Every detector, in the order of the findings.
const DETECTORS: &[Detector] = &[
    order::missing_order,
    session::missing_session,
    session::expired_session,
    session::unknown_session,
    metadata::missing_metadata,
    metadata::wrong_metadata,
    session::wrong_amount,
    session::wrong_currency,
    session::changed_email,
    session::changed_link,
    order::duplicate_order,
    loose::payable_twice,
    payment::unrecorded_payment,
    payment::payment_processing,
    payment::payment_failed,
    manifest::withdrawn,
    manifest::renamed,
    manifest::waived,
    manifest::paid_elsewhere,
    manifest::past_due,
    manifest::closed,
    payment::refunded_at_stripe,
    loose::ad_hoc_session,
    loose::ad_hoc_payment,
    order::settled_before,
    payment::paid_withdrawn,
    payment::paid_other_fee,
    payment::paid_amount_differs,
    payment::disputed,
];

/// All that is wrong with a case; sorted.
pub(crate) fn detect(case: &Case<'_>) -> Vec<Finding> {
    DETECTORS.iter().filter_map(|detector| detector(case)).collect()
}
