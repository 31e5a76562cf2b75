//! What the orders database says: plain data.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AttemptId, Currency, FeeId, LedgerId, Metadata, Mode, Order, OrderId, PayableKind, PaymentIntentId, Registration,
    RunId, SessionId, TournamentId,
};

/// Which rows belong to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The tournament.
    pub tournament: TournamentId,
    /// The manifest's fees: the scope of an adopted table that does not map the tournament.
    pub fees: Vec<FeeId>,
    /// The manifest's currency, for an adopted table that does not map one.
    pub currency: Currency,
}

/// The database's own id, and what the first apply bound it to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its UUID.
    pub ledger: LedgerId,
    /// The Stripe account, `acct_…`.
    pub account: Option<String>,
    /// The mode.
    pub mode: Option<Mode>,
}

/// Everything in scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFacts {
    /// The orders, of every status, canaries left out; by id.
    pub orders: Vec<Order>,
    /// Orders that tourney retired (their row may be gone).
    pub retired: Vec<RetiredOrder>,
    /// Attempts that are still open.
    pub attempts: Vec<Attempt>,
    /// Sessions that belong to canaries: left out of every judgement.
    pub canary_sessions: BTreeSet<SessionId>,
    /// Orders that belong to canaries.
    pub canary_orders: BTreeSet<OrderId>,
    /// Stored events about a payment that matched no order.
    pub unmatched: Vec<Event>,
    /// Every session any attempt for the tournament ever made, with its order: proof of ownership.
    pub sessions_made: Vec<(SessionId, OrderId)>,
    /// Orders in scope by their columns that tourney's tables give to another tournament.
    pub overlapping: Vec<OrderId>,
    /// Fees of orders that tourney made for this very tournament, where they are the scope and the manifest has none of
    /// them: it is a copy that kept its tournament's id.
    pub foreign_fees: BTreeSet<FeeId>,
    /// What the last round trip found of the application's webhook handler.
    pub handler: Option<Handler>,
    /// What the tournament was called when it was last applied.
    pub applied_name: Option<String>,
}

impl LedgerFacts {
    /// The handler where it cancels an order when a session that the order held before expires.
    #[must_use]
    pub fn canceling(&self) -> Option<&Handler> {
        self.handler.as_ref().filter(|handler| handler.cancels)
    }
}

/// What the last round trip of `verify` that came so far found of the application's webhook handler. It works on this very
/// database, whichever its address: the last word counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// Where it was found: scheme, host, port and path, never a password or a query.
    pub endpoint: String,
    /// When, on tourney's clock.
    pub found_at: Timestamp,
    /// Whether `checkout.session.expired` of a session that the order no longer held changed the order.
    pub cancels: bool,
}

/// An order that tourney retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredOrder {
    /// Which.
    pub order: OrderId,
    /// Whose, for what.
    pub registration: Registration,
    /// The session it held.
    pub session: Option<SessionId>,
    /// Why, a finding's code.
    pub reason: String,
    /// When it was retired.
    pub at: Timestamp,
    /// When it was made, where the database said.
    pub made_at: Option<Timestamp>,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptState {
    /// Begun; nobody knows what came of it.
    Open,
    /// Its payable is on the order.
    Recorded,
    /// It made nothing that is left.
    Abandoned,
}

/// One attempt to make one payable: the only write-ahead record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id, also in the payable's metadata.
    pub id: AttemptId,
    /// The order it is for.
    pub order: OrderId,
    /// The tournament.
    pub tournament: TournamentId,
    /// Whose, for what.
    pub registration: Registration,
    /// The idempotency key.
    pub key: String,
    /// The exact body that is sent, and sent again.
    pub request: String,
    /// The payable's expiry in that body; none for a Payment Link.
    pub expires_at: Option<Timestamp>,
    /// When it began, on Stripe's clock.
    pub began_at: Timestamp,
    /// Where it stands.
    pub state: AttemptState,
    /// The payable it made, once known.
    pub session: Option<SessionId>,
}

impl Attempt {
    /// What it makes: a session always expires by itself, a Payment Link never.
    #[must_use]
    pub const fn kind(&self) -> PayableKind {
        if self.expires_at.is_some() { PayableKind::Session } else { PayableKind::PaymentLink }
    }
}

/// A stored webhook event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Stripe's id, `evt_…`.
    pub id: String,
    /// Its type, for example `checkout.session.completed`.
    pub kind: String,
    /// The session it is about, if it is about one.
    pub session: Option<SessionId>,
    /// The payment intent it names.
    pub payment_intent: Option<PaymentIntentId>,
    /// The raw body, as it was signed.
    pub body: String,
    /// When it came.
    pub received_at: Timestamp,
    /// What came of it; none yet.
    pub outcome: Option<EventOutcome>,
}

impl Event {
    /// The metadata of the object that it is about, as it was when it was sent; empty where there is none.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        Metadata::deserialize(&body["data"]["object"]["metadata"]).unwrap_or_default()
    }
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "kebab-case")]
pub enum EventOutcome {
    /// It recorded a payment on this order.
    Recorded(String),
    /// There was nothing to do; why.
    NoEffect(String),
    /// A payment that matches no order: attention.
    Unmatched(String),
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The run.
    pub run: RunId,
    /// User, host and process, for people.
    pub who: String,
    /// Since when.
    pub since: Timestamp,
    /// Last sign of life.
    pub heartbeat: Timestamp,
}

/// One run in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// `apply` or `verify`.
    pub command: String,
    /// The tournament.
    pub tournament: TournamentId,
    /// The environment's name.
    pub environment: String,
    /// The manifest's digest.
    pub manifest_sha256: String,
    /// User and host.
    pub who: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none where it never said.
    pub finished_at: Option<Timestamp>,
    /// `done`, `failed`, `interrupted`, `attention`; none where it never said.
    pub outcome: Option<String>,
    /// One line for people.
    pub summary: Option<String>,
}

/// One step of a run, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// When.
    pub at: Timestamp,
    /// Whose, for what; none for a session that no registration has.
    pub registration: Option<Registration>,
    /// The change's action.
    pub action: String,
    /// The order.
    pub order: Option<OrderId>,
    /// The session.
    pub session: Option<SessionId>,
    /// `done`, `skipped`, `failed`.
    pub outcome: String,
    /// Detail for people.
    pub detail: Option<String>,
}

/// A canary in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The run that made it.
    pub run: RunId,
    /// The tournament whose attempts and claims it stands among.
    pub tournament: TournamentId,
    /// Whose, for what.
    pub registration: Registration,
    /// Its order, once made.
    pub order: Option<OrderId>,
    /// Its sessions, once made.
    pub sessions: Vec<SessionId>,
}
