//! The simulated world: what the live one does, without I/O, and the same each time.

mod ledger;

pub use ledger::{Journalled, LockRow, MemoryLedger, Retired, Row, State, Tried};
