//! The audit: every session of the account in the window is managed, ad hoc, wrong, or foreign.

use std::collections::BTreeMap;

use crate::domain::{Order, OrderId, Ownership, Payable, SessionId};
use crate::observe::Observation;
use crate::plan::{Action, Finding, Plan};

use super::Check;

/// How many ids a detail lists before it only counts.
const LISTED: usize = 20;

/// Judges an observation and the plan made of it. Pure.
#[must_use]
pub fn audit(observed: &Observation, planned: &Plan) -> Vec<Check> {
    let canary = |id: &SessionId| observed.facts.canary_sessions.contains(id);
    let open: Vec<&Payable> =
        observed.payables.iter().filter(|payable| payable.is_open() && !canary(&payable.id)).collect();
    let owners = owners(&observed.facts.orders);
    let managed: Vec<(&Payable, &[&Order])> =
        open.iter().filter_map(|payable| Some((*payable, owners.get(&payable.id)?.as_slice()))).collect();
    vec![
        carries_order_id(&managed),
        one_owner(&managed),
        right_amount(&managed),
        right_mode(observed),
        from_findings("paid-once", planned, &[Finding::PayableTwice], "nothing can be paid besides another"),
        from_findings("payments-recorded", planned, &[Finding::UnrecordedPayment], "every payment is on its order"),
        from_findings(
            "no-ad-hoc-session",
            planned,
            &[Finding::AdHocSession],
            "every open session of the tournament has its order",
        ),
        money_matched(planned),
        payable_now(planned),
        foreign(planned),
    ]
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

/// Builds a check from those that violate it.
fn none_of(name: &str, fine: String, what: &str, violators: &[String]) -> Check {
    if violators.is_empty() {
        return Check::new(name, true, fine);
    }
    Check::new(name, false, format!("{} {what}: {}", violators.len(), listed(violators)))
}

fn listed(ids: &[String]) -> String {
    let shown = ids.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if ids.len() > LISTED { format!("{shown} and {} more", ids.len() - LISTED) } else { shown }
}

fn carries_order_id(managed: &[(&Payable, &[&Order])]) -> Check {
    let wrong: Vec<String> = managed
        .iter()
        .filter(|(payable, orders)| {
            let named: Option<OrderId> = Ownership::order_in(&payable.metadata);
            !orders.iter().any(|order| named.as_ref() == Some(&order.id))
        })
        .map(|(payable, _)| payable.id.to_string())
        .collect();
    let fine = format!("{} open sessions, each carries its own order_id", managed.len());
    none_of("order-id", fine, "open sessions do not carry their order's id", &wrong)
}

fn one_owner(managed: &[(&Payable, &[&Order])]) -> Check {
    let shared: Vec<String> =
        managed.iter().filter(|(_, orders)| orders.len() != 1).map(|(payable, _)| payable.id.to_string()).collect();
    none_of(
        "one-owner",
        "each is owned by exactly one live order".to_owned(),
        "are held by several live orders",
        &shared,
    )
}

fn right_amount(managed: &[(&Payable, &[&Order])]) -> Check {
    let wrong: Vec<String> = managed
        .iter()
        .filter(|(payable, orders)| orders.iter().any(|order| payable.money() != Some(order.amount)))
        .map(|(payable, _)| payable.id.to_string())
        .collect();
    none_of("amount", "each charges its order's amount and currency".to_owned(), "charge something else", &wrong)
}

fn right_mode(observed: &Observation) -> Check {
    let wrong: Vec<String> = observed
        .payables
        .iter()
        .filter(|payable| payable.mode != observed.mode)
        .map(|payable| payable.id.to_string())
        .collect();
    none_of("mode", format!("each belongs to {} mode", observed.mode), "belong to the other mode", &wrong)
}

/// A check that fails where the plan has one of these findings.
fn from_findings(name: &str, planned: &Plan, findings: &[Finding], fine: &str) -> Check {
    let violators: Vec<String> = planned
        .changes
        .iter()
        .filter(|change| change.action != Action::Decided)
        .filter(|change| change.findings.iter().any(|finding| findings.contains(finding)))
        .map(|change| {
            let session = change.subject.session.as_ref().map(|session| session.id.to_string());
            session.or_else(|| change.subject.order.as_ref().map(|seen| seen.id.to_string())).unwrap_or_default()
        })
        .collect();
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code()).collect();
    none_of(name, fine.to_owned(), &codes.join(", "), &violators)
}

/// Money that only a person can match is no failure, but it is said: the exit code is 3.
fn money_matched(planned: &Plan) -> Check {
    match planned.summary.attention {
        0 => Check::new("money-matched", true, "no payment waits for a decision"),
        n => {
            Check::none("money-matched", format!("{n} findings wait for a person's decision: tourney plan shows them"))
        }
    }
}

/// Links that have died are the plan's business; they are said here all the same.
fn payable_now(planned: &Plan) -> Check {
    match planned.money.unpayable {
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
        return Check::new("foreign", true, "no session of anybody else in the window");
    }
    let (n, listed) = (ids.len(), listed(&ids));
    Check::none("foreign", format!("{n} sessions of this account are not of this tournament, left alone: {listed}"))
}
