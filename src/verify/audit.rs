//! The audit: every session of the account in the window, and every active Payment Link, is managed, ad hoc, wrong, or foreign.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Order, Payable, PayableState, Registration, SessionId, agreeing, counted, counted_payables};
use crate::invariants::{Rule, Violation, check};
use crate::observe::Observation;
use crate::plan::{Action, Change, Finding, Plan};

use super::Check;

/// How many ids a detail lists before it only counts.
const LISTED: usize = 20;

/// Judges an observation and the plan made of it. Pure.
#[must_use]
pub fn audit(observed: &Observation, planned: &Plan) -> Vec<Check> {
    let broken = check(&planned.head.tournament, observed);
    let canary = |id: &SessionId| observed.facts.canary_sessions.contains(id);
    let open: Vec<&Payable> =
        observed.payables.iter().filter(|payable| payable.is_open() && !canary(&payable.id)).collect();
    let owners = owners(&observed.facts.orders);
    let managed: Vec<(&Payable, &[&Order])> =
        open.iter().filter_map(|payable| Some((*payable, owners.get(&payable.id)?.as_slice()))).collect();
    [
        carries_order_id(&managed, &broken),
        one_owner(&broken),
        one_order(&broken, planned),
        right_amount(&broken, planned),
        right_mode(observed),
        paid_once(&managed, planned),
        from_findings("payments-recorded", planned, &[Finding::UnrecordedPayment], "every payment is on its order"),
        from_findings(
            "no-ad-hoc-session",
            planned,
            &[Finding::AdHocSession],
            "every open session and link of the tournament has its order",
        ),
        money_matched(planned),
        payable_now(planned),
        foreign(planned),
    ]
    .into_iter()
    .chain(observed.links_unread.then(unread))
    .collect()
}

/// What was looked at is said, and so is what was not.
fn unread() -> Check {
    let why = "not read: Stripe does not let this key; nothing is said of any link (tourney doctor names the right)";
    Check::none("payment-links", why)
}

/// Which live orders hold a session.
fn owners(orders: &[Order]) -> BTreeMap<SessionId, Vec<&Order>> {
    let mut owners: BTreeMap<SessionId, Vec<&Order>> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.status.is_live()) {
        if let Some(session) = &order.session {
            owners.entry(session.clone()).or_default().push(order);
        }
    }
    owners
}

/// What is said of one violator, and of many.
type Said<'a> = (&'a str, &'a str);

/// Builds a check from those that violate it.
fn none_of(name: &str, fine: String, (one, many): Said<'_>, violators: &[String]) -> Check {
    if violators.is_empty() {
        return Check::new(name, true, fine);
    }
    let (n, what) = (violators.len(), agreeing(violators.len(), one, many));
    Check::new(name, false, format!("{n} {what}: {}", listed(violators)))
}

fn listed(ids: &[String]) -> String {
    let shown = ids.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > LISTED { format!("{shown} and {} more", ids.len() - LISTED) } else { shown }
}

/// The payables that break a rule.
fn breaking(broken: &[Violation], rule: Rule) -> Vec<String> {
    let those = broken.iter().filter(|violation| violation.rule == rule);
    those.filter_map(|violation| violation.subjects.first().cloned()).collect()
}

fn carries_order_id(managed: &[(&Payable, &[&Order])], broken: &[Violation]) -> Check {
    let open = counted_payables(managed.iter().map(|(payable, _)| &payable.id), "open");
    let said = ("does not carry its order's id", "do not carry their order's id");
    let wrong = breaking(broken, Rule::NotNamingItsOrder);
    none_of("order-id", format!("{open}, each carries its own order_id"), said, &wrong)
}

fn one_owner(broken: &[Violation]) -> Check {
    none_of(
        "one-owner",
        "each is owned by exactly one live order".to_owned(),
        ("is held by several live orders", "are held by several live orders"),
        &breaking(broken, Rule::OfSeveralOrders),
    )
}

/// A second live order is the plan's to retire; where money lies at one, it is the plan that says what a person decides.
fn one_order(broken: &[Violation], planned: &Plan) -> Check {
    let extra = undecided(planned, &[Finding::DuplicateOrder]).filter_map(|change| change.subject.order.as_ref());
    let retired: Vec<String> = extra.map(|seen| seen.id.to_string()).collect();
    if !retired.is_empty() {
        let one = "order stands beside another live one (duplicate-order)";
        let many = "orders stand beside another live one (duplicate-order)";
        return none_of("one-order", String::new(), (one, many), &retired);
    }
    let twice = broken.iter().filter(|violation| violation.rule == Rule::LiveTwice);
    let twice: Vec<String> = twice.filter_map(|one| one.registration.as_ref()).map(ToString::to_string).collect();
    if twice.is_empty() {
        return Check::new("one-order", true, "no registration has two live orders");
    }
    let n = twice.len();
    let have = agreeing(n, "has", "have");
    Check::none(
        "one-order",
        format!("{n} {have} two live orders; tourney plan shows why both stay: {}", listed(&twice)),
    )
}

/// What a session charges must be its order's amount, and what the manifest asks.
fn right_amount(broken: &[Violation], planned: &Plan) -> Check {
    let mut wrong = breaking(broken, Rule::OfAnotherAmount);
    for asked in violators(planned, &[Finding::WrongAmount, Finding::WrongCurrency]) {
        if !wrong.contains(&asked) {
            wrong.push(asked);
        }
    }
    let fine = "each charges its order's amount and currency, as the manifest asks".to_owned();
    let said =
        ("charges something else than order or manifest say", "charge something else than order or manifest say");
    none_of("amount", fine, said, &wrong)
}

/// Of one registration only one session may be open, whichever of its orders records it, and no link stays so when it was paid.
fn paid_once(managed: &[(&Payable, &[&Order])], planned: &Plan) -> Check {
    let mut open: BTreeMap<&Registration, BTreeSet<String>> = BTreeMap::new();
    for (payable, orders) in managed {
        for order in *orders {
            open.entry(&order.registration).or_default().insert(payable.id.to_string());
        }
    }
    let mut besides = violators(planned, &[Finding::PayableTwice]);
    let duplicates =
        undecided(planned, &[Finding::DuplicateOrder]).filter_map(|change| change.subject.session.as_ref());
    let open_ones = duplicates.filter(|session| session.status == Some(PayableState::Open));
    besides.extend(open_ones.map(|session| session.id.to_string()));
    // What is not closed because the application's webhook would cancel the order with it is told in a note.
    let left = planned.notes.iter().filter(|note| note.finding == Some(Finding::PayableTwice));
    besides.extend(left.filter_map(|note| Some(note.subject.session.as_ref()?.id.to_string())));
    for sessions in open.into_values().filter(|sessions| sessions.len() > 1) {
        if !sessions.iter().any(|id| besides.contains(id)) {
            besides.extend(sessions);
        }
    }
    let unlimited = managed.iter().filter(|(payable, _)| payable.is_unlimited());
    let unlimited: Vec<String> = unlimited.map(|(payable, _)| payable.id.to_string()).collect();
    if besides.is_empty() && !unlimited.is_empty() {
        let said = ("can be paid more than once (changed-link)", "can be paid more than once (changed-link)");
        return none_of("paid-once", String::new(), said, &unlimited);
    }
    none_of(
        "paid-once",
        "nothing can be paid besides another".to_owned(),
        ("can be paid besides another of its registration", "can be paid besides another of their registration"),
        &besides,
    )
}

fn right_mode(observed: &Observation) -> Check {
    let wrong: Vec<String> = observed
        .payables
        .iter()
        .filter(|payable| payable.mode != observed.mode)
        .map(|payable| payable.id.to_string())
        .collect();
    let said = ("belongs to the other mode", "belong to the other mode");
    none_of("mode", format!("each belongs to {} mode", observed.mode), said, &wrong)
}

/// A check that fails where the plan has one of these findings.
fn from_findings(name: &str, planned: &Plan, findings: &[Finding], fine: &str) -> Check {
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code()).collect();
    let codes = codes.join(", ");
    none_of(name, fine.to_owned(), (&codes, &codes), &violators(planned, findings))
}

/// The changes of a plan for one of these findings that nobody has decided.
fn undecided<'p>(planned: &'p Plan, findings: &[Finding]) -> impl Iterator<Item = &'p Change> {
    let open = planned.changes.iter().filter(|change| change.action != Action::Decided);
    open.filter(|change| change.findings.iter().any(|finding| findings.contains(finding)))
}

/// What such changes are about.
fn violators(planned: &Plan, findings: &[Finding]) -> Vec<String> {
    undecided(planned, findings).map(subject).collect()
}

/// What a change is about: its session, else its order.
fn subject(change: &Change) -> String {
    let session = change.subject.session.as_ref().map(|session| session.id.to_string());
    session.or_else(|| change.subject.order.as_ref().map(|seen| seen.id.to_string())).unwrap_or_default()
}

/// Money that only a person can match is no failure, but it is said: the exit code is 3.
fn money_matched(planned: &Plan) -> Check {
    let open: Vec<&Change> = planned.changes.iter().filter(|change| change.action == Action::Attention).collect();
    if open.is_empty() {
        return Check::new("money-matched", true, "no payment waits for a decision");
    }
    let name = |change: &&Change| {
        let codes: Vec<&str> = change.findings.iter().map(|finding| finding.code()).collect();
        let order = change.subject.order.as_ref().map(|seen| format!("order {}", seen.id));
        format!("{} ({})", order.unwrap_or_else(|| subject(change)), codes.join(", "))
    };
    let (findings, wait) = (counted(open.len(), "finding"), agreeing(open.len(), "waits", "wait"));
    let listed = listed(&open.iter().map(name).collect::<Vec<_>>());
    Check::none("money-matched", format!("{findings} {wait} for a person's decision: {listed}; tourney plan says more"))
}

/// Links that have died are the plan's business; they are said here all the same.
fn payable_now(planned: &Plan) -> Check {
    match planned.money.unpayable {
        0 if planned.summary.attention > 0 => {
            Check::new("payable-now", true, "everything that is owed can be paid now, or waits for a decision")
        }
        0 => Check::new("payable-now", true, "everything that is owed can be paid now"),
        minor => {
            let money = crate::domain::Money::new(minor, planned.money.currency);
            Check::none("payable-now", format!("{money} cannot be paid now: tourney plan shows why"))
        }
    }
}

fn foreign(planned: &Plan) -> Check {
    let ids: Vec<String> = planned.foreign.iter().map(ToString::to_string).collect();
    if ids.is_empty() {
        return Check::new("foreign", true, "no session or link of anybody else");
    }
    let (some, listed) = (counted_payables(&planned.foreign, ""), listed(&ids));
    Check::none("foreign", format!("not of this tournament, left alone: {some} of this account: {listed}"))
}
