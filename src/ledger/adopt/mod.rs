//! An application's own orders table: its catalogue is read, and a mapping is judged by it before anything else happens.
//!
//! Guarantees: nothing is written or created; everything that cannot work is told at once, with what to write instead.

mod catalogue;
mod codecs;
mod judge;
mod keys;
mod players;
mod rules;
mod sqlite;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::OrdersMapping;
use crate::domain::{Currency, FeeId, Id, PayableKind, PlayerId, TournamentId};

use super::errors::{Failure, Result, not_done, retrying};
use super::sql::{Tx, values};
use super::statement::{quoted, quoted_path};
use super::{LedgerError, Mapping, RetireHow, SqlLedger};

pub use players::PlayerRow;

use catalogue::Catalogue;
use judge::Judge;

/// What a manifest asks of an adopted table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its currency.
    pub currency: Currency,
    /// How it retires orders.
    pub retire: RetireHow,
    /// What payers get.
    pub link: PayableKind,
    /// Its tournament.
    pub tournament: TournamentId,
    /// Its fees, the canary's among them.
    pub fees: Vec<FeeId>,
    /// Its players, the canary among them.
    pub players: Vec<PlayerId>,
    /// Those of them for whom an order may have to be made.
    pub billed: Vec<PlayerId>,
}

/// One thing in a mapping that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where in `environments.yaml`, for example `orders.columns.player`.
    pub path: String,
    /// What cannot work.
    pub message: String,
    /// What to write, or to do.
    pub help: String,
}

/// Why a table could not be adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The database did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The mapping cannot work.
    #[error("the mapping to the application's {section} table cannot work")]
    Mapping {
        /// The section of the environment: `orders` or `players`.
        section: &'static str,
        /// Every reason.
        faults: Vec<Fault>,
    },
}

/// What the rows themselves show of an application's habits: one value of a column, where there is any.
#[derive(Debug, Default)]
struct Samples(std::collections::BTreeMap<String, String>);

impl SqlLedger {
    /// Opens a database with an application's own orders table. Reads its catalogue and writes nothing.
    ///
    /// # Errors
    /// [`AdoptError::Mapping`] with every reason at once for which the mapping cannot work.
    pub async fn adopt(
        url: &str,
        orders: &OrdersMapping,
        terms: Option<&Terms>,
    ) -> std::result::Result<Self, AdoptError> {
        let mut ledger = Self::open(url, elsewhere(&orders.table)).await?;
        let judged = retrying(|| judged(&ledger, orders, terms)).await?;
        let mapping = judged.map_err(|faults| AdoptError::Mapping { section: "orders", faults })?;
        ledger.map(mapping)?;
        Ok(ledger)
    }

    /// Opens a database with an application's own orders table for tourney's own tables alone: the orders are not read.
    ///
    /// # Errors
    /// As [`SqlLedger::open`].
    pub async fn beside(url: &str, orders: &OrdersMapping) -> std::result::Result<Self, LedgerError> {
        Self::open(url, elsewhere(&orders.table)).await
    }
}

/// A mapping by which tourney makes no orders table.
fn elsewhere(table: &[String]) -> Mapping {
    Mapping { table: table.to_owned(), make_table: false, ..Mapping::own() }
}

type Judged = std::result::Result<Mapping, Vec<Fault>>;

async fn judged(ledger: &SqlLedger, orders: &OrdersMapping, terms: Option<&Terms>) -> Result<Judged> {
    let mut tx = look(ledger, "an orders table").await?;
    let catalogue = catalogue::read(&mut tx, &orders.table).await?;
    let blind = Judge::new(orders, &catalogue, terms, Samples::default()).finish();
    let judged = match blind {
        // Habits are looked at only where every column is there and may be read.
        Ok(_) => {
            let samples = samples(&mut tx, orders).await?;
            let judged = Judge::new(orders, &catalogue, terms, samples).finish();
            refusing_absent(&mut tx, &catalogue, terms, judged).await?
        }
        Err(faults) => Err(faults),
    };
    tx.rollback().await?;
    Ok(judged)
}

/// A mapping that works, unless the application has no rows for what the manifest names.
async fn refusing_absent(tx: &mut Tx, catalogue: &Catalogue, terms: Option<&Terms>, judged: Judged) -> Result<Judged> {
    let (Ok(mapping), Some(table), Some(terms)) = (&judged, &catalogue.table, terms) else { return Ok(judged) };
    let absent = keys::absent(tx, table, mapping, terms).await?;
    Ok(if absent.is_empty() { judged } else { Err(absent) })
}

/// Begins to look into an application's own database, which must be there.
async fn look(ledger: &SqlLedger, mapped: &str) -> Result<Tx> {
    let place = ledger.place();
    ledger.begin_look().await?.ok_or_else(|| {
        not_done(format!(
            "{place} is not there, but an environment that maps {mapped} works in the application's own database"
        ))
    })
}

/// Columns in which the same thing is written in several ways.
const HABITS: [&str; 7] = ["id", "currency", "created_at", "updated_at", "expires_at", "session", "payment_intent"];

async fn samples(tx: &mut Tx, orders: &OrdersMapping) -> Result<Samples> {
    let table = quoted_path(&orders.table)?;
    let mut samples = Samples::default();
    for name in HABITS {
        let Some(column) = orders.columns.get(name) else { continue };
        let column = quoted(column)?;
        let sql = format!(
            "SELECT CAST({column} AS TEXT) FROM {table} WHERE {column} IS NOT NULL AND CAST({column} AS TEXT) <> '' LIMIT 1"
        );
        let sample = tx.row(sqlx::AssertSqlSafe(sql), values![]).await?;
        if let Some(sample) = sample.map(|row| row.text(0)).transpose()?.flatten() {
            samples.0.insert(name.to_owned(), sample);
        }
    }
    Ok(samples)
}

impl Samples {
    fn of(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The beginning of a day, in UTC.
fn midnight(day: Date) -> Option<jiff::Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// Whether an id is an integer.
fn is_integer(id: &Id) -> bool {
    matches!(id, Id::Int(_))
}

/// A failure is no fault of the mapping.
impl From<Failure> for AdoptError {
    fn from(failure: Failure) -> Self {
        Self::Ledger(failure.into())
    }
}
