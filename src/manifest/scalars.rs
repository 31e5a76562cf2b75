//! Scalars as the words of the field: texts, ids, amounts, dates, choices.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::fields::{instead, join, shorten};
use super::problem::Problems;
use super::source::{is_invisible, is_unprintable};
use super::tree::{Kind, Node, Scalar};
use crate::domain::{Currency, Email, Id, IdError, Money, MoneyError};

/// The longest name or remark, in characters.
const MAX_TEXT: usize = 200;
/// What to write in place of an amount below zero.
const NOT_NEGATIVE: &str = "write what is owed, or 0 where nothing is";

/// A scalar of any kind; a list or a mapping is a problem.
pub(crate) fn scalar<'n>(node: &'n Node, path: &str, want: &str, problems: &mut Problems) -> Option<&'n Scalar> {
    let scalar = node.scalar();
    if scalar.is_none() && !node.is_unread() {
        problems.add(&node.at, path, format!("this is {}, not {want}", node.what()), format!("write {want}"));
    }
    scalar
}

/// One line of text for people, at most 200 characters and without control characters. Numbers are taken as they stand.
pub(crate) fn text(node: &Node, path: &str, problems: &mut Problems) -> Option<String> {
    let scalar = scalar(node, path, "a text", problems)?;
    let text = scalar.text.trim();
    let (message, help) = if scalar.kind == Kind::Bool {
        (format!("YAML reads {text} as true or false, not as a text"), format!("write it in quotes: \"{text}\""))
    } else if text.chars().all(is_invisible) {
        let message = if text.is_empty() { "this text is empty" } else { "nothing of this text can be seen" };
        (message.to_owned(), "write something, or leave the key out where it is optional".to_owned())
    } else if text.chars().any(is_unprintable) {
        ("there is a control character in this text".to_owned(), "write it on one line, in letters".to_owned())
    } else if text.chars().count() > MAX_TEXT {
        (format!("this text is longer than {MAX_TEXT} characters"), "shorten it".to_owned())
    } else {
        return Some(text.to_owned());
    };
    problems.add(&node.at, path, message, help);
    None
}

/// An integer or a slug.
pub(crate) fn id(node: &Node, path: &str, problems: &mut Problems) -> Option<Id> {
    let scalar = scalar(node, path, "an integer or a slug", problems)?;
    let (message, help) = match scalar.kind {
        Kind::Int => match plain_integer(&scalar.text) {
            Some(n) => return Some(Id::Int(n)),
            None => {
                let help = "write it in plain digits without leading zeros, or as a slug such as p-17".to_owned();
                (format!("{} is not a plain integer", shorten(&scalar.text)), help)
            }
        },
        Kind::Text => match Id::slug(&scalar.text) {
            Ok(id) => return Some(id),
            Err(IdError::QuotedInteger(text)) => (format!("{text:?} in quotes reads as an integer"), unquoted(&text)),
            Err(error) => (error.to_string(), "write for example 1017 or utah-2026".to_owned()),
        },
        Kind::Bool => (
            format!("YAML reads {} as true or false, not as an id", scalar.text),
            "write another slug, or an integer".to_owned(),
        ),
        Kind::Float if is_digits(&scalar.text) => {
            let help = format!("write it in quotes, which makes it a slug, or {} at most", i64::MAX);
            (format!("{} is too large for an integer", shorten(&scalar.text)), help)
        }
        Kind::Float => {
            (format!("{} is a decimal, not an id", shorten(&scalar.text)), "write an integer or a slug".to_owned())
        }
    };
    problems.add(&node.at, path, message, help);
    None
}

/// What to write in place of an integer in quotes. Without them it may still be none: `01`, `+5`.
fn unquoted(text: &str) -> String {
    match (plain_integer(text), text.parse::<i64>()) {
        (None, Ok(n)) => {
            format!("write {n} without quotes, or a slug such as p{}", text.trim_start_matches(['-', '+']))
        }
        _ => format!("write it without quotes: {text}"),
    }
}

fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits alone, without leading zeros, signs but a minus, or another base.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if plain && text != "-0" { text.parse().ok() } else { None }
}

/// An exact amount in the major unit, read from its text. Without a currency only its form is checked.
pub(crate) fn amount(node: &Node, path: &str, currency: Option<Currency>, problems: &mut Problems) -> Option<Money> {
    let scalar = scalar(node, path, "an amount such as 55.00", problems)?;
    let Some(decimal) = decimal(&scalar.text) else {
        let message = format!("{:?} is not an amount", shorten(&scalar.text));
        problems.add(&node.at, path, message, amount_help(&scalar.text));
        return None;
    };
    let Some(currency) = currency else {
        // How many decimals it may have nobody knows, but none is below zero in any currency.
        if decimal.is_sign_negative() && !decimal.is_zero() {
            problems.add(&node.at, path, MoneyError::Negative.to_string(), NOT_NEGATIVE);
        }
        return None;
    };
    let error = match Money::from_major(decimal, currency) {
        Ok(money) => return Some(money),
        Err(error) => error,
    };
    let help = match &error {
        MoneyError::TooManyDecimals { exponent: 0, .. } => "write whole units, for example 5500".to_owned(),
        MoneyError::TooManyDecimals { .. } | MoneyError::TooFine(_) => {
            let places = if currency.exponent() == 0 { 0 } else { 2 };
            format!("write for example {decimal:.places$}")
        }
        MoneyError::Negative => NOT_NEGATIVE.to_owned(),
        MoneyError::UnderMinimum(least) => format!("write at least {least}, or 0 where nothing is owed"),
        MoneyError::TooLarge => format!("write at most {}", Money::new(Money::MAX_MINOR, currency)),
    };
    problems.add(&node.at, path, error.to_string(), help);
    None
}

/// Digits, with or without a point and more digits. No exponent, no other base, no separators.
fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all_digits =
        |text: &str| !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !all_digits(whole) || leading_zero || !part.is_none_or(all_digits) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

fn amount_help(text: &str) -> String {
    if text.contains(',') {
        return "write a point before the decimals and no separators: 1235.00".to_owned();
    }
    let no_number = [".inf", ".nan"].contains(&text.trim_start_matches(['-', '+']).to_ascii_lowercase().as_str());
    if !no_number && text.contains(|c: char| c.is_alphabetic() || "$€£¥".contains(c)) && !text.starts_with("0x") {
        return "write the number alone, in plain digits: the currency stands in `tournament`".to_owned();
    }
    "write plain digits with a point, for example 55.00".to_owned()
}

/// An e-mail address.
pub(crate) fn email(node: &Node, path: &str, problems: &mut Problems) -> Option<Email> {
    let scalar = scalar(node, path, "an e-mail address", problems)?;
    match Email::parse(&scalar.text) {
        Ok(email) => Some(email),
        Err(error) => {
            problems.add(&node.at, path, error.to_string(), "write one address, for example parent17@example.com");
            None
        }
    }
}

/// A currency.
pub(crate) fn currency(node: &Node, path: &str, problems: &mut Problems) -> Option<Currency> {
    let scalar = scalar(node, path, "a currency code", problems)?;
    let currency = Currency::parse(&scalar.text).ok();
    if currency.is_none() {
        let message = format!("{:?} is not a currency that can be charged", shorten(&scalar.text));
        problems.add(&node.at, path, message, "write a three-letter ISO 4217 code, for example usd, eur or jpy");
    }
    currency
}

/// A day as `YYYY-MM-DD`.
pub(crate) fn date(node: &Node, path: &str, problems: &mut Problems) -> Option<Date> {
    let scalar = scalar(node, path, "a date", problems)?;
    let date = Some(&scalar.text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
    if date.is_none() {
        let message = format!("{:?} is not a day", shorten(&scalar.text));
        problems.add(&node.at, path, message, "write YYYY-MM-DD, for example 2026-05-01");
    }
    date
}

/// `true` or `false`.
pub(crate) fn boolean(node: &Node, path: &str, problems: &mut Problems) -> Option<bool> {
    match node.scalar() {
        Some(Scalar { text, kind: Kind::Bool }) if text == "true" => return Some(true),
        Some(Scalar { text, kind: Kind::Bool }) if text == "false" => return Some(false),
        _ if node.is_unread() => {}
        _ => problems.add(&node.at, path, "this is neither true nor false", "write true or false, without quotes"),
    }
    None
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(node: &Node, path: &str, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let scalar = scalar(node, path, &format!("one of {}", join(&names)), problems)?;
    let found = words.iter().find(|(word, _)| *word == scalar.text).map(|(_, value)| *value);
    if found.is_none() {
        let message = format!("{:?} is none of {}", shorten(&scalar.text), join(&names));
        problems.add(&node.at, path, message, instead(&scalar.text, &names));
    }
    found
}
