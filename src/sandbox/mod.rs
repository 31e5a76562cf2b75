//! The embedded Stripe-compatible sandbox: a pure core, a thin HTTP layer, and its store.
pub mod core;
