//! What is in order and yet unwise about an environment.

use std::fmt;

use super::model::DEFAULT_SUCCESS_URL;

/// What is in order and yet unwise. `Display` says what it is; [`Warning::hint`] what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Others than its owner may read a secret file.
    OpenToOthers {
        /// The file.
        file: String,
    },
    /// A secret file stands where it may be committed.
    InRepository {
        /// The file.
        file: String,
    },
    /// An editor has put something around the secret in a file, which tourney reads past and another program may not.
    Padded {
        /// The file.
        file: String,
        /// What it has: `has a Windows line end`.
        what: &'static str,
    },
    /// No page is named for those who have paid.
    NoSuccessUrl,
}

impl Warning {
    /// Whether it is about how a secret is kept.
    #[must_use]
    pub const fn is_about_secrets(&self) -> bool {
        matches!(self, Self::OpenToOthers { .. } | Self::InRepository { .. } | Self::Padded { .. })
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::OpenToOthers { file } => format!("chmod 600 {file}"),
            Self::InRepository { file } => {
                format!("move {file} out of every repository, for example to ~/secrets, and name it there")
            }
            Self::Padded { file, .. } => format!(
                "write the secret alone into {file}, as UTF-8 on one line: tourney reads it all the same, and your \
                 application may not"
            ),
            Self::NoSuccessUrl => {
                "write checkout: {success_url: https://…} in environments.yaml, or set TOURNEY_SUCCESS_URL".to_owned()
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenToOthers { file } => write!(f, "{file} can be read by others"),
            Self::InRepository { file } => write!(f, "{file} stands inside a repository"),
            Self::Padded { file, what } => write!(f, "{file} {what}"),
            Self::NoSuccessUrl => write!(f, "no page is set: whoever has paid is sent to {DEFAULT_SUCCESS_URL}"),
        }
    }
}
