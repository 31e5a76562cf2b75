//! Mappings that cannot work, from `wrong.txt`: each is named at `plan`, with what to write, before anything is written.

use serde_json::Value;

use super::app::{MAPPING, environment, error, installed, script};
use crate::story::club::Club;
use crate::story::on_both;
use crate::support::Outcome;

on_both!(
    each_is_named_before_anything_is_written,
    all_that_is_wrong_is_told_at_once,
    the_doctor_judges_the_mapping_too
);

/// One case: its name, and its lines as key and rest.
type Case = (String, Vec<(String, String)>);

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in include_str!("wrong.txt").lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        match line.strip_prefix("== ") {
            Some(name) => cases.push((name.to_owned(), Vec::new())),
            None => {
                let (key, rest) = line.split_at(6);
                cases.last_mut().unwrap().1.push((key.trim().to_owned(), rest.to_owned()));
            }
        }
    }
    cases
}

/// Every change of a kind, done to a text in the one place where it belongs.
#[track_caller]
fn changed(text: &str, case: &Case, kind: &str) -> String {
    let mut text = text.to_owned();
    for (_, change) in case.1.iter().filter(|(key, _)| key == kind) {
        let (before, after) = change.split_once(" =>").unwrap();
        let before = before.replace("\\n", "\n");
        assert_eq!(text.matches(&before).count(), 1, "{}: {before:?} in {text}", case.0);
        text = text.replace(&before, &after.strip_prefix(' ').unwrap_or_default().replace("\\n", "\n"));
    }
    text
}

fn all<'a>(case: &'a Case, kind: &'a str) -> impl Iterator<Item = &'a str> {
    case.1.iter().filter(move |(key, _)| key == kind).map(|(_, rest)| rest.as_str())
}

#[track_caller]
fn refused(outcome: Outcome, code: &str) -> Value {
    error(&outcome.expect(1), code)
}

fn the_doctor_judges_the_mapping_too(club: &Club) {
    installed(club);
    let mapping = |exit| {
        let checks = club.untouched(|| club.tourney(["doctor", "-e", "test", "--json"]).run().expect(exit)).json();
        checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "mapping").unwrap().clone()
    };
    let good = mapping(0);
    assert_eq!(good["passed"], true);
    assert_eq!(
        good["detail"].as_str().unwrap().contains("SELECT, INSERT, UPDATE, DELETE"),
        !club.is_sqlite(),
        "{good:#}"
    );
    let wrong = MAPPING.replace("amount: amount_cents", "amount: price").replace("paid: paid", "paid: settled");
    club.folder.write("environments.yaml", &environment(&wrong));
    let check = mapping(1);
    let lines: Vec<&str> = check["detail"].as_str().unwrap().lines().collect();
    assert!(check["passed"] == false && lines[0].starts_with("orders.columns.amount: "), "{check:#}");
    assert!(lines.iter().any(|line| line.starts_with("orders.statuses.paid: ")), "{check:#}");
    std::fs::remove_file(club.folder.path("tournament.yaml")).unwrap();
    club.folder.write("environments.yaml", &environment(MAPPING));
    assert!(mapping(0)["detail"].as_str().unwrap().contains("no manifest was read"));
}

fn each_is_named_before_anything_is_written(club: &Club) {
    installed(club);
    let manifest = club.folder.read("tournament.yaml");
    let kind = if club.is_sqlite() { "sqlite" } else { "postgres" };
    let cases: Vec<Case> = cases().into_iter().filter(|case| all(case, "on").all(|on| on == kind)).collect();
    assert!(cases.len() >= 30, "{}", cases.len());
    for case in &cases {
        all(case, "sql").for_each(|sql| script(club, sql));
        club.folder.write("environments.yaml", &environment(&changed(MAPPING, case, "map")));
        club.folder.write("tournament.yaml", &changed(&manifest, case, "file"));
        let outcome = club.untouched(|| club.tourney(["plan", "--json"]).run());
        let error = refused(outcome, all(case, "code").next().unwrap_or("bad-mapping"));
        let told = error.to_string().to_lowercase();
        for said in all(case, "says") {
            let said = Value::from(said).to_string().to_lowercase();
            assert!(told.contains(said.trim_matches('"')), "{}: {said} in {error:#}", case.0);
        }
        all(case, "undo").for_each(|sql| script(club, sql));
    }
    // What was right before is right still.
    club.folder.write("environments.yaml", &environment(MAPPING));
    club.folder.write("tournament.yaml", &manifest);
    club.tourney(["plan"]).run().expect(0);
}

fn all_that_is_wrong_is_told_at_once(club: &Club) {
    installed(club);
    let mapping = MAPPING
        .replace("player: player_id", "player: playerid")
        .replace("canceled: canceled", "canceled: cancelled")
        .replace("insert: { source: tourney }", "insert: { sauce: tourney }")
        .replace("payment_intent: stripe_payment_intent_id", "payment_intent: amount_cents");
    club.folder.write("environments.yaml", &environment(&mapping));
    for command in [&["plan"][..], &["apply", "--yes"], &["verify"], &["status"], &["links"]] {
        let args: Vec<&str> = command.iter().copied().chain(["--json"]).collect();
        let outcome = club.untouched(|| club.at_home(club.folder.tourney(args)).run());
        let error = refused(outcome, "bad-mapping");
        let paths: Vec<&str> =
            error["details"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
        for path in ["orders.columns.player", "orders.statuses.canceled", "orders.insert.sauce", "orders.insert"] {
            assert!(paths.contains(&path), "{path} in {error:#}");
        }
        assert!(error["message"].as_str().unwrap().lines().count() > 5, "{error:#}");
    }
    let shown = club.tourney(["plan"]).run().expect(1).stderr;
    assert!(shown.contains("playerid") && shown.contains("cancelled") && shown.contains("sauce"), "{shown}");
}

/// A user of the database who may do less than is needed.
#[test]
fn a_right_that_is_missing_is_named() {
    let Some(club) = Club::on_postgres() else { return };
    installed(&club);
    script(&club, "CREATE ROLE clerk LOGIN; GRANT SELECT, UPDATE ON orders TO clerk; GRANT SELECT ON players TO clerk");
    let as_clerk = |args: [&str; 2]| {
        let url = club.database().replace("postgres@", "clerk@");
        club.folder
            .tourney(args)
            .env("TOURNEY_ENV", "test")
            .env("DATABASE_URL", url)
            .env("STRIPE_SECRET_KEY", tourney::sandbox::SECRET_KEY)
            .run()
    };
    let told = refused(club.untouched(|| as_clerk(["plan", "--json"])), "bad-mapping").to_string();
    for said in
        ["the right to INSERT is missing", "orders_id_seq", "GRANT USAGE ON SEQUENCE", "CREATE ON SCHEMA public"]
    {
        assert!(told.contains(said), "{said} in {told}");
    }
    script(&club, "REVOKE SELECT (id), SELECT ON orders FROM clerk");
    let told = refused(club.untouched(|| as_clerk(["plan", "--json"])), "bad-mapping").to_string();
    assert!(told.contains("the right to SELECT is missing"), "{told}");
    club.append("policy: {retire: delete}");
    let told = refused(club.untouched(|| as_clerk(["plan", "--json"])), "bad-mapping").to_string();
    assert!(told.contains("the right to DELETE is missing"), "{told}");
    script(&club, "CREATE SCHEMA shop; CREATE TABLE shop.orders (LIKE orders); GRANT ALL ON shop.orders TO clerk");
    let mapping = MAPPING.replace("table: orders", "table: shop.orders");
    club.folder.write("environments.yaml", &environment(&mapping));
    let told = refused(club.untouched(|| as_clerk(["plan", "--json"])), "bad-mapping").to_string();
    assert!(told.contains("the right to USAGE of the schema shop is missing; GRANT USAGE ON SCHEMA shop"), "{told}");
    script(&club, "DROP OWNED BY clerk; DROP ROLE clerk");
}

/// Row-level security would hide orders, and they would be made again.
#[test]
fn rows_that_may_be_hidden_are_refused() {
    let Some(club) = Club::on_postgres() else { return };
    installed(&club);
    script(
        &club,
        "CREATE ROLE guest LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO guest;
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO guest; GRANT CREATE ON SCHEMA public TO guest",
    );
    let url = club.database().replace("postgres@", "guest@");
    let plan =
        || club.untouched(|| club.at_home(club.folder.tourney(["plan", "--json"])).env("DATABASE_URL", &url).run());
    plan().expect(0);
    script(&club, "ALTER TABLE orders ENABLE ROW LEVEL SECURITY");
    let told = refused(plan(), "bad-mapping").to_string();
    assert!(told.contains("row-level security is active on orders") && told.contains("BYPASSRLS"), "{told}");
    script(&club, "DROP OWNED BY guest; ALTER ROLE guest BYPASSRLS; GRANT ALL ON ALL TABLES IN SCHEMA public TO guest");
    script(&club, "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO guest; GRANT CREATE ON SCHEMA public TO guest");
    plan().expect(0);
    script(&club, "DROP OWNED BY guest; DROP ROLE guest");
}
