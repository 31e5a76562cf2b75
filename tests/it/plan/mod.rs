//! The pure planner.

mod lives;
mod model;
mod properties;
mod saved;
pub(crate) mod scenario;
mod scenarios;
