//! The audit of every payable and the signed webhook round trip.
//!
//! Guarantees: the audit writes nothing; the round trip never runs in live mode, touches no order but its canary, and is
//! journalled before it begins, so that a canary left by a crash is removed on the next run.

mod audit;
mod canary;
mod endpoint;
mod event;
mod evidence;
mod flight;
mod logbook;
mod others;
mod overlay;
mod round;
mod roundtrip;
mod visit;
mod words;

use serde::Serialize;

use crate::domain::counted;

pub use audit::audit;
pub use endpoint::Endpoint;
pub use evidence::{evidence, evidence_missing};
pub use overlay::Overlay;
pub use round::{Round, round};
pub use roundtrip::{Flown, Trip, VerifyError};
pub use visit::open_by_itself;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name.
    pub name: String,
    /// Whether it held; none where it does not apply here.
    pub passed: Option<bool>,
    /// What was seen.
    pub detail: String,
}

impl Check {
    /// A check that held or did not.
    pub fn new(name: &str, passed: bool, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), passed: Some(passed), detail: detail.into() }
    }

    /// A check that does not apply here, and why.
    pub fn none(name: &str, why: impl Into<String>) -> Self {
        Self { name: name.to_owned(), passed: None, detail: why.into() }
    }
}

/// Everything `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
    /// How many findings about money wait for a person's decision.
    pub undecided: u32,
    /// Whether what came after the audit was refused, or broke off.
    pub broke: bool,
}

impl Verdict {
    /// Whether it came to its end and no check failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.broke && self.checks.iter().all(|check| check.passed != Some(false))
    }
}

/// How many checks failed, and all that were made in words: `23 checks passed`, `2 of 23 checks failed`.
#[must_use]
pub fn tally(checks: &[Check]) -> (usize, String) {
    let made = checks.iter().filter(|check| check.passed.is_some()).count();
    let failed = checks.iter().filter(|check| check.passed == Some(false)).count();
    let checks = counted(made, "check");
    (failed, if failed == 0 { format!("{checks} passed") } else { format!("{failed} of {checks} failed") })
}
