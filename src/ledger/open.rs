//! Opening an orders database, and making tourney's tables in it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgPool, SqlitePool};

use crate::domain::{LedgerId, Mode, uuid};

use super::errors::{Failure, Result, not_done, rejected};
use super::mapping::Mapping;
use super::sql::{Tx, values};
use super::state::state;
use super::table::Table;
use super::{Identity, LedgerError, SchemaState};

/// How long a free connection is waited for.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(5);
/// How long the first run waits for another first run.
const FIRST_RUN: Duration = Duration::from_secs(30);
/// Connections to PostgreSQL. SQLite gets one: it has one writer, and so a reader is never in a writer's way.
const CONNECTIONS: u32 = 4;

/// How a connection to PostgreSQL is set up. Nothing may be waited for without end. Where our end goes away in the middle of
/// a transaction and the server does not hear of it, its locks, the fence's among them, are not held for hours. And what was
/// answered must survive a crash, also where the database is told not to wait for that: what Stripe is asked next builds on it.
const SESSION: &str = "SET lock_timeout = '10s'; SET statement_timeout = '30s'; \
                       SET idle_in_transaction_session_timeout = '10s'; \
                       SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') = 'off'";

/// Where the migrations of tourney's tables are counted.
const MIGRATIONS: &str = "tourney_migrations";
/// Where those of our own orders table are.
pub(super) const ORDERS_MIGRATIONS: &str = "tourney_orders_migrations";

/// An orders database on SQLite or PostgreSQL.
#[derive(Debug)]
pub struct SqlLedger {
    pool: Pool,
    /// Where it is, for people: no password.
    place: String,
    /// The orders table.
    pub(super) table: Table,
}

#[derive(Debug)]
enum Pool {
    Sqlite { pool: SqlitePool, path: PathBuf },
    Postgres(PgPool),
}

/// A reading transaction, and which tables there are.
pub(super) struct Reading {
    pub(super) tx: Tx,
    /// Whether tourney's own tables stand.
    pub(super) ours: bool,
    /// Whether the orders table stands.
    pub(super) orders: bool,
}

impl SqlLedger {
    /// Opens `sqlite://path` or `postgres://…` without connecting yet: nothing is created, a SQLite file that is missing
    /// reads as empty until [`super::Ledger::prepare`]. SQLite's journal mode stays as it is found (for a new file the
    /// rollback journal), so that reading leaves every byte as it was.
    ///
    /// # Errors
    /// [`LedgerError::Rejected`] for a URL or a mapping that cannot work. The URL's password is in no error.
    pub async fn open(url: &str, mapping: Mapping) -> std::result::Result<Self, LedgerError> {
        let table = Table::compile(mapping)?;
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let (pool, place) = match scheme {
            "sqlite" => sqlite(url)?,
            "postgres" | "postgresql" => postgres(url)?,
            _ => {
                let text = "a database URL begins with sqlite:// or postgres:// (or postgresql://)";
                return Err(LedgerError::Rejected(text.to_owned()));
            }
        };
        Ok(Self { pool, place, table })
    }

    /// Whether the orders stand in PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }

    /// The SQLite file; none where the orders stand in PostgreSQL.
    pub(super) fn sqlite_file(&self) -> Option<&Path> {
        match &self.pool {
            Pool::Sqlite { path, .. } => Some(path),
            Pool::Postgres(_) => None,
        }
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Lets a SQLite file grow to so many pages and no further, as on a disk that is full then.
    #[cfg(feature = "faults")]
    pub fn most_pages(&self, pages: u32) {
        if let Pool::Sqlite { pool, .. } = &self.pool {
            let options = (*pool.connect_options()).clone();
            pool.set_connect_options(options.pragma("max_page_count", pages.to_string()));
        }
    }

    /// The orders stand as this mapping says.
    pub(super) fn map(&mut self, mapping: Mapping) -> std::result::Result<(), LedgerError> {
        self.table = Table::compile(mapping)?;
        Ok(())
    }

    /// Begins a transaction that only looks; none where the SQLite file does not exist.
    pub(super) async fn begin_look(&self) -> Result<Option<Tx>> {
        Ok(Some(match &self.pool {
            Pool::Sqlite { path, .. } if !path.exists() => return Ok(None),
            Pool::Sqlite { pool, .. } => Tx::Sqlite(pool.begin().await.map_err(|error| self.no_connection(error))?),
            Pool::Postgres(pool) => {
                let begun = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await;
                Tx::Postgres(begun.map_err(|error| self.no_connection(error))?)
            }
        }))
    }

    /// Begins a consistent read; none where the SQLite file does not exist.
    pub(super) async fn begin_read(&self) -> Result<Option<Reading>> {
        let Some(mut tx) = self.begin_look().await? else { return Ok(None) };
        let ours = self.has_table(&mut tx, "tourney_ledger", "\"tourney_ledger\"").await?;
        let plain = self.table.mapping().table.last().map_or("", String::as_str);
        let orders = self.has_table(&mut tx, plain, self.table.name()).await?;
        Ok(Some(Reading { tx, ours, orders }))
    }

    /// Begins a read of tourney's own tables; none where they do not stand.
    pub(super) async fn begin_read_ours(&self) -> Result<Option<Tx>> {
        match self.begin_read().await? {
            Some(reading) if reading.ours => Ok(Some(reading.tx)),
            Some(reading) => reading.tx.rollback().await.map(|()| None),
            None => Ok(None),
        }
    }

    /// Begins a write. On SQLite it holds the write lock from its beginning, so that it cannot lose a race later.
    pub(super) async fn begin_write(&self) -> Result<Tx> {
        Ok(match &self.pool {
            // A server says as much of tables that are not there.
            Pool::Sqlite { path, .. } if !path.exists() => {
                return Err(rejected(format!("there is no file {}: nothing has been prepared there", path.display())));
            }
            Pool::Sqlite { pool, .. } => {
                Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.no_connection(error))?)
            }
            Pool::Postgres(pool) => Tx::Postgres(pool.begin().await.map_err(|error| self.no_connection(error))?),
        })
    }

    /// Says where nothing could be begun. A server that refuses connections is asked again until the time is over.
    fn no_connection(&self, error: sqlx::Error) -> Failure {
        let place = &self.place;
        let timed_out = matches!(error, sqlx::Error::PoolTimedOut);
        match error.into() {
            Failure::Final(LedgerError::NotDone(_)) if timed_out => not_done(format!(
                "no connection to {place} within {} s: is it running, can it be reached, has it connections left?",
                ACQUIRE.as_secs()
            )),
            Failure::Final(LedgerError::NotDone(text)) => not_done(format!("{place}: {text}")),
            Failure::Final(LedgerError::Rejected(text)) => rejected(format!("{place}: {text}")),
            other => other,
        }
    }

    /// The catalogue is the one place where the two databases differ in their words.
    pub(super) async fn has_table(&self, tx: &mut Tx, plain: &str, quoted: &str) -> Result<bool> {
        let row = if self.is_postgres() {
            tx.row("SELECT CAST(to_regclass($1) AS TEXT)", values![quoted]).await?
        } else {
            // SQLite does not tell capitals from small letters in names.
            let sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name = $1 COLLATE NOCASE";
            tx.row(sql, values![plain]).await?
        };
        Ok(match row {
            Some(row) => row.text(0)?.is_some(),
            None => false,
        })
    }
}

fn sqlite(url: &str) -> std::result::Result<(Pool, String), LedgerError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| LedgerError::Rejected("the sqlite:// URL cannot be read: write sqlite://path/to/file.db".into()))?
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let path = options.get_filename().to_owned();
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(LedgerError::Rejected("an orders database in memory would forget payments: name a file".into()));
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        // Where a disk is full, SQLite rolls a transaction back by itself. The driver does not hear of it, takes the connection
        // to be within one for good, and would begin no other on it.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_lazy_with(options);
    let place = path.display().to_string();
    Ok((Pool::Sqlite { pool, path }, place))
}

fn postgres(url: &str) -> std::result::Result<(Pool, String), LedgerError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| {
            let text = "the postgres:// URL cannot be read: write postgres://user:password@host/database";
            LedgerError::Rejected(text.to_owned())
        })?
        .application_name("tourney")
        .disable_statement_logging();
    let database = options.get_database().unwrap_or(options.get_username());
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let place = format!("{host}:{}/{database}", options.get_port());
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SESSION).await.map(|_| ()) }))
        .connect_lazy_with(options);
    Ok((Pool::Postgres(pool), place))
}

/// Makes what is missing: the file, tourney's tables, our own orders table, the ledger's id.
pub(super) async fn prepare(ledger: &SqlLedger, new_id: u128) -> Result<Identity> {
    refuse_anothers_table(ledger).await?;
    // What stands is left alone: already to look for a table that is missing takes the right to make one.
    if !matches!(state(ledger).await?, SchemaState::Current { .. }) {
        migrate(ledger).await?;
    }
    let mut tx = ledger.begin_write().await?;
    let sql = "INSERT INTO tourney_ledger (one, ledger_id) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
    tx.execute(sql, values![uuid(new_id)]).await?;
    let identity = read_identity(&mut tx).await?;
    tx.commit().await?;
    identity.ok_or_else(|| rejected("the ledger's id vanished while it was made"))
}

/// Makes the file and every table that is missing.
async fn migrate(ledger: &SqlLedger) -> Result<()> {
    match &ledger.pool {
        Pool::Sqlite { pool, path } => {
            let _first_run = first_run(path).await?;
            sqlx::migrate!("migrations/sqlite/tourney").named(MIGRATIONS).run(pool).await?;
            if ledger.table.mapping().make_table {
                sqlx::migrate!("migrations/sqlite/orders").named(ORDERS_MIGRATIONS).run(pool).await?;
            }
        }
        Pool::Postgres(pool) => {
            sqlx::migrate!("migrations/postgres/tourney").named(MIGRATIONS).run(pool).await?;
            if ledger.table.mapping().make_table {
                sqlx::migrate!("migrations/postgres/orders").named(ORDERS_MIGRATIONS).run(pool).await?;
            }
        }
    }
    Ok(())
}

/// Our own schema is not put over an orders table that somebody else made.
pub(super) async fn refuse_anothers_table(ledger: &SqlLedger) -> Result<()> {
    let Some(mut reading) = ledger.begin_read().await? else { return Ok(()) };
    refuse_anothers(ledger, &mut reading).await?;
    reading.tx.rollback().await
}

/// The same within a read that is made anyway.
pub(super) async fn refuse_anothers(ledger: &SqlLedger, reading: &mut Reading) -> Result<()> {
    if !ledger.table.mapping().make_table || !reading.orders {
        return Ok(());
    }
    if !ledger.has_table(&mut reading.tx, ORDERS_MIGRATIONS, ORDERS_MIGRATIONS).await? {
        return Err(rejected(format!(
            "{} has a table {} that tourney did not make: nothing was changed; map it under `orders` in \
             environments.yaml, or name another database",
            ledger.place,
            ledger.table.name()
        )));
    }
    Ok(())
}

/// The migrations' own table has our name: an application may keep its own under sqlx's.
trait Named {
    fn named(self, table: &'static str) -> Self;
}

impl Named for Migrator {
    fn named(mut self, table: &'static str) -> Self {
        self.dangerous_set_table_name(table);
        self
    }
}

/// Makes the file and its folder, and holds a lock beside it: sqlx locks no SQLite database while it migrates. The lock is
/// on a file of its own, because closing any handle to the database's file would drop SQLite's own locks on it.
async fn first_run(path: &Path) -> Result<File> {
    let failed = |error: std::io::Error| not_done(format!("{} cannot be made: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let lock = File::options().create(true).append(true).open(beside).map_err(failed)?;
    let since = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if since.elapsed() < FIRST_RUN => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(not_done(format!("another process has been preparing {} for long", path.display())));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    if !path.exists() {
        File::options().create(true).append(true).open(path).map_err(failed)?;
    }
    Ok(lock)
}

/// The identity, where the database has one.
pub(super) async fn identity(ledger: &SqlLedger) -> Result<Option<Identity>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(None) };
    let identity = read_identity(&mut tx).await?;
    tx.rollback().await?;
    Ok(identity)
}

/// Binds the database where it is unbound.
pub(super) async fn bind(ledger: &SqlLedger, account: &str, mode: Mode) -> Result<Identity> {
    let mut tx = ledger.begin_write().await?;
    let sql = "UPDATE tourney_ledger SET account = $1, mode = $2 WHERE account IS NULL";
    tx.execute(sql, values![account, mode.to_string()]).await?;
    let identity = read_identity(&mut tx).await?;
    tx.commit().await?;
    identity.ok_or_else(|| rejected("the database has no ledger id yet: it must be prepared before it is bound"))
}

async fn read_identity(tx: &mut Tx) -> Result<Option<Identity>> {
    let Some(row) = tx.row("SELECT ledger_id, account, mode FROM tourney_ledger", values![]).await? else {
        return Ok(None);
    };
    let mode = match row.text(2)?.as_deref() {
        Some("live") => Some(Mode::Live),
        Some(_) => Some(Mode::Test),
        None => None,
    };
    Ok(Some(Identity { ledger: LedgerId(row.must_text(0)?), account: row.text(1)?, mode }))
}
