//! The pure planner.

mod model;
mod properties;
mod saved;
mod scenario;
mod scenarios;
