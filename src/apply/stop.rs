//! The wish to stop: what is in flight is finished, nothing new is begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once by SIGINT or SIGTERM; cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks to stop.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
