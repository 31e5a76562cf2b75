//! Values as YAML writes them: plain where that is safe beyond doubt, else in double quotes.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::domain::{Id, Money};

/// Words that some reader of YAML takes for something else than a text.
const TAKEN: [&str; 12] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "none"];

/// A text, for block and flow style alike.
pub(super) fn text(text: &str) -> String {
    let simple = |c: char| c.is_alphanumeric() || " ._-@+()/'".contains(c);
    let begins =
        text.starts_with(char::is_alphabetic) || (text.starts_with(|c: char| c.is_numeric()) && text.contains(' '));
    let ends = text.ends_with(|c: char| c != ' ');
    if begins && ends && text.chars().all(simple) && !TAKEN.contains(&text.to_lowercase().as_str()) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// An id.
pub(super) fn id(id: &Id) -> String {
    match id {
        Id::Int(n) => n.to_string(),
        Id::Slug(slug) => text(slug),
    }
}

/// An amount in the currency's major unit.
pub(super) fn amount(money: Money) -> String {
    Decimal::new(money.minor, money.currency.exponent()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_taken_for_something_else_is_quoted() {
        for plain in ["Jordan Example", "O'Neil", "parent17@example.com", "17U Gold", "Zoë", "sam-1a2b"] {
            assert_eq!(text(plain), plain);
        }
        for (value, written) in [
            ("No", "\"No\""),
            ("17", "\"17\""),
            ("1e5", "\"1e5\""),
            ("2026-05-01", "\"2026-05-01\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("=SUM(A1)", "\"=SUM(A1)\""),
            ("say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""),
            ("a, b", "\"a, b\""),
            ("'a", "\"'a\""),
        ] {
            assert_eq!(text(value), written);
        }
    }
}
