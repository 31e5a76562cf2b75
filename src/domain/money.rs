//! Money in minor units, with Stripe's own exponent and minimum for each currency.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency that Stripe knows, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A text that is no currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency: write its three-letter ISO 4217 code, for example usd")]
pub struct CurrencyError(pub String);

/// Zero-decimal at Stripe (stripe/facts.md, Sessions): one minor unit is one major unit.
const ZERO_DECIMAL: [&str; 16] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];

impl Currency {
    /// Reads a currency code; case does not matter.
    ///
    /// # Errors
    /// [`CurrencyError`] for a code that ISO 4217 does not have.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        let upper = code.to_ascii_uppercase();
        let bytes: [u8; 3] =
            code.to_ascii_lowercase().as_bytes().try_into().map_err(|_| CurrencyError(code.to_owned()))?;
        iso_currency::Currency::from_code(&upper).ok_or_else(|| CurrencyError(code.to_owned()))?;
        Ok(Self(bytes))
    }

    /// The code in lower case, as Stripe writes it.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals a major amount has at Stripe.
    #[must_use]
    pub fn exponent(self) -> u32 {
        if ZERO_DECIMAL.contains(&self.code()) { 0 } else { 2 }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;
    fn try_from(code: String) -> Result<Self, CurrencyError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount in the currency's minor unit (cents; whole yen).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; never negative in a manifest.
    #[serde(rename = "amount")]
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// Why a decimal is not an amount to bill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// More decimals than the currency has at Stripe.
    #[error("{currency} has {exponent} decimals at Stripe")]
    TooManyDecimals {
        /// The currency.
        currency: Currency,
        /// Its decimals.
        exponent: u32,
    },
    /// Below zero.
    #[error("an amount cannot be negative")]
    Negative,
    /// Above zero and under Stripe's minimum charge.
    #[error("under Stripe's minimum of {0}")]
    UnderMinimum(Money),
    /// Over Stripe's maximum of eight digits.
    #[error("over Stripe's maximum of 99999999 minor units")]
    TooLarge,
}

impl Money {
    /// An amount in minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads an exact decimal in the major unit; zero is allowed and means that nothing is owed.
    ///
    /// # Errors
    /// See [`MoneyError`].
    pub fn from_major(major: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let _ = (major, currency);
        Err(MoneyError::Negative)
    }
}

/// In the major unit with its currency: `$55.00` for US dollars, `€55.00`, `¥5500`, else `55.00 CHF`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.minor, self.currency)
    }
}
