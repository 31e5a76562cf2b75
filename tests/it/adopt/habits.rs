//! Tables as other stacks make them: ids that are UUIDs or texts, amounts in dollars, statuses in other words or numbers,
//! times of every kind, none as an empty text.

use serde_json::json;

use super::app::{environment, script, tables};
use crate::story::club::Club;
use crate::story::on_both;

on_both!(
    uuids_dollars_capitals_and_empty_texts,
    statuses_as_numbers_and_times_as_milliseconds,
    ids_as_text_and_times_as_text,
    a_status_that_nobody_mapped_is_named,
    several_words_may_mean_one_status,
    dollars_are_never_taken_for_cents,
);

/// One table: how it is made on each database, how it is mapped, and how a row looks that is there already.
struct Habit {
    postgres: &'static str,
    sqlite: &'static str,
    mapping: &'static str,
    /// Behind `INSERT INTO orders VALUES `, with `SESSION` for a session's id.
    row: &'static str,
    /// A row that the application made before the season: never looked at, never touched.
    old: &'static str,
}

/// Bills, verifies with tourney's own receiver, is paid; gives every row as the texts of `columns`.
fn lives(club: &Club, habit: &Habit, columns: &str) -> Vec<Vec<Option<String>>> {
    script(club, if club.is_sqlite() { habit.sqlite } else { habit.postgres });
    let session =
        club.script_makes(json!({"amount": 5500, "created_seconds_ago": 604_800, "expired_seconds_ago": 518_400}));
    script(club, &format!("INSERT INTO orders VALUES {}", habit.row.replace("SESSION", &session)));
    script(club, &format!("INSERT INTO orders VALUES {}", habit.old));
    let old = "SELECT session FROM orders WHERE session LIKE 'cs_old%'";
    club.folder.write("environments.yaml", &environment(habit.mapping));
    club.folder.write(
        "environments.yaml",
        &club.folder.read("environments.yaml").replace("player: 1, fee: 5", "player: 77, fee: 5"),
    );
    club.plans(&[
        "1001/5 replace expired-session missing-metadata",
        "1002/6 create missing-order",
        "1003/5 create missing-order",
    ]);
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    let verdict = club.tourney(["verify", "--json"]).run().expect(0).json();
    assert_eq!(verdict["passed"], true, "{verdict:#}");
    let links = club.tourney(["status", "--json"]).run().expect(0).json();
    let paid = links["registrations"][1]["session_id"].as_str().unwrap().to_owned();
    let intent = club.pay(&paid);
    club.plans(&["1002/6 record_payment unrecorded-payment"]);
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.stripe("refunds", Some(&format!("payment_intent={intent}")));
    club.plans(&["1002/6 record_refund refunded-at-stripe"]);
    let decides = ["1002/6 attention settled-before"];
    club.tourney(["apply", "--yes"]).run().expect(3);
    club.plans(&decides);
    club.remove_player("1003");
    club.tourney(["apply", "--yes", "--allow-mass-retire"]).run().expect(3);
    club.plans(&decides);
    assert_eq!(club.sql(old), [[Some("cs_old".to_owned())]], "last season's row is what it was");
    club.sql(&format!("SELECT {columns} FROM orders WHERE session <> 'cs_old' ORDER BY player, state"))
}

fn is(row: &[Option<String>], expected: &[&str]) -> bool {
    row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).eq(expected.iter().copied())
}

fn uuids_dollars_capitals_and_empty_texts(club: &Club) {
    let habit = Habit {
        postgres: "CREATE TABLE orders (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), player BIGINT NOT NULL, \
            product SMALLINT NOT NULL, price NUMERIC(10,2) NOT NULL, state VARCHAR(12) NOT NULL, \
            session VARCHAR(255) NOT NULL, intent VARCHAR(255) NOT NULL, money CHAR(3) NOT NULL, \
            made TIMESTAMP NOT NULL, changed DATE, gift BOOLEAN NOT NULL, extra JSONB NOT NULL)",
        sqlite: "CREATE TABLE orders (id CHAR(32) PRIMARY KEY, player BIGINT NOT NULL, product SMALLINT NOT NULL, \
            price DECIMAL(10,2) NOT NULL, state VARCHAR(12) NOT NULL, session VARCHAR(255) NOT NULL, \
            intent VARCHAR(255) NOT NULL, money CHAR(3) NOT NULL, made DATETIME NOT NULL, changed DATETIME, \
            gift BOOLEAN NOT NULL, extra JSON NOT NULL)",
        mapping: "    table: orders
    since: 2026-01-01
    columns: { id: id, player: player, fee: product, amount: price, status: state, session: session,
      payment_intent: intent, currency: money, created_at: made, updated_at: changed }
    amount_unit: major
    statuses: { pending: NEW, paid: PAID, canceled: VOID, refunded: BACK }
    insert: { gift: false, extra: '{\"by\": \"tourney\"}' }
",
        row: "('5a3f6c1e9b7d4e21a0c4f2d6b8e91357', 1001, 5, 55.00, 'NEW', 'SESSION', '', 'USD', \
            '2026-03-01 09:00:00.123456', NULL, FALSE, '{}')",
        old: "('6a3f6c1e9b7d4e21a0c4f2d6b8e91357', 1001, 5, 55.00, 'DRAFT', 'cs_old', '', 'USD', \
            '2025-03-01 09:00:00.123456', NULL, FALSE, '{}')",
    };
    let columns = "CAST(player AS TEXT), CAST(price AS TEXT), state, CAST(money AS TEXT), intent, \
                   CAST(LENGTH(CAST(id AS TEXT)) AS TEXT)";
    let rows = lives(club, &habit, columns);
    let (length, elite) = if club.is_sqlite() { ("32", "55") } else { ("36", "55.00") };
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(is(&rows[0], &["1001", elite, "NEW", "USD", "", length]), "{rows:?}");
    assert!(is(&rows[1], &["1001", elite, "VOID", "USD", "", length]), "{rows:?}");
    assert_eq!(rows[2][2].as_deref(), Some("BACK"), "{rows:?}");
    assert_eq!(rows[3][2].as_deref(), Some("VOID"), "{rows:?}");
}

fn statuses_as_numbers_and_times_as_milliseconds(club: &Club) {
    let habit = Habit {
        postgres: "CREATE TABLE orders (id UUID PRIMARY KEY, player INTEGER NOT NULL, product INTEGER NOT NULL, \
            cents NUMERIC NOT NULL, state SMALLINT NOT NULL, session TEXT, intent TEXT, made BIGINT NOT NULL, cup TEXT)",
        sqlite: "CREATE TABLE orders (id TEXT PRIMARY KEY, player INTEGER NOT NULL, product INTEGER NOT NULL, \
            cents NUMERIC NOT NULL, state SMALLINT NOT NULL, session TEXT, intent TEXT, made BIGINT NOT NULL, cup TEXT)",
        mapping: "    table: orders
    columns: { id: id, player: player, fee: product, amount: cents, status: state, session: session,
      payment_intent: intent, created_at: made, tournament: cup }
    statuses: { pending: 0, paid: 1, canceled: 2, refunded: 3 }
",
        row: "('5a3f6c1e-9b7d-4e21-a0c4-f2d6b8e91357', 1001, 5, 5500, 0, 'SESSION', NULL, 1772355600000, 'cup')",
        old: "('6a3f6c1e-9b7d-4e21-a0c4-f2d6b8e91357', 1001, 5, 5500, 7, 'cs_old', NULL, 1772355600000, 'older')",
    };
    let columns = "CAST(player AS TEXT), CAST(cents AS TEXT), CAST(state AS TEXT), cup, \
                   CAST(LENGTH(CAST(id AS TEXT)) AS TEXT), CAST(LENGTH(CAST(made AS TEXT)) AS TEXT)";
    let rows = lives(club, &habit, columns);
    assert!(is(&rows[0], &["1001", "5500", "0", "cup", "36", "13"]), "{rows:?}");
    assert!(is(&rows[1], &["1001", "5500", "2", "cup", "36", "13"]), "{rows:?}");
    // Numbers that stand crosswise say nothing by themselves; what tourney has canceled does.
    let right = club.folder.read("environments.yaml");
    let refused = |statuses: &str| {
        let text = right.replace("{ pending: 0, paid: 1, canceled: 2, refunded: 3 }", statuses);
        club.folder.write("environments.yaml", &text);
        super::app::error(&club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(1), "bad-mapping")
            .to_string()
    };
    for crosswise in
        ["{ pending: 0, paid: 2, canceled: 1, refunded: 3 }", "{ pending: 2, paid: 1, canceled: 0, refunded: 3 }"]
    {
        let told = refused(crosswise);
        assert!(told.contains("none of the orders that tourney has canceled"), "{told}");
    }
}

fn ids_as_text_and_times_as_text(club: &Club) {
    let habit = Habit {
        postgres: "CREATE TABLE orders (id TEXT PRIMARY KEY, player TEXT NOT NULL, product TEXT NOT NULL, \
            cents BIGINT NOT NULL, state TEXT NOT NULL, session TEXT, intent TEXT, made TEXT NOT NULL)",
        sqlite: "CREATE TABLE orders (id TEXT PRIMARY KEY, player TEXT NOT NULL, product TEXT NOT NULL, \
            cents BIGINT NOT NULL, state TEXT NOT NULL, session TEXT, intent TEXT, made TEXT NOT NULL)",
        mapping: "    table: orders
    since: 2026-01-01
    columns: { id: id, player: player, fee: product, amount: cents, status: state, session: session,
      payment_intent: intent, created_at: made }
    statuses: { pending: open, paid: paid, canceled: closed, refunded: back }
",
        row: "('web-1', '1001', '5', 5500, 'open', 'SESSION', NULL, '2026-03-01T09:00:00+00:00')",
        old: "('web-0', '1001', '5', 5500, 'draft', 'cs_old', NULL, '2025-03-01T09:00:00+00:00')",
    };
    let rows = lives(club, &habit, "player, state, SUBSTR(id, 1, 4), SUBSTR(made, 11, 1), SUBSTR(made, 20)");
    assert!(is(&rows[0], &["1001", "closed", "web-", "T", "+00:00"]), "{rows:?}");
    assert!(is(&rows[1], &["1001", "open", "ord_", "T", "+00:00"]), "{rows:?}");
}

fn a_status_that_nobody_mapped_is_named(club: &Club) {
    super::app::installed(club);
    let text = club.folder.read("environments.yaml").replace(", refunded: refunded }", " }");
    club.folder.write("environments.yaml", &text);
    script(
        club,
        "INSERT INTO orders (player_id, product_id, amount_cents, status, source, created_at) VALUES
         (1001, 5, 5500, 'refunded', 'web', '2026-02-01 10:00:00'), (2001, 99, 5500, 'refunded', 'web', '2026-02-01 10:00:00')",
    );
    let outcome = club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(1);
    let error = super::app::error(&outcome, "bad-mapping");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("\"refunded\" (1)") && message.contains("under `statuses`"), "{error:#}");
    let doctor = club.untouched(|| club.tourney(["doctor", "--json"]).run()).expect(1).json();
    let mapping = doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "mapping").unwrap();
    assert!(mapping["passed"] == false && mapping["detail"].to_string().contains("refunded"), "{doctor:#}");
}

/// Orders that a job of the application's has marked as expired are replaced like the pending ones that they are, and those
/// it has shipped are paid.
fn several_words_may_mean_one_status(club: &Club) {
    super::app::installed(club);
    let states = "'pending', 'expired', 'paid', 'shipped', 'canceled', 'void'";
    if club.is_sqlite() {
        let word = "CHECK (status IN ('pending', 'paid', 'canceled', 'refunded'))";
        let table = super::app::SQLITE.split("CREATE TABLE ").find(|text| text.starts_with("orders ")).unwrap();
        let table = table.replace(word, &format!("CHECK (status IN ({states}))"));
        script(club, &format!("DROP TABLE receipts; DROP TABLE orders; CREATE TABLE {table}"));
    } else {
        script(
            club,
            &format!(
                "CREATE TYPE state AS ENUM ({states}); ALTER TABLE orders ALTER status DROP DEFAULT;
                 ALTER TABLE orders ALTER status TYPE state USING CAST(CAST(status AS TEXT) AS state)"
            ),
        );
    }
    let session =
        club.script_makes(json!({"amount": 5500, "created_seconds_ago": 604_800, "expired_seconds_ago": 518_400}));
    script(
        club,
        &format!(
            "INSERT INTO orders (player_id, product_id, amount_cents, status, source, stripe_checkout_session_id,              stripe_payment_intent_id, created_at) VALUES
             (1001, 5, 5500, 'expired', 'web', '{session}', NULL, '2026-02-01 10:00:00'),
             (1002, 6, 6500, 'shipped', 'web', NULL, NULL, '2026-02-01 10:00:00'),
             (1003, 5, 5500, 'void', 'web', NULL, NULL, '2026-02-01 10:00:00')"
        ),
    );
    let words = "{ pending: [pending, expired], paid: [paid, shipped], canceled: [canceled, void] }";
    let mapping =
        super::app::MAPPING.replace("{ pending: pending, paid: paid, canceled: canceled, refunded: refunded }", words);
    club.folder.write("environments.yaml", &environment(&mapping));
    club.plans(&["1001/5 replace expired-session missing-metadata", "1003/5 attention settled-before"]);
    club.tourney(["apply", "--yes"]).run().expect(3);
    club.plans(&["1003/5 attention settled-before"]);
    let rows = club.sql("SELECT CAST(player_id AS TEXT), CAST(status AS TEXT) FROM orders ORDER BY id");
    let states: Vec<_> = rows.iter().map(|row| row[1].as_deref().unwrap_or_default()).collect();
    assert_eq!(states, ["canceled", "shipped", "void", "pending"], "the first word is written: {rows:?}");
    let twice = mapping.replace("[canceled, void]", "[canceled, shipped]");
    club.folder.write("environments.yaml", &environment(&twice));
    let error = super::app::error(&club.tourney(["plan", "--json"]).run().expect(1), "bad-mapping");
    assert!(error.to_string().contains("stands for paid and for canceled"), "{error:#}");
    club.folder.write("environments.yaml", &environment(&mapping.replace("[canceled, void]", "[]")));
    let error = super::app::error(&club.tourney(["plan", "--json"]).run().expect(1), "bad-environments");
    assert!(error.to_string().contains("this list is empty"), "{error:#}");
}

fn dollars_are_never_taken_for_cents(club: &Club) {
    super::app::installed(club);
    script(
        club,
        "ALTER TABLE orders ADD COLUMN price NUMERIC;
         INSERT INTO orders (player_id, product_id, amount_cents, price, status, source, created_at) VALUES
         (1001, 5, 5550, 55.50, 'pending', 'web', '2026-02-01 10:00:00')",
    );
    let text = club.folder.read("environments.yaml").replace("amount: amount_cents", "amount: price");
    let text = text.replace("{ source: tourney }", "{ source: tourney, amount_cents: 0 }");
    club.folder.write("environments.yaml", &text);
    let outcome = club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(1);
    let error = super::app::error(&outcome, "bad-mapping");
    assert!(error["message"].as_str().unwrap().contains("`amount_unit: major`"), "{error:#}");
}

/// A table of another schema, with names and a type that only quotes keep as they are, and a domain for its amounts.
#[test]
fn another_schema_with_names_in_capitals() {
    let Some(club) = Club::on_postgres() else { return };
    script(
        &club,
        "CREATE SCHEMA shop;
         CREATE TYPE shop.\"OrderState\" AS ENUM ('Open', 'Paid', 'Void');
         CREATE DOMAIN shop.cents AS INTEGER CHECK (VALUE >= 0);
         CREATE TABLE shop.\"Order\" (\"orderId\" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"playerId\" INTEGER NOT NULL,
            \"feeId\" INTEGER NOT NULL, \"user\" shop.cents NOT NULL, \"State\" shop.\"OrderState\" NOT NULL,
            \"sessionId\" VARCHAR(255), \"intentId\" VARCHAR(255), url VARCHAR(20), \"createdAt\" TIMESTAMP(3) NOT NULL,
            \"updatedAt\" TIMESTAMP(3) NOT NULL)",
    );
    club.folder.write(
        "environments.yaml",
        &environment(
            "    table: shop.Order
    since: 2026-01-01
    columns: { id: orderId, player: playerId, fee: feeId, amount: user, status: State, session: sessionId,
      payment_intent: intentId, url: url, created_at: createdAt, updated_at: updatedAt }
    statuses: { pending: Open, paid: Paid, canceled: Void }
",
        ),
    );
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    club.tourney(["verify"]).run().expect(0);
    let rows = club.sql("SELECT CAST(\"State\" AS TEXT), url, CAST(\"user\" AS TEXT) FROM shop.\"Order\" ORDER BY 3");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(is(&rows[0], &["Open", "NULL", "5500"]), "a link that is too long is left out: {rows:?}");
    // docs/ADOPTING.md says where tourney's own tables are, whatever the schema of the orders.
    assert!(tables(&club).contains(&"tourney_ledger".to_owned()), "{:?}", tables(&club));
}

/// A trigger that keeps a row as it is says nothing: it is named, and not taken for a change by the application.
#[test]
fn a_write_that_is_silently_undone_is_named() {
    let Some(club) = Club::on_postgres() else { return };
    super::app::installed(&club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    // Statements are told apart by semicolons: the function is one with its own quotes.
    club.sql("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$");
    club.sql("CREATE TRIGGER keep BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION keep()");
    club.remove_player("1003");
    let applied = club.tourney(["apply", "--yes", "--allow-mass-retire", "--json"]).run().expect(1).json();
    let told = applied["results"][0]["error"].to_string();
    assert!(told.contains("does not let it be written") && told.contains("trigger"), "{applied:#}");
    club.sql("DROP TRIGGER keep ON orders");
    club.tourney(["apply", "--yes", "--allow-mass-retire"]).run().expect(0);
    club.plans(&[]);
}
