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
///
/// UGX: Stripe's pages list it here and also tell of a two-decimal form kept for old integrations. Read as zero-decimal, the
/// worst that can happen is that Stripe refuses the amount as too small; nobody is charged a hundredfold.
const ZERO_DECIMAL: [&str; 16] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Three decimals at Stripe, of which the last must be zero: amounts are multiples of ten minor units.
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// Two decimals at Stripe for old integrations, yet without a minor unit: amounts are multiples of a hundred.
const WHOLE_ONLY: [&str; 1] = ["isk"];

/// Stripe's minimum charge in minor units, for the currencies whose minimum its pages state. For the others none is known
/// here, and Stripe itself refuses what is too small.
const MINIMUM: [(&str, i64); 24] = [
    ("aed", 200),
    ("aud", 50),
    ("bgn", 100),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17_500),
    ("inr", 50),
    ("jpy", 50),
    ("mxn", 1000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1000),
    ("usd", 50),
];

impl Currency {
    /// Reads a currency code; case does not matter.
    ///
    /// # Errors
    /// [`CurrencyError`] for a code that ISO 4217 does not have, and for what nobody can be charged in: funds codes,
    /// metals, the codes for tests and for no currency, and currencies with decimals that Stripe does not know.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        let upper = code.to_ascii_uppercase();
        let bytes: [u8; 3] =
            code.to_ascii_lowercase().as_bytes().try_into().map_err(|_| CurrencyError(code.to_owned()))?;
        let iso = iso_currency::Currency::from_code(&upper).ok_or_else(|| CurrencyError(code.to_owned()))?;
        let currency = Self(bytes);
        let decimals = iso.exponent().map(u32::from);
        let known =
            decimals.is_some_and(|n| n == 2 || n == currency.exponent() || WHOLE_ONLY.contains(&currency.code()));
        if iso.is_fund() || iso.is_special() || upper.starts_with("XT") || !known {
            return Err(CurrencyError(code.to_owned()));
        }
        Ok(currency)
    }

    /// The code in lower case, as Stripe writes it.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals a major amount has at Stripe.
    #[must_use]
    pub fn exponent(self) -> u32 {
        match self.code() {
            code if ZERO_DECIMAL.contains(&code) => 0,
            code if THREE_DECIMAL.contains(&code) => 3,
            _ => 2,
        }
    }

    /// Stripe's minimum charge in minor units; 1 where its pages state none.
    #[must_use]
    pub fn minimum(self) -> i64 {
        MINIMUM.iter().find(|(code, _)| *code == self.code()).map_or(1, |(_, minor)| *minor)
    }

    /// What every amount at Stripe must be a multiple of, in minor units.
    fn step(self) -> i64 {
        match self.code() {
            code if THREE_DECIMAL.contains(&code) => 10,
            code if WHOLE_ONLY.contains(&code) => 100,
            _ => 1,
        }
    }

    /// The sign that stands before an amount, for the best known currencies.
    fn sign(self) -> Option<char> {
        match self.code() {
            "usd" => Some('$'),
            "eur" => Some('€'),
            "gbp" => Some('£'),
            "jpy" => Some('¥'),
            _ => None,
        }
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
    /// Finer than Stripe charges in this currency.
    #[error("Stripe charges this currency in steps of {0}")]
    TooFine(Money),
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

    /// Stripe's maximum charge in minor units: eight digits.
    pub const MAX_MINOR: i64 = 99_999_999;

    /// Reads an exact decimal in the major unit; zero is allowed and means that nothing is owed.
    ///
    /// # Errors
    /// See [`MoneyError`].
    pub fn from_major(major: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent();
        if major.is_sign_negative() && !major.is_zero() {
            return Err(MoneyError::Negative);
        }
        if major.scale() > exponent {
            return Err(MoneyError::TooManyDecimals { currency, exponent });
        }
        let factor = 10_i128.pow(exponent - major.scale());
        let minor = major.mantissa().checked_mul(factor).and_then(|minor| i64::try_from(minor).ok());
        let minor = minor.filter(|minor| *minor <= Self::MAX_MINOR).ok_or(MoneyError::TooLarge)?;
        if minor % currency.step() != 0 {
            return Err(MoneyError::TooFine(Self::new(currency.step(), currency)));
        }
        if minor > 0 && minor < currency.minimum() {
            return Err(MoneyError::UnderMinimum(Self::new(currency.minimum(), currency)));
        }
        Ok(Self::new(minor, currency))
    }
}

/// In the major unit with its currency: `$1,235.00`, `€55.00`, `£30.00`, `¥5,500`, else `55.00 CHF`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minor < 0 {
            f.write_str("-")?;
        }
        let sign = self.currency.sign();
        if let Some(sign) = sign {
            write!(f, "{sign}")?;
        }
        let unit = 10_u64.pow(self.currency.exponent());
        let minor = self.minor.unsigned_abs();
        let whole = (minor / unit).to_string();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if unit > 1 {
            write!(f, ".{:0width$}", minor % unit, width = self.currency.exponent() as usize)?;
        }
        if sign.is_none() {
            write!(f, " {}", self.currency.code().to_ascii_uppercase())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, code: &str) -> Result<Money, MoneyError> {
        Money::from_major(text.parse().unwrap(), Currency::parse(code).unwrap())
    }

    fn shown(minor: i64, code: &str) -> String {
        Money::new(minor, Currency::parse(code).unwrap()).to_string()
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(shown(123_500, "usd"), "$1,235.00");
        assert_eq!(shown(5500, "eur"), "€55.00");
        assert_eq!(shown(5500, "jpy"), "¥5,500");
        assert_eq!(shown(5, "gbp"), "£0.05");
        assert_eq!(shown(5500, "chf"), "55.00 CHF");
        assert_eq!(shown(1_234_560, "kwd"), "1,234.560 KWD");
        assert_eq!(shown(-5, "usd"), "-$0.05");
        assert_eq!(shown(0, "usd"), "$0.00");
    }

    #[test]
    fn stripes_own_exponents_steps_and_bounds_hold() {
        assert_eq!(money("55", "usd").unwrap().minor, 5500);
        assert_eq!(money("5500", "JPY").unwrap().minor, 5500);
        assert_eq!(money("5.12", "kwd").unwrap().minor, 5120);
        assert_eq!(money("500", "isk").unwrap().minor, 50_000);
        assert_eq!(money("0.00", "usd").unwrap().minor, 0);
        assert_eq!(money("999999.99", "usd").unwrap().minor, Money::MAX_MINOR);
        assert!(matches!(money("1000000", "usd"), Err(MoneyError::TooLarge)));
        assert!(matches!(money("79228162514264337593543950335", "usd"), Err(MoneyError::TooLarge)));
        assert!(matches!(money("5500.0", "jpy"), Err(MoneyError::TooManyDecimals { exponent: 0, .. })));
        assert!(matches!(money("55.000", "usd"), Err(MoneyError::TooManyDecimals { exponent: 2, .. })));
        assert!(matches!(money("5.123", "kwd"), Err(MoneyError::TooFine(_))));
        assert!(matches!(money("5.50", "isk"), Err(MoneyError::TooFine(_))));
        assert!(matches!(money("0.49", "usd"), Err(MoneyError::UnderMinimum(_))));
        assert!(matches!(money("0.29", "gbp"), Err(MoneyError::UnderMinimum(_))));
        assert!(matches!(money("-1", "usd"), Err(MoneyError::Negative)));
    }

    #[test]
    fn only_what_people_can_be_charged_in_is_a_currency() {
        for code in ["usd", "EUR", "jpy", "isk", "ugx", "bhd", "xof", "xcg"] {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
        for code in
            ["", "us", "usdd", "dollar", "€", "zzz", "xxx", "xts", "xau", "bov", "che", "uyi", "clf", "xdr", "iqd"]
        {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_the_way_through_its_decimal(minor in 50_i64..=Money::MAX_MINOR, code in "usd|eur|chf") {
            let currency = Currency::parse(&code).unwrap();
            let text = format!("{}.{:02}", minor / 100, minor % 100);
            prop_assert_eq!(money(&text, &code), Ok(Money::new(minor, currency)));
        }

        #[test]
        fn showing_an_amount_loses_no_digit(minor in 0_i64..=Money::MAX_MINOR, code in "usd|jpy|kwd|chf") {
            let digits: String = shown(minor, &code).chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<i64>().unwrap(), minor);
        }
    }
}
