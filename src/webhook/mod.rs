//! The receiver of Stripe's webhooks: verify, store, then [`settle`](crate::settle::settle).
//!
//! It answers 2xx only after the event is committed (I5), and 500 where settling failed, so that Stripe sends it again.

mod accept;
mod event;
mod http;
mod known;
mod process;

pub use accept::{Answer, accept};
pub use event::{Envelope, EnvelopeError};
pub use http::{DEFAULT_PATH, router, serve};
pub use process::{WebhookError, process_unfinished};

use std::fmt;

use secrecy::SecretString;

use crate::domain::Mode;

/// What a receiver works with.
pub struct Receiver<S, L, C> {
    /// Where sessions are fetched afresh.
    pub sessions: S,
    /// The orders database.
    pub ledger: L,
    /// The time by which signatures are judged.
    pub clock: C,
    /// The endpoint's secrets: several while one is being rolled.
    pub secrets: Vec<SecretString>,
    /// The mode whose events count; others are stored and have no effect.
    pub mode: Mode,
    /// The path that is listened on; [`DEFAULT_PATH`] unless there is a reason.
    pub path: String,
}

impl<S, L, C> fmt::Debug for Receiver<S, L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("mode", &self.mode).field("path", &self.path).finish_non_exhaustive()
    }
}
