//! The lock: one run at a time writes to a database. The invariants hold without it; it keeps two people from being
//! surprised by each other.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::RunId;
use crate::ledger::{Guard, LEASE_SECONDS, Ledger, Lock, LockHolder};
use crate::world::{Clock, Wire};

use super::{ApplyError, Hands};

/// How often a held lock is asked for again while waiting.
const LOCK_POLL: Duration = Duration::from_millis(250);

/// How often the holder shows that it lives: a beat may be lost, and another.
const BEAT: Duration = Duration::from_secs(LEASE_SECONDS.cast_unsigned() / 3);

/// Asks for the lock until it is ours or the time is over.
pub(crate) async fn take_lock<L: Ledger, C: Clock>(
    ledger: &L,
    clock: &C,
    who: &str,
    run: &RunId,
    timeout: SignedDuration,
) -> Result<Guard, ApplyError> {
    let begun = clock.now();
    loop {
        let now = clock.now();
        let holder = LockHolder { run: run.clone(), who: who.to_owned(), since: now, heartbeat: now };
        match ledger.lock(&holder, now).await? {
            Lock::Acquired(guard) => return Ok(guard),
            Lock::Held(holder) if now.duration_since(begun) >= timeout => return Err(ApplyError::Locked(holder)),
            Lock::Held(_) => clock.sleep(LOCK_POLL).await,
        }
    }
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Sends the lock's heartbeat for ever.
    pub(crate) async fn keep_alive(&self) {
        loop {
            self.clock.sleep(BEAT).await;
            // A beat that is lost is made up for by the next; a lock that is lost stops the writes by its fence.
            let _ = self.ledger.heartbeat(&self.guard, self.clock.now()).await;
        }
    }
}
