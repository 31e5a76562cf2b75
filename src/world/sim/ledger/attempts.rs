//! Transactions A and B, and the end of an attempt.

use jiff::Timestamp;

use crate::domain::{
    AttemptId, Money, Order, OrderId, OrderStatus, Payable, PayableKind, Registration, Seen, SessionId, TournamentId,
};
use crate::ledger::{Attempt, AttemptFor, AttemptState, Begun, Guard, Rendered, Written, order_id};

use super::{Result, Row, State, Tried, rejected, whole};

/// What transaction A is asked.
pub(super) struct Asked<'a> {
    pub(super) guard: &'a Guard,
    pub(super) tournament: &'a TournamentId,
    pub(super) attempt: &'a AttemptId,
    pub(super) subject: &'a AttemptFor,
    pub(super) now: Timestamp,
    pub(super) render: &'a (dyn Fn(&OrderId) -> Rendered + Send + Sync),
}

/// An order to make a payable for: its id, its registration, and the session that it holds now.
type Subject = (OrderId, Registration, Option<SessionId>);

impl State {
    /// Transaction A. The same attempt again is the attempt that stands, whatever has come of it.
    pub(super) fn begin_attempt(&mut self, asked: &Asked<'_>) -> Result<Begun> {
        self.lock.check(asked.guard)?;
        let now = self.at(asked.now);
        if let Some(tried) = self.attempts.get(asked.attempt) {
            return Ok(Begun::Begun(tried.attempt.clone()));
        }
        let subject = match asked.subject {
            AttemptFor::New { registration, amount } => self.new_order(asked, registration, *amount, now)?,
            AttemptFor::Standing(seen) => self.standing_order(asked.tournament, seen),
        };
        let Some((order, registration, held)) = subject else { return Ok(Begun::Moved) };
        self.claims.insert((asked.tournament.clone(), registration.clone()), order.clone());
        let Rendered { body, expires_at } = (asked.render)(&order);
        let attempt = Attempt {
            id: asked.attempt.clone(),
            order,
            tournament: asked.tournament.clone(),
            registration,
            key: format!("tourney-{}", asked.attempt),
            request: body,
            expires_at: expires_at.map(whole),
            began_at: now,
            state: AttemptState::Open,
            session: None,
        };
        self.attempts.insert(attempt.id.clone(), Tried { attempt: attempt.clone(), held, why: None });
        Ok(Begun::Begun(attempt))
    }

    /// Makes an order; none where the registration has a live one, by the orders table or by its claim.
    fn new_order(
        &mut self,
        asked: &Asked<'_>,
        registration: &Registration,
        amount: Money,
        now: Timestamp,
    ) -> Result<Option<Subject>> {
        if self.is_claimed(asked.tournament, registration) || !self.live_of(asked.tournament, registration).is_empty() {
            return Ok(None);
        }
        let id = order_id(asked.attempt);
        // What is left of an order that is gone.
        let claim = (asked.tournament.clone(), registration.clone());
        if self.has_open_attempt(&id) || self.claims.iter().any(|(other, order)| *order == id && *other != claim) {
            return Err(rejected(format!("an order {id} has an open attempt, or the claim of another registration")));
        }
        self.insert(Row {
            order: Order {
                id: id.clone(),
                registration: registration.clone(),
                amount,
                status: OrderStatus::Pending,
                session: None,
                payment_intent: None,
                url: None,
                created_at: Some(now),
            },
            tournament: asked.tournament.clone(),
            expires_at: None,
            updated_at: now,
        })?;
        Ok(Some((id, registration.clone(), None)))
    }

    /// A new row, as the table's own constraints let it in.
    pub(super) fn insert(&mut self, row: Row) -> Result<()> {
        let id = row.order.id.clone();
        if row.order.amount.minor < 0 {
            return Err(rejected(format!("an order owes no less than nothing: {}", row.order.amount)));
        }
        if self.orders.contains_key(&id) {
            return Err(rejected(format!("there is an order {id}")));
        }
        self.orders.insert(id, row);
        Ok(())
    }

    /// A pending order as it was seen; none where it has moved, where an attempt for it is open, or where the claim that it
    /// needs is a live order's, or its own is another.
    fn standing_order(&self, tournament: &TournamentId, seen: &Seen) -> Option<Subject> {
        let row = self.as_seen(seen).filter(|row| row.tournament == *tournament)?;
        let Order { id, registration, session, .. } = &row.order;
        if row.order.status != OrderStatus::Pending || self.has_open_attempt(id) {
            return None;
        }
        let mine = self.claims.get(&(tournament.clone(), registration.clone())) == Some(id);
        let free = || !self.is_claimed(tournament, registration) && !self.claims.values().any(|order| order == id);
        (mine || free()).then(|| (id.clone(), registration.clone(), session.clone()))
    }

    fn has_open_attempt(&self, id: &OrderId) -> bool {
        let mut attempts = self.attempts.values().map(|tried| &tried.attempt);
        attempts.any(|attempt| attempt.order == *id && attempt.state == AttemptState::Open)
    }

    /// Whether a live order has the registration's claim. That of a dead one passes to the next.
    fn is_claimed(&self, tournament: &TournamentId, registration: &Registration) -> bool {
        let claim = self.claims.get(&(tournament.clone(), registration.clone()));
        claim.is_some_and(|order| self.is_live(order))
    }

    /// Transaction B. Where the order has moved, the payable is still written to the attempt: it was made, and is ours.
    pub(super) fn record_session(&mut self, guard: &Guard, id: &AttemptId, payable: &Payable) -> Result<Written> {
        self.lock.check(guard)?;
        let now = self.told;
        let Some(tried) = self.attempts.get_mut(id) else { return Ok(Written::Moved) };
        let attempt = &mut tried.attempt;
        if attempt.state != AttemptState::Open {
            let same = attempt.state == AttemptState::Recorded && attempt.session.as_ref() == Some(&payable.id);
            return Ok(if same { Written::Done } else { Written::Moved });
        }
        attempt.session = Some(payable.id.clone());
        let row = self.orders.get_mut(&attempt.order).filter(|row| {
            row.order.registration == attempt.registration
                && row.order.status == OrderStatus::Pending
                && row.order.session == tried.held
                && payable.money().is_none_or(|charged| charged == row.order.amount)
        });
        let Some(row) = row else { return Ok(Written::Moved) };
        row.expires_at = payable.expires_at.map(whole);
        row.write(now, |order| {
            order.session = Some(&payable.id).filter(|id| PayableKind::of(id) == PayableKind::Session).cloned();
            order.url.clone_from(&payable.url);
        });
        attempt.state = AttemptState::Recorded;
        self.supersede(id);
        Ok(Written::Done)
    }

    /// An order has one payable: the link that it had is its own no longer.
    fn supersede(&mut self, by: &AttemptId) {
        let Some(order) = self.attempts.get(by).map(|tried| tried.attempt.order.clone()) else { return };
        let others = self.attempts.values_mut().filter(|tried| tried.attempt.id != *by && tried.attempt.order == order);
        for tried in others.filter(|tried| tried.link().is_some()) {
            tried.attempt.state = AttemptState::Abandoned;
            tried.why = Some("another payable took its place".to_owned());
        }
    }

    pub(super) fn abandon_attempt(&mut self, guard: &Guard, id: &AttemptId, why: &str) -> Result<Written> {
        self.lock.check(guard)?;
        let Some(tried) = self.attempts.get_mut(id) else { return Ok(Written::Moved) };
        if tried.attempt.state == AttemptState::Open {
            tried.attempt.state = AttemptState::Abandoned;
            tried.why = Some(why.to_owned());
        }
        Ok(if tried.attempt.state == AttemptState::Abandoned { Written::Done } else { Written::Moved })
    }
}
