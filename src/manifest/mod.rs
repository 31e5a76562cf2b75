//! The YAML manifest: its model, its places in the file, its validation and its JSON Schema.

mod decisions;
mod model;

pub use decisions::{BILLABLE, DECIDABLE};
pub use model::{
    Decision, Fee, Manifest, Owed, PaidElsewhere, Player, Policy, Retire, Stale, Then, Tournament, Withdrawn,
};
