//! Which findings a person may decide.

/// The codes of the findings that need a person, hence the ones a `decisions` entry may name.
pub const DECIDABLE: [&str; 9] = [
    "unknown-session",
    "wrong-metadata",
    "refunded-at-stripe",
    "ad-hoc-payment",
    "settled-before",
    "paid-withdrawn",
    "paid-other-fee",
    "paid-amount-differs",
    "disputed",
];

/// The decidable findings after which a registration may be billed again (`then: bill`).
pub const BILLABLE: [&str; 2] = ["settled-before", "refunded-at-stripe"];
