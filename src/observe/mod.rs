//! The only join of ledger and Stripe: what is, in scope.

mod facts;

pub use facts::Observation;
