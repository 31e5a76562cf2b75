//! The fourth stage: the strongest remedy under policy, unless something forbids it or only a person may decide.

use std::collections::BTreeMap;

use crate::domain::Payable;
use crate::manifest::{Decision, Stale, Then, Withdrawn};

use super::case::{Case, cases};
use super::decisions::Decisions;
use super::detect::{detect, is_ad_hoc_payment};
use super::elect::Role;
use super::match_up::{Group, World};
use super::{Action, Finding};

/// One action with its reasons, not yet in steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) action: Action,
    /// Sorted.
    pub(crate) findings: Vec<Finding>,
    /// The finding that calls for this very action.
    pub(crate) reason: Finding,
    /// It takes the place of a renewal, which the application's webhook forbids.
    pub(crate) not_renewed: bool,
}

/// What forbids that a registration is changed, or billed. One sentence each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holds {
    /// A payment is on its way, or a session is in the making: the registration is left alone.
    pub(crate) frozen: Option<&'static str>,
    /// Money has moved, or nobody knows the account: no order and no payable is made.
    pub(crate) no_bill: Option<&'static str>,
}

/// What holds a registration back.
pub(crate) fn holds(world: &World<'_>, group: &Group<'_>, decisions: &Decisions<'_>) -> Holds {
    let cases = cases(world, group);
    let undecided = |case: &&Case<'_>, finding| !decisions.find(case, finding).is_some_and(|d| d.then == Then::Bill);
    let frozen = if group.is_processing() {
        Some("a payment is on its way: nothing is done until it arrives or fails")
    } else if group.loose.iter().any(|loose| loose.young) {
        Some("a session younger than ten minutes may be in the making: left alone")
    } else if cases.iter().any(Case::is_contested) {
        Some("nobody can tell whether a payment is for this registration: nothing is done until a person has said")
    } else {
        None
    };
    let no_bill = if world.mass_unknown {
        Some("no bill while Stripe knows none of the recorded sessions and links: is it the right account?")
    } else if cases.iter().filter(|case| is_ad_hoc_payment(case)).any(|case| undecided(&case, Finding::AdHocPayment)) {
        Some(
            "no bill while a payment that no order accounts for stands here: refund it, or decide it with `then: bill`",
        )
    } else if has_paid_a_fee_they_left(world, group, decisions) {
        Some("no bill while a payment on a fee that the player left is neither refunded nor decided with `then: bill`")
    } else if cases
        .iter()
        .filter(|case| stays_open_for_a_stranger(case))
        .any(|case| undecided(&case, Finding::WrongMetadata))
    {
        Some("no bill while an open session or link names another order: close it, or decide it with `then: bill`")
    } else {
        None
    };
    Holds { frozen, no_bill }
}

/// An open session that names another registration's order stays open where its own order is pending: a person decides.
/// That of any other order is expired, whatever it names.
fn stays_open_for_a_stranger(case: &Case<'_>) -> bool {
    case.has_pending_order() && case.names_a_stranger() && case.payable().is_some_and(Payable::is_open)
}

fn has_paid_a_fee_they_left(world: &World<'_>, group: &Group<'_>, decisions: &Decisions<'_>) -> bool {
    if group.wanted.is_none() {
        return false;
    }
    let left = world.left_by(&group.registration.player).iter();
    left.flat_map(|other| cases(world, other).into_iter().map(move |case| (other, case))).any(|(other, case)| {
        let arrived = case
            .keeper()
            .zip(case.recorded.known())
            .is_some_and(|(order, payable)| payable.has_arrived() && !payable.is_returned(Some(order.amount)));
        let paid = (case.is_paid() && !case.is_returned()) || arrived;
        let released = decisions.find(&case, Finding::PaidOtherFee).is_some_and(|d| d.then == Then::Bill);
        let bills = |d: &Decision| d.then == Then::Bill;
        let ad_hoc = is_ad_hoc_payment(&case) && !decisions.find(&case, Finding::AdHocPayment).is_some_and(bills);
        (paid && !released) || ad_hoc || other.is_processing()
    })
}

/// What one finding calls for under policy; none where it is only shown, or where policy keeps things as they are.
fn remedy(case: &Case<'_>, finding: Finding, decisions: &Decisions<'_>) -> Option<Action> {
    let policy = &case.world.manifest.policy;
    let open = case.payable().is_some_and(Payable::is_open);
    // The stop button keeps orders: nothing is retired while it is pressed.
    let retire = case.world.manifest.tournament.open.then_some(Action::Retire);
    let bill_again = decisions.find(case, finding).is_some_and(|decision| decision.then == Then::Bill);
    match finding {
        Finding::MissingOrder => Some(Action::Create),
        Finding::MissingSession | Finding::ChangedEmail => Some(Action::Renew),
        // What closes a link can be set again, and what was mailed stays good.
        Finding::ChangedLink => Some(if case.is_of_other_kind() { Action::Renew } else { Action::Repair }),
        Finding::ExpiredSession if policy.stale == Stale::Renew => Some(Action::Renew),
        Finding::ExpiredSession | Finding::PaymentFailed | Finding::WrongAmount | Finding::WrongCurrency => {
            Some(Action::Replace)
        }
        Finding::UnknownSession if case.world.mass_unknown => Some(Action::Attention),
        Finding::UnknownSession => case.billed().then_some(Action::Replace),
        Finding::WrongMetadata if case.names_a_stranger() || case.visit_paid_for_another().is_some() => {
            Some(if bill_again && case.billed() { Action::Replace } else { Action::Attention })
        }
        Finding::MissingMetadata | Finding::WrongMetadata if case.unrecorded().is_some() => Some(Action::RecordPayment),
        Finding::MissingMetadata | Finding::WrongMetadata => Some(if open { Action::Repair } else { Action::Replace }),
        Finding::DuplicateOrder | Finding::Waived => retire,
        Finding::Withdrawn => retire.filter(|_| policy.withdrawn == Withdrawn::Retire),
        // Closing the second session would cancel the order that stays payable at the first.
        Finding::PayableTwice if case.world.canceling && case.billed() => Some(Action::Renew),
        Finding::PayableTwice | Finding::AdHocSession | Finding::PastDue | Finding::Closed => Some(Action::Expire),
        Finding::UnrecordedPayment => Some(Action::RecordPayment),
        Finding::PaymentProcessing => None,
        Finding::Renamed => has_room(case).then_some(Action::Rename),
        Finding::PaidElsewhere => Some(Action::Settle),
        Finding::RefundedAtStripe if case.is_returned() => Some(Action::RecordRefund),
        Finding::RefundedAtStripe if bill_again && case.is_unrecordable_and_returned() && !case.world.stopped() => {
            Some(Action::Replace)
        }
        Finding::RefundedAtStripe => Some(Action::Attention),
        Finding::SettledBefore if bill_again && !case.world.stopped() => Some(Action::Create),
        Finding::AdHocPayment
        | Finding::SettledBefore
        | Finding::PaidWithdrawn
        | Finding::PaidOtherFee
        | Finding::PaidAmountDiffers
        | Finding::Disputed => Some(Action::Attention),
    }
}

/// Whether every other live order under the player's new id is about to leave, retired or paid back: an order may move
/// there only then.
fn has_room(case: &Case<'_>) -> bool {
    let Some(group) = case.group else { return false };
    let stays = |finding: &Finding| matches!(finding, Finding::UnknownSession | Finding::WrongMetadata);
    let mut there = cases(case.world, group)
        .into_iter()
        .filter(|other| other.order_as(Role::Extra).is_some_and(|order| order.registration == group.registration));
    there.all(|other| {
        let findings = detect(&other);
        if other.is_returned() {
            return true;
        }
        case.world.manifest.tournament.open
            && findings.contains(&Finding::DuplicateOrder)
            && !findings.iter().any(stays)
    })
}

/// From findings to actions, in the order of precedence.
///
/// Of the actions that converge a registration only the strongest is taken, with the reasons of all; recording, expiring
/// and renaming stand beside it; what needs a person and is dangerous to touch silences them all. The sentence says why
/// something is held back.
pub(crate) fn decide(
    case: &Case<'_>,
    findings: &[Finding],
    holds: Holds,
    decisions: &mut Decisions<'_>,
) -> (Vec<Verdict>, Option<&'static str>) {
    let mut by_action: BTreeMap<Action, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        decisions.mark(case, *finding);
        if let Some(action) = remedy(case, *finding, decisions) {
            by_action.entry(action).or_default().push(*finding);
        }
    }
    let mut held = None;
    let untouchable = |finding: &Finding| matches!(finding, Finding::UnknownSession | Finding::WrongMetadata);
    let person = by_action.remove(&Action::Attention).unwrap_or_default();
    let mut verdicts = persons(case, &person, decisions);
    if person.iter().any(untouchable) {
        silence(&mut verdicts, &mut by_action);
    }
    let (mut converging, beside): (BTreeMap<_, _>, BTreeMap<_, _>) =
        by_action.into_iter().partition(|(action, _)| *action >= Action::Settle);
    if holds.frozen.is_some() && !converging.is_empty() {
        held = holds.frozen;
        converging.clear();
    }
    verdicts.extend(beside.into_iter().map(|(action, findings)| verdict(action, findings)));
    verdicts.extend(converge(case, converging, holds, &mut held));
    verdicts.sort_by_key(|verdict| verdict.action);
    (verdicts, held)
}

/// Nothing is done about the case: what would have been done joins the reasons of the entry that forbids it.
fn silence(verdicts: &mut [Verdict], by_action: &mut BTreeMap<Action, Vec<Finding>>) {
    let silenced = std::mem::take(by_action).into_values().flatten();
    if let Some(first) = verdicts.first_mut() {
        first.findings.extend(silenced);
        first.findings.sort();
    }
}

/// What a person must decide, and what one has decided: an entry each.
fn persons(case: &Case<'_>, findings: &[Finding], decisions: &Decisions<'_>) -> Vec<Verdict> {
    let (decided, open): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| decisions.find(case, **finding).is_some());
    let entries = [(Action::Attention, open), (Action::Decided, decided)];
    entries.into_iter().filter(|(_, list)| !list.is_empty()).map(|(action, list)| verdict(action, list)).collect()
}

/// The strongest of the actions that converge, and a rename beside it where the order stays.
fn converge(
    case: &Case<'_>,
    mut by_action: BTreeMap<Action, Vec<Finding>>,
    holds: Holds,
    held: &mut Option<&'static str>,
) -> Vec<Verdict> {
    let rename = by_action.remove(&Action::Rename);
    let mut verdicts = Vec::new();
    let not_renewed = by_action.keys().next() == Some(&Action::Renew) && case.must_not_be_renewed();
    if not_renewed && let Some(findings) = by_action.remove(&Action::Renew) {
        by_action.insert(Action::Replace, findings);
    }
    let strongest = by_action.keys().next().copied();
    let bills = strongest.is_some_and(|action| matches!(action, Action::Replace | Action::Renew | Action::Create));
    if bills && holds.no_bill.is_some() {
        *held = holds.no_bill;
        by_action.clear();
    }
    let leaves = by_action.keys().next().is_some_and(|action| matches!(action, Action::Retire | Action::Replace));
    if let Some((action, own)) = by_action.pop_first() {
        let reason = own[0];
        let mut findings = own;
        findings.extend(by_action.into_values().flatten());
        findings.extend(rename.iter().flatten().filter(|_| leaves));
        findings.sort();
        verdicts.push(Verdict { action, findings, reason, not_renewed });
    }
    verdicts.extend(rename.filter(|_| !leaves).map(|findings| verdict(Action::Rename, findings)));
    verdicts
}

fn verdict(action: Action, findings: Vec<Finding>) -> Verdict {
    Verdict { action, reason: findings[0], findings, not_renewed: false }
}
