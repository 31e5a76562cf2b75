//! The receiver over real HTTP, on a real SQLite file, with the sandbox's core behind the Stripe client.

mod abuse;
pub(crate) mod club;
mod stories;
