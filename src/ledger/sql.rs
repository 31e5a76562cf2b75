//! One SQL text on two databases: a transaction, the values it takes and the rows it gives.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Postgres, Row as _, SqlSafeStr, Sqlite, Transaction};

use crate::domain::{AttemptId, FeeId, OrderId, PaymentIntentId, PlayerId, RunId, SessionId, TournamentId};

use super::errors::{Result, of_commit, rejected};

/// A parameter. Our own tables know two types only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// TEXT or NULL.
    Text(Option<String>),
    /// BIGINT or NULL.
    Int(Option<i64>),
}

/// The parameters `$1`, `$2`, … of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::ledger::sql::Value::from($value)),*] };
}
pub(super) use values;

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(Some(n))
    }
}

impl From<Option<i64>> for Value {
    fn from(n: Option<i64>) -> Self {
        Self::Int(n)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

macro_rules! value_of_ids {
    ($($id:ty),*) => {$(
        impl From<&$id> for Value {
            fn from(id: &$id) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }

        impl From<Option<&$id>> for Value {
            fn from(id: Option<&$id>) -> Self {
                Self::Text(id.map(ToString::to_string))
            }
        }
    )*};
}

value_of_ids!(OrderId, PlayerId, FeeId, TournamentId, SessionId, PaymentIntentId, AttemptId, RunId);

/// A row. Columns are read by position, as TEXT or BIGINT: statements cast what is neither.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A text column that may be NULL.
    pub(super) fn text(&self, column: usize) -> Result<Option<String>> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// An integer column that may be NULL.
    pub(super) fn int(&self, column: usize) -> Result<Option<i64>> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A text column that must have a value.
    pub(super) fn must_text(&self, column: usize) -> Result<String> {
        self.text(column)?.ok_or_else(|| self.is_null(column))
    }

    /// An integer column that must have a value.
    pub(super) fn must_int(&self, column: usize) -> Result<i64> {
        self.int(column)?.ok_or_else(|| self.is_null(column))
    }

    fn is_null(&self, column: usize) -> super::errors::Failure {
        let name = match self {
            Self::Sqlite(row) => row.columns().get(column).map(|column| column.name().to_owned()),
            Self::Postgres(row) => row.columns().get(column).map(|column| column.name().to_owned()),
        };
        rejected(format!("the column {} is NULL where it must have a value", name.unwrap_or_default()))
    }
}

/// A transaction on either database. Dropped without [`Tx::commit`], it is rolled back.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Int(n) => query.bind(n),
            };
        }
        query
    }};
}

impl Tx {
    /// A text column to sort by: by its bytes, as SQLite does, whatever a PostgreSQL database takes for the order of words.
    pub(super) fn by_bytes(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => column.to_owned(),
            Self::Postgres(_) => format!("{column} COLLATE \"C\""),
        }
    }

    /// Runs a statement; answers with how many rows it touched.
    pub(super) async fn execute(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(sql, values).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => bound!(sql, values).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Runs a statement and reads all its rows.
    pub(super) async fn rows(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(sql, values).fetch_all(&mut **tx).await?.into_iter().map(Row::Sqlite).collect(),
            Self::Postgres(tx) => {
                bound!(sql, values).fetch_all(&mut **tx).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs a statement and reads its first row.
    pub(super) async fn row(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Commits.
    pub(super) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(of_commit)
    }

    /// Ends a transaction that has only read, or that must leave nothing.
    pub(super) async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await?,
            Self::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}
