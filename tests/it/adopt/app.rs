//! The club's own application: its schema, its rows, and how it is mapped.

use serde_json::{Value, json};

use crate::story::club::Club;

/// The schema of the contract's opening on PostgreSQL.
const POSTGRES: &str = "
CREATE TYPE order_status AS ENUM ('pending', 'paid', 'canceled', 'refunded');
CREATE TABLE players (id SERIAL PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE products (id SERIAL PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE orders (
    id SERIAL PRIMARY KEY,
    player_id INTEGER NOT NULL REFERENCES players (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    amount_cents INTEGER NOT NULL,
    status order_status NOT NULL DEFAULT 'pending',
    source VARCHAR(20) NOT NULL,
    stripe_checkout_session_id VARCHAR(255) UNIQUE,
    stripe_payment_intent_id VARCHAR(255),
    checkout_url TEXT,
    note TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ
);
CREATE TABLE receipts (id SERIAL PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id));
";

/// The same on SQLite, as an ORM makes it.
pub(super) const SQLITE: &str = "
CREATE TABLE players (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    player_id INTEGER NOT NULL REFERENCES players (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    amount_cents INTEGER NOT NULL,
    status VARCHAR(10) NOT NULL CHECK (status IN ('pending', 'paid', 'canceled', 'refunded')),
    source VARCHAR(20) NOT NULL,
    stripe_checkout_session_id VARCHAR(255) UNIQUE,
    stripe_payment_intent_id VARCHAR(255),
    checkout_url TEXT,
    note TEXT,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME
);
CREATE TABLE receipts (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id));
";

/// The mapping of that schema. Tests change it as a person would.
pub(crate) const MAPPING: &str = "    table: orders
    since: 2026-01-01
    columns:
      id: id
      player: player_id
      fee: product_id
      amount: amount_cents
      status: status
      session: stripe_checkout_session_id
      payment_intent: stripe_payment_intent_id
      url: checkout_url
      created_at: created_at
      updated_at: updated_at
    statuses: { pending: pending, paid: paid, canceled: canceled, refunded: refunded }
    insert: { source: tourney }
";

/// The environment around a mapping.
pub(crate) fn environment(mapping: &str) -> String {
    format!(
        "test:
  database: {{ url_env: DATABASE_URL }}
  orders:
{mapping}  verify:
    canary: {{ player: 1, fee: 5, email: canary@club.example }}
"
    )
}

/// Runs the statements of a script, one after the other.
pub(crate) fn script(club: &Club, sql: &str) {
    if club.is_sqlite() {
        let file = club.database().trim_start_matches("sqlite://");
        std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    }
    for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        club.sql(statement);
    }
}

/// The application stands in the club's database, with the mapping beside the manifest, and no order yet. Player 1 is
/// there for tests.
pub(crate) fn installed(club: &Club) {
    script(club, if club.is_sqlite() { SQLITE } else { POSTGRES });
    script(
        club,
        "INSERT INTO products (id, name) VALUES (5, '17U Elite'), (6, '17U Select'), (7, '16U Elite'), (99, 'Hoodie');
         INSERT INTO players (id, name) VALUES (1, 'Test'), (1001, 'A'), (1002, 'B'), (1003, 'C'), (2001, 'D')",
    );
    club.folder.write("environments.yaml", &environment(MAPPING));
}

/// Rows that are nobody's business: another product's, and last season's for the same player and fee.
pub(crate) fn other_rows(club: &Club) {
    script(
        club,
        "INSERT INTO orders (player_id, product_id, amount_cents, status, source, note, created_at) VALUES
         (2001, 99, 4500, 'pending', 'shop', 'size M', '2026-02-01 10:00:00'),
         (1001, 99, 4500, 'paid', 'shop', 'size L', '2026-02-02 10:00:00'),
         (1001, 5, 5000, 'pending', 'web', 'last season', '2025-03-01 10:00:00'),
         (1002, 6, 6000, 'paid', 'web', 'last season', '2025-03-01 10:00:00')",
    );
}

/// Every column of those rows.
pub(crate) fn digest(club: &Club) -> Vec<Vec<Option<String>>> {
    club.sql(
        "SELECT CAST(id AS TEXT), CAST(player_id AS TEXT), CAST(product_id AS TEXT), CAST(amount_cents AS TEXT), \
         CAST(status AS TEXT), source, stripe_checkout_session_id, stripe_payment_intent_id, checkout_url, note, \
         CAST(created_at AS TEXT), CAST(updated_at AS TEXT) FROM orders WHERE source <> 'tourney' AND source <> 'script' ORDER BY id",
    )
}

/// The Utah Invitational stands beside the application: 21 links that scripts made in March, expired, without
/// `order_id`. Gives player and fee of each.
pub(crate) fn incident(club: &Club) -> Vec<(String, String)> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/utah-invitational.yaml");
    club.folder.write("tournament.yaml", &std::fs::read_to_string(manifest).unwrap());
    let text = club.folder.read("tournament.yaml");
    let ids = text.lines().filter_map(|line| line.trim().strip_prefix("- {id: 10"));
    for id in ids.map(|id| format!("10{}", &id[..2])) {
        script(club, &format!("INSERT INTO players (id, name) VALUES ({id}, 'Committed') ON CONFLICT DO NOTHING"));
    }
    let plan = club.tourney(["plan", "--json"]).run().expect(0).json();
    let registrations = plan["changes"].as_array().unwrap().iter().map(|change| {
        let (player, fee) = (change["player"].to_string(), change["fee"].to_string());
        let amount = change["desired"]["amount"].as_i64().unwrap();
        let past = json!({"amount": amount, "created_seconds_ago": 604_800, "expired_seconds_ago": 518_400});
        let session = club.script_makes(past);
        script(
            club,
            &format!(
                "INSERT INTO orders (player_id, product_id, amount_cents, status, source, stripe_checkout_session_id, \
                 created_at, updated_at) VALUES ({player}, {fee}, {amount}, 'pending', 'script', '{session}', \
                 '2026-03-01 09:00:00', '2026-03-01 09:00:00')"
            ),
        );
        (player, fee)
    });
    registrations.collect()
}

/// The one live order of a player for a fee since the season began: its id, its status, its session.
#[track_caller]
pub(crate) fn live(club: &Club, player: &str, fee: &str) -> (String, String, Option<String>) {
    let mut rows = club.sql(&format!(
        "SELECT CAST(id AS TEXT), CAST(status AS TEXT), stripe_checkout_session_id FROM orders WHERE player_id = {player} \
         AND product_id = {fee} AND created_at >= '2026-01-01' AND status IN ('pending', 'paid')"
    ));
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = rows.remove(0);
    (row[0].clone().unwrap(), row[1].clone().unwrap(), row[2].clone())
}

/// The tables of the database.
pub(crate) fn tables(club: &Club) -> Vec<String> {
    let sql = if club.is_sqlite() {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
    } else {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    };
    club.sql(sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// The one error of a command, which must have this code.
#[track_caller]
pub(crate) fn error(outcome: &crate::support::Outcome, code: &str) -> Value {
    let error = outcome.json()["error"].clone();
    assert_eq!(error["code"], code, "{error:#}");
    error
}
