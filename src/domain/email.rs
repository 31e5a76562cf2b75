//! An e-mail address that masks itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A payer's e-mail address. `Debug` and `Display` are masked (`p***@example.com`); the whole is had by [`Email::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// A text that is no e-mail address, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EmailError(pub &'static str);

/// The signs that RFC 5322 allows in an unquoted mailbox name besides letters, digits and dots.
const LOCAL: &str = "!#$%&'*+/=?^_`{|}~-";

/// Parts between dots, none empty, each of allowed characters.
fn dotted(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.chars().all(&allowed))
}

/// One label of a host name.
fn is_label(text: &str) -> bool {
    let inside = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (1..=63).contains(&text.len()) && inside && !text.starts_with('-') && !text.ends_with('-')
}

fn is_number(label: &str) -> bool {
    label.chars().all(|c| c.is_ascii_digit())
}

impl Email {
    /// Checks and takes an address.
    ///
    /// # Errors
    /// [`EmailError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let fail = |why| Err(EmailError(why));
        if text.is_empty() {
            return fail("an e-mail address cannot be empty");
        }
        if text.len() > Self::MAX_LEN {
            return fail("an e-mail address has at most 254 characters");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return fail("an e-mail address has no spaces or control characters");
        }
        if !text.is_ascii() {
            return fail("Stripe takes only ASCII e-mail addresses");
        }
        let Some((local, domain)) = text.split_once('@') else {
            return fail("an e-mail address has an @");
        };
        if domain.contains('@') {
            return fail("an e-mail address has exactly one @");
        }
        if local.is_empty() || local.len() > 64 || !dotted(local, |c| c.is_ascii_alphanumeric() || LOCAL.contains(c)) {
            return fail("what stands before the @ is no mailbox name");
        }
        if !domain.contains('.') {
            return fail("the domain of an e-mail address has a dot, as in example.com");
        }
        if !domain.split('.').all(is_label) || domain.rsplit('.').next().is_some_and(is_number) {
            return fail("what stands after the @ is no domain name");
        }
        Ok(Self(text.to_owned()))
    }

    /// The longest address, in characters (RFC 5321's path less its brackets).
    pub const MAX_LEN: usize = 254;

    /// The whole address. Only for requests to Stripe and for output that is not shared.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether Stripe's answer names the same address; the domain's case does not matter, nor does the local part's.
    #[must_use]
    pub fn same_as(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

/// A text with every address in it masked, byte for byte: `p*******@example.com`. What only resembles one is masked too.
#[must_use]
pub fn mask_addresses(text: &str) -> String {
    let is_local = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let mut shown = String::with_capacity(text.len());
    for (index, piece) in text.split('@').enumerate() {
        if index > 0 {
            let start = shown.trim_end_matches(is_local).len();
            let first = shown[start..].chars().next().map_or(0, char::len_utf8);
            let hidden = shown.split_off(start + first).len();
            shown.extend(std::iter::repeat_n('*', hidden));
            shown.push('@');
        }
        shown.push_str(piece);
    }
    shown
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first: String = local.chars().take(1).collect();
        write!(f, "{first}***@{domain}")
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_have_are_taken() {
        for text in ["parent17@example.com", "a.b+c@sub.example.co.uk", "o'neil@example.com", "x@1und1.de"] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_no_letter_can_reach_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "parent",
            "@example.com",
            "parent@",
            "a@b@example.com",
            "a b@example.com",
            "a@example",
            "a@example..com",
            "a@.com",
            "a@-x.com",
            "a\u{7}@example.com",
            "jörg@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a@127.0.0.1",
            "<a@example.com>",
            "a@example.com,b@example.com",
            &long,
        ] {
            assert!(Email::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_in_a_text_are_masked_and_all_else_stays() {
        for (text, shown) in [
            ("a,parent17@example.com;x", "a,p*******@example.com;x"),
            ("{email: jörg@x} <a.b+c@d.e>", "{email: j****@x} <a****@d.e>"),
            ("a@b@c @ none", "a@b@c @ none"),
        ] {
            assert_eq!(mask_addresses(text), shown);
            assert_eq!(shown.len(), text.len());
        }
    }

    #[test]
    fn an_address_shows_only_its_first_letter() {
        let email = Email::parse("parent17@example.com").unwrap();
        assert_eq!(format!("{email} {email:?}"), "p***@example.com p***@example.com");
    }
}
