//! [`SqlLedger`] behind the trait: every method is one transaction, tried again where another one won the race.

use jiff::Timestamp;

use crate::domain::{
    AttemptId, Metadata, Mode, Order, OrderId, Payable, PaymentIntentId, PlayerId, RunId, Seen, TournamentId,
};

use super::errors::retrying;
use super::open::{self, SqlLedger};
use super::{
    Attempt, AttemptFor, Begun, Canary, CanaryEnd, Event, EventOutcome, Guard, Handler, Identity, Ledger, LedgerError,
    LedgerFacts, Lock, LockHolder, Rendered, RetireHow, Run, RunStep, Scope, StoredEvent, Written, attempts, canary,
    events, handler, lock, names, orders, read, runs,
};

impl Ledger for SqlLedger {
    async fn identity(&self) -> Result<Option<Identity>, LedgerError> {
        retrying(|| open::identity(self)).await
    }

    async fn read(&self, scope: &Scope) -> Result<LedgerFacts, LedgerError> {
        retrying(|| read::facts(self, scope)).await
    }

    async fn order(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        retrying(|| read::order(self, id)).await
    }

    async fn prepare(&self, new_id: u128) -> Result<Identity, LedgerError> {
        retrying(|| open::prepare(self, new_id)).await
    }

    async fn bind(&self, account: &str, mode: Mode) -> Result<Identity, LedgerError> {
        retrying(|| open::bind(self, account, mode)).await
    }

    async fn lock(&self, holder: &LockHolder, now: Timestamp) -> Result<Lock, LedgerError> {
        retrying(|| lock::take(self, holder, &holder.run, now)).await
    }

    async fn take_over(&self, holder: &LockHolder, dead: &RunId, now: Timestamp) -> Result<Lock, LedgerError> {
        retrying(|| lock::take(self, holder, dead, now)).await
    }

    async fn heartbeat(&self, guard: &Guard, now: Timestamp) -> Result<Written, LedgerError> {
        retrying(|| lock::heartbeat(self, guard, now)).await
    }

    async fn unlock(&self, guard: &Guard) -> Result<(), LedgerError> {
        retrying(|| lock::give_back(self, guard)).await
    }

    async fn lock_holder(&self) -> Result<Option<LockHolder>, LedgerError> {
        retrying(|| lock::holder(self)).await
    }

    async fn force_unlock(&self) -> Result<Option<LockHolder>, LedgerError> {
        retrying(|| lock::force(self)).await
    }

    async fn begin_attempt(
        &self,
        guard: &Guard,
        tournament: &TournamentId,
        attempt: &AttemptId,
        subject: &AttemptFor,
        now: Timestamp,
        render: &(dyn Fn(&OrderId) -> Rendered + Send + Sync),
    ) -> Result<Begun, LedgerError> {
        let asked = attempts::Asked { guard, tournament, attempt, subject, now, render };
        retrying(|| attempts::begin(self, &asked)).await
    }

    async fn record_session(
        &self,
        guard: &Guard,
        attempt: &AttemptId,
        payable: &Payable,
    ) -> Result<Written, LedgerError> {
        retrying(|| attempts::record_session(self, guard, attempt, payable)).await
    }

    async fn abandon_attempt(&self, guard: &Guard, attempt: &AttemptId, why: &str) -> Result<Written, LedgerError> {
        retrying(|| attempts::abandon(self, guard, attempt, why)).await
    }

    async fn retire(
        &self,
        guard: &Guard,
        seen: &Seen,
        how: RetireHow,
        reason: &str,
        now: Timestamp,
    ) -> Result<Written, LedgerError> {
        retrying(|| orders::retire(self, guard, seen, how, reason, now)).await
    }

    async fn rename(&self, guard: &Guard, seen: &Seen, to: &PlayerId) -> Result<Written, LedgerError> {
        retrying(|| orders::rename(self, guard, seen, to)).await
    }

    async fn mark_paid(&self, seen: &Seen, intent: Option<&PaymentIntentId>) -> Result<Written, LedgerError> {
        retrying(|| orders::mark_paid(self, seen, intent)).await
    }

    async fn mark_paid_elsewhere(&self, seen: &Seen) -> Result<Written, LedgerError> {
        retrying(|| orders::mark_paid_elsewhere(self, seen)).await
    }

    async fn mark_refunded(&self, seen: &Seen) -> Result<Written, LedgerError> {
        retrying(|| orders::mark_refunded(self, seen)).await
    }

    async fn store_event(&self, event: &Event) -> Result<StoredEvent, LedgerError> {
        retrying(|| events::store(self, event)).await
    }

    async fn finish_event(&self, id: &str, outcome: &EventOutcome) -> Result<(), LedgerError> {
        retrying(|| events::finish(self, id, outcome)).await
    }

    async fn unfinished_events(&self, limit: u32) -> Result<Vec<Event>, LedgerError> {
        retrying(|| events::unfinished(self, limit)).await
    }

    async fn record_name(&self, tournament: &TournamentId, name: &str, now: Timestamp) -> Result<(), LedgerError> {
        retrying(|| names::record(self, tournament, name, now)).await
    }

    async fn start_run(&self, run: &Run) -> Result<(), LedgerError> {
        retrying(|| runs::start(self, run)).await
    }

    async fn log_step(&self, run: &RunId, step: &RunStep) -> Result<(), LedgerError> {
        retrying(|| runs::log(self, run, step)).await
    }

    async fn finish_run(&self, run: &RunId, at: Timestamp, outcome: &str, summary: &str) -> Result<(), LedgerError> {
        retrying(|| runs::finish(self, run, at, outcome, summary)).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<Run>, LedgerError> {
        retrying(|| runs::newest(self, limit)).await
    }

    async fn steps(&self, run: &RunId) -> Result<Vec<RunStep>, LedgerError> {
        retrying(|| runs::steps(self, run)).await
    }

    async fn begin_canary(&self, canary: &Canary) -> Result<Written, LedgerError> {
        retrying(|| canary::begin(self, canary)).await
    }

    async fn journal_canary(&self, canary: &Canary) -> Result<(), LedgerError> {
        retrying(|| canary::journal(self, canary)).await
    }

    async fn canaries(&self) -> Result<Vec<Canary>, LedgerError> {
        retrying(|| canary::every(self)).await
    }

    async fn open_canaries(&self) -> Result<Vec<Canary>, LedgerError> {
        retrying(|| canary::open(self)).await
    }

    async fn remove_canary(&self, canary: &Canary) -> Result<CanaryEnd, LedgerError> {
        retrying(|| canary::remove(self, canary)).await
    }

    async fn record_handler(&self, guard: &Guard, handler: &Handler) -> Result<(), LedgerError> {
        retrying(|| handler::record(self, guard, handler)).await
    }

    async fn raw_row(&self, id: &OrderId) -> Result<Option<Metadata>, LedgerError> {
        retrying(|| orders::raw_row(self, id)).await
    }

    async fn search(&self, word: &str) -> Result<Vec<Order>, LedgerError> {
        retrying(|| read::search(self, word)).await
    }

    async fn attempts_of(&self, id: &OrderId) -> Result<Vec<Attempt>, LedgerError> {
        retrying(|| attempts::of_order(self, id)).await
    }
}
