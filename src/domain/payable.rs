//! What a payer can pay at, and the payment behind it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Currency, Metadata, Mode, Money, PaymentIntentId, SessionId};

/// The kinds of payable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayableKind {
    /// A Stripe Checkout Session: it lives a day at most.
    Session,
    /// A Stripe Payment Link: it lives until it is paid or closed. Each visit makes a session of its own.
    PaymentLink,
}

impl PayableKind {
    /// The word in a manifest.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::PaymentLink => "payment_link",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::PaymentLink => "payment link",
        }
    }

    /// The kind of an id: Stripe's links begin with `plink_`.
    #[must_use]
    pub fn of(id: &SessionId) -> Self {
        if id.as_str().starts_with("plink_") { Self::PaymentLink } else { Self::Session }
    }
}

/// `2 open sessions and 1 open payment link`: so many of each kind, `which` before each noun. None at all are sessions.
#[must_use]
pub fn counted_payables<'a>(ids: impl IntoIterator<Item = &'a SessionId>, which: &str) -> String {
    let (links, sessions): (Vec<_>, Vec<_>) =
        ids.into_iter().partition(|id| PayableKind::of(id) == PayableKind::PaymentLink);
    let some = |n: usize, kind: PayableKind| {
        let which = if which.is_empty() { String::new() } else { format!("{which} ") };
        format!("{n} {which}{}{}", kind.noun(), if n == 1 { "" } else { "s" })
    };
    match (sessions.len(), links.len()) {
        (n, 0) => some(n, PayableKind::Session),
        (0, n) => some(n, PayableKind::PaymentLink),
        (n, m) => format!("{} and {}", some(n, PayableKind::Session), some(m, PayableKind::PaymentLink)),
    }
}

/// Where a payable stands; for a session Stripe's `status`, for a link whether it is `active`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayableState {
    /// Someone can pay.
    Open,
    /// The payer has finished; paid or not is [`PaymentStatus`]'s to say.
    Complete,
    /// Closed, unpaid.
    Expired,
}

impl PayableState {
    /// Stripe's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

/// Stripe's `payment_status`. Fulfilment is decided by it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The money is there.
    Paid,
    /// Not, or not yet (delayed methods).
    Unpaid,
    /// Nothing was owed.
    NoPaymentRequired,
}

impl PaymentStatus {
    /// Stripe's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Unpaid => "unpaid",
            Self::NoPaymentRequired => "no_payment_required",
        }
    }
}

/// How the payment behind a payable stands, read from its payment intent, refunds and charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// On its way (a delayed method).
    Processing,
    /// Arrived.
    Succeeded,
    /// Failed for good: the payment intent is back at `requires_payment_method`, or canceled.
    Failed,
}

/// The payment behind a complete payable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its payment intent.
    pub intent: PaymentIntentId,
    /// How it stands.
    pub state: PaymentState,
    /// What has been refunded successfully, in minor units.
    pub refunded: i64,
    /// Whether the payer has disputed it and the dispute is not won.
    pub disputed: bool,
}

/// What a Payment Link says of payments at it, as far as Stripe shows it; of a session it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTerms {
    /// The metadata that its payment intents get (`payment_intent_data.metadata`).
    pub payment_metadata: Option<Metadata>,
    /// Whether its first completed payment closes it (`restrictions.completed_sessions.limit` is 1).
    pub paid_once: Option<bool>,
}

/// One payable as Stripe shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payable {
    /// Its id at Stripe.
    pub id: SessionId,
    /// Which kind it is.
    pub kind: PayableKind,
    /// Where it stands.
    pub state: PayableState,
    /// Whether the money is there.
    pub payment_status: PaymentStatus,
    /// What is charged, in minor units; none where Stripe does not say.
    pub amount: Option<i64>,
    /// In which currency; none where Stripe does not say, or names one that does not exist.
    pub currency: Option<Currency>,
    /// The mode it belongs to.
    pub mode: Mode,
    /// Its metadata.
    pub metadata: Metadata,
    /// What payments at it are made with, where it is a Payment Link.
    pub terms: LinkTerms,
    /// The order id that `client_reference_id` carries; never used to match a payment.
    pub client_reference_id: Option<String>,
    /// The address it prefills.
    pub customer_email: Option<String>,
    /// Its payment intent, once the payer has confirmed.
    pub payment_intent: Option<PaymentIntentId>,
    /// The payment behind it, where there is one and it was read.
    pub payment: Option<Payment>,
    /// The Payment Link whose visit made this session.
    pub link: Option<SessionId>,
    /// Where to pay, only while it is open.
    pub url: Option<String>,
    /// When it was made; Stripe does not say it of a Payment Link.
    pub created: Option<Timestamp>,
    /// When it stops.
    pub expires_at: Option<Timestamp>,
}

impl Payable {
    /// Whether someone can pay at it now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == PayableState::Open
    }

    /// It is an open Payment Link at which several people can pay.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.is_open() && self.terms.paid_once == Some(false)
    }

    /// The `order_id` that payments at an open Payment Link will carry, empty where none; none where Stripe does not show it.
    #[must_use]
    pub fn order_of_payments(&self) -> Option<&str> {
        let metadata = self.terms.payment_metadata.as_ref().filter(|_| self.is_open())?;
        Some(metadata.get(super::key::ORDER).map_or("", String::as_str))
    }

    /// Whether the money is there.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.payment_status == PaymentStatus::Paid
    }

    /// Complete, and Stripe does not say `unpaid`: fulfilment is decided by `payment_status` alone.
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        let nothing_owed = self.payment_status == PaymentStatus::NoPaymentRequired;
        self.is_paid() || (nothing_owed && self.state == PayableState::Complete)
    }

    /// Whether its payment was paid back in full; the order's amount stands in where Stripe names none.
    #[must_use]
    pub fn is_returned(&self, ordered: Option<Money>) -> bool {
        let paid = self.amount.or(ordered.map(|amount| amount.minor));
        let refunded = self.payment.as_ref().map_or(0, |payment| payment.refunded);
        refunded > 0 && paid.is_some_and(|paid| refunded >= paid)
    }

    /// Complete and still unpaid, the payment neither failed nor arrived: a delayed method on its way.
    #[must_use]
    pub fn is_processing(&self) -> bool {
        self.state == PayableState::Complete && self.payment_status == PaymentStatus::Unpaid && !self.has_failed()
    }

    /// Complete, unpaid, and its payment intent says that the payment failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state == PayableState::Complete
            && self.payment_status == PaymentStatus::Unpaid
            && self.payment.as_ref().is_some_and(|payment| payment.state == PaymentState::Failed)
    }

    /// What is charged, where Stripe says both amount and currency.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        Some(Money::new(self.amount?, self.currency?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payables_are_counted_by_their_kinds() {
        let [session, link] = ["cs_test_1", "plink_1"].map(SessionId::from);
        assert_eq!(counted_payables([], "open"), "0 open sessions");
        assert_eq!(counted_payables([&session], ""), "1 session");
        assert_eq!(counted_payables([&link, &link], "open"), "2 open payment links");
        assert_eq!(counted_payables([&link, &session, &session], "other"), "2 other sessions and 1 other payment link");
    }
}
