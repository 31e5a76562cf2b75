//! The YAML manifest: its model, its places in the file, its validation and its JSON Schema.

mod decisions;
pub(crate) mod fields;
mod model;
mod players;
pub(crate) mod problem;
pub(crate) mod read;
pub(crate) mod scalars;
mod schema;
pub(crate) mod source;
mod tournament;
pub(crate) mod tree;

pub use decisions::{BILLABLE, DECIDABLE};
pub use model::{
    Decision, Fee, Manifest, Owed, PaidElsewhere, Player, Policy, Retire, Stale, Then, Tournament, Withdrawn,
};
pub use problem::{ManifestErrors, Problem};
pub use read::{parse, read};
pub use schema::schema;
