//! What was observed: the planner's second input, plain data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::{LedgerId, Mode, Payable, Payment, PaymentIntentId, SessionId};
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
    /// Recorded session ids to which Stripe answers 404.
    pub unknown: BTreeSet<SessionId>,
}
