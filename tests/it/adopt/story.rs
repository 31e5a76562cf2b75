//! The incident in an application's own database: planned, put right, verified, paid; nothing else is touched.

use serde_json::{Value, json};

use super::app::{digest, error, incident, installed, live, other_rows, script, tables};
use crate::story::application::{Application, Handler, SECRET};
use crate::story::club::{Club, run_sql};
use crate::story::on_both;
use crate::support::assert_valid;

on_both!(
    the_incident_is_put_right_in_the_application_s_own_table,
    an_application_that_writes_meanwhile_is_observed_again,
    an_application_that_cancels_during_an_apply_has_its_way,
    what_other_rows_refer_to_is_canceled_and_not_deleted,
    an_order_of_another_tournament_is_an_overlap,
    a_copied_manifest_that_kept_its_id_is_noticed,
    a_player_whom_the_application_does_not_know_is_named,
    what_was_billed_stays_in_scope,
);

fn the_incident_is_put_right_in_the_application_s_own_table(club: &Club) {
    installed(club);
    other_rows(club);
    let others = digest(club);
    let before = tables(club);
    let players = incident(club);
    assert_eq!((tables(club), digest(club)), (before.clone(), others.clone()), "plan makes nothing");

    let expected: Vec<String> = players
        .iter()
        .map(|(player, fee)| format!("{player}/{fee} replace expired-session missing-metadata"))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(expected.len(), 21);
    let planned = club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(0).json();
    assert_valid("plan", &planned);
    assert!(planned["changes"].as_array().unwrap().iter().all(|change| change["order"]["id"].is_i64()), "{planned:#}");
    club.plans(&expected);

    let applied = club.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    assert_valid("apply", &applied);
    assert_eq!(applied["proof"], json!({"live": 21, "without_order_id": []}), "{applied:#}");
    club.plans(&[]);
    assert_eq!(digest(club), others, "other rows are what they were");
    let added: Vec<String> = tables(club).into_iter().filter(|table| !before.contains(table)).collect();
    assert!(added.iter().all(|table| table.starts_with("tourney_")), "{added:?}");
    // docs/ADOPTING.md says what stays beside a SQLite file.
    let beside = std::fs::metadata(club.folder.path("orders.db.lock"));
    assert_eq!(beside.ok().map(|file| file.len()), club.is_sqlite().then_some(0));
    verifies(club);
    assert_eq!(digest(club), others, "other rows are what they were");

    let (player, fee) = &players[0];
    let (order, _, session) = live(club, player, fee);
    club.pay(session.as_deref().unwrap());
    club.plans(&[&format!("{player}/{fee} record_payment unrecorded-payment")]);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(live(club, player, fee).1, "paid");
    reads(club, player, &order);
    assert_eq!(digest(club), others, "other rows are what they were");
}

/// The audit and the round trip against the application's own handler both pass.
#[track_caller]
fn verifies(club: &Club) {
    let application = Application::start(club, Handler::default());
    let command = club.tourney(["verify", "--json", "--endpoint", application.url()]);
    let verdict = command.env("STRIPE_WEBHOOK_SECRET", SECRET).run().expect(0).json();
    assert_valid("verify", &verdict);
    let checks = verdict["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["passed"] != false), "{verdict:#}");
    let left = club.sql("SELECT CAST(id AS TEXT) FROM orders WHERE player_id = 1");
    assert_eq!(left, Vec::<Vec<_>>::new(), "the canary is gone");
    club.plans(&[]);
}

/// Every command that only looks.
#[track_caller]
fn reads(club: &Club, player: &str, order: &str) {
    let status = club.tourney(["status", "--json"]).run().expect(0).json();
    assert_eq!(status["registrations"].as_array().unwrap().len(), 21);
    let shown = club.tourney(["show", "--json", order]).run().expect(0).json();
    assert!(shown.to_string().contains("paid"), "{shown:#}");
    club.tourney(["show", player]).run().expect(0);
    let links = club.tourney(["links", "--format", "json"]).run().expect(0).json();
    assert_eq!(links["links"].as_array().unwrap().len(), 20, "{links:#}");
    let history = club.tourney(["history"]).run().expect(0).stdout;
    assert!(history.contains("apply") && history.contains("verify"), "{history}");
}

fn an_application_that_writes_meanwhile_is_observed_again(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let session = live(club, "1001", "5").2.unwrap();
    club.expire(&session);
    let saved = "changes.json";
    club.tourney(["plan", "--out", saved]).run().expect(0);
    // The application cancels the order after the plan was made, and marks another as paid in cash.
    club.sql("UPDATE orders SET status = 'canceled' WHERE player_id = 1001");
    let outcome = club.tourney(["apply", "--yes", "--json", saved]).run().expect(1);
    error(&outcome, "plan-outdated");
    club.plans(&["1001/5 attention settled-before"]);
}

fn an_application_that_cancels_during_an_apply_has_its_way(club: &Club) {
    installed(club);
    incident(club);
    let (stale, ..) = live(club, "1014", "6");
    let database = club.database().to_owned();
    // As soon as the apply has replaced its first order, the application cancels one that may still be on its way.
    let cancels = club.spawn(async move {
        let first = "SELECT order_id FROM tourney_retired LIMIT 1";
        let exists = "SELECT CAST(COUNT(*) AS TEXT) FROM orders WHERE source = 'tourney'";
        while run_sql(&database, exists).await[0][0].as_deref() == Some("0") {}
        while run_sql(&database, first).await.is_empty() {}
        let cancel = "UPDATE orders SET status = 'canceled', note = 'by hand' WHERE player_id = 1014 AND product_id = 6 \
                      AND status = 'pending'";
        run_sql(&database, cancel).await;
    });
    let outcome = club.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).run();
    club.block_on(cancels).unwrap();
    assert!([0, 1, 3].map(Some).contains(&outcome.code()), "{outcome:?}");
    let by_hand = "SELECT CAST(id AS TEXT), CAST(status AS TEXT) FROM orders WHERE note = 'by hand'";
    let rows = club.sql(by_hand);
    assert!(!rows.is_empty(), "the application found something to cancel");
    club.tourney(["apply", "--yes"]).run();
    assert_eq!(club.sql(by_hand), rows, "what the application canceled stays canceled");
    let twice = "SELECT CAST(player_id AS TEXT) FROM orders WHERE status IN ('pending', 'paid') AND product_id <> 99 \
                 GROUP BY player_id, product_id HAVING COUNT(*) > 1";
    assert_eq!(club.sql(twice), Vec::<Vec<_>>::new(), "{stale}");
    let left = club.tourney(["plan", "--json"]).run().expect(0).json();
    let changes = left["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["action"] == "attention"), "{left:#}");
}

fn what_other_rows_refer_to_is_canceled_and_not_deleted(club: &Club) {
    installed(club);
    club.append("policy: {retire: delete, max_retired: 100%}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    let (held, ..) = live(club, "1003", "5");
    let (free, ..) = live(club, "1001", "5");
    club.sql(&format!("INSERT INTO receipts (order_id) VALUES ({held})"));
    club.remove_player("1003");
    club.remove_player("1001");
    let outcome = club.tourney(["apply", "--yes", "--json"]).run().expect(1).json();
    let results = outcome["results"].as_array().unwrap();
    let failed: Vec<&Value> = results.iter().filter(|one| one["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{outcome:#}");
    assert!(failed[0]["error"].to_string().contains("retire: cancel"), "{outcome:#}");
    let gone = club.sql(&format!("SELECT CAST(id AS TEXT) FROM orders WHERE id = {free}"));
    assert_eq!(gone, Vec::<Vec<_>>::new());
    club.edit("retire: delete", "retire: cancel");
    club.tourney(["apply", "--yes"]).run().expect(0);
    let row = club.sql(&format!("SELECT CAST(status AS TEXT) FROM orders WHERE id = {held}"));
    assert_eq!(row[0][0].as_deref(), Some("canceled"));
    club.plans(&[]);
}

fn an_order_of_another_tournament_is_an_overlap(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.edit("id: cup", "id: cup-2");
    let outcome = club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(1);
    error(&outcome, "scope-overlap");
}

fn a_copied_manifest_that_kept_its_id_is_noticed(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let manifest = club.folder.read("tournament.yaml");
    let text = manifest.replace("id: 5", "id: 7").replace("fee: 5", "fee: 7");
    club.folder.write("tournament.yaml", &text.replace("id: 6", "id: 99").replace("fee: 6", "fee: 99"));
    let outcome = club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(1);
    let told = error(&outcome, "scope-overlap");
    assert!(
        told["message"].as_str().unwrap().contains("5, 6") && told["hint"].to_string().contains("copy"),
        "{told:#}"
    );
    // One with the same fees and players is told by its name: whoever paid there would not be billed here.
    club.folder.write("tournament.yaml", &manifest.replace("name: Spring Cup", "name: Summer Cup"));
    let plan = club.tourney(["plan"]).run().expect(0);
    assert!(
        plan.stdout.contains("applied as \"Spring Cup\"") && plan.stdout.contains("an id of its own"),
        "{}",
        plan.stdout
    );
    club.tourney(["apply", "--yes"]).run().expect(0);
    let plan = club.tourney(["plan"]).run().expect(0);
    assert!(!plan.stdout.contains("Spring Cup"), "{}", plan.stdout);
}

fn a_player_whom_the_application_does_not_know_is_named(club: &Club) {
    installed(club);
    // SQLite does not tell capitals in names.
    if club.is_sqlite() {
        let text = club.folder.read("environments.yaml").replace("table: orders", "table: ORDERS");
        club.folder.write("environments.yaml", &text.replace("player: player_id", "player: Player_ID"));
    }
    club.edit("id: 1002", "id: 4711");
    for command in [["plan", "--json", "--quiet"], ["apply", "--yes", "--json"]] {
        let outcome = club.untouched(|| club.tourney(command).run()).expect(1);
        let told = error(&outcome, "bad-mapping").to_string();
        assert!(told.contains("players has no row for player 4711"), "{told}");
    }
    // Nothing is made for whom nothing is owed: the application need not know such a player.
    club.edit("id: 4711, name: Blake Birch,", "id: 4711, name: Blake Birch, amount: 0.00,");
    club.tourney(["apply", "--yes"]).run().expect(0);
}

/// What tourney has billed stays in scope, whatever becomes of the mapping's bounds: it would be billed again.
fn what_was_billed_stays_in_scope(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let environments = club.folder.read("environments.yaml");
    club.folder.write("environments.yaml", &environments.replace("since: 2026-01-01", "since: 2099-01-01"));
    club.plans(&[]);
    // A fee that leaves the manifest takes its orders along: they are of players who left it.
    let manifest = club.folder.read("tournament.yaml");
    let (fee, player) = ("  - {id: 6, name: 17U Select, amount: 65.00}\n", "fee: 6}");
    assert!(manifest.contains(fee) && manifest.contains(player), "{manifest}");
    club.folder.write("tournament.yaml", &manifest.replace(fee, "").replace(player, "fee: 5}"));
    club.plans(&["1002/5 create missing-order", "1002/6 retire withdrawn"]);
    club.folder.write("tournament.yaml", &manifest);
    // Read as other registrations, all of them: nothing is planned.
    let crosswise = environments
        .replace("player: player_id", "player: product")
        .replace("fee: product_id", "fee: player_id")
        .replace("player: product\n", "player: product_id\n");
    club.folder.write("environments.yaml", &crosswise);
    script(
        club,
        "INSERT INTO products (id, name) SELECT id, name FROM players WHERE id NOT IN (5, 6, 7, 99);
         INSERT INTO players (id, name) VALUES (5, 'E'), (6, 'F'), (7, 'G')",
    );
    let outcome = club.untouched(|| club.tourney(["plan", "--json"]).run()).expect(1);
    let told = error(&outcome, "bad-mapping").to_string();
    assert!(told.contains("are `player` and `fee` mapped as they were"), "{told}");
}
