//! Every registration as it stands, for people and for scripts.

use comfy_table::{Table, presets};
use jiff::Timestamp;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::domain::{
    OrderStatus, Payable, PayableKind, PayableState, PaymentStatus, counted, counted_payables, handed_out,
};
use crate::manifest::Manifest;
use crate::plan::{Plan, Standing};

use super::plan::{head, plain};
use super::time::{instant, span};

/// `status --json`: the plan's head, and one entry for each registration.
#[must_use]
pub fn json(planned: &Plan, standings: &[Standing<'_>]) -> Value {
    let mut document = Value::Object(head(planned));
    document["registrations"] = standings.iter().map(registration).collect();
    document
}

fn registration(standing: &Standing<'_>) -> Value {
    let Standing { registration, order, payable, findings, .. } = standing;
    let paying = standing.paying();
    json!({
        "player": registration.player,
        "fee": registration.fee,
        "order_id": order.map(|order| &order.id),
        "order_status": order.map(|order| order.status),
        "payment_intent": order.and_then(|order| order.payment_intent.as_ref()),
        "session_id": order.and_then(|order| order.session.as_ref()),
        "session_status": paying.map(|payable| payable.state),
        "payment_status": paying.map(|payable| payable.payment_status),
        "url": url(standing),
        "kind": order.and_then(|order| order.session.as_ref()).map(PayableKind::of),
        "expires_at": payable.and_then(|payable| payable.expires_at).map(instant),
        "findings": findings,
    })
}

/// A line for each registration, then the sums. It ends with a line feed.
#[must_use]
pub fn terminal(planned: &Plan, manifest: &Manifest, standings: &[Standing<'_>], color: bool) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["player", "fee", "order", "status", "payable", "payment", "findings", "link"]);
    for standing in standings {
        table.add_row(row(standing, manifest, planned.head.observed_at));
    }
    let mut lines = Vec::new();
    if !standings.is_empty() {
        // The header stands first; a row is one line, for nothing in it can break one.
        let wrong = std::iter::once(false).chain(standings.iter().map(|standing| !standing.findings.is_empty()));
        let table = table.trim_fmt();
        lines.extend(
            table.lines().zip(wrong).map(
                |(line, wrong)| {
                    if wrong && color { line.yellow().to_string() } else { line.to_owned() }
                },
            ),
        );
        lines.push(String::new());
    }
    lines.push(sums(standings));
    lines.extend(remark(planned, standings));
    lines.join("\n") + "\n"
}

fn row(standing: &Standing<'_>, manifest: &Manifest, now: Timestamp) -> [String; 8] {
    let Standing { registration, order, payable, findings, .. } = standing;
    let name = manifest.player(&registration.player).map(|player| plain(&player.name)).unwrap_or_default();
    let fee = manifest.fee(&registration.fee).map(|fee| plain(&fee.name)).unwrap_or_default();
    let findings: Vec<&str> = findings.iter().map(|finding| finding.code()).collect();
    [
        format!("{} {name}", registration.player).trim_end().to_owned(),
        format!("{} {fee}", registration.fee).trim_end().to_owned(),
        order.map_or_else(|| "none".to_owned(), |order| order.id.to_string()),
        order.map(|order| order.status.to_string()).unwrap_or_default(),
        payable.map_or_else(|| unread(standing).to_owned(), |payable| lives(payable, now)),
        payment(standing),
        findings.join(", "),
        url(standing).as_deref().map(plain).unwrap_or_default(),
    ]
}

/// The link without the payer's address, which [`super::links`] alone shows whole.
fn url(standing: &Standing<'_>) -> Option<String> {
    let payable = standing.payable?;
    Some(handed_out(&payable.id, payable.url.as_deref()?, standing.order.map(|order| &order.id), None))
}

/// What is said of a payable that Stripe did not show. Of links it shows the active ones, and those of pending orders.
fn unread(standing: &Standing<'_>) -> &'static str {
    let Some((order, id)) = standing.order.and_then(|order| Some((order, order.session.as_ref()?))) else {
        return "none";
    };
    match PayableKind::of(id) {
        PayableKind::PaymentLink if order.status != OrderStatus::Pending => "closed",
        PayableKind::Session | PayableKind::PaymentLink => "not seen at Stripe",
    }
}

/// A payable's state and, while it is open, how long its link lives.
pub(super) fn lives(payable: &Payable, now: Timestamp) -> String {
    match (payable.state, payable.kind, payable.expires_at) {
        (PayableState::Open, _, Some(end)) if end > now => format!("open, dies in {}", span(end.duration_since(now))),
        (PayableState::Open, PayableKind::PaymentLink, None) => "open until it is paid or closed".to_owned(),
        // Stripe says of a link whether it is active, not why it is not.
        (PayableState::Complete | PayableState::Expired, PayableKind::PaymentLink, _) => "closed".to_owned(),
        (state, ..) => state.word().to_owned(),
    }
}

fn payment(standing: &Standing<'_>) -> String {
    let intent = standing.order.and_then(|order| order.payment_intent.as_ref());
    match (intent, standing.paying()) {
        (Some(intent), _) => intent.to_string(),
        (None, Some(payable)) if payable.is_processing() => "processing".to_owned(),
        (None, Some(payable)) if payable.has_failed() => "failed".to_owned(),
        (None, Some(payable)) if payable.payment_status == PaymentStatus::Paid => "paid, not recorded".to_owned(),
        (None, _) if standing.order.is_some_and(|order| order.status == OrderStatus::Paid) => {
            "outside Stripe".to_owned()
        }
        (None, _) => String::new(),
    }
}

fn sums(standings: &[Standing<'_>]) -> String {
    let count = |test: fn(&Standing<'_>) -> bool| standings.iter().filter(|standing| test(standing)).count();
    let paid = count(|standing| standing.order.is_some_and(|order| order.status == OrderStatus::Paid));
    let open = count(|standing| standing.sendable().is_some());
    let wrong = count(|standing| !standing.findings.is_empty());
    let shown = counted(standings.len(), "registration");
    format!("{shown}: {paid} paid, {open} with a link that is in order, {wrong} with findings.")
}

/// What the lines above do not hold, and the next command.
fn remark(planned: &Plan, standings: &[Standing<'_>]) -> Option<String> {
    let elsewhere = planned.changes.iter().filter(|change| change.subject.registration.is_none());
    let elsewhere: Vec<_> = elsewhere.map(|change| change.subject.session.as_ref().map(|seen| &seen.id)).collect();
    let some = counted_payables(elsewhere.iter().copied().flatten(), "");
    match (elsewhere.len(), standings.iter().any(|standing| !standing.findings.is_empty())) {
        (0, false) => None,
        (0, true) => Some("tourney plan shows what apply would do about them.".to_owned()),
        (1, _) => Some(format!("{some} more has findings and belongs to no registration: tourney plan shows it.")),
        _ => Some(format!("{some} more have findings and belong to no registration: tourney plan shows them.")),
    }
}
