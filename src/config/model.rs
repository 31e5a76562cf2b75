//! An environment: where a manifest is applied, every value resolved.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::civil::Date;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::warning::Warning;
use crate::domain::{Email, FeeId, Metadata, Mode, PlayerId, Registration};

/// The process's variables, handed over as data: the library reads none itself.
#[derive(Clone, Debug, Default)]
pub struct Vars(pub BTreeMap<String, String>);

impl Vars {
    /// A variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl From<BTreeMap<String, String>> for Vars {
    fn from(vars: BTreeMap<String, String>) -> Self {
        Self(vars)
    }
}

/// Where a manifest is applied.
#[derive(Debug)]
pub struct Environment {
    /// Its name: `sandbox`, `test` or as `environments.yaml` says.
    pub name: String,
    /// Embedded or named.
    pub kind: EnvKind,
    /// The orders database.
    pub database: DatabaseUrl,
    /// How Stripe is reached; none for the embedded sandbox, and where no key is configured.
    pub stripe: Option<StripeAccess>,
    /// The application's webhook endpoint.
    pub webhook: Option<WebhookTarget>,
    /// What a payer sees before and after.
    pub checkout: Checkout,
    /// The mapping to an existing orders table; none means tourney's own.
    pub orders: Option<OrdersMapping>,
    /// Where the application's players stand, to look their ids up for an import.
    pub players: Option<PlayersMapping>,
    /// The rows that `verify` may use in an application's database.
    pub verify_canary: Option<Canary>,
    /// The mode that `environments.yaml` declares.
    pub mode_declared: Option<Mode>,
    /// What is in order and yet unwise, such as a secret file that others can read.
    pub warnings: Vec<Warning>,
}

impl Environment {
    /// The registration and address that `verify` uses for its canary, where the environment names them.
    #[must_use]
    pub fn canary(&self) -> Option<(Registration, Email)> {
        let Canary { player, fee, email } = self.verify_canary.clone()?;
        Some((Registration { player, fee }, email))
    }
}

/// Embedded or named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvKind {
    /// An embedded database and an embedded Stripe-compatible server.
    Sandbox {
        /// Its folder, `.tourney` beside the manifest.
        state: PathBuf,
    },
    /// From `environments.yaml` or the process's variables.
    Named,
}

/// Which database. `Display` and `Debug` never show a password.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// The whole URL with its password.
        url: SecretString,
    },
}

impl DatabaseUrl {
    /// The whole URL with its password, for the driver alone.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { path } => format!("sqlite://{}", path.display()),
            Self::Postgres { url } => url.expose_secret().to_owned(),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = match self {
            Self::Sqlite { path } => return write!(f, "sqlite {}", path.display()),
            Self::Postgres { url } => url,
        };
        f.write_str("postgres ")?;
        let Ok(url) = Url::parse(secret.expose_secret()) else { return f.write_str("(unreadable)") };
        if !url.username().is_empty() {
            write!(f, "{}@", url.username())?;
        }
        let socket = || url.query_pairs().find(|(key, _)| key == "host").map(|(_, host)| host.into_owned());
        let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned).or_else(socket);
        f.write_str(host.as_deref().unwrap_or("localhost"))?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How Stripe is reached.
#[derive(Clone, Debug)]
pub struct StripeAccess {
    /// The secret or restricted key.
    pub key: SecretString,
    /// Another server's URL; none means Stripe itself. Never set to another server with a live key.
    pub api_base: Option<String>,
    /// The key's mode.
    pub mode: Mode,
}

impl StripeAccess {
    /// Whether the key is a restricted one, which may do only what it was given.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.key.expose_secret().starts_with("rk_")
    }
}

/// The application's webhook endpoint.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Its URL.
    pub url: Option<String>,
    /// The secret its events are signed with.
    pub secret: Option<SecretString>,
}

/// What a payer sees before and after, and the application's own metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Where a payer lands after paying.
    pub success_url: String,
    /// Where a payer lands who turns back.
    pub cancel_url: Option<String>,
    /// Metadata that the application wants on every session.
    pub metadata: Metadata,
}

/// Where a payer lands whose environment names no page of its own; example.com is reserved and always reachable.
pub const DEFAULT_SUCCESS_URL: &str = "https://example.com/thanks";

/// The mapping to an existing orders table, as written; the ledger checks it against the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrdersMapping {
    /// The table's name in its parts: `orders`, or schema and table.
    pub table: Vec<String>,
    /// Orders made before this day are out of scope.
    pub since: Option<Date>,
    /// Which column holds what, by the names in [`REQUIRED_COLUMNS`] and [`OPTIONAL_COLUMNS`].
    pub columns: BTreeMap<String, String>,
    /// The unit of the amounts.
    pub amount_unit: MappedUnit,
    /// The table's words by ours, first the one that is written; a status left out is not used.
    pub statuses: BTreeMap<String, Vec<String>>,
    /// Constants for other columns of a new row, as their text.
    pub insert: BTreeMap<String, String>,
}

/// What every mapping names a column for.
pub const REQUIRED_COLUMNS: [&str; 7] = ["id", "player", "fee", "amount", "status", "session", "payment_intent"];
/// What a mapping may name a column for.
pub const OPTIONAL_COLUMNS: [&str; 6] = ["tournament", "currency", "url", "expires_at", "created_at", "updated_at"];

/// Where an application's players stand, as written; the ledger checks it against the catalogue. They are read and never
/// written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayersMapping {
    /// The table's or view's name in its parts: `players`, or schema and table.
    pub table: Vec<String>,
    /// The column of the ids by which orders name players.
    pub id: String,
    /// The column of the addresses.
    pub email: String,
    /// The columns that make up a name: none, one, or several such as first and last name.
    pub name: Vec<String>,
}

/// The unit of an amount column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MappedUnit {
    /// Cents, whole yen.
    #[default]
    Minor,
    /// Dollars, in a numeric column.
    Major,
}

/// Rows that exist in the application for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The player.
    pub player: PlayerId,
    /// The fee.
    pub fee: FeeId,
    /// Where its messages go.
    pub email: Email,
}
