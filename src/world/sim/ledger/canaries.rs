//! The journal of canaries, and their removal.

use std::collections::BTreeSet;

use crate::domain::{AttemptId, OrderId, SessionId};
use crate::ledger::{Canary, CanaryEnd, Written};

use super::{Journalled, Result, State, rejected};

impl State {
    /// The journal, oldest run first, each canary with its order as soon as it stands: its first attempt has its run's id.
    pub(super) fn canaries_that(&self, are: impl Fn(&Journalled) -> bool) -> Vec<Canary> {
        let journalled =
            self.canaries.values().filter(|journalled| are(journalled)).map(|journalled| &journalled.canary);
        journalled.map(|canary| Canary { order: self.order_of(canary), ..canary.clone() }).collect()
    }

    /// The order that a canary's own attempt made; never one that merely stands for its registration.
    fn order_of(&self, canary: &Canary) -> Option<OrderId> {
        let tried = || self.attempts.get(&AttemptId::from(canary.run.as_str()));
        canary.order.clone().or_else(|| tried().map(|tried| tried.attempt.order.clone()))
    }

    /// Nothing is journalled where the registration has a live order or a claim that is no canary's.
    pub(super) fn begin_canary(&mut self, canary: &Canary) -> Written {
        let canaries: BTreeSet<OrderId> =
            self.canaries_that(|_| true).into_iter().filter_map(|one| one.order).collect();
        let live = self.live_of(&canary.tournament, &canary.registration);
        let claimed = self.claims.get(&(canary.tournament.clone(), canary.registration.clone()));
        if live.into_iter().chain(claimed).any(|order| !canaries.contains(order)) {
            return Written::Moved;
        }
        self.journal_canary(canary);
        Written::Done
    }

    /// What a canary is for stays as it was journalled first, and so whether it is gone.
    pub(super) fn journal_canary(&mut self, canary: &Canary) {
        let new = || Journalled { canary: canary.clone(), closed: false };
        let Journalled { canary: journalled, .. } = self.canaries.entry(canary.run.clone()).or_insert_with(new);
        journalled.order.clone_from(&canary.order);
        journalled.sessions.clone_from(&canary.sessions);
    }

    /// The row goes as long as it stands for the canary's registration; one that is gone already is no trouble.
    pub(super) fn remove_canary(&mut self, canary: &Canary) -> Result<CanaryEnd> {
        if let Some(order) = self.order_of(canary) {
            let row = self.orders.get(&order);
            if row.is_some_and(|row| !row.is_of(&canary.tournament, &canary.registration)) {
                return Err(rejected(format!("order {order} was made for the canary and has become another's")));
            }
            self.orders.remove(&order);
            self.release_claim(&order);
            let made = self.forget_attempts(&order);
            if let Some(journalled) = self.canaries.get_mut(&canary.run) {
                let new = made.into_iter().filter(|session| !canary.sessions.contains(session));
                journalled.canary.sessions = canary.sessions.iter().cloned().chain(new).collect();
                journalled.canary.order = Some(order);
            }
        }
        if let Some(journalled) = self.canaries.get_mut(&canary.run) {
            journalled.closed = true;
        }
        Ok(CanaryEnd::Removed)
    }

    /// The attempts for an order go; answers with what they made.
    fn forget_attempts(&mut self, order: &OrderId) -> BTreeSet<SessionId> {
        let mut made = BTreeSet::new();
        self.attempts.retain(|_, tried| {
            let its = tried.attempt.order == *order;
            made.extend(tried.attempt.session.clone().filter(|_| its));
            !its
        });
        made
    }
}
