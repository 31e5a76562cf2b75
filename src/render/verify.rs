//! What `verify` found, check by check.

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::domain::{agreeing, counted};
use crate::plan::Plan;
use crate::verify::{Verdict, tally};

use super::plan::head;

/// `verify --json`: the plan's head, the checks, and whether all passed; beside them the error where it broke off.
#[must_use]
pub fn json(planned: &Plan, verdict: &Verdict, error: Option<Value>) -> Value {
    let mut document = Value::Object(head(planned));
    document["checks"] = json!(verdict.checks);
    document["passed"] = json!(verdict.passed());
    document["undecided"] = json!(verdict.undecided);
    if let Some(error) = error {
        document["error"] = error;
    }
    document
}

/// One line for each check, then the verdict.
#[must_use]
pub fn terminal(verdict: &Verdict, color: bool) -> String {
    let mut text = String::new();
    let width = verdict.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in &verdict.checks {
        let mark = match (check.passed, color) {
            (Some(true), true) => "passed".green().to_string(),
            (Some(true), false) => "passed".to_owned(),
            (Some(false), true) => "FAILED".red().to_string(),
            (Some(false), false) => "FAILED".to_owned(),
            (None, _) => "  --  ".to_owned(),
        };
        text.push_str(&format!("{mark}  {:width$}  {}\n", check.name, check.detail));
    }
    let (failed, tally) = tally(&verdict.checks);
    text.push_str(&match (failed, verdict.undecided as usize) {
        (0, _) if verdict.broke => "\nNOT VERIFIED: it did not come to its end.\n".to_owned(),
        (0, 0) => format!("\nVerified: {tally}.\n"),
        (0, n) => {
            let (findings, wait) = (counted(n, "finding"), agreeing(n, "waits", "wait"));
            format!("\nVerified, but {findings} about money {wait} for a decision: tourney plan shows them.\n")
        }
        (_, _) => format!("\nNOT VERIFIED: {tally}.\n"),
    });
    text
}
