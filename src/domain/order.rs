//! An order: the row in the orders database.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Money, OrderId, Payable, PaymentIntentId, Registration, SessionId};

/// Where an order stands. Live means pending or paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Not paid yet.
    Pending,
    /// Paid; never regresses but to refunded.
    Paid,
    /// Retired.
    Canceled,
    /// Paid back in full.
    Refunded,
}

impl OrderStatus {
    /// All four, in the order of their life.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Paid, Self::Canceled, Self::Refunded];

    /// Pending or paid.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Paid)
    }

    /// The word in our own schema and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Canceled => "canceled",
            Self::Refunded => "refunded",
        }
    }

    /// Reads [`OrderStatus::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One order as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id; never used again.
    pub id: OrderId,
    /// Whose, for what.
    pub registration: Registration,
    /// What is owed.
    pub amount: Money,
    /// Where it stands.
    pub status: OrderStatus,
    /// The payable recorded on it.
    pub session: Option<SessionId>,
    /// The payment intent recorded on it.
    pub payment_intent: Option<PaymentIntentId>,
    /// The link recorded on it.
    pub url: Option<String>,
    /// When the row was made, where the database says.
    pub created_at: Option<Timestamp>,
}

impl Order {
    /// Whether the payment recorded on it may be the one at a payable: another intent proves that it is not.
    #[must_use]
    pub fn may_be_paid_by(&self, payable: &Payable) -> bool {
        self.payment_intent.is_none() || self.payment_intent == payable.payment_intent
    }

    /// Whether it says paid because of a canary's event: nobody paid.
    #[must_use]
    pub fn is_paid_by_canary(&self) -> bool {
        self.seen().is_paid_by_canary()
    }

    /// What a write must find unchanged.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            id: self.id.clone(),
            registration: self.registration.clone(),
            amount: self.amount,
            status: self.status,
            session: self.session.clone(),
            payment_intent: self.payment_intent.clone(),
        }
    }
}

/// The state of an order on which a decision was made. Every write is conditional on it; zero rows means: observe again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which order.
    pub id: OrderId,
    /// Whose, for what.
    pub registration: Registration,
    /// What was owed.
    pub amount: Money,
    /// Where it stood.
    pub status: OrderStatus,
    /// The payable recorded on it.
    pub session: Option<SessionId>,
    /// The payment intent recorded on it.
    pub payment_intent: Option<PaymentIntentId>,
}

impl Seen {
    /// Whether it says paid because of the event of a `verify` that was about another database: nobody paid. A canary of
    /// this database is in no scope.
    #[must_use]
    pub fn is_paid_by_canary(&self) -> bool {
        self.status == OrderStatus::Paid && self.payment_intent.as_ref().is_some_and(PaymentIntentId::is_canary)
    }
}
