//! The lock: one run at a time writes to a database. The invariants hold without it; it keeps two people from being
//! surprised by each other.

use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::RunId;
use crate::ledger::{Guard, LEASE_SECONDS, Ledger, LedgerError, Lock, LockHolder, Written};
use crate::world::{Clock, Wire};

use super::retry::again;
use super::{ApplyError, Hands, Stop};

/// How often a held lock is asked for again while waiting.
const LOCK_POLL: Duration = Duration::from_millis(250);

/// How often the holder shows that it lives: a beat may be lost, and another.
const BEAT: Duration = Duration::from_secs(LEASE_SECONDS.cast_unsigned() / 3);

/// Who asks for the lock, and how.
pub(crate) struct Asking<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) who: &'a str,
    /// Whether a holder's process is known to be gone: then its lock is taken over at once.
    pub(crate) is_gone: fn(&LockHolder) -> bool,
    pub(crate) timeout: SignedDuration,
    pub(crate) stop: &'a Stop,
    /// Told once that we wait, and for whom.
    pub(crate) says: &'a (dyn Fn(&str) + Sync),
}

/// Asks for the lock until it is ours or the time is over. Gives the dead holder from whom it was taken, if there was one.
///
/// Taking over raises the fence: were the holder alive after all, it could write nothing any more.
pub(crate) async fn take_lock<L: Ledger, C: Clock>(
    ledger: &L,
    clock: &C,
    asking: &Asking<'_>,
) -> Result<(Guard, Option<LockHolder>), ApplyError> {
    let begun = clock.now();
    let mut dead: Option<LockHolder> = None;
    let mut waits = false;
    loop {
        let now = clock.now();
        let us = LockHolder { run: asking.run.clone(), who: asking.who.to_owned(), since: now, heartbeat: now };
        let answer = match &dead {
            Some(dead) => again(clock, || ledger.take_over(&us, &dead.run, now)).await?,
            None => again(clock, || ledger.lock(&us, now)).await?,
        };
        let holder = match answer {
            Lock::Acquired(guard) => return Ok((guard, dead)),
            Lock::Held(holder) => holder,
        };
        dead = Some(holder.clone()).filter(asking.is_gone);
        if dead.is_some() {
            continue;
        }
        if asking.stop.is_asked() {
            return Err(ApplyError::Interrupted);
        }
        if now.duration_since(begun) >= asking.timeout {
            return Err(ApplyError::Locked(holder));
        }
        if !std::mem::replace(&mut waits, true) {
            (asking.says)(&format!("Waiting for the lock: {} has held it since {:.0}.", holder.who, holder.since));
        }
        clock.sleep(LOCK_POLL).await;
    }
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Sends the lock's heartbeat for ever.
    pub(crate) async fn keep_alive(&self) {
        loop {
            self.clock.sleep(BEAT).await;
            // A beat that is lost is made up for by the next; a lock that is lost is noticed before the next change.
            let _ = self.ledger.heartbeat(&self.guard, self.clock.now()).await;
        }
    }

    /// Asked before each change: what is done at Stripe knows no fence. And while the database does not answer, nothing is
    /// closed there, since nothing could take its place.
    ///
    /// # Errors
    /// That the lock is no longer ours, or that the database does not answer.
    pub(super) async fn may_begin(&self) -> Result<(), LedgerError> {
        match again(self.clock, || self.ledger.heartbeat(&self.guard, self.clock.now())).await? {
            Written::Done => Ok(()),
            Written::Moved => Err(LedgerError::Fenced),
        }
    }
}
