//! What was observed: the planner's second input, plain data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::{LedgerId, Mode, OrderId, Ownership, Payable, Payment, PaymentIntentId, SessionId, key};
use crate::ledger::LedgerFacts;

/// What is, at one moment: the ledger's facts and the payables at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When, on Stripe's clock.
    pub at: Timestamp,
    /// The Stripe account, `acct_…`.
    pub account: String,
    /// The mode.
    pub mode: Mode,
    /// The database's id; none before the first apply.
    pub ledger: Option<LedgerId>,
    /// What the orders database says.
    pub facts: LedgerFacts,
    /// Every payable of the account in the window that matters, and every recorded one; newest first. Payments behind
    /// complete ones are read where they can decide something.
    pub payables: Vec<Payable>,
    /// Payments that paid orders record and that stand behind no payable read here, by their intent.
    pub payments: BTreeMap<PaymentIntentId, Payment>,
    /// Whether the account's Payment Links could not be read, for the key has no right to, or the server knows none. Only
    /// where none was ever made from here.
    pub links_unread: bool,
    /// Recorded session ids to which Stripe answers 404.
    pub unknown: BTreeSet<SessionId>,
}

impl Observation {
    /// The orders that an expired event of a session which they have or had would cancel, where the application's webhook
    /// handler was found to do so; else none. What an open attempt made is its order's own first session, or will be closed.
    #[must_use]
    pub fn may_be_canceled(&self) -> BTreeSet<OrderId> {
        if self.facts.canceling().is_none() {
            return BTreeSet::new();
        }
        let attempts: BTreeSet<&str> = self.facts.attempts.iter().map(|open| open.id.as_str()).collect();
        let attempted =
            |payable: &&Payable| payable.metadata.get(key::ATTEMPT).is_some_and(|id| attempts.contains(id.as_str()));
        let named = self.payables.iter().filter(|payable| !attempted(payable));
        let recorded = self.facts.orders.iter().filter(|order| order.session.is_some()).map(|order| order.id.clone());
        let made = self.facts.sessions_made.iter().map(|(_, order)| order.clone());
        recorded.chain(made).chain(named.filter_map(|payable| Ownership::order_in(&payable.metadata))).collect()
    }
}
