//! What `doctor` found, check by check, and what to do about it.

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::doctor::{Check, Level};

use super::mask::without_secrets;

/// `doctor --json`: a warning has passed and has a hint. The environment is null where none could be resolved.
#[must_use]
pub fn json(environment: Option<&str>, checks: &[Check]) -> Value {
    let shown: Vec<Value> = checks
        .iter()
        .map(|check| {
            let passed = match check.level {
                Level::Ok | Level::Warning => Some(true),
                Level::Failure => Some(false),
                Level::Skipped => None,
            };
            let level = match check.level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Failure => "failure",
                Level::Skipped => "skipped",
            };
            let hint = check.hint.as_deref().map(without_secrets);
            json!({"name": check.name, "level": level, "passed": passed, "detail": without_secrets(&check.detail), "hint": hint})
        })
        .collect();
    json!({"format_version": 1, "environment": environment, "checks": shown, "passed": passed(checks)})
}

/// Whether no check failed.
#[must_use]
pub fn passed(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.level != Level::Failure)
}

/// One line for each check, below it what to do, then the verdict.
#[must_use]
pub fn terminal(checks: &[Check], color: bool) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for check in checks {
        let mark = mark(check.level, color);
        // What is wrong in several places has a line for each.
        let detail = check.detail.replace('\n', &format!("\n         {:width$}  ", ""));
        text.push_str(&format!("{mark}  {:width$}  {detail}\n", check.name));
        if let Some(hint) = &check.hint {
            text.push_str(&format!("         {:width$}  → {hint}\n", ""));
        }
    }
    let count = |level: Level| checks.iter().filter(|check| check.level == level).count();
    text.push_str(&match (count(Level::Failure), count(Level::Warning)) {
        (0, 0) => format!("\nIn order: {} checks.\n", count(Level::Ok)),
        (0, warnings) => format!("\nIt works; warnings: {warnings}.\n"),
        (failures, warnings) => format!("\nNOT IN ORDER: failures: {failures}, warnings: {warnings}.\n"),
    });
    without_secrets(&text)
}

fn mark(level: Level, color: bool) -> String {
    match (level, color) {
        (Level::Ok, false) => "ok     ".to_owned(),
        (Level::Ok, true) => "ok     ".green().to_string(),
        (Level::Warning, false) => "warning".to_owned(),
        (Level::Warning, true) => "warning".yellow().to_string(),
        (Level::Failure, false) => "FAILED ".to_owned(),
        (Level::Failure, true) => "FAILED ".red().to_string(),
        (Level::Skipped, _) => "  --   ".to_owned(),
    }
}
