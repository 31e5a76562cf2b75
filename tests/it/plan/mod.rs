//! The pure planner.

mod lives;
mod model;
mod properties;
mod saved;
mod scenario;
mod scenarios;
