//! What is read: everything in scope, single orders, searches.

use crate::domain::{Metadata, Order, OrderId};
use crate::ledger::{Attempt, AttemptState, EventOutcome, LedgerFacts, Scope};

use super::{State, Tried};

impl State {
    /// Everything in scope. Our own table has a column for the tournament: the manifest's fees bound nothing, and no fee can be
    /// another manifest's.
    pub(super) fn facts(&self, scope: &Scope) -> LedgerFacts {
        let tournament = &scope.tournament;
        let in_scope = || self.orders.values().filter(|row| row.tournament == *tournament);
        let attempts = self.attempts_that(|tried| tried.attempt.tournament == *tournament);
        let session_of = |attempt: &Attempt| Some((attempt.session.clone()?, attempt.order.clone()));
        let mut facts = LedgerFacts {
            sessions_made: attempts.iter().filter_map(session_of).collect(),
            attempts: attempts.into_iter().filter(|attempt| attempt.state == AttemptState::Open).collect(),
            orders: in_scope().map(|row| self.order(row)).collect(),
            retired: self
                .retired
                .values()
                .filter(|of| of.tournament == *tournament)
                .map(|of| of.order.clone())
                .collect(),
            unmatched: self.events_that(|event| matches!(event.outcome, Some(EventOutcome::Unmatched(_)))),
            handler: self.handler.clone(),
            applied_name: self.names.get(tournament).map(|(name, _)| name.clone()),
            ..LedgerFacts::default()
        };
        let elsewhere = |id: &OrderId| self.claims.iter().any(|((of, _), order)| of != tournament && order == id);
        facts.overlapping = in_scope().map(|row| &row.order.id).filter(|id| elsewhere(id)).cloned().collect();
        facts.sessions_made.sort();
        self.leave_canaries_out(&mut facts);
        facts
    }

    /// Canaries are no part of any judgement, whether they fly or have been removed.
    fn leave_canaries_out(&self, facts: &mut LedgerFacts) {
        for canary in self.canaries_that(|_| true) {
            facts.canary_orders.extend(canary.order);
            facts.canary_sessions.extend(canary.sessions);
        }
        let canaries = &facts.canary_orders;
        facts.orders.retain(|order| !canaries.contains(&order.id));
        facts.attempts.retain(|attempt| !canaries.contains(&attempt.order));
        let made = facts.sessions_made.iter().filter(|(_, order)| canaries.contains(order));
        facts.canary_sessions.extend(made.map(|(session, _)| session.clone()));
    }

    /// The attempts that are so, oldest first.
    pub(super) fn attempts_that(&self, are: impl Fn(&Tried) -> bool) -> Vec<Attempt> {
        let attempts = self.attempts.values().filter(|tried| are(tried));
        let mut attempts: Vec<Attempt> = attempts.map(|tried| tried.attempt.clone()).collect();
        attempts.sort_by_key(|attempt| attempt.began_at);
        attempts
    }

    /// The order with this id, wherever it belongs.
    pub(super) fn find(&self, id: &OrderId) -> Option<Order> {
        self.orders.get(id).map(|row| self.order(row))
    }

    /// Orders that a word leads to: an id, a player, a payment intent, the session in an order's column, or a link.
    pub(super) fn search(&self, word: &str) -> Vec<Order> {
        let is = |text: Option<&str>| text == Some(word);
        let linked = |id: &OrderId| {
            let mut attempts = self.attempts.values().filter(|tried| tried.attempt.order == *id);
            attempts.any(|tried| is(tried.link().map(|link| link.as_str())))
        };
        let rows = self.orders.values().filter(|row| {
            let Order { id, registration, session, payment_intent, .. } = &row.order;
            id.to_string() == word
                || registration.player.to_string() == word
                || is(session.as_ref().map(|session| session.as_str()))
                || is(payment_intent.as_ref().map(|intent| intent.as_str()))
                || linked(id)
        });
        rows.map(|row| self.order(row)).collect()
    }

    pub(super) fn raw_row(&self, id: &OrderId) -> Option<Metadata> {
        self.orders.get(id).map(super::Row::columns)
    }
}
