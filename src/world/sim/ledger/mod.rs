//! An orders database in memory, of tourney's own schema ([`crate::ledger::Mapping::own`]).
//!
//! A fake until proven: `tests/it/ledger_held` runs generated sequences of every method on it, on SQLite and on PostgreSQL, and
//! compares each answer and in the end every row. It has no clock and no randomness of its own: times come with the calls, and
//! an order's id comes from its attempt, as in SQL. What SQL leaves to a transaction is here one call on the [`State`], which
//! looks first and writes last, so that what is refused has written nothing.

mod another;
mod attempts;
mod canaries;
mod events;
mod history;
mod identity;
mod lock;
mod methods;
mod orders;
mod read;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::ledger::LedgerError;

pub use state::{Journalled, LockRow, Retired, Row, State, Tried};

type Result<T> = std::result::Result<T, LedgerError>;

/// An orders database in memory. Many runs may share one, by reference or counted: each method is one step.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<State>);

impl MemoryLedger {
    /// Everything that is in it now.
    #[must_use]
    pub fn snapshot(&self) -> State {
        self.state().clone()
    }

    /// The state, for one step.
    fn state(&self) -> MutexGuard<'_, State> {
        // A step that panicked has looked first and written last; whoever copies a world then sees it as it stood.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step that needs tourney's tables.
    fn write<T>(&self, step: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        if state.identity.is_none() {
            return Err(rejected("the database has no tables of tourney's yet: it must be prepared first"));
        }
        step(&mut state)
    }
}

impl From<State> for MemoryLedger {
    fn from(state: State) -> Self {
        Self(Mutex::new(state))
    }
}

fn rejected(text: impl Into<String>) -> LedgerError {
    LedgerError::Rejected(text.into())
}

/// A moment as the tables keep it: in whole seconds.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
