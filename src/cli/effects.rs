//! What the effects of a command go through.

use crate::ledger::{Ledger, SqlLedger};
use crate::world::{Clock, LiveClock, Wire};

use super::wire::EnvWire;

/// A ledger, a wire and a clock as a command uses them, put around the real ones.
pub(super) trait Effects: Send + Sync {
    /// The orders database.
    type Ledger: Ledger;
    /// Stripe.
    type Wire: Wire;
    /// Time and chance.
    type Clock: Clock;

    /// Around the orders database.
    fn ledger(&self, ledger: SqlLedger) -> Self::Ledger;
    /// Around Stripe.
    fn wire(&self, wire: EnvWire) -> Self::Wire;
    /// Around the machine's clock.
    fn clock(&self) -> Self::Clock;
    /// The wire within.
    fn within(wire: &Self::Wire) -> &EnvWire;
}

/// They go through nothing: the real ones themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Real;

impl Effects for Real {
    type Ledger = SqlLedger;
    type Wire = EnvWire;
    type Clock = LiveClock;

    fn ledger(&self, ledger: SqlLedger) -> SqlLedger {
        ledger
    }

    fn wire(&self, wire: EnvWire) -> EnvWire {
        wire
    }

    fn clock(&self) -> LiveClock {
        LiveClock
    }

    fn within(wire: &EnvWire) -> &EnvWire {
        wire
    }
}

#[cfg(feature = "faults")]
pub use faulty::Trouble;

#[cfg(feature = "faults")]
mod faulty {
    use crate::ledger::SqlLedger;
    use crate::world::LiveClock;
    use crate::world::faulty::{Faults, Faulty};

    use super::{Effects, EnvWire};

    /// What an apply meets.
    #[derive(Clone, Debug, Default)]
    pub struct Trouble {
        /// Faults at its effects.
        pub faults: Faults,
        /// How many pages a SQLite file may have before the disk is full.
        pub most_pages: Option<u32>,
    }

    impl Effects for Trouble {
        type Ledger = Faulty<SqlLedger>;
        type Wire = Faulty<EnvWire>;
        type Clock = Faulty<LiveClock>;

        fn ledger(&self, ledger: SqlLedger) -> Self::Ledger {
            if let Some(pages) = self.most_pages {
                ledger.most_pages(pages);
            }
            self.faults.around(ledger)
        }

        fn wire(&self, wire: EnvWire) -> Self::Wire {
            self.faults.around(wire)
        }

        fn clock(&self) -> Self::Clock {
            self.faults.around(LiveClock)
        }

        fn within(wire: &Self::Wire) -> &EnvWire {
            wire.inner()
        }
    }
}
