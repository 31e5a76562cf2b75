//! Identifiers as newtypes, so that no two kinds can be confused.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An id that a person chose: an integer or a slug. It keeps its type, in the manifest, in JSON and in the database.
///
/// The text forms of the two kinds never collide: a slug that reads as an integer is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// An integer, for example a primary key of an adopted database.
    Int(i64),
    /// A slug: 1 to 64 characters of `A-Z a-z 0-9 . _ -`, the first a letter or digit, not readable as an integer.
    Slug(String),
}

/// Why a text is not an [`Id`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an id cannot be empty")]
    Empty,
    /// The text is longer than 64 characters.
    #[error("an id has at most 64 characters")]
    TooLong,
    /// A character outside `A-Z a-z 0-9 . _ -`, or a first character that is no letter or digit.
    #[error("an id is an integer, or letters, digits, '.', '_' and '-' beginning with a letter or digit")]
    BadCharacter,
    /// A quoted text that reads as an integer: it could not be told from the integer itself.
    #[error("{0:?} reads as an integer: write it without quotes")]
    QuotedInteger(String),
}

impl Id {
    /// The longest slug, in characters.
    pub const MAX_LEN: usize = 64;

    /// A slug from a text that was written as a string.
    ///
    /// # Errors
    /// See [`IdError`].
    pub fn slug(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(IdError::TooLong);
        }
        if text.parse::<i64>().is_ok() {
            return Err(IdError::QuotedInteger(text.to_owned()));
        }
        let first_ok = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let rest_ok = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if first_ok && rest_ok { Ok(Self::Slug(text.to_owned())) } else { Err(IdError::BadCharacter) }
    }

    /// Reads the text form, as found in metadata, on a command line or in a database column.
    ///
    /// # Errors
    /// See [`IdError`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text.parse::<i64>().map_or_else(|_| Self::slug(text), |n| Ok(Self::Int(n)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => n.fmt(f),
            Self::Slug(s) => s.fmt(f),
        }
    }
}

impl From<i64> for Id {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

macro_rules! id_of {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Id);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id_of! {
    /// A player, as the manifest and the orders table name them.
    PlayerId;
    /// A fee: in an adopted database, the product's own id.
    FeeId;
    /// A tournament.
    TournamentId;
    /// An order: what the orders table holds, integer or text. Never used again once given.
    OrderId;
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

text_id! {
    /// A payable's id at Stripe; for a Checkout Session `cs_test_…` or `cs_live_…`.
    SessionId;
    /// A payment intent's id at Stripe, `pi_…`.
    PaymentIntentId;
    /// The UUID of one orders database, made at the first apply; in every session's metadata as `tourney_ledger`.
    LedgerId;
    /// One attempt to make one payable; in its metadata as `tourney_attempt`.
    AttemptId;
    /// One run of `apply` or `verify`.
    RunId;
}

impl PaymentIntentId {
    /// What a canary's payment intent begins with; Stripe's own are never so.
    const CANARY: &str = "pi_canary";

    /// The intent that `verify` shows its canary as paid with, by 32 hexadecimal digits of its own. No payment at Stripe
    /// has it.
    #[must_use]
    pub fn canary(digits: &str) -> Self {
        Self(format!("{}{digits}", Self::CANARY))
    }

    /// Whether it is such an intent.
    #[must_use]
    pub fn is_canary(&self) -> bool {
        let digits = self.0.strip_prefix(Self::CANARY);
        digits.is_some_and(|digits| digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit()))
    }
}

/// Formats 128 random bits as a version 4 UUID.
#[must_use]
pub fn uuid(random: u128) -> String {
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_canary_s_intent_is_told_from_stripe_s() {
        let intent = super::PaymentIntentId::canary(&super::uuid(7).replace('-', ""));
        assert!(intent.is_canary(), "{intent}");
        for text in ["pi_canary", "pi_canary1", "pi_3MtwBwLkdIwHu7ix28a3tqPa"] {
            assert!(!super::PaymentIntentId::from(text).is_canary(), "{text}");
        }
    }

    #[test]
    fn a_uuid_is_of_version_four() {
        assert_eq!(super::uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(super::uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
