//! The last stage: a verdict into a change with its steps.

use crate::domain::{Order, OrderId, OrderStatus, Payable, Registration, Seen};

use super::case::Case;
use super::decide::Verdict;
use super::decisions::last_order;
use super::detail::detail;
use super::match_up::Recorded;
use super::{Action, Change, Desired, SeenSession, Step, Subject};

/// The verdicts of one case as changes, in their order. Each step that writes to the order expects it as the steps before
/// it leave it.
pub(crate) fn expand(case: &Case<'_>, verdicts: &[Verdict]) -> Vec<Change> {
    let mut seen = case.order().map(Order::seen);
    verdicts
        .iter()
        .map(|verdict| Change {
            subject: subject(case, verdict.action),
            action: verdict.action,
            findings: verdict.findings.clone(),
            desired: desired(case),
            detail: detail(case, verdict),
            steps: steps(case, verdict, &mut seen),
            not_renewed: verdict.not_renewed,
        })
        .collect()
}

/// What the manifest wants of the registration; none where nothing is owed.
pub(crate) fn desired(case: &Case<'_>) -> Option<Desired> {
    case.wanted().filter(|wanted| wanted.amount.minor > 0).map(|wanted| Desired { amount: wanted.amount })
}

/// What a case is about, as it was seen.
pub(crate) fn subject(case: &Case<'_>, action: Action) -> Subject {
    let paid = case.unrecorded().filter(|_| action == Action::RecordPayment);
    let session = match case.recorded {
        _ if paid.is_some() => paid.map(SeenSession::from),
        Recorded::Unknown(id) | Recorded::Unread(id) | Recorded::Contested(id) => {
            Some(SeenSession { id: id.clone(), status: None, payment_status: None })
        }
        Recorded::None | Recorded::Known(_) => case.payable().map(SeenSession::from),
    };
    let order = if action == Action::Create { None } else { last_order(case) };
    Subject { registration: case.registration().cloned(), order: order.map(Order::seen), session }
}

/// How a verdict is carried out. `seen` is the order as the steps so far leave it.
fn steps(case: &Case<'_>, verdict: &Verdict, seen: &mut Option<Seen>) -> Vec<Step> {
    let order = seen.as_ref().map(|seen| seen.id.clone());
    match (verdict.action, seen) {
        (Action::Attention | Action::Decided, _) => Vec::new(),
        (Action::Expire, _) => case.payable().map(|payable| expire(payable, order)).into_iter().collect(),
        (Action::Create, _) => billing(case, [bill(case)]),
        (_, None) => Vec::new(),
        (Action::RecordPayment, Some(seen)) => record(case, seen),
        (Action::RecordRefund, Some(seen)) => {
            let step = Step::RecordRefund { seen: seen.clone() };
            seen.status = OrderStatus::Refunded;
            vec![step]
        }
        (Action::Settle, Some(seen)) => {
            let step = Step::Settle { seen: seen.clone(), canceled_too: case.world.canceling };
            seen.status = OrderStatus::Paid;
            closing(case, &seen.id, [Some(step)])
        }
        (Action::Retire, Some(seen)) => closing(case, &seen.id, [Some(retire(case, verdict, seen))]),
        (Action::Rename, Some(seen)) => rename(case, seen),
        (Action::Replace, Some(seen)) => billing(case, [Some(retire(case, verdict, seen)), bill(case)]),
        (Action::Renew, Some(seen)) => billing(case, [Some(Step::Renew { seen: seen.clone() })]),
        (Action::Repair, Some(seen)) => repair(case, seen),
    }
}

fn expire(payable: &Payable, order: Option<OrderId>) -> Step {
    Step::Expire { session: payable.id.clone(), order }
}

fn record(case: &Case<'_>, seen: &mut Seen) -> Vec<Step> {
    let Some(paid) = case.unrecorded() else { return Vec::new() };
    seen.status = OrderStatus::Paid;
    seen.payment_intent.clone_from(&paid.payment_intent);
    vec![Step::RecordPayment { session: paid.id.clone(), order: seen.id.clone() }]
}

fn retire(case: &Case<'_>, verdict: &Verdict, seen: &Seen) -> Step {
    let (how, reason, canceled_too) = (case.retire_how(), verdict.reason, case.world.canceling);
    Step::Retire { seen: seen.clone(), how, reason, canceled_too }
}

fn bill(case: &Case<'_>) -> Option<Step> {
    let registration = case.registration()?.clone();
    Some(Step::Bill { registration, amount: case.wanted()?.amount })
}

fn rename(case: &Case<'_>, seen: &mut Seen) -> Vec<Step> {
    let Some(Registration { player, .. }) = case.registration() else { return Vec::new() };
    let step = Step::Rename { seen: seen.clone(), to: player.clone() };
    seen.registration.player = player.clone();
    vec![step]
}

fn repair(case: &Case<'_>, seen: &Seen) -> Vec<Step> {
    let (Some(payable), Some(registration)) = (case.payable(), case.registration()) else { return Vec::new() };
    let (session, order) = (payable.id.clone(), seen.id.clone());
    vec![Step::Repair { session, order, registration: registration.clone() }]
}

/// Whatever is open for the order is closed first.
fn closing<const N: usize>(case: &Case<'_>, order: &OrderId, then: [Option<Step>; N]) -> Vec<Step> {
    let mine = open(case).into_iter().filter(|(_, owner)| owner.as_ref() == Some(order));
    mine.map(|(payable, owner)| expire(payable, owner)).chain(then.into_iter().flatten()).collect()
}

/// Whatever is open for the registration is closed first: at most one payable, whatever else goes wrong.
fn billing<const N: usize>(case: &Case<'_>, then: [Option<Step>; N]) -> Vec<Step> {
    open(case).into_iter().map(|(payable, owner)| expire(payable, owner)).chain(then.into_iter().flatten()).collect()
}

/// Every open payable of the registration with the order that a payment at it would be for.
fn open<'a>(case: &Case<'a>) -> Vec<(&'a Payable, Option<OrderId>)> {
    let Some(group) = case.group else { return Vec::new() };
    let recorded =
        group.orders.iter().filter_map(|(order, recorded)| Some((recorded.known()?, Some(order.id.clone()))));
    let loose = group.loose.iter().map(|loose| (loose.payable, loose.order.map(|order| order.id.clone())));
    recorded.chain(loose).filter(|(payable, _)| payable.is_open()).collect()
}
