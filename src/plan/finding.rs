//! The findings: one fact each that is wrong, with a stable code.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// One fact that is wrong. The codes are part of the public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Finding {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Finding {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

findings! {
    /// A committed player has no order, now or before (or only ones that tourney retired).
    MissingOrder = "missing-order",
    /// A pending order has no session.
    MissingSession = "missing-session",
    /// The session expired, unpaid.
    ExpiredSession = "expired-session",
    /// Stripe answers 404 to a recorded session of the same account and mode.
    UnknownSession = "unknown-session",
    /// The session carries no `order_id`.
    MissingMetadata = "missing-metadata",
    /// `order_id` names another order.
    WrongMetadata = "wrong-metadata",
    /// The session or order differs from the manifest in amount.
    WrongAmount = "wrong-amount",
    /// The session or order differs from the manifest in currency.
    WrongCurrency = "wrong-currency",
    /// The open session prefills an old address.
    ChangedEmail = "changed-email",
    /// The order has a payable of the other kind than `policy.link` asks for, or a link that can be paid more than once.
    ChangedLink = "changed-link",
    /// More than one live order for one registration.
    DuplicateOrder = "duplicate-order",
    /// An open session besides the recorded one, or any of an order that is not pending.
    PayableTwice = "payable-twice",
    /// Stripe says paid, the order says pending.
    UnrecordedPayment = "unrecorded-payment",
    /// `complete` and still `unpaid`: a delayed method on its way.
    PaymentProcessing = "payment-processing",
    /// A delayed payment failed.
    PaymentFailed = "payment-failed",
    /// A pending order whose player is no longer in the manifest.
    Withdrawn = "withdrawn",
    /// `renamed_from` names a live order.
    Renamed = "renamed",
    /// The manifest says that nothing is owed.
    Waived = "waived",
    /// The manifest says that it was paid outside Stripe.
    PaidElsewhere = "paid-elsewhere",
    /// After `pay_by`.
    PastDue = "past-due",
    /// `open: false`.
    Closed = "closed",
    /// Refunded at Stripe, in full or in part.
    RefundedAtStripe = "refunded-at-stripe",
    /// An open session that belongs to this tournament and that no live order owns.
    AdHocSession = "ad-hoc-session",
    /// A paid session that no order owns, or a second payment for one registration.
    AdHocPayment = "ad-hoc-payment",
    /// Canceled or refunded by someone else, and the player is still committed.
    SettledBefore = "settled-before",
    /// Paid, and the player is no longer in the manifest.
    PaidWithdrawn = "paid-withdrawn",
    /// Paid on a fee that the player left.
    PaidOtherFee = "paid-other-fee",
    /// Paid, and the manifest asks another amount.
    PaidAmountDiffers = "paid-amount-differs",
    /// The payer has disputed the payment.
    Disputed = "disputed",
}

impl Finding {
    /// Whether nobody can pay now because of it, or a payment would not be matched to its order.
    #[must_use]
    pub const fn makes_unpayable(self) -> bool {
        matches!(
            self,
            Self::MissingOrder
                | Self::MissingSession
                | Self::ExpiredSession
                | Self::UnknownSession
                | Self::MissingMetadata
                | Self::WrongMetadata
                | Self::WrongAmount
                | Self::WrongCurrency
                | Self::PaymentFailed
                | Self::SettledBefore
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
