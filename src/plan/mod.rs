//! Findings, changes, policy and the saved plan: a pure function of manifest and observation.
//!
//! `match_up` (orders and payables to registrations) → `elect` (which order lives) → `detect` (a table of small
//! functions) → `decide` (the strongest remedy under policy) → `expand` (a change into steps).

mod change;
mod finding;

pub use change::{Action, Change, Desired, Head, MassRetire, Money, Plan, SeenSession, Step, Subject, Summary};
pub use finding::Finding;
