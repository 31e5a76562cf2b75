//! Which of the links that a run has made may be sent: people copy them from its report.

use crate::domain::{Order, OrderStatus, Ownership, Payable};
use crate::observe::Observation;
use crate::plan::{Plan, Step};

use super::report::ChangeResult;

/// Takes every link away that the last reading does not show as the open payable of its pending order, and says why: the
/// application may have moved the order meanwhile.
pub(super) fn withhold(results: &mut [ChangeResult], observed: &Observation, remaining: &Plan) {
    for result in results.iter_mut().filter(|result| result.url.is_some()) {
        if let Some(why) = why_not(result, observed, remaining) {
            result.url = None;
            result.expires_at = None;
            result.detail = Some(format!("its link is not to be sent: {why}"));
        }
    }
}

fn why_not(result: &ChangeResult, observed: &Observation, remaining: &Plan) -> Option<String> {
    let (Some(id), Some(session)) = (&result.order, &result.session) else { return None };
    let is_it = |order: &&Order| order.id == *id;
    let Some(order) = observed.facts.orders.iter().find(is_it) else {
        return Some(format!("order {id} is gone"));
    };
    if order.status != OrderStatus::Pending {
        return Some(format!("order {id} is {} by now", order.status));
    }
    if order.session.as_ref() != Some(session) {
        return Some(format!("order {id} records another session by now"));
    }
    let shown = |payable: &&Payable| payable.id == *session;
    let Some(payable) = observed.payables.iter().find(shown) else {
        return Some("Stripe does not show its session".to_owned());
    };
    if !payable.is_open() {
        return Some(format!("its session is {} by now", payable.state.word()));
    }
    if Ownership::order_in(&payable.metadata).as_ref() != Some(id) {
        return Some("its session does not carry its order's id".to_owned());
    }
    let closes = |step: &Step| matches!(step, Step::Expire { session: closed, .. } if closed == session);
    let closing = remaining.changes.iter().find(|change| change.steps.iter().any(closes))?;
    let findings: Vec<&str> = closing.findings.iter().map(|finding| finding.code()).collect();
    Some(format!("the next apply closes it ({})", findings.join(", ")))
}
