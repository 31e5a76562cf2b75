//! What `doctor` judges: facts that were read go in, checks come out. Pure.

mod database;
mod endpoints;
mod place;

pub use database::{binding, database, database_clock, mapping, rights, schema};
pub use endpoints::{Deliveries, Endpoints, deliveries, endpoints};
pub use place::{account, clock, key, pages, permissions, secret_files, unnamed_account, webhook_secret};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// In order.
    Ok,
    /// It works, and is not as it should be.
    Warning,
    /// It does not work, or soon will not.
    Failure,
    /// It does not apply here, or could not be made.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// How it came out.
    pub level: Level,
    /// What was seen.
    pub detail: String,
    /// What to do; there is something wherever it is not in order.
    pub hint: Option<String>,
}

impl Check {
    /// It is in order.
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, detail: detail.into(), hint: None }
    }

    /// It works, and something is to be done about it.
    pub fn warning(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, level: Level::Warning, detail: detail.into(), hint: Some(hint.into()) }
    }

    /// It does not work.
    pub fn failure(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, level: Level::Failure, detail: detail.into(), hint: Some(hint.into()) }
    }

    /// It does not apply, and why.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, level: Level::Skipped, detail: why.into(), hint: None }
    }
}
