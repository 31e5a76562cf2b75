//! The orders database: one trait for its effects, one SQL implementation for SQLite and PostgreSQL.

mod adopt;
mod attempts;
mod by_ref;
mod canary;
mod claimed;
mod errors;
mod events;
mod facts;
mod handler;
mod health;
mod links;
mod lock;
mod mapping;
mod methods;
mod names;
mod open;
mod orders;
mod read;
mod rows;
mod runs;
mod seed;
mod sql;
mod state;
mod statement;
mod table;
mod times;

use std::future::Future;

use jiff::Timestamp;

use crate::domain::{
    AttemptId, Metadata, Mode, Money, Order, OrderId, Payable, PaymentIntentId, PlayerId, Registration, RunId, Seen,
    TournamentId,
};

pub use adopt::{AdoptError, Fault, PlayerRow, Terms};
pub(crate) use attempts::order_id;
pub use health::{Health, ReadOnly};
pub use state::SchemaState;

pub use facts::{
    Attempt, AttemptState, Canary, Event, EventOutcome, Handler, Identity, LedgerFacts, LockHolder, RetiredOrder, Run,
    RunStep, Scope,
};
pub use lock::LEASE_SECONDS;
pub use mapping::{AmountUnit, Codec, Column, Columns, Holds, IdSource, Mapping, StatusWords, TypeName};
pub use open::SqlLedger;
pub use seed::SeedOrder;
pub use times::TimeForm;

/// Why a ledger operation did not answer with what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Nothing was done: no connection, or the transaction was rolled back.
    #[error("the orders database did nothing: {0}")]
    NotDone(String),
    /// The database understood and said no; the same again will be refused again.
    #[error("the orders database refused: {0}")]
    Rejected(String),
    /// A row in scope says what the mapping has no meaning for.
    #[error("{0}; nothing was written")]
    Unmapped(String),
    /// The answer was lost: it may have been done. Every write carries its own id, so it may be repeated.
    #[error("the answer of the orders database was lost: {0}")]
    Unknown(String),
    /// Another run holds the lock with a newer fence: this run must stop writing.
    #[error("another run took the lock: this one stops")]
    Fenced,
}

/// Who writes, under which lock. Transactions A and B check the fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The run.
    pub run: RunId,
    /// The lock's fencing number; a higher one in the database means that this run has lost the lock.
    pub fence: i64,
}

/// Whether a conditional write found what it was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was written, now or by an earlier try of the same write.
    Done,
    /// The row has moved: observe again.
    Moved,
}

/// For which order an attempt makes a payable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptFor {
    /// A new order of this registration, to be made in the same transaction.
    New {
        /// Whose, for what.
        registration: Registration,
        /// What is owed.
        amount: Money,
    },
    /// A pending order that stands.
    Standing(Seen),
}

/// The exact request of an attempt, stored before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The form-encoded body of `POST /v1/checkout/sessions`.
    pub body: String,
    /// The payable's `expires_at` as it stands in the body.
    pub expires_at: Option<Timestamp>,
}

/// What transaction A came to.
#[allow(clippy::large_enum_variant, reason = "one value for a registration, taken apart at once: a box saves nothing")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The order, the claim and the attempt stand.
    Begun(Attempt),
    /// The registration has another live order, the order has moved, or another attempt is open: observe again.
    Moved,
}

/// What asking for the lock came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It is ours.
    Acquired(Guard),
    /// Somebody else's.
    Held(LockHolder),
}

/// What storing a webhook event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredEvent {
    /// It is new.
    New,
    /// It came before, and nothing has come of it yet.
    Unfinished,
    /// It came before, and is done with.
    Finished,
}

/// How an order leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetireHow {
    /// The row is kept as canceled.
    Cancel,
    /// The row goes; a copy stays in tourney's history.
    Delete,
}

/// The orders database. One method is one whole transaction, harmless when repeated, and conditional on the state it was
/// decided from.
///
/// Reading methods work before tourney's own tables exist, and create nothing.
pub trait Ledger: Send + Sync {
    /// The database's identity and what it is bound to; none before the first apply.
    fn identity(&self) -> impl Future<Output = Result<Option<Identity>, LedgerError>> + Send;
    /// Everything in scope, in one consistent read.
    fn read(&self, scope: &Scope) -> impl Future<Output = Result<LedgerFacts, LedgerError>> + Send;
    /// One order, wherever it belongs.
    fn order(&self, id: &OrderId) -> impl Future<Output = Result<Option<Order>, LedgerError>> + Send;

    /// Makes tourney's tables (and in our own schema the orders table) where they are missing, and the ledger's id.
    fn prepare(&self, new_id: u128) -> impl Future<Output = Result<Identity, LedgerError>> + Send;
    /// Binds database, account and mode at the first apply; answers with what it is bound to.
    fn bind(&self, account: &str, mode: Mode) -> impl Future<Output = Result<Identity, LedgerError>> + Send;

    /// Takes the lock if it is free or its holder's heartbeat is older than the lease; the fence grows each time.
    fn lock(&self, holder: &LockHolder, now: Timestamp) -> impl Future<Output = Result<Lock, LedgerError>> + Send;
    /// As [`Ledger::lock`], and takes the lock also from the run `dead`, whose process is known to be gone.
    fn take_over(
        &self,
        holder: &LockHolder,
        dead: &RunId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Lock, LedgerError>> + Send;
    /// Keeps the lock alive.
    fn heartbeat(&self, guard: &Guard, now: Timestamp) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// Gives the lock back.
    fn unlock(&self, guard: &Guard) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Who holds the lock, if anyone.
    fn lock_holder(&self) -> impl Future<Output = Result<Option<LockHolder>, LedgerError>> + Send;
    /// Releases the lock whoever holds it, raising the fence so that the old holder cannot write.
    fn force_unlock(&self) -> impl Future<Output = Result<Option<LockHolder>, LedgerError>> + Send;

    /// Transaction A: the order (if new), its claim, the attempt, its key, and the exact request, rendered inside the
    /// transaction by the pure function `render` from the order's id.
    fn begin_attempt(
        &self,
        guard: &Guard,
        tournament: &TournamentId,
        attempt: &AttemptId,
        subject: &AttemptFor,
        now: Timestamp,
        render: &(dyn Fn(&OrderId) -> Rendered + Send + Sync),
    ) -> impl Future<Output = Result<Begun, LedgerError>> + Send;
    /// Transaction B: the payable's id, url and expiry onto the order; conditional on the attempt being open and the
    /// order being the attempt's still: pending, of its registration, holding the session it held when the attempt began,
    /// and owing what the payable charges, where Stripe says that.
    fn record_session(
        &self,
        guard: &Guard,
        attempt: &AttemptId,
        payable: &Payable,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// Closes an attempt that made nothing, or whose payable has been expired.
    fn abandon_attempt(
        &self,
        guard: &Guard,
        attempt: &AttemptId,
        why: &str,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send;

    /// Retires an order: cancelled, or deleted with a copy kept; its claim is released. Conditional on what was seen: pending,
    /// or canceled by somebody else, which from then on counts as tourney's own doing.
    fn retire(
        &self,
        guard: &Guard,
        seen: &Seen,
        how: RetireHow,
        reason: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// Moves an order to another player id, with its claim.
    fn rename(
        &self,
        guard: &Guard,
        seen: &Seen,
        to: &PlayerId,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// Pending to paid with the payment intent (none where Stripe names none). Conditional on what was seen. Only `settle`
    /// calls this. `Done` also where the order already is paid with this very intent, or was without any, which is filled in.
    fn mark_paid(
        &self,
        seen: &Seen,
        intent: Option<&PaymentIntentId>,
    ) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// To paid without a payment intent: settled outside Stripe. Conditional on what was seen (pending, or canceled), so that
    /// no payable that was recorded since stays open behind it. Only `settle` calls this.
    fn mark_paid_elsewhere(&self, seen: &Seen) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// Paid to refunded; conditional on what was seen.
    fn mark_refunded(&self, seen: &Seen) -> impl Future<Output = Result<Written, LedgerError>> + Send;

    /// Stores a webhook event, once for each id.
    fn store_event(&self, event: &Event) -> impl Future<Output = Result<StoredEvent, LedgerError>> + Send;
    /// Writes what came of an event.
    fn finish_event(&self, id: &str, outcome: &EventOutcome) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Stored events of which nothing has come yet, oldest first.
    fn unfinished_events(&self, limit: u32) -> impl Future<Output = Result<Vec<Event>, LedgerError>> + Send;

    /// Writes what a tournament that is being applied is called.
    fn record_name(
        &self,
        tournament: &TournamentId,
        name: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Opens a run in the history.
    fn start_run(&self, run: &Run) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Adds a step to a run's history. History is for people: it is never read to recover.
    fn log_step(&self, run: &RunId, step: &RunStep) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Closes a run.
    fn finish_run(
        &self,
        run: &RunId,
        at: Timestamp,
        outcome: &str,
        summary: &str,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// The newest runs first.
    fn runs(&self, limit: u32) -> impl Future<Output = Result<Vec<Run>, LedgerError>> + Send;
    /// The steps of a run, in their order.
    fn steps(&self, run: &RunId) -> impl Future<Output = Result<Vec<RunStep>, LedgerError>> + Send;

    /// Journals a canary before anything of it is made. `Moved`, and nothing is written, where its registration has a
    /// live order or a claim that is no canary's. The first attempt for it must have its run's id: by that its order is
    /// known, and left out of [`Ledger::read`], from the moment it stands.
    fn begin_canary(&self, canary: &Canary) -> impl Future<Output = Result<Written, LedgerError>> + Send;
    /// Journals what has become known of a canary: its order, its sessions.
    fn journal_canary(&self, canary: &Canary) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Every canary there ever was, also those that were removed.
    fn canaries(&self) -> impl Future<Output = Result<Vec<Canary>, LedgerError>> + Send;
    /// Canaries whose clean-up has not been confirmed, each with the order that its attempt made.
    fn open_canaries(&self) -> impl Future<Output = Result<Vec<Canary>, LedgerError>> + Send;
    /// Removes the row that a canary's own attempt made (no other, whatever stands for its registration), its attempts
    /// and claim; where the row cannot go, cancels it. Closes the journal entry. A row that has become another
    /// registration's is refused and left alone.
    fn remove_canary(&self, canary: &Canary) -> impl Future<Output = Result<CanaryEnd, LedgerError>> + Send;
    /// Writes what a round trip found of the application's webhook handler, in the place of what was found before.
    fn record_handler(&self, guard: &Guard, handler: &Handler) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// The whole row of an order as text by column, to compare before and after.
    fn raw_row(&self, id: &OrderId) -> impl Future<Output = Result<Option<Metadata>, LedgerError>> + Send;
    /// Orders in any tournament that a word leads to: an order id, a player id, a session or a payment intent.
    fn search(&self, word: &str) -> impl Future<Output = Result<Vec<Order>, LedgerError>> + Send;
    /// Every attempt ever made for an order, oldest first.
    fn attempts_of(&self, id: &OrderId) -> impl Future<Output = Result<Vec<Attempt>, LedgerError>> + Send;
}

/// How a canary's row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanaryEnd {
    /// The row is gone.
    Removed,
    /// The row could not be deleted, and is cancelled.
    Canceled {
        /// What kept it, for people: rows of which table, or which right is missing.
        why: String,
    },
}
