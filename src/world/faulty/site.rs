//! Where and how something fails: plain data.

use std::fmt;

/// Which of the three traits an effect belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Stripe.
    Wire,
    /// The orders database.
    Ledger,
    /// Time and chance.
    Clock,
}

impl Side {
    const fn word(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Ledger => "ledger",
            Self::Clock => "clock",
        }
    }
}

/// One effect of one run: the `nth` of its operation, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Where.
    pub side: Side,
    /// What: a method of the ledger or the clock by its name, a request as `POST /v1/checkout/sessions/{id}/expire`.
    pub operation: String,
    /// Which time in this run.
    pub nth: u32,
}

impl Site {
    /// How an effect can fail here. Time and chance cannot fail: there a program only crashes.
    #[must_use]
    pub const fn modes(&self) -> &'static [Mode] {
        match self.side {
            Side::Wire | Side::Ledger => Mode::ALL,
            Side::Clock => &[Mode::CrashBefore, Mode::CrashAfter],
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{}", self.side.word(), self.operation, self.nth)
    }
}

/// How an effect fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// It is not done, and says so.
    FailBefore,
    /// It is done, and its answer is lost.
    LoseAnswer,
    /// The program ends before it.
    CrashBefore,
    /// The program ends after it, before it hears of it.
    CrashAfter,
}

impl Mode {
    /// All four.
    pub const ALL: &'static [Self] = &[Self::FailBefore, Self::LoseAnswer, Self::CrashBefore, Self::CrashAfter];

    /// Whether the program ends with it.
    #[must_use]
    pub const fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }

    /// What people call it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FailBefore => "fail before",
            Self::LoseAnswer => "lose answer",
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
        }
    }
}

/// A fault that is to strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where first.
    pub site: Site,
    /// How. One that makes no sense there ([`Site::modes`]) never strikes.
    pub mode: Mode,
    /// How often, at least once: it strikes the next ones of the same operation as well, and so all tries of what is tried
    /// again.
    pub times: u32,
}

impl Fault {
    /// One that strikes once.
    #[must_use]
    pub const fn once(site: Site, mode: Mode) -> Self {
        Self { site, mode, times: 1 }
    }

    /// How it strikes here, if it does.
    pub(super) fn at(&self, site: &Site) -> Option<Mode> {
        let same = self.site.side == site.side && self.site.operation == site.operation;
        let count = site.nth.checked_sub(self.site.nth).is_some_and(|later| later < self.times.max(1));
        (same && count && site.modes().contains(&self.mode)).then_some(self.mode)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.mode.word(), self.site)?;
        if self.times > 1 { write!(f, " and the next {}", self.times - 1) } else { Ok(()) }
    }
}
