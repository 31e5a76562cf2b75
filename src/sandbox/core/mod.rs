//! A pure, Stripe-compatible state machine: no I/O, no clock, no randomness of its own.
