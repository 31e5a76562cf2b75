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
mod faulty {
    use crate::ledger::SqlLedger;
    use crate::world::LiveClock;
    use crate::world::faulty::{Faults, Faulty};

    use super::{Effects, EnvWire};

    impl Effects for Faults {
        type Ledger = Faulty<SqlLedger>;
        type Wire = Faulty<EnvWire>;
        type Clock = Faulty<LiveClock>;

        fn ledger(&self, ledger: SqlLedger) -> Self::Ledger {
            self.around(ledger)
        }

        fn wire(&self, wire: EnvWire) -> Self::Wire {
            self.around(wire)
        }

        fn clock(&self) -> Self::Clock {
            self.around(LiveClock)
        }

        fn within(wire: &Self::Wire) -> &EnvWire {
            wire.inner()
        }
    }
}
