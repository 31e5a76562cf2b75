//! The lock: its holder, its lease and its fence.

use jiff::Timestamp;

use crate::domain::RunId;
use crate::ledger::{Guard, LEASE_SECONDS, LedgerError, Lock, LockHolder, Written};

use super::{LockRow, Result, State, whole};

impl LockRow {
    /// Makes sure that a run has not lost the lock.
    pub(super) fn check(&self, guard: &Guard) -> Result<()> {
        if self.fence == guard.fence { Ok(()) } else { Err(LedgerError::Fenced) }
    }

    /// Whether a run may have it: nobody has, it has itself, `dead` has, or who has it gave no sign of life for too long.
    fn is_free_for(&self, run: &RunId, dead: &RunId, now: Timestamp) -> bool {
        let lost = now.as_second() - LEASE_SECONDS;
        self.holder
            .as_ref()
            .is_none_or(|other| other.run == *run || other.run == *dead || other.heartbeat.as_second() < lost)
    }

    fn is_held_under(&self, guard: &Guard) -> bool {
        self.fence == guard.fence && self.holder.as_ref().is_some_and(|holder| holder.run == guard.run)
    }
}

impl State {
    /// The fence grows when the lock changes hands: taken again by its holder, it is the same lock still.
    pub(super) fn take_lock(&mut self, new: &LockHolder, dead: &RunId, now: Timestamp) -> Lock {
        let now = self.at(now);
        let lock = &mut self.lock;
        match &lock.holder {
            Some(other) if !lock.is_free_for(&new.run, dead, now) => Lock::Held(other.clone()),
            before => {
                let mine = before.as_ref().is_some_and(|holder| holder.run == new.run);
                lock.fence += i64::from(!mine);
                lock.holder = Some(LockHolder { since: whole(new.since), heartbeat: now, ..new.clone() });
                Lock::Acquired(Guard { run: new.run.clone(), fence: lock.fence })
            }
        }
    }

    pub(super) fn heartbeat(&mut self, guard: &Guard, now: Timestamp) -> Written {
        let now = self.at(now);
        let held = self.lock.is_held_under(guard);
        match &mut self.lock.holder {
            Some(holder) if held => {
                holder.heartbeat = now;
                Written::Done
            }
            _ => Written::Moved,
        }
    }

    pub(super) fn unlock(&mut self, guard: &Guard) {
        if self.lock.is_held_under(guard) {
            self.lock.holder = None;
        }
    }

    pub(super) fn force_unlock(&mut self) -> Option<LockHolder> {
        let holder = self.lock.holder.take();
        self.lock.fence += i64::from(holder.is_some());
        holder
    }
}
