//! What a database says of itself, and what we may do in it. Nothing is written to learn it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::errors::{Result, retrying};
use super::sql::{Tx, values};
use super::{LedgerError, SqlLedger};

/// What a database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Which one, in its own words: `PostgreSQL 15.4`.
    pub server: String,
    /// PostgreSQL's version as it counts (150004 is 15.4); none on SQLite, which is built in.
    pub version: Option<i64>,
    /// The encoding in which PostgreSQL keeps texts; none on SQLite, which keeps them all.
    pub encoding: Option<String>,
    /// Why nothing can be written, where nothing can.
    pub read_only: Option<ReadOnly>,
    /// The schema in which tables would be made; none on SQLite, and where the search path leads to none.
    pub schema: Option<String>,
    /// Whether a table may be made there.
    pub may_create: bool,
    /// Who we are to PostgreSQL; none on SQLite.
    pub user: Option<String>,
    /// The rights that are missing on tourney's own tables, and on the orders table that it made, in SQL's words:
    /// `INSERT, UPDATE ON tourney_claims, tourney_lock`.
    pub lacks: Vec<String>,
    /// Tables of tourney's that belong to somebody else, whom alone a migration obeys.
    pub not_ours: Vec<String>,
    /// The rights on the orders table, where one stands: `SELECT, INSERT`; none on SQLite, which has no rights.
    pub orders: Option<String>,
    /// The database's clock less ours, as far as the time that the answer took does not explain it; none on SQLite, which has
    /// our clock.
    pub ahead: Option<SignedDuration>,
}

/// Why nothing can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// The server follows another one (`pg_is_in_recovery`).
    Replica,
    /// Transactions are made read-only for this user, database or server (`default_transaction_read_only`).
    Default,
    /// We may not write this file.
    File(PathBuf),
    /// We may not make files in this folder, where SQLite keeps its journal beside the database.
    Folder(PathBuf),
}

impl SqlLedger {
    /// Asks the database about itself; `now` is our clock.
    ///
    /// # Errors
    /// [`LedgerError`] where the database does not answer.
    pub async fn health(&self, now: impl Fn() -> Timestamp + Sync) -> std::result::Result<Health, LedgerError> {
        match self.sqlite_file() {
            Some(path) => retrying(|| sqlite(self, path)).await,
            None => retrying(|| postgres(self, &now)).await,
        }
    }
}

async fn sqlite(ledger: &SqlLedger, path: &Path) -> Result<Health> {
    let mut server = "SQLite".to_owned();
    if let Some(mut tx) = ledger.begin_look().await? {
        // A file that is no database is told by the second only.
        let sql = "SELECT sqlite_version(), (SELECT COUNT(*) FROM sqlite_master)";
        if let Some(row) = tx.row(sql, values![]).await? {
            server = format!("SQLite {}", row.must_text(0)?);
        }
        tx.rollback().await?;
    }
    Ok(Health {
        server,
        version: None,
        encoding: None,
        read_only: closed(path),
        schema: None,
        may_create: true,
        user: None,
        lacks: Vec::new(),
        not_ours: Vec::new(),
        orders: None,
        ahead: None,
    })
}

/// Why a SQLite file cannot be written, or made.
fn closed(path: &Path) -> Option<ReadOnly> {
    if path.exists() && !may_write(path) {
        return Some(ReadOnly::File(path.to_owned()));
    }
    // Folders on the way are made.
    let real = path.canonicalize().or_else(|_| std::path::absolute(path)).ok()?;
    let folder = real.ancestors().skip(1).find(|folder| folder.exists())?;
    (!may_write(folder)).then(|| ReadOnly::Folder(folder.to_owned()))
}

/// Asked of the operating system, which knows users, groups and mounts: the bits alone do not tell it.
#[cfg(unix)]
fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| !meta.permissions().readonly())
}

const SERVER: &str = "SELECT current_setting('server_version'), CAST(current_setting('server_version_num') AS BIGINT), \
     current_setting('server_encoding'), CAST(pg_is_in_recovery() AS TEXT), \
     current_setting('default_transaction_read_only'), quote_ident(current_schema()), \
     CAST(COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS TEXT), \
     CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT), quote_ident(current_user)";

/// What is done with the rows of each table once it stands. A migration takes more: it is made by the tables' owner.
const NEEDED: [(&str, &[&str]); 14] = [
    ("orders", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    ("tourney_attempts", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    ("tourney_canaries", &["SELECT", "INSERT", "UPDATE"]),
    ("tourney_claims", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    ("tourney_events", &["SELECT", "INSERT", "UPDATE"]),
    ("tourney_handler", &["SELECT", "INSERT", "UPDATE"]),
    ("tourney_ledger", &["SELECT", "INSERT", "UPDATE"]),
    ("tourney_lock", &["SELECT", "UPDATE"]),
    ("tourney_migrations", &["SELECT"]),
    ("tourney_names", &["SELECT", "INSERT", "UPDATE"]),
    ("tourney_orders_migrations", &["SELECT"]),
    ("tourney_retired", &["SELECT", "INSERT", "UPDATE"]),
    ("tourney_run_steps", &["SELECT", "INSERT"]),
    ("tourney_runs", &["SELECT", "INSERT", "UPDATE"]),
];

/// The tables of ours that stand, the rights that each lacks, and whether we may change it. `$1` is the orders table where
/// tourney makes it.
const TABLES: &str = "SELECT CAST(c.relname AS TEXT), array_to_string(ARRAY(SELECT r \
         FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r WHERE NOT has_table_privilege(c.oid, r)), ', '), \
     CAST(pg_has_role(c.relowner, 'USAGE') AS TEXT) FROM pg_class c \
     WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) \
     AND (c.relname LIKE 'tourney\\_%' OR c.oid = to_regclass($1)) ORDER BY 1";

/// The rights on the orders table. Those on rows may be given for single columns, which are judged by the mapping.
const ORDERS: &str = "SELECT array_to_string(ARRAY(SELECT r FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r \
     WHERE CASE WHEN r = 'DELETE' THEN has_table_privilege(t.oid, r) ELSE has_any_column_privilege(t.oid, r) END), ', ') \
     FROM (SELECT CAST(to_regclass($1) AS oid) AS oid) t WHERE t.oid IS NOT NULL";

async fn postgres(ledger: &SqlLedger, now: &(impl Fn() -> Timestamp + Sync)) -> Result<Health> {
    let Some(mut tx) = ledger.begin_look().await? else { return Err(super::errors::not_done("there is no database")) };
    let asked = now();
    let Some(server) = tx.row(SERVER, values![]).await? else {
        return Err(super::errors::rejected("the server says nothing of itself"));
    };
    let answered = now();
    let (lacks, not_ours) = rights(ledger, &mut tx).await?;
    let orders = tx.row(ORDERS, values![ledger.table.name()]).await?;
    let orders = orders.map(|row| row.must_text(0)).transpose()?;
    tx.rollback().await?;
    let yes = |column| Ok::<_, super::errors::Failure>(server.text(column)?.as_deref() == Some("true"));
    Ok(Health {
        // Packagers write more behind the number.
        server: format!("PostgreSQL {}", server.must_text(0)?.split(' ').next().unwrap_or_default()),
        version: server.int(1)?,
        encoding: server.text(2)?,
        read_only: match (yes(3)?, server.text(4)?.as_deref()) {
            (true, _) => Some(ReadOnly::Replica),
            (false, Some("on")) => Some(ReadOnly::Default),
            _ => None,
        },
        schema: server.text(5)?,
        may_create: yes(6)?,
        user: server.text(8)?,
        lacks,
        not_ours,
        orders,
        ahead: ahead(Timestamp::from_millisecond(server.must_int(7)?).ok(), asked, answered),
    })
}

/// The rights that our tables lack, and the tables that are not ours to change.
async fn rights(ledger: &SqlLedger, tx: &mut Tx) -> Result<(Vec<String>, Vec<String>)> {
    let orders = ledger.table.mapping().make_table.then(|| ledger.table.name());
    let mut lacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut not_ours = Vec::new();
    for row in tx.rows(TABLES, values![orders]).await? {
        let (table, missing) = (row.must_text(0)?, row.must_text(1)?);
        // An application may have a table of such a name.
        let Some((_, needed)) = NEEDED.iter().find(|(name, _)| *name == table) else { continue };
        let missing: Vec<&str> = missing.split(", ").filter(|right| needed.contains(right)).collect();
        if row.text(2)?.as_deref() != Some("true") {
            not_ours.push(table.clone());
        }
        if !missing.is_empty() {
            lacks.entry(missing.join(", ")).or_default().push(table);
        }
    }
    Ok((lacks.into_iter().map(|(rights, tables)| format!("{rights} ON {}", tables.join(", "))).collect(), not_ours))
}

/// How far a clock, read at some moment between two of ours, is ahead at least; zero where it may be ours.
fn ahead(theirs: Option<Timestamp>, asked: Timestamp, answered: Timestamp) -> Option<SignedDuration> {
    let theirs = theirs?;
    let (early, late) = (theirs.duration_since(answered), theirs.duration_since(asked));
    Some(if early.is_positive() {
        early
    } else if late.is_negative() {
        late
    } else {
        SignedDuration::ZERO
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_way_explains_is_no_difference() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        for (theirs, seconds) in [(100, 0), (105, 0), (110, 0), (111, 1), (99, -1), (400, 290), (-200, -300)] {
            assert_eq!(ahead(Some(at(theirs)), at(100), at(110)), Some(SignedDuration::from_secs(seconds)), "{theirs}");
        }
        assert_eq!(ahead(None, at(1), at(2)), None);
    }

    #[test]
    fn every_table_says_what_is_done_with_it() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
        let files = ["tourney", "orders"].map(|part| std::fs::read_dir(folder.join(part)).unwrap());
        let made: Vec<String> =
            files.into_iter().flatten().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        let names = made.iter().flat_map(|sql| sql.split("CREATE TABLE ").skip(1));
        let mut names: Vec<&str> = names.filter_map(|rest| rest.split([' ', '(']).next()).collect();
        names.extend(["tourney_migrations", "tourney_orders_migrations"]);
        names.sort_unstable();
        assert_eq!(NEEDED.map(|(name, _)| name).to_vec(), names);
    }

    #[test]
    fn a_file_that_is_to_be_made_needs_the_folder_in_which_it_would_be() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(closed(&folder.path().join("deep/er/orders.db")), None);
        assert_eq!(closed(&folder.path().join("orders.db")), None);
    }
}
