//! What a run did, for people and for scripts.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::apply::{ChangeOutcome, ChangeResult, Report};
use crate::domain::{PayableKind, SessionId, counted, counted_payables, handed_out};
use crate::manifest::Manifest;
use crate::plan::Plan;

use super::plan::head;

/// `apply --json`: the plan's head, the results, the proof, and what is left.
#[must_use]
pub fn json(report: &Report) -> Value {
    let mut document = Value::Object(head(&report.plan));
    let proof = report.proof.as_ref().map(|proof| {
        let without: Vec<&str> = proof.without_order_id.iter().map(SessionId::as_str).collect();
        json!({"live": proof.live.len(), "without_order_id": without})
    });
    document["results"] = report.results.iter().map(result_json).collect();
    document["proof"] = json!(proof);
    document["unproved"] = json!(report.unproved);
    document["recovered"] = json!(report.recovered);
    document["interrupted"] = json!(report.interrupted);
    document["remaining"] = json!(report.remaining.as_ref().map(|plan| plan.summary));
    document
}

/// The same shape where there was nothing to do.
#[must_use]
pub fn nothing_json(plan: &Plan) -> Value {
    let mut document = Value::Object(head(plan));
    document["results"] = json!([]);
    document["proof"] = Value::Null;
    document["unproved"] = Value::Null;
    document["recovered"] = json!(0);
    document["interrupted"] = json!(false);
    document["remaining"] = json!(plan.summary);
    document
}

fn result_json(result: &ChangeResult) -> Value {
    json!({
        "player": result.registration.as_ref().map(|one| &one.player),
        "fee": result.registration.as_ref().map(|one| &one.fee),
        "action": result.action,
        "findings": result.findings,
        "order_id": result.order,
        "session_id": result.session,
        "url": url(result),
        "kind": result.session.as_ref().map(PayableKind::of),
        "expires_at": result.expires_at,
        "outcome": result.outcome,
        "detail": result.detail,
        "error": result.error,
    })
}

/// The link without the payer's address, which `links` alone shows whole.
fn url(result: &ChangeResult) -> Option<String> {
    Some(handed_out(result.session.as_ref()?, result.url.as_deref()?, result.order.as_ref(), None))
}

/// The links first, then what failed, then the proof and what is left.
#[must_use]
pub fn terminal(report: &Report, manifest: &Manifest, color: bool) -> String {
    let mut text = links(report, manifest);
    for result in
        report.results.iter().filter(|result| result.outcome != ChangeOutcome::Done || result.detail.is_some())
    {
        let subject = result.registration.as_ref().map(ToString::to_string);
        let subject = subject.or_else(|| result.session.as_ref().map(ToString::to_string)).unwrap_or_default();
        let why = result.error.as_ref().map(|error| error.message.as_str()).or(result.detail.as_deref());
        let word = match result.outcome {
            ChangeOutcome::Done => "done, but",
            ChangeOutcome::Skipped => "skipped:",
            ChangeOutcome::Failed => "failed:",
        };
        let _ = writeln!(text, "{subject}: {} {word} {}", result.action.word(), why.unwrap_or("no reason given"));
    }
    if report.recovered > 0 {
        let attempts = counted(report.recovered as usize, "attempt");
        let _ = writeln!(text, "{attempts} that an earlier run left unfinished settled first.");
    }
    let _ = writeln!(text, "{}", outcome_line(report));
    let _ = writeln!(text, "{}", proof_line(report));
    if let Some(remaining) = report.remaining.as_ref().filter(|plan| !plan.changes.is_empty()) {
        let _ = write!(text, "\nWhat is left:\n{}", super::plan::terminal(remaining, manifest, color));
    }
    text
}

/// Every payable that was made and may be sent, with its order. What nothing proves is not listed: people copy from here.
fn links(report: &Report, manifest: &Manifest) -> String {
    let made = report.results.iter().filter(|result| result.outcome == ChangeOutcome::Done && result.url.is_some());
    if report.proof.is_none() {
        return match made.count() {
            0 => String::new(),
            n => {
                let links = counted(n, "link");
                format!("{links} made, and not listed since nothing proves them: see tourney links.\n\n")
            }
        };
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["player", "fee", "order", "link", "pays until (UTC)"]);
    for result in made {
        let (Some(registration), Some(url)) = (&result.registration, url(result)) else { continue };
        let name = manifest.player(&registration.player).map_or("", |player| player.name.as_str());
        let fee = manifest.fee(&registration.fee).map_or("", |fee| fee.name.as_str());
        let order = result.order.as_ref().map(ToString::to_string).unwrap_or_default();
        table.add_row([
            format!("{} {name}", registration.player),
            format!("{} {fee}", registration.fee),
            order,
            url,
            result.expires_at.map_or_else(|| "until it is paid or closed".to_owned(), minute),
        ]);
    }
    if table.row_count() == 0 { String::new() } else { format!("{}\n\n", table.trim_fmt()) }
}

/// A time to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn outcome_line(report: &Report) -> String {
    let mut line = format!("{} done", report.count(ChangeOutcome::Done));
    for (outcome, word) in [(ChangeOutcome::Skipped, "skipped"), (ChangeOutcome::Failed, "failed")] {
        if report.count(outcome) > 0 {
            let _ = write!(line, ", {} {word}", report.count(outcome));
        }
    }
    let stopped = if report.interrupted { "Interrupted. " } else { "" };
    let again = if report.interrupted { "; safe to run again" } else { "" };
    format!("{stopped}Apply: {line}{again}.")
}

fn proof_line(report: &Report) -> String {
    match (&report.proof, &report.unproved) {
        (Some(proof), _) if proof.without_order_id.is_empty() => {
            format!(
                "Read again from Stripe: {} open, each carries its own order_id.",
                counted_payables(&proof.live, "")
            )
        }
        (Some(proof), _) => {
            let ids: Vec<&str> = proof.without_order_id.iter().map(SessionId::as_str).collect();
            format!(
                "NOT PROVED: these are open and do not carry their order's id: {}. Run tourney plan.",
                ids.join(", ")
            )
        }
        (None, why) => {
            let why = why.as_deref().unwrap_or("nothing was read");
            format!("NOT PROVED: what came of it could not be read again ({why}). Run tourney plan.")
        }
    }
}
