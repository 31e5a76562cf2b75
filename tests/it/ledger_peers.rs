//! The orders database among other programs: what reading leaves, what they write, what they forbid.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tourney::domain::{
    AttemptId, FeeId, Id, Money, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, RunId, TournamentId,
};
use tourney::ledger::{
    AmountUnit, AttemptFor, Begun, Canary, CanaryEnd, Codec, Column, Columns, Holds, IdSource, Ledger, LedgerError,
    Mapping, Rendered, RetireHow, Scope, SqlLedger, StatusWords, TypeName, Written,
};

use crate::ledger::{at, begin, begun, billed, cup, new, player, prepared, scope, seen, sqlite_in, status, usd};
use crate::support;

/// Every file of a folder with its bytes.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[tokio::test]
async fn reading_leaves_every_byte_of_sqlite_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = sqlite_in(folder.path()).await;
    ledger.read(&scope()).await.unwrap();
    assert!(bytes(folder.path()).is_empty(), "reading has created something");

    let guard = prepared(&ledger).await;
    let order = billed(&ledger, &guard, "a1", 1).await;
    drop(ledger);
    let deep = folder.path().join("deep");
    let before = bytes(&deep);
    let ledger = sqlite_in(folder.path()).await;
    assert_eq!(ledger.read(&scope()).await.unwrap().orders.len(), 1);
    ledger.identity().await.unwrap();
    ledger.raw_row(&order).await.unwrap();
    ledger.search("1").await.unwrap();
    ledger.lock_holder().await.unwrap();
    assert_eq!(bytes(&deep), before, "while it is open");
    drop(ledger);
    assert_eq!(bytes(&deep), before, "after it was closed");
}

#[tokio::test]
async fn a_row_that_others_refer_to_is_cancelled_and_not_deleted() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        let ledger = SqlLedger::open(&url, Mapping::own()).await.unwrap();
        let guard = prepared(&ledger).await;
        let order = billed(&ledger, &guard, "a1", 1).await;
        let canary = billed(&ledger, &guard, "c1", 99).await;
        execute(&url, "CREATE TABLE receipts (order_id TEXT REFERENCES orders (id))").await;
        execute(&url, "INSERT INTO receipts SELECT id FROM orders").await;

        let refused = ledger.retire(&guard, &seen(&ledger, &order).await, RetireHow::Delete, "withdrawn", at(2)).await;
        let Err(LedgerError::Rejected(text)) = refused else { panic!("{refused:?}") };
        assert!(text.contains("retire: cancel"), "{text}");
        assert_eq!(status(&ledger, &order).await, Some(OrderStatus::Pending), "nothing was changed");
        assert_eq!(ledger.read(&scope()).await.unwrap().retired, []);

        let canary = Canary {
            run: RunId::from("run-1"),
            tournament: cup(),
            registration: player(99),
            order: Some(canary),
            sessions: Vec::new(),
        };
        ledger.journal_canary(&canary).await.unwrap();
        let end = ledger.remove_canary(&canary).await.unwrap();
        let CanaryEnd::Canceled { why } = end else { panic!("{end:?}") };
        assert!(why.contains("receipts"), "{why}");
        assert_eq!(status(&ledger, canary.order.as_ref().unwrap()).await, Some(OrderStatus::Canceled));
        assert_eq!(ledger.open_canaries().await.unwrap(), []);
    }
}

#[tokio::test]
async fn duplicates_of_other_programs_are_read_and_never_added_to() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        let ledger = SqlLedger::open(&url, Mapping::own()).await.unwrap();
        let guard = prepared(&ledger).await;
        let claimed = billed(&ledger, &guard, "a1", 1).await;
        for (id, player) in [("app-1", "1"), ("app-2", "2")] {
            let sql = format!(
                "INSERT INTO orders (id, tournament_id, player_id, fee_id, amount_cents, currency, status, created_at, \
                 updated_at) VALUES ('{id}', 'cup', '{player}', 'elite', 5500, 'usd', 'pending', 1, 1)"
            );
            execute(&url, &sql).await;
        }
        let orders = ledger.read(&scope()).await.unwrap().orders;
        assert_eq!(orders.iter().filter(|order| order.registration == player(1)).count(), 2);
        let duplicate = OrderId(Id::slug("app-1").unwrap());
        let standing = AttemptFor::Standing(seen(&ledger, &duplicate).await);
        assert_eq!(begin(&ledger, &guard, "a2", &standing).await, Begun::Moved, "the claim is another live order's");
        assert_eq!(begin(&ledger, &guard, "a2", &new(2)).await, Begun::Moved, "a live order without a claim stands");

        let now = seen(&ledger, &claimed).await;
        ledger.retire(&guard, &now, RetireHow::Cancel, "duplicate-order", at(2)).await.unwrap();
        assert_eq!(begun(&ledger, &guard, "a3", &standing).await.order, duplicate, "it gets the free claim");
    }
}

#[tokio::test]
async fn a_table_that_somebody_else_made_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        create(&url);
        execute(&url, "CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
        let ledger = SqlLedger::open(&url, Mapping::own()).await.unwrap();
        let Err(LedgerError::Rejected(text)) = ledger.prepare(7).await else { panic!("it was taken for ours") };
        assert!(text.contains("environments.yaml"), "{text}");
        assert_eq!(ledger.identity().await.unwrap(), None, "nothing was made");
    }
}

/// An application's table: ids of the database, its own words, exact decimals, no tournament, no currency.
fn adopted(typed: fn(&str) -> Codec) -> Mapping {
    let column = Column::new;
    Mapping {
        table: vec!["purchases".to_owned()],
        columns: Columns {
            id: Column::integer("id"),
            player: Column::integer("user"),
            fee: Column::integer("product"),
            amount: column("price", typed("numeric")),
            status: column("state", typed("purchase_state")),
            session: Column::text("session"),
            payment_intent: Column::text("intent"),
            tournament: None,
            currency: None,
            url: None,
            expires_at: None,
            created_at: None,
            updated_at: None,
        },
        ids: IdSource::Database,
        statuses: StatusWords {
            pending: vec!["NEW".to_owned()],
            paid: vec!["PAID".to_owned()],
            canceled: vec!["VOID".to_owned()],
            refunded: Vec::new(),
        },
        amount: AmountUnit::Major,
        currency: Some(usd()),
        insert: vec![(Column::text("source"), "tourney".to_owned())],
        make_table: false,
        since: None,
        removable: true,
        capital_currency: false,
    }
}

#[tokio::test]
async fn another_table_is_only_another_mapping() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        let sqlite = url.starts_with("sqlite");
        create(&url);
        if !sqlite {
            execute(&url, "CREATE TYPE purchase_state AS ENUM ('NEW', 'PAID', 'VOID')").await;
        }
        let (id, price, state) = if sqlite {
            ("INTEGER PRIMARY KEY AUTOINCREMENT", "TEXT", "TEXT")
        } else {
            ("INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "NUMERIC(10, 2)", "purchase_state")
        };
        let sql = format!(
            "CREATE TABLE purchases (id {id}, \"user\" INTEGER NOT NULL, product INTEGER NOT NULL, price {price} NOT NULL, \
             state {state} NOT NULL, session VARCHAR(99), intent VARCHAR(99), source VARCHAR(9) NOT NULL)"
        );
        execute(&url, &sql).await;
        let mapping = adopted(if sqlite {
            |_| Codec::Text
        } else {
            |name| Codec::Typed(TypeName { parts: vec![name.to_owned()], holds: Holds::Anything })
        });
        let ledger = SqlLedger::open(&url, mapping).await.unwrap();
        let guard = prepared(&ledger).await;

        let registration = Registration { player: PlayerId(Id::Int(1)), fee: FeeId(Id::Int(5)) };
        let amount = Money::new(5550, usd());
        let attempt = begun(&ledger, &guard, "a1", &AttemptFor::New { registration, amount }).await;
        assert_eq!(attempt.order, OrderId(Id::Int(1)), "the database gave the id");
        assert_eq!(attempt.request, "metadata[order_id]=1");
        let session = support::payable("cs_test_1", amount);
        assert_eq!(ledger.record_session(&guard, &attempt.id, &session).await.unwrap(), Written::Done);
        let row = ledger.raw_row(&attempt.order).await.unwrap().unwrap();
        assert_eq!((row["price"].as_str(), row["state"].as_str(), row["source"].as_str()), ("55.50", "NEW", "tourney"));

        let facts = ledger.read(&Scope { fees: vec![FeeId(Id::Int(5))], ..scope() }).await.unwrap();
        assert_eq!((facts.orders.len(), facts.orders[0].amount), (1, amount));
        let others = [FeeId(Id::Int(5)), FeeId(Id::Int(6))].map(|fee| Scope { fees: vec![fee], ..scope() });
        for scope in &others {
            assert_eq!(ledger.read(scope).await.unwrap().orders.len(), 1, "what is claimed stays in scope");
        }
        let other = Scope { tournament: TournamentId(Id::Int(2)), ..others[1].clone() };
        assert_eq!(ledger.read(&other).await.unwrap().orders, []);
        assert_eq!(ledger.search("no-integer").await.unwrap(), []);
        let now = seen(&ledger, &attempt.order).await;
        assert_eq!(ledger.retire(&guard, &now, RetireHow::Cancel, "withdrawn", at(2)).await.unwrap(), Written::Done);
        assert_eq!(status(&ledger, &attempt.order).await, Some(OrderStatus::Canceled));
        let second = begun(&ledger, &guard, "a2", &AttemptFor::New { registration: now.registration, amount }).await;
        let intent = PaymentIntentId::from("pi_1");
        let pending = seen(&ledger, &second.order).await;
        assert_eq!(ledger.mark_paid(&pending, Some(&intent)).await.unwrap(), Written::Done);
        let refused = ledger.mark_refunded(&seen(&ledger, &second.order).await).await;
        assert!(matches!(refused, Err(LedgerError::Rejected(_))), "there is no word for it: {refused:?}");
    }
}

#[tokio::test]
async fn two_first_runs_make_one_ledger() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        let runs = (0..4).map(|id| {
            let url = &url;
            async move { SqlLedger::open(url, Mapping::own()).await.unwrap().prepare(id).await.unwrap() }
        });
        let made = futures_util::future::join_all(runs).await;
        assert!(made.iter().all(|identity| *identity == made[0]), "{made:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_nothing_behind() {
    let Some(url) = support::database() else { return };
    let ledger = SqlLedger::open(&url, Mapping::own()).await.unwrap();
    let guard = prepared(&ledger).await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN").execute(&mut other).await.unwrap();
    sqlx::query("SELECT fence FROM tourney_lock FOR UPDATE").execute(&mut other).await.unwrap();

    let render = |_: &OrderId| Rendered { body: String::new(), expires_at: None };
    let (tournament, attempt, subject) = (cup(), AttemptId::from("a1"), new(1));
    let begun = ledger.begin_attempt(&guard, &tournament, &attempt, &subject, at(1), &render);
    let cut = async {
        let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while sqlx::query(waiting).fetch_all(&mut other).await.unwrap().is_empty() {
            sqlx::query("SELECT pg_stat_clear_snapshot()").execute(&mut other).await.unwrap();
        }
        sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    };
    let (cut_off, ()) = futures_util::future::join(begun, cut).await;
    assert!(matches!(cut_off, Err(LedgerError::NotDone(_))), "{cut_off:?}");
    assert_eq!(ledger.read(&scope()).await.unwrap().orders, []);
    assert!(matches!(begin(&ledger, &guard, "a1", &subject).await, Begun::Begun(_)), "repeated, it is done");
}

#[tokio::test]
async fn a_url_that_cannot_work_is_refused_without_its_password() {
    for url in ["mysql://u:hunter2@h/db", "postgres://u:hunter2@h:port/db", "sqlite://:memory:", "hunter2"] {
        let Err(error) = SqlLedger::open(url, Mapping::own()).await else { panic!("{url} was opened") };
        assert!(matches!(error, LedgerError::Rejected(_)), "{error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

/// A database of each kind.
fn urls(folder: &Path) -> Vec<String> {
    let sqlite = format!("sqlite://{}", folder.join("orders.db").display());
    std::iter::once(sqlite).chain(support::database()).collect()
}

/// Makes the empty file of a SQLite database.
fn create(url: &str) {
    if let Some(path) = url.strip_prefix("sqlite://") {
        std::fs::write(path, "").unwrap();
    }
}

/// What another program writes.
async fn execute(url: &str, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
