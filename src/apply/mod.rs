//! Runs the steps of a plan, holds the lock, and reports.
//!
//! Guarantees: nothing is written before the lock is ours; an open attempt is settled before another begins, and stays
//! open while its request may be under way; sessions that can be paid twice are expired before everything else but the
//! recording of payments; a player's changes run one after the other; a rerun after any crash converges. Assumes: every
//! ledger method is harmless when repeated. Caveat: the application may write while we work; then a write finds nothing to
//! do, and the registration is observed and planned again.

mod attempt;
mod canaries;
mod change;
mod converge;
mod groups;
mod leftovers;
mod lock;
mod report;
mod retry;
mod sendable;
mod stop;

pub(crate) use canaries::LeftOver;
pub use change::StepError;
pub(crate) use converge::bound;
pub(crate) use lock::{Asking, take_lock};

pub use converge::{ApplyError, Confirmed, Job, converge};
pub use report::{ChangeOutcome, ChangeResult, Proof, Report, ResultError, Watch};
pub use stop::Stop;

use crate::domain::{LedgerId, uuid};
use crate::ledger::Guard;
use crate::manifest::Manifest;
use crate::stripe::{CheckoutSettings, Stripe};
use crate::world::Clock;

/// Everything a step needs.
pub(crate) struct Hands<'a, L, W, C: Clock> {
    pub(crate) ledger: &'a L,
    pub(crate) stripe: &'a Stripe<W, C>,
    pub(crate) clock: &'a C,
    pub(crate) manifest: &'a Manifest,
    pub(crate) checkout: &'a CheckoutSettings,
    pub(crate) ledger_id: LedgerId,
    pub(crate) guard: Guard,
}

impl<L, W, C: Clock> Hands<'_, L, W, C> {
    /// A UUID from the world's randomness.
    pub(crate) fn uuid(&self) -> String {
        uuid(self.clock.random())
    }
}
