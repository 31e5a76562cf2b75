//! The fault decorator: every effect of a program is a site, and at a chosen site it fails.
//!
//! [`Faults::around`] puts a [`Faulty`] around a wire, a ledger and a clock. Whatever passes through them is counted, each
//! effect as a [`Site`], and where a [`Fault`] is meant for that site it strikes: the effect fails before it is done, or is
//! done and its answer is lost, or the program crashes before or after it. A crash is an effect that never ends, and after it
//! no other one begins, so that nothing in the program can catch it: whoever runs the program waits for
//! [`Faults::crashed`] beside it, and drops it.
//!
//! Where somebody directs ([`Faults::directed`]), each effect waits for its turn first, and fails as is said then: so several
//! programs take turns, and what happens is a list of choices.

mod clock;
mod faults;
mod ledger;
mod site;
mod turns;
mod wire;

pub use faults::{Faults, Faulty};
pub use ledger::OPERATIONS as LEDGER_OPERATIONS;
pub use site::{Fault, Mode, Side, Site};

#[cfg(test)]
mod tests;
