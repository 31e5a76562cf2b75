//! The sentences that terminal and Markdown share.

use std::collections::BTreeSet;

use crate::domain::{Money, PayableKind, Registration, agreeing, counted, counted_payables};
use crate::plan::{Action, Change, Finding, Plan};

/// One line, the money first.
pub(super) fn headline(plan: &Plan) -> String {
    let undecided: Vec<String> = plan.undecided.iter().map(ToString::to_string).collect();
    let undecided = undecided.join(" and ");
    if undecided.is_empty() {
        return what_is_owed(plan, "paid");
    }
    format!("{undecided} was paid and waits for a decision; {}", what_is_owed(plan, "counts as paid"))
}

fn what_is_owed(plan: &Plan, paid: &str) -> String {
    let unpayable = unpayable(plan);
    let money = |minor| Money::new(minor, plan.money.currency).to_string();
    if plan.money.unpayable == 0 {
        return format!("{} of {} {paid}", money(plan.money.paid), money(plan.money.owed));
    }
    let whose: BTreeSet<&Registration> = unpayable.iter().filter_map(|c| c.subject.registration.as_ref()).collect();
    let ordered = unpayable.iter().all(|change| change.subject.order.is_some());
    let noun = if ordered { "order" } else { "registration" };
    let reasons = Finding::ALL.iter().filter(|finding| finding.makes_unpayable()).flat_map(|finding| {
        [PayableKind::Session, PayableKind::PaymentLink].into_iter().filter_map(|kind| {
            let its = |change: &&&Change| change.findings.contains(finding) && says_kind(change, *finding) == kind;
            let n = unpayable.iter().filter(its).count();
            (n > 0).then(|| reason(*finding, kind, n))
        })
    });
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    format!("{}, {} cannot be paid: {reasons}", counted(whose.len(), noun), money(plan.money.unpayable))
}

/// The changes behind the sum of what cannot be paid. Where money lies that no order accounts for, it was paid.
fn unpayable(plan: &Plan) -> Vec<&Change> {
    let unmatched = plan.changes.iter().filter(|change| change.is_unmatched_money());
    let unmatched: BTreeSet<&Registration> = unmatched.filter_map(|c| c.subject.registration.as_ref()).collect();
    let counts = |change: &&Change| {
        !matches!(change.action, Action::Decided | Action::RecordPayment)
            && change.subject.registration.as_ref().is_none_or(|whose| !unmatched.contains(whose))
            && change.findings.iter().any(|finding| finding.makes_unpayable())
    };
    plan.changes.iter().filter(counts).collect()
}

/// Of which kind a change's payable is, where the finding's words say it; else it counts as a session.
fn says_kind(change: &Change, finding: Finding) -> PayableKind {
    let named = matches!(finding, Finding::ExpiredSession | Finding::UnknownSession);
    let session = change.subject.session.as_ref().filter(|_| named);
    session.map_or(PayableKind::Session, |session| PayableKind::of(&session.id))
}

fn reason(finding: Finding, kind: PayableKind, n: usize) -> String {
    let verb = |one: &str, many: &str| format!("{n} {}", agreeing(n, one, many));
    match finding {
        Finding::ExpiredSession if kind == PayableKind::PaymentLink => {
            verb("payment link closed", "payment links closed")
        }
        Finding::UnknownSession if kind == PayableKind::PaymentLink => {
            verb("payment link unknown to Stripe", "payment links unknown to Stripe")
        }
        Finding::MissingOrder => verb("has no order", "have no order"),
        Finding::MissingSession => verb("has no link", "have no link"),
        Finding::ExpiredSession => verb("session expired", "sessions expired"),
        Finding::UnknownSession => verb("session unknown to Stripe", "sessions unknown to Stripe"),
        Finding::MissingMetadata => verb("lacks order_id", "lack order_id"),
        Finding::WrongMetadata => verb("names another order", "name another order"),
        Finding::WrongAmount => verb("asks another amount", "ask another amount"),
        Finding::WrongCurrency => verb("asks another currency", "ask another currency"),
        Finding::PaymentFailed => verb("payment failed", "payments failed"),
        Finding::SettledBefore => verb("was settled before", "were settled before"),
        other => format!("{n} {other}"),
    }
}

/// `Plan: 21 to replace, 0 unchanged.`
pub(super) fn counts(plan: &Plan) -> String {
    const PHRASES: [(Action, &str); 12] = [
        (Action::Create, "to create"),
        (Action::Replace, "to replace"),
        (Action::Renew, "to renew"),
        (Action::Repair, "to repair"),
        (Action::Rename, "to rename"),
        (Action::Settle, "to settle"),
        (Action::RecordPayment, "to record as paid"),
        (Action::RecordRefund, "to record as refunded"),
        (Action::Retire, "to retire"),
        (Action::Expire, "to expire"),
        (Action::Attention, "to decide"),
        (Action::Decided, "decided"),
    ];
    let parts = PHRASES.iter().map(|(action, phrase)| (plan.summary.of(*action), phrase)).filter(|(n, _)| *n > 0);
    let parts: Vec<_> = parts.map(|(n, phrase)| format!("{n} {phrase}")).collect();
    format!("Plan: {}, {} unchanged.", parts.join(", "), plan.summary.unchanged)
}

/// `Nothing to do: 21 registrations in order.`
///
/// None where something is refused: then it is not so.
pub(super) fn nothing_to_do(plan: &Plan) -> Option<String> {
    let refused = plan.renew_refused.is_some() || plan.mass_retire.is_some();
    let in_order = || format!("Nothing to do: {} in order.", counted(plan.summary.unchanged as usize, "registration"));
    (!refused).then(in_order)
}

/// What follows the counts: links, foreign payables, the guard.
pub(super) fn remarks(plan: &Plan) -> Vec<String> {
    let mut remarks = Vec::new();
    if plan.links_stopping > 0 {
        let links = counted(plan.links_stopping as usize, "link");
        remarks.push(format!("{links} that may have been mailed will stop working."));
    }
    if !plan.foreign.is_empty() {
        let n = counted_payables(&plan.foreign, "other");
        remarks.push(format!("{n} of this Stripe account cannot be proved to belong here: left alone."));
    }
    if let Some(refused) = &plan.renew_refused {
        let n = refused.registrations.len();
        remarks.push(match refused.kind {
            PayableKind::Session => format!(
                "Refused: policy keeps {n} of these orders, and the application's webhook would cancel what is kept. Say policy: \
                 {{ stale: replace }} in the manifest if this is meant."
            ),
            PayableKind::PaymentLink => format!(
                "Refused: policy asks for payment links ({}), and the application's webhook would cancel an order whenever a \
                 visit of its link ends without a payment. Say policy: {{ link: session, stale: replace }} in the manifest, or \
                 mend the webhook's handler and verify it again.",
                counted(n, "order")
            ),
        });
    }
    if let Some(guard) = plan.mass_retire {
        remarks.push(format!(
            "Refused: {} of {} would be retired because their players left the manifest (policy max_retired: {}%). \
             Say --allow-mass-retire if that is meant.",
            guard.retiring,
            counted(guard.live as usize, "live order"),
            guard.limit_percent
        ));
    }
    remarks
}

/// Text that somebody else wrote, for one line of a terminal: no control or direction-changing characters.
pub(in crate::render) fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}
