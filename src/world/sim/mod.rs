//! The simulated world: time that passes when it is told to, chance that can be repeated, Stripe without HTTP and a ledger
//! without a database.
//!
//! No real I/O, no timer, no thread: what happens depends on the seeds and on the order in which futures are polled alone.

mod clock;
mod ledger;
mod wire;

pub use clock::SimClock;
pub use ledger::{Journalled, LockRow, MemoryLedger, Retired, Row, State, Tried};
pub use wire::{SimStripe, SimWire, UnderWay};
