//! Every refusal of the contract through the real binary: its exit code, its error code, and that nothing was written.

mod embedded;
mod environment;
mod hints;
mod output;
mod saved_plan;
mod sides;
mod start;
mod working;

use serde_json::Value;
use tourney::sandbox::SECRET_KEY;

use crate::story::club::Club;
use crate::support::Outcome;

/// Asserts that a command run with `--json` failed with a code; nothing was written, and the error has the contract's
/// shape on stdout.
#[track_caller]
fn refused<const N: usize>(club: &Club, args: [&str; N], exit: i32, code: &str) -> Value {
    let outcome = club.untouched(|| club.tourney(args).run());
    is_refusal(outcome, exit, code)
}

#[track_caller]
fn is_refusal(outcome: Outcome, exit: i32, code: &str) -> Value {
    let error = outcome.expect(exit).json();
    let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["error"], "{error:#}");
    let error = error["error"].clone();
    assert_eq!(error["code"], code, "{error:#}");
    let message = error["message"].as_str().unwrap();
    assert!(!message.is_empty() && error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{error:#}");
    // An address is shown as p***@example.com, if at all.
    let unmasked = message.replace("***@example.com", "");
    assert!(!unmasked.contains(SECRET_KEY) && !unmasked.contains("@example.com"), "{error:#}");
    error
}
