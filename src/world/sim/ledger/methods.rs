//! [`MemoryLedger`] behind the trait: every method is one step, done as soon as it is asked for.

use jiff::Timestamp;

use crate::domain::{
    AttemptId, Metadata, Mode, Order, OrderId, Payable, PaymentIntentId, PlayerId, RunId, Seen, TournamentId,
};
use crate::ledger::{
    Attempt, AttemptFor, Begun, Canary, CanaryEnd, Event, EventOutcome, Guard, Handler, Identity, Ledger, LedgerFacts,
    Lock, LockHolder, Rendered, RetireHow, Run, RunStep, Scope, StoredEvent, Written,
};

use super::attempts::Asked;
use super::{MemoryLedger, Result};

impl Ledger for MemoryLedger {
    async fn identity(&self) -> Result<Option<Identity>> {
        Ok(self.state().identity.clone())
    }

    async fn read(&self, scope: &Scope) -> Result<LedgerFacts> {
        Ok(self.state().facts(scope))
    }

    async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        Ok(self.state().find(id))
    }

    async fn prepare(&self, new_id: u128) -> Result<Identity> {
        Ok(self.state().prepare(new_id))
    }

    async fn bind(&self, account: &str, mode: Mode) -> Result<Identity> {
        self.write(|state| state.bind(account, mode))
    }

    async fn lock(&self, holder: &LockHolder, now: Timestamp) -> Result<Lock> {
        self.write(|state| Ok(state.take_lock(holder, &holder.run, now)))
    }

    async fn take_over(&self, holder: &LockHolder, dead: &RunId, now: Timestamp) -> Result<Lock> {
        self.write(|state| Ok(state.take_lock(holder, dead, now)))
    }

    async fn heartbeat(&self, guard: &Guard, now: Timestamp) -> Result<Written> {
        self.write(|state| Ok(state.heartbeat(guard, now)))
    }

    async fn unlock(&self, guard: &Guard) -> Result<()> {
        self.write(|state| {
            state.unlock(guard);
            Ok(())
        })
    }

    async fn lock_holder(&self) -> Result<Option<LockHolder>> {
        Ok(self.state().lock.holder.clone())
    }

    async fn force_unlock(&self) -> Result<Option<LockHolder>> {
        Ok(self.state().force_unlock())
    }

    async fn begin_attempt(
        &self,
        guard: &Guard,
        tournament: &TournamentId,
        attempt: &AttemptId,
        subject: &AttemptFor,
        now: Timestamp,
        render: &(dyn Fn(&OrderId) -> Rendered + Send + Sync),
    ) -> Result<Begun> {
        self.write(|state| state.begin_attempt(&Asked { guard, tournament, attempt, subject, now, render }))
    }

    async fn record_session(&self, guard: &Guard, attempt: &AttemptId, payable: &Payable) -> Result<Written> {
        self.write(|state| state.record_session(guard, attempt, payable))
    }

    async fn abandon_attempt(&self, guard: &Guard, attempt: &AttemptId, why: &str) -> Result<Written> {
        self.write(|state| state.abandon_attempt(guard, attempt, why))
    }

    async fn retire(
        &self,
        guard: &Guard,
        seen: &Seen,
        how: RetireHow,
        reason: &str,
        now: Timestamp,
    ) -> Result<Written> {
        self.write(|state| state.retire(guard, seen, how, reason, now))
    }

    async fn rename(&self, guard: &Guard, seen: &Seen, to: &PlayerId) -> Result<Written> {
        self.write(|state| state.rename(guard, seen, to))
    }

    async fn mark_paid(&self, seen: &Seen, intent: Option<&PaymentIntentId>) -> Result<Written> {
        self.write(|state| Ok(state.mark_paid(seen, intent)))
    }

    async fn mark_paid_elsewhere(&self, seen: &Seen) -> Result<Written> {
        self.write(|state| Ok(state.mark_paid_elsewhere(seen)))
    }

    async fn mark_refunded(&self, seen: &Seen) -> Result<Written> {
        self.write(|state| Ok(state.mark_refunded(seen)))
    }

    async fn store_event(&self, event: &Event) -> Result<StoredEvent> {
        self.write(|state| Ok(state.store_event(event)))
    }

    async fn finish_event(&self, id: &str, outcome: &EventOutcome) -> Result<()> {
        self.write(|state| {
            state.finish_event(id, outcome);
            Ok(())
        })
    }

    async fn unfinished_events(&self, limit: u32) -> Result<Vec<Event>> {
        let events = self.state().events_that(|event| event.outcome.is_none());
        Ok(events.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn record_name(&self, tournament: &TournamentId, name: &str, now: Timestamp) -> Result<()> {
        self.write(|state| {
            state.record_name(tournament, name, now);
            Ok(())
        })
    }

    async fn start_run(&self, run: &Run) -> Result<()> {
        self.write(|state| {
            state.start_run(run);
            Ok(())
        })
    }

    async fn log_step(&self, run: &RunId, step: &RunStep) -> Result<()> {
        self.write(|state| {
            state.log_step(run, step);
            Ok(())
        })
    }

    async fn finish_run(&self, run: &RunId, at: Timestamp, outcome: &str, summary: &str) -> Result<()> {
        self.write(|state| {
            state.finish_run(run, at, outcome, summary);
            Ok(())
        })
    }

    async fn runs(&self, limit: u32) -> Result<Vec<Run>> {
        Ok(self.state().newest_runs(limit))
    }

    async fn steps(&self, run: &RunId) -> Result<Vec<RunStep>> {
        Ok(self.state().steps_of(run))
    }

    async fn begin_canary(&self, canary: &Canary) -> Result<Written> {
        self.write(|state| Ok(state.begin_canary(canary)))
    }

    async fn journal_canary(&self, canary: &Canary) -> Result<()> {
        self.write(|state| {
            state.journal_canary(canary);
            Ok(())
        })
    }

    async fn canaries(&self) -> Result<Vec<Canary>> {
        Ok(self.state().canaries_that(|_| true))
    }

    async fn open_canaries(&self) -> Result<Vec<Canary>> {
        Ok(self.state().canaries_that(|journalled| !journalled.closed))
    }

    async fn remove_canary(&self, canary: &Canary) -> Result<CanaryEnd> {
        self.write(|state| state.remove_canary(canary))
    }

    async fn record_handler(&self, guard: &Guard, handler: &Handler) -> Result<()> {
        self.write(|state| state.record_handler(guard, handler))
    }

    async fn raw_row(&self, id: &OrderId) -> Result<Option<Metadata>> {
        Ok(self.state().raw_row(id))
    }

    async fn search(&self, word: &str) -> Result<Vec<Order>> {
        Ok(self.state().search(word))
    }

    async fn attempts_of(&self, id: &OrderId) -> Result<Vec<Attempt>> {
        Ok(self.state().attempts_that(|tried| tried.attempt.order == *id))
    }
}
