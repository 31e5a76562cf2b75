//! A real database: the ledger on it, and beside that a connection of another program.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _, SqliteConnection};
use tourney::domain::OrderId;
use tourney::ledger::{LedgerError, Mapping, SqlLedger};
use tourney::world::sim::{MemoryLedger, Row};

use super::call::{Other, Seeded};
use super::dump::{Dump, Rows, shown};

/// The columns of every table but those that count rows and tell the database's own time.
pub(crate) type Tables = BTreeMap<String, Vec<String>>;

pub(crate) struct Real {
    pub(crate) name: &'static str,
    pub(crate) ledger: SqlLedger,
    url: String,
    base: Option<Base>,
}

enum Base {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Real {
    pub(crate) async fn open(name: &'static str, url: &str) -> Self {
        let ledger = SqlLedger::open(url, Mapping::own()).await.unwrap();
        Self { name, ledger, url: url.to_owned(), base: None }
    }

    async fn base(&mut self) -> &mut Base {
        if self.base.is_none() {
            self.base = Some(if self.url.starts_with("sqlite") {
                Base::Sqlite(SqliteConnection::connect(&self.url).await.unwrap())
            } else {
                Base::Postgres(PgConnection::connect(&self.url).await.unwrap())
            });
        }
        self.base.as_mut().unwrap()
    }

    async fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.base().await {
            Base::Sqlite(base) => sqlx::raw_sql(sql).execute(base).await.map(drop),
            Base::Postgres(base) => sqlx::raw_sql(sql).execute(base).await.map(drop),
        }
        .unwrap();
    }

    /// Rows of texts.
    async fn rows(&mut self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = AssertSqlSafe(sql.to_owned());
        macro_rules! texts {
            ($base:expr) => {{
                let rows = sqlx::query(sql).fetch_all($base).await.unwrap();
                rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()).collect()
            }};
        }
        match self.base().await {
            Base::Sqlite(base) => texts!(base),
            Base::Postgres(base) => texts!(base),
        }
    }

    /// Every table of a SQLite database that is prepared, from its own catalogue: none can be forgotten.
    pub(crate) async fn tables(&mut self) -> Tables {
        let sql = "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' \
                   AND t.name NOT LIKE '%migrations' ORDER BY t.name, c.cid";
        let mut tables = Tables::new();
        for row in self.rows(sql).await {
            let [Some(table), Some(column)] = <[_; 2]>::try_from(row).unwrap() else { panic!("a name is NULL") };
            if !["n", "digest", "updated_at"].contains(&column.as_str()) {
                tables.entry(table).or_default().push(column);
            }
        }
        tables
    }

    /// Every row of every table.
    pub(crate) async fn dump(&mut self, tables: &Tables) -> Dump {
        let mut dump = Dump::new();
        for (table, columns) in tables {
            let texts = columns.iter().map(|column| format!("CAST({column} AS TEXT)")).collect::<Vec<_>>();
            let rows = self.rows(&format!("SELECT {} FROM {table}", texts.join(", "))).await;
            let rows = rows.into_iter().map(|row| shown(columns.iter().map(String::as_str).zip(row)));
            dump.insert(table.clone(), rows.collect::<Rows>());
        }
        dump
    }

    /// The database as it is before its first preparation, but for its tables.
    pub(crate) async fn empty(&mut self, tables: &Tables) {
        let mut sql: String = tables.keys().map(|table| format!("DELETE FROM {table};")).collect();
        sql.push_str("INSERT INTO tourney_lock (one, fence) VALUES (1, 0);");
        self.execute(&format!("BEGIN; {sql} COMMIT;")).await;
    }

    /// What another program writes.
    pub(crate) async fn another(&mut self, other: &Other, order: &OrderId) -> Seeded {
        let text = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
        let set = match other {
            Other::Status(status) => format!("status = '{status}'"),
            Other::Session(session) => {
                format!("stripe_checkout_session_id = {}", text(session.as_ref().map(|id| id.as_str())))
            }
            Other::Intent(intent) => {
                format!("stripe_payment_intent_id = {}", text(intent.as_ref().map(|id| id.as_str())))
            }
            Other::Amount(minor) => format!("amount_cents = {minor}"),
            Other::Player(player) => format!("player_id = '{player}'"),
            Other::Fee(fee) => format!("fee_id = '{fee}'"),
            Other::Tournament(tournament) => format!("tournament_id = '{tournament}'"),
            Other::Delete => {
                self.execute(&format!("DELETE FROM orders WHERE id = '{order}'")).await;
                return Ok(Vec::new());
            }
            Other::Seed(seed, random) => return kind(self.ledger.seed(&[(seed.clone(), *random)]).await),
        };
        self.execute(&format!("UPDATE orders SET {set} WHERE id = '{order}'")).await;
        Ok(Vec::new())
    }
}

/// The same in memory.
pub(crate) fn another(memory: &MemoryLedger, other: &Other, order: &OrderId) -> Seeded {
    if let Other::Seed(seed, random) = other {
        return kind(memory.seed(&[(seed.clone(), *random)]));
    }
    memory.another_program(|orders| {
        if matches!(other, Other::Delete) {
            orders.remove(order);
        } else if let Some(row) = orders.get_mut(order) {
            write(row, other);
        }
    });
    Ok(Vec::new())
}

fn write(row: &mut Row, other: &Other) {
    let order = &mut row.order;
    match other.clone() {
        Other::Status(status) => order.status = status,
        Other::Session(session) => order.session = session,
        Other::Intent(intent) => order.payment_intent = intent,
        Other::Amount(minor) => order.amount.minor = minor,
        Other::Player(player) => order.registration.player = player,
        Other::Fee(fee) => order.registration.fee = fee,
        Other::Tournament(tournament) => row.tournament = tournament,
        Other::Delete | Other::Seed(..) => panic!("no change of a row"),
    }
}

fn kind(seeded: Result<Vec<OrderId>, LedgerError>) -> Seeded {
    seeded.map_err(|error| matches!(error, LedgerError::Rejected(_)))
}
