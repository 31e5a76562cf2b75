//! What the tables hold.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{
    AttemptId, Metadata, Order, OrderId, PayableKind, Registration, RunId, Seen, SessionId, TournamentId,
};
use crate::ledger::{
    Attempt, AttemptState, Canary, Event, Handler, Identity, LockHolder, RetireHow, RetiredOrder, Run, RunStep,
};

/// Everything in the database. A copy of it is a copy of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The database's own id; without it nothing has been prepared.
    pub identity: Option<Identity>,
    /// The orders table.
    pub orders: BTreeMap<OrderId, Row>,
    /// Which order has a registration. No order has two.
    pub claims: BTreeMap<(TournamentId, Registration), OrderId>,
    /// Every attempt. An order has at most one that is open.
    pub attempts: BTreeMap<AttemptId, Tried>,
    /// The orders that tourney retired.
    pub retired: BTreeMap<OrderId, Retired>,
    /// The stored events, by their ids.
    pub events: BTreeMap<String, Event>,
    /// The lock.
    pub lock: LockRow,
    /// The runs, in the order in which they were written.
    pub runs: Vec<Run>,
    /// The steps of all runs, in the order in which they were written.
    pub steps: Vec<(RunId, RunStep)>,
    /// The journal of canaries.
    pub canaries: BTreeMap<RunId, Journalled>,
    /// What was last found of the application's webhook handler.
    pub handler: Option<Handler>,
    /// What each tournament was called last, and when.
    pub names: BTreeMap<TournamentId, (String, Timestamp)>,
    /// The newest moment that any call has told: a write that is told none is made then.
    pub told: Timestamp,
}

/// A row of the orders table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The order as its columns say it: its session is never a Payment Link.
    pub order: Order,
    /// The tournament.
    pub tournament: TournamentId,
    /// When its link ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// An attempt, and what only the database knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The attempt.
    pub attempt: Attempt,
    /// The session that the order's column held when it began.
    pub held: Option<SessionId>,
    /// Why it was abandoned.
    pub why: Option<String>,
}

/// A retired order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Of which tournament.
    pub tournament: TournamentId,
    /// What is told of it.
    pub order: RetiredOrder,
    /// Whether its row stayed.
    pub how: RetireHow,
    /// Its row before.
    pub copy: Row,
}

/// The one row of the lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockRow {
    /// Who holds it.
    pub holder: Option<LockHolder>,
    /// How often it has changed hands.
    pub fence: i64,
}

/// A canary, and whether its clean-up was confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journalled {
    /// The canary as it was journalled.
    pub canary: Canary,
    /// Whether it is gone.
    pub closed: bool,
}

impl Row {
    /// Writes something; the row says when.
    pub(super) fn write(&mut self, now: Timestamp, change: impl FnOnce(&mut Order)) {
        change(&mut self.order);
        self.updated_at = now;
    }

    /// Whether it stands for this registration of this tournament.
    pub(super) fn is_of(&self, tournament: &TournamentId, registration: &Registration) -> bool {
        self.tournament == *tournament && self.order.registration == *registration
    }

    /// Every column as text; what is none is left out.
    #[must_use]
    pub fn columns(&self) -> Metadata {
        let Order { id, registration, amount, status, session, payment_intent, url, created_at } = &self.order;
        let seconds = |at: Timestamp| at.as_second().to_string();
        let columns = [
            ("id", Some(id.to_string())),
            ("tournament_id", Some(self.tournament.to_string())),
            ("player_id", Some(registration.player.to_string())),
            ("fee_id", Some(registration.fee.to_string())),
            ("amount_cents", Some(amount.minor.to_string())),
            ("currency", Some(amount.currency.code().to_owned())),
            ("status", Some(status.to_string())),
            ("stripe_checkout_session_id", session.as_ref().map(ToString::to_string)),
            ("stripe_payment_intent_id", payment_intent.as_ref().map(ToString::to_string)),
            ("checkout_url", url.clone()),
            ("expires_at", self.expires_at.map(seconds)),
            ("created_at", created_at.map(seconds)),
            ("updated_at", Some(seconds(self.updated_at))),
        ];
        columns.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
    }
}

impl Tried {
    /// The Payment Link that it has put onto its order.
    pub(super) fn link(&self) -> Option<&SessionId> {
        let link = self.attempt.session.as_ref().filter(|id| PayableKind::of(id) == PayableKind::PaymentLink);
        link.filter(|_| self.attempt.state == AttemptState::Recorded)
    }
}

impl State {
    /// The moment of a write; one that tells none is made at the newest that was told.
    pub(super) fn at(&mut self, now: Timestamp) -> Timestamp {
        self.told = self.told.max(super::whole(now));
        super::whole(now)
    }

    /// An order as it is read: where its column holds no session, with the link that its attempt has put onto it.
    pub(super) fn order(&self, row: &Row) -> Order {
        let link =
            || self.attempts.values().find(|tried| tried.attempt.order == row.order.id && tried.link().is_some());
        let link = if row.order.session.is_none() { link().and_then(Tried::link) } else { None };
        Order { session: row.order.session.as_ref().or(link).cloned(), ..row.order.clone() }
    }

    /// The row of an order, where everything is as it was seen.
    pub(super) fn as_seen(&self, seen: &Seen) -> Option<&Row> {
        self.orders.get(&seen.id).filter(|row| self.order(row).seen() == *seen)
    }

    /// Whether an order is pending or paid.
    pub(super) fn is_live(&self, id: &OrderId) -> bool {
        self.orders.get(id).is_some_and(|row| row.order.status.is_live())
    }

    /// The live orders of a registration.
    pub(super) fn live_of(&self, tournament: &TournamentId, registration: &Registration) -> Vec<&OrderId> {
        let rows = self.orders.values().filter(|row| row.is_of(tournament, registration));
        rows.map(|row| &row.order).filter(|order| order.status.is_live()).map(|order| &order.id).collect()
    }
}
