//! A reference to a ledger is one, shared or counted.

use std::future::Future;
use std::ops::Deref;

use jiff::Timestamp;

use crate::domain::{
    AttemptId, Metadata, Mode, Order, OrderId, Payable, PaymentIntentId, PlayerId, RunId, Seen, TournamentId,
};

use super::{
    Attempt, AttemptFor, Begun, Canary, CanaryEnd, Event, EventOutcome, Guard, Handler, Identity, Ledger, LedgerError,
    LedgerFacts, Lock, LockHolder, Rendered, RetireHow, Run, RunStep, Scope, StoredEvent, Written,
};

impl<P> Ledger for P
where
    P: Deref<Target: Ledger> + Send + Sync,
{
    fn identity(&self) -> impl Future<Output = Result<Option<Identity>, LedgerError>> + Send {
        (**self).identity()
    }

    fn read(&self, scope: &Scope) -> impl Future<Output = Result<LedgerFacts, LedgerError>> + Send {
        (**self).read(scope)
    }

    fn order(&self, id: &OrderId) -> impl Future<Output = Result<Option<Order>, LedgerError>> + Send {
        (**self).order(id)
    }

    fn prepare(&self, new_id: u128) -> impl Future<Output = Result<Identity, LedgerError>> + Send {
        (**self).prepare(new_id)
    }

    fn bind(&self, account: &str, mode: Mode) -> impl Future<Output = Result<Identity, LedgerError>> + Send {
        (**self).bind(account, mode)
    }

    fn lock(&self, holder: &LockHolder, now: Timestamp) -> impl Future<Output = Result<Lock, LedgerError>> + Send {
        (**self).lock(holder, now)
    }

    fn take_over(
        &self,
        holder: &LockHolder,
        dead: &RunId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Lock, LedgerError>> + Send {
        (**self).take_over(holder, dead, now)
    }

    fn heartbeat(&self, guard: &Guard, now: Timestamp) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).heartbeat(guard, now)
    }

    fn unlock(&self, guard: &Guard) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).unlock(guard)
    }

    fn lock_holder(&self) -> impl Future<Output = Result<Option<LockHolder>, LedgerError>> + Send {
        (**self).lock_holder()
    }

    fn force_unlock(&self) -> impl Future<Output = Result<Option<LockHolder>, LedgerError>> + Send {
        (**self).force_unlock()
    }

    fn begin_attempt(
        &self,
        guard: &Guard,
        tournament: &TournamentId,
        attempt: &AttemptId,
        subject: &AttemptFor,
        now: Timestamp,
        render: &(dyn Fn(&OrderId) -> Rendered + Send + Sync),
    ) -> impl Future<Output = Result<Begun, LedgerError>> + Send {
        (**self).begin_attempt(guard, tournament, attempt, subject, now, render)
    }

    fn record_session(
        &self,
        guard: &Guard,
        attempt: &AttemptId,
        payable: &Payable,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).record_session(guard, attempt, payable)
    }

    fn abandon_attempt(
        &self,
        guard: &Guard,
        attempt: &AttemptId,
        why: &str,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).abandon_attempt(guard, attempt, why)
    }

    fn retire(
        &self,
        guard: &Guard,
        seen: &Seen,
        how: RetireHow,
        reason: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).retire(guard, seen, how, reason, now)
    }

    fn rename(
        &self,
        guard: &Guard,
        seen: &Seen,
        to: &PlayerId,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).rename(guard, seen, to)
    }

    fn mark_paid(
        &self,
        seen: &Seen,
        intent: Option<&PaymentIntentId>,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).mark_paid(seen, intent)
    }

    fn mark_paid_elsewhere(&self, seen: &Seen) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).mark_paid_elsewhere(seen)
    }

    fn mark_refunded(&self, seen: &Seen) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).mark_refunded(seen)
    }

    fn store_event(&self, event: &Event) -> impl Future<Output = Result<StoredEvent, LedgerError>> + Send {
        (**self).store_event(event)
    }

    fn finish_event(&self, id: &str, outcome: &EventOutcome) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).finish_event(id, outcome)
    }

    fn unfinished_events(&self, limit: u32) -> impl Future<Output = Result<Vec<Event>, LedgerError>> + Send {
        (**self).unfinished_events(limit)
    }

    fn record_name(
        &self,
        tournament: &TournamentId,
        name: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).record_name(tournament, name, now)
    }

    fn start_run(&self, run: &Run) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).start_run(run)
    }

    fn log_step(&self, run: &RunId, step: &RunStep) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).log_step(run, step)
    }

    fn finish_run(
        &self,
        run: &RunId,
        at: Timestamp,
        outcome: &str,
        summary: &str,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).finish_run(run, at, outcome, summary)
    }

    fn runs(&self, limit: u32) -> impl Future<Output = Result<Vec<Run>, LedgerError>> + Send {
        (**self).runs(limit)
    }

    fn steps(&self, run: &RunId) -> impl Future<Output = Result<Vec<RunStep>, LedgerError>> + Send {
        (**self).steps(run)
    }

    fn begin_canary(&self, canary: &Canary) -> impl Future<Output = Result<Written, LedgerError>> + Send {
        (**self).begin_canary(canary)
    }

    fn journal_canary(&self, canary: &Canary) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).journal_canary(canary)
    }

    fn canaries(&self) -> impl Future<Output = Result<Vec<Canary>, LedgerError>> + Send {
        (**self).canaries()
    }

    fn open_canaries(&self) -> impl Future<Output = Result<Vec<Canary>, LedgerError>> + Send {
        (**self).open_canaries()
    }

    fn remove_canary(&self, canary: &Canary) -> impl Future<Output = Result<CanaryEnd, LedgerError>> + Send {
        (**self).remove_canary(canary)
    }

    fn record_handler(&self, guard: &Guard, handler: &Handler) -> impl Future<Output = Result<(), LedgerError>> + Send {
        (**self).record_handler(guard, handler)
    }

    fn raw_row(&self, id: &OrderId) -> impl Future<Output = Result<Option<Metadata>, LedgerError>> + Send {
        (**self).raw_row(id)
    }

    fn search(&self, word: &str) -> impl Future<Output = Result<Vec<Order>, LedgerError>> + Send {
        (**self).search(word)
    }

    fn attempts_of(&self, id: &OrderId) -> impl Future<Output = Result<Vec<Attempt>, LedgerError>> + Send {
        (**self).attempts_of(id)
    }
}
