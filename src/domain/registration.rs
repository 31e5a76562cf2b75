//! A registration, and the mode of an environment.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{FeeId, PlayerId};

/// One committed player x one fee: the unit that is reconciled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Registration {
    /// Who.
    pub player: PlayerId,
    /// For what.
    pub fee: FeeId,
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "player {} fee {}", self.player, self.fee)
    }
}

/// Whether money is real. Objects never cross modes at Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Test keys and test cards.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// The mode of a secret key by its prefix (`sk_test_`, `rk_test_`, `sk_live_`, `rk_live_`), or none.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        match key.get(..8)? {
            "sk_test_" | "rk_test_" => Some(Self::Test),
            "sk_live_" | "rk_live_" => Some(Self::Live),
            _ => None,
        }
    }

    /// The mode a session id belongs to by its prefix (`cs_test_`, `cs_live_`), or none.
    #[must_use]
    pub fn of_session(id: &str) -> Option<Self> {
        match id.get(..8)? {
            "cs_test_" => Some(Self::Test),
            "cs_live_" => Some(Self::Live),
            _ => None,
        }
    }

    /// Stripe's `livemode`.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_live() { "live" } else { "test" })
    }
}
