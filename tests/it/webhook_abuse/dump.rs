//! Every row of every table, as text, from the database's own catalogue: none can be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _, SqliteConnection};

/// A row by its columns; what is NULL is left out.
pub(crate) type Columns = BTreeMap<String, String>;
/// All tables with their rows.
pub(crate) type Dump = BTreeMap<String, BTreeSet<Columns>>;

enum Base {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Another program's connection to the orders database.
pub(crate) struct Beside {
    base: Base,
    tables: BTreeMap<String, Vec<String>>,
}

impl Beside {
    pub(crate) async fn connect(url: &str) -> Self {
        let base = if url.starts_with("sqlite") {
            Base::Sqlite(SqliteConnection::connect(url).await.unwrap())
        } else {
            Base::Postgres(PgConnection::connect(url).await.unwrap())
        };
        let mut beside = Self { base, tables: BTreeMap::new() };
        let catalogue = match beside.base {
            Base::Sqlite(_) => {
                "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
            }
            Base::Postgres(_) => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public'"
            }
        };
        for row in beside.rows(catalogue).await {
            let [Some(table), Some(column)] = <[_; 2]>::try_from(row).unwrap() else { panic!("a name is NULL") };
            beside.tables.entry(table).or_default().push(column);
        }
        assert!(beside.tables.len() > 10, "{:?}", beside.tables.keys());
        beside
    }

    pub(crate) async fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.base {
            Base::Sqlite(base) => sqlx::raw_sql(sql).execute(base).await.map(drop),
            Base::Postgres(base) => sqlx::raw_sql(sql).execute(base).await.map(drop),
        }
        .unwrap();
    }

    /// Rows of texts.
    pub(crate) async fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = AssertSqlSafe(sql.to_owned());
        macro_rules! texts {
            ($base:expr) => {{
                let rows = sqlx::query(sql).fetch_all($base).await.unwrap();
                rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()).collect()
            }};
        }
        match &mut self.base {
            Base::Sqlite(base) => texts!(base),
            Base::Postgres(base) => texts!(base),
        }
    }

    pub(crate) async fn dump(&mut self) -> Dump {
        let mut dump = Dump::new();
        let sqlite = matches!(self.base, Base::Sqlite(_));
        for (table, columns) in self.tables.clone() {
            let text = |column: &String| match sqlite {
                true => format!(
                    "CASE typeof(\"{column}\") WHEN 'blob' THEN hex(\"{column}\") ELSE CAST(\"{column}\" AS TEXT) END"
                ),
                false => format!("CAST(\"{column}\" AS TEXT)"),
            };
            let texts: Vec<String> = columns.iter().map(text).collect();
            let rows = self.rows(&format!("SELECT {} FROM \"{table}\"", texts.join(", "))).await;
            let row = |cells: Vec<Option<String>>| {
                columns.iter().cloned().zip(cells).filter_map(|(name, cell)| Some((name, cell?))).collect::<Columns>()
            };
            dump.insert(table, rows.into_iter().map(row).collect());
        }
        dump
    }

    /// From now on the database refuses what an event would write there; none: it takes everything again.
    pub(crate) async fn refuse(&mut self, what: Refused) {
        let (when, table, at_commit) = match what {
            Refused::Nothing => return self.lift().await,
            Refused::Events => ("INSERT", "tourney_events", false),
            Refused::Payments => ("UPDATE", "orders", false),
            Refused::Outcomes => ("UPDATE", "tourney_events", false),
            Refused::EventsAtCommit => ("INSERT", "tourney_events", true),
            Refused::PaymentsAtCommit => ("UPDATE", "orders", true),
        };
        let sql = match (&self.base, at_commit) {
            (Base::Sqlite(_), false) => {
                format!("CREATE TRIGGER refused BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END")
            }
            // A reference that leads nowhere shows at the commit.
            (Base::Sqlite(_), true) => format!(
                "CREATE TABLE refusals (nowhere INTEGER REFERENCES refusals (id) DEFERRABLE INITIALLY DEFERRED, \
                 id INTEGER PRIMARY KEY); \
                 CREATE TRIGGER refused AFTER {when} ON {table} BEGIN INSERT INTO refusals VALUES (-1, NULL); END"
            ),
            (Base::Postgres(_), at_commit) => {
                let (kind, late) = match at_commit {
                    true => ("CONSTRAINT TRIGGER refused AFTER", "DEFERRABLE INITIALLY DEFERRED"),
                    false => ("TRIGGER refused BEFORE", ""),
                };
                format!(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                     $$ BEGIN RAISE EXCEPTION 'refused'; END $$; \
                     CREATE {kind} {when} ON {table} {late} FOR EACH ROW EXECUTE FUNCTION refuse()"
                )
            }
        };
        self.execute(&sql).await;
    }

    async fn lift(&mut self) {
        let sql = match self.base {
            Base::Sqlite(_) => "DROP TRIGGER IF EXISTS refused; DROP TABLE IF EXISTS refusals",
            Base::Postgres(_) => "DROP FUNCTION IF EXISTS refuse CASCADE",
        };
        self.execute(sql).await;
    }
}

/// What a database refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Refused {
    Nothing,
    Events,
    Payments,
    Outcomes,
    EventsAtCommit,
    PaymentsAtCommit,
}
