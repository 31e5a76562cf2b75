//! Which migrations a database has seen. Reads only.

use std::collections::BTreeSet;

use super::errors::{Failure, Result};
use super::open::{ORDERS_MIGRATIONS, refuse_anothers_table};
use super::sql::{Tx, values};
use super::{LedgerError, SqlLedger};

/// How far the tables in a database are those of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// The SQLite file does not exist.
    NoFile,
    /// The database answers, and tourney's tables are not in it.
    Unprepared,
    /// Every migration of this version has been made.
    Current {
        /// The newest of them.
        version: i64,
    },
    /// Some of this version have not.
    Behind {
        /// How many.
        missing: usize,
        /// The newest that this version knows.
        version: i64,
    },
    /// Some have been made that this version does not know.
    Ahead {
        /// The newest that has been made.
        made: i64,
        /// The newest that this version knows.
        version: i64,
    },
    /// There is an orders table that tourney did not make, and none is mapped; why nothing can be done with it.
    Foreign(String),
}

impl SqlLedger {
    /// Looks at the tables.
    ///
    /// # Errors
    /// [`LedgerError`] where the database does not answer.
    pub async fn schema_state(&self) -> std::result::Result<SchemaState, LedgerError> {
        Ok(state(self).await?)
    }
}

pub(super) async fn state(ledger: &SqlLedger) -> Result<SchemaState> {
    match refuse_anothers_table(ledger).await {
        Ok(()) => {}
        Err(Failure::Final(LedgerError::Rejected(why))) => return Ok(SchemaState::Foreign(why)),
        Err(error) => return Err(error),
    }
    let Some(mut reading) = ledger.begin_read().await? else { return Ok(SchemaState::NoFile) };
    if !reading.ours {
        reading.tx.rollback().await?;
        return Ok(SchemaState::Unprepared);
    }
    let ours = sqlx::migrate!("migrations/sqlite/tourney");
    let orders = sqlx::migrate!("migrations/sqlite/orders");
    // Both databases have the same versions of both.
    let mut pairs =
        vec![(versions(&mut reading.tx, "SELECT version FROM tourney_migrations WHERE success").await?, ours)];
    if ledger.table.mapping().make_table {
        // An apply that was interrupted may have made one and not the other.
        let made = match ledger.has_table(&mut reading.tx, ORDERS_MIGRATIONS, ORDERS_MIGRATIONS).await? {
            true => versions(&mut reading.tx, "SELECT version FROM tourney_orders_migrations WHERE success").await?,
            false => BTreeSet::new(),
        };
        pairs.push((made, orders));
    }
    reading.tx.rollback().await?;
    let (mut missing, mut unknown, mut version, mut newest) = (0, 0, 0, 0);
    for (made, migrator) in pairs {
        let known: BTreeSet<i64> = migrator.iter().map(|migration| migration.version).collect();
        missing += known.difference(&made).count();
        unknown += made.difference(&known).count();
        version = known.into_iter().next_back().unwrap_or_default().max(version);
        newest = made.into_iter().next_back().unwrap_or_default().max(newest);
    }
    Ok(match (missing, unknown) {
        (_, 1..) => SchemaState::Ahead { made: newest, version },
        (0, 0) => SchemaState::Current { version },
        (missing, 0) => SchemaState::Behind { missing, version },
    })
}

async fn versions(tx: &mut Tx, sql: &'static str) -> Result<BTreeSet<i64>> {
    tx.rows(sql, values![]).await?.iter().map(|row| row.must_int(0)).collect()
}
