//! Why there is no environment.

use crate::manifest::ManifestErrors;

/// Why there is no environment. No variant ever holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `environments.yaml` is wrong.
    #[error(transparent)]
    File(#[from] ManifestErrors),
    /// There are environments, and none was chosen.
    #[error("{file} has the environments {known}: which one?")]
    Required {
        /// The file.
        file: String,
        /// Their names.
        known: String,
    },
    /// An environment that does not exist.
    #[error("there is no environment {name:?}; there are {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A process variable contradicts `environments.yaml`.
    #[error("environment {environment}: {first} and {second} say different things")]
    Conflict {
        /// The environment.
        environment: String,
        /// Where one value stands.
        first: String,
        /// Where the other stands.
        second: String,
    },
    /// A variable that `environments.yaml` names is not set.
    #[error("environment {environment}: the variable {variable} is not set, and {key} reads it")]
    MissingVariable {
        /// The environment.
        environment: String,
        /// The key that names it.
        key: String,
        /// The variable.
        variable: String,
    },
    /// A variable whose value is no text.
    #[error("the variable {variable} holds bytes that are not UTF-8")]
    BadVariable {
        /// The variable.
        variable: String,
    },
    /// Nothing says where the orders are.
    #[error("environment {environment} has no database")]
    MissingDatabase {
        /// The environment.
        environment: String,
    },
    /// A secret that cannot be used.
    #[error("{origin}: {why}")]
    BadSecret {
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// A URL that cannot be used.
    #[error("{origin}: {why}")]
    BadUrl {
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// A database's URL that cannot be used.
    #[error("{origin}: {why}")]
    BadDatabaseUrl {
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// The key's mode is not the one that `environments.yaml` declares.
    #[error("environment {environment} says `mode: live`, and {origin} is a test key")]
    WrongMode {
        /// The environment.
        environment: String,
        /// Where the key stands.
        origin: String,
    },
    /// A live key where nobody said that live is meant.
    #[error("{origin} is a live key, and environment {environment} was not chosen as a live one")]
    LiveRefused {
        /// The environment.
        environment: String,
        /// Where the key stands.
        origin: String,
    },
    /// A live key for another server than Stripe's.
    #[error("{origin} is a live key: it goes to Stripe alone, never to {api_base}")]
    LiveElsewhere {
        /// Where the key stands.
        origin: String,
        /// The other server.
        api_base: String,
    },
}

impl ConfigError {
    /// The stable error code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(errors) => errors.code(),
            Self::Required { .. } => "environment-required",
            Self::Unknown { .. } => "unknown-environment",
            Self::Conflict { .. } => "environment-conflict",
            Self::MissingVariable { .. } => "missing-variable",
            Self::BadVariable { .. } => "bad-variable",
            Self::MissingDatabase { .. } => "missing-database",
            Self::BadSecret { .. } => "bad-secret",
            Self::BadUrl { .. } | Self::BadDatabaseUrl { .. } => "bad-url",
            Self::WrongMode { .. } => "wrong-mode",
            Self::LiveRefused { .. } => "live-refused",
            Self::LiveElsewhere { .. } => "live-elsewhere",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(_) => "correct the file",
            Self::Required { .. } => "choose one with -e NAME or TOURNEY_ENV; `-e sandbox` is the embedded one",
            Self::Unknown { .. } => "mind the spelling, or declare it in environments.yaml",
            Self::Conflict { .. } => "unset the variable, or remove the value from environments.yaml",
            Self::MissingVariable { .. } => "set it",
            Self::BadVariable { .. } => "set it anew: it may have been damaged when it was copied",
            Self::MissingDatabase { .. } => {
                "set DATABASE_URL, or write `database: { url_env: NAME }` in environments.yaml; the embedded sandbox, which needs none, is `-e sandbox`"
            }
            Self::BadSecret { .. } => {
                "write the secret alone, on one line; at dashboard.stripe.com are API keys sk_… or rk_…, webhook secrets whsec_…"
            }
            Self::BadUrl { .. } => "write it in full, for example https://club.example/thanks",
            Self::BadDatabaseUrl { .. } => {
                "write postgres://user@host/database (postgresql:// is the same), or sqlite:///folder/orders.db"
            }
            Self::WrongMode { .. } => "use the live key, or remove `mode: live`",
            Self::LiveRefused { .. } => {
                "use a test key, or choose with -e (TOURNEY_ENV is not enough) an environment of environments.yaml that says `mode: live`"
            }
            Self::LiveElsewhere { .. } => "remove api_base, or use a test key",
        }
    }

    /// The process's exit code: 64 where the command line was wrong, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Required { .. } | Self::Unknown { .. }) { 64 } else { 1 }
    }
}
