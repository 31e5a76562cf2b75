//! Transactions of the orders database that fail: each method of [`Ledger`] is a site of its own.

use jiff::Timestamp;

use super::faults::{Faulty, Said};
use super::site::{Side, Site};
use crate::domain::{
    AttemptId, Metadata, Mode, Order, OrderId, Payable, PaymentIntentId, PlayerId, RunId, Seen, TournamentId,
};
use crate::ledger::{
    Attempt, AttemptFor, Begun, Canary, CanaryEnd, Event, EventOutcome, Guard, Handler, Identity, Ledger, LedgerError,
    LedgerFacts, Lock, LockHolder, Rendered, RetireHow, Run, RunStep, Scope, StoredEvent, Written,
};

impl Said for LedgerError {
    fn not_done(site: &Site) -> Self {
        Self::NotDone(format!("a fault at {site}"))
    }

    fn lost(site: &Site) -> Self {
        Self::Unknown(format!("a fault at {site}"))
    }
}

/// Passes each method on, as the site of its name.
macro_rules! sites {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $answer:ty;)*) => {
        /// Every operation of a ledger.
        pub const OPERATIONS: &[&str] = &[$(stringify!($name)),*];

        impl<L: Ledger> Ledger for Faulty<L> {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, LedgerError> {
                self.faults.strike(Side::Ledger, stringify!($name), self.inner.$name($($argument),*)).await
            })*
        }
    };
}

sites! {
    fn identity() -> Option<Identity>;
    fn read(scope: &Scope) -> LedgerFacts;
    fn order(id: &OrderId) -> Option<Order>;
    fn prepare(new_id: u128) -> Identity;
    fn bind(account: &str, mode: Mode) -> Identity;
    fn lock(holder: &LockHolder, now: Timestamp) -> Lock;
    fn take_over(holder: &LockHolder, dead: &RunId, now: Timestamp) -> Lock;
    fn heartbeat(guard: &Guard, now: Timestamp) -> Written;
    fn unlock(guard: &Guard) -> ();
    fn lock_holder() -> Option<LockHolder>;
    fn force_unlock() -> Option<LockHolder>;
    fn begin_attempt(
        guard: &Guard,
        tournament: &TournamentId,
        attempt: &AttemptId,
        subject: &AttemptFor,
        now: Timestamp,
        render: &(dyn Fn(&OrderId) -> Rendered + Send + Sync),
    ) -> Begun;
    fn record_session(guard: &Guard, attempt: &AttemptId, payable: &Payable) -> Written;
    fn abandon_attempt(guard: &Guard, attempt: &AttemptId, why: &str) -> Written;
    fn retire(guard: &Guard, seen: &Seen, how: RetireHow, reason: &str, now: Timestamp) -> Written;
    fn rename(guard: &Guard, seen: &Seen, to: &PlayerId) -> Written;
    fn mark_paid(seen: &Seen, intent: Option<&PaymentIntentId>) -> Written;
    fn mark_paid_elsewhere(seen: &Seen) -> Written;
    fn mark_refunded(seen: &Seen) -> Written;
    fn store_event(event: &Event) -> StoredEvent;
    fn finish_event(id: &str, outcome: &EventOutcome) -> ();
    fn unfinished_events(limit: u32) -> Vec<Event>;
    fn record_name(tournament: &TournamentId, name: &str, now: Timestamp) -> ();
    fn start_run(run: &Run) -> ();
    fn log_step(run: &RunId, step: &RunStep) -> ();
    fn finish_run(run: &RunId, at: Timestamp, outcome: &str, summary: &str) -> ();
    fn runs(limit: u32) -> Vec<Run>;
    fn steps(run: &RunId) -> Vec<RunStep>;
    fn begin_canary(canary: &Canary) -> Written;
    fn journal_canary(canary: &Canary) -> ();
    fn canaries() -> Vec<Canary>;
    fn open_canaries() -> Vec<Canary>;
    fn remove_canary(canary: &Canary) -> CanaryEnd;
    fn record_handler(guard: &Guard, handler: &Handler) -> ();
    fn raw_row(id: &OrderId) -> Option<Metadata>;
    fn search(word: &str) -> Vec<Order>;
    fn attempts_of(id: &OrderId) -> Vec<Attempt>;
}
