//! The mapping of an application's players: judged by the catalogue before a row is read, and everything that cannot work is
//! told at once.

use serde_json::Value;

use super::looked_up::{PLAYERS, environment, import, installed};
use crate::adopt::app::{error, script};
use crate::story::club::Club;
use crate::story::on_both;

on_both!(
    each_mapping_that_cannot_work_is_named,
    all_that_is_wrong_is_told_at_once,
    a_view_is_as_good_as_a_table,
    more_rows_than_a_club_has_are_refused,
    the_doctor_judges_it_too,
    without_a_mapping_it_is_said_what_to_write,
);

/// What is mapped in place of [`PLAYERS`], and what is said of it, whatever the database.
const WRONG: &[(&str, &str, &str)] = &[
    ("table: players", "table: members", "players.table: there is no table members; name one that is there: "),
    ("table: players", "table: shop.players", "there is no table shop.players"),
    ("id: id", "id: number", "players.columns.id: players has no column number; name one that is there: id, "),
    ("email: parent_email", "email: mail", "players.columns.email: players has no column mail"),
    ("name: full_name", "name: [first, full_name]", "players.columns.name: players has no column first"),
    ("id: id", "id: weight", "players.columns.id: weight is of type "),
    ("id: id", "id: born", "players.columns.id: born is of type "),
    ("email: parent_email", "email: born", "players.columns.email: born is of type "),
    ("name: full_name", "name: shirt", "players.columns.name: shirt is of type integer, which cannot hold this (name)"),
    ("name: full_name", "name: weight", "players.columns.name: weight is of type "),
    ("name: full_name", "name: parent_email", "parent_email is mapped twice: email and name"),
];

/// The only error of an import, and that nothing moved.
#[track_caller]
fn refused(club: &Club, code: &str) -> Value {
    let manifest = club.folder.read("tournament.yaml");
    let outcome = club.untouched(|| import(club, &["--json"]));
    assert_eq!(club.folder.read("tournament.yaml"), manifest);
    error(&outcome.expect(1), code)
}

fn each_mapping_that_cannot_work_is_named(club: &Club) {
    installed(club);
    for (before, after, said) in WRONG {
        assert_eq!(PLAYERS.matches(before).count(), 1, "{before}");
        club.folder.write("environments.yaml", &environment(&PLAYERS.replace(before, after)));
        let error = refused(club, "bad-mapping");
        let told = error["message"].as_str().unwrap();
        assert!(told.to_lowercase().contains(&said.to_lowercase()), "{said} in {told}");
        assert!(told.contains("the application's players table cannot work, for one reason"), "{told}");
        assert!(error["hint"].as_str().unwrap().contains("`players`"), "{error:#}");
    }
    club.folder.write("environments.yaml", &environment(PLAYERS));
    import(club, &["--dry-run"]).expect(0);
}

fn all_that_is_wrong_is_told_at_once(club: &Club) {
    installed(club);
    let mapping = "    table: players\n    columns: { id: weight, email: mail, name: [first, shirt] }\n";
    club.folder.write("environments.yaml", &environment(mapping));
    let error = refused(club, "bad-mapping");
    let faults = error["details"].as_array().unwrap();
    let paths: Vec<&str> = faults.iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["players.columns.id", "players.columns.email", "players.columns.name", "players.columns.name"]);
    assert!(faults.iter().all(|fault| !fault["help"].as_str().unwrap().is_empty()));
}

/// Addresses that stand in a table of their own, names in two columns, one of them computed.
fn a_view_is_as_good_as_a_table(club: &Club) {
    installed(club);
    script(
        club,
        "CREATE TABLE guardians (player INTEGER, mail TEXT);
         INSERT INTO guardians VALUES (12, 'Mum@example.com'), (12, 'Dad@example.com');
         CREATE VIEW reachable AS SELECT players.id AS id, mail, UPPER(full_name) AS called, '' AS rest
            FROM players JOIN guardians ON guardians.player = players.id",
    );
    let mapping = "    table: reachable\n    columns: { id: id, email: mail, name: [called, rest] }\n";
    club.folder.write("environments.yaml", &environment(mapping));
    club.folder.write("roster.csv", "Name,Email,Fee\nZoe Sample,dad@example.com,5\n");
    let told = import(club, &[]).expect(0);
    assert!(told.stdout.contains("+ 12 Zoe Sample"), "{}", told.stdout);
    assert!(!told.stderr.contains("one child?"), "{}", told.stderr);
}

fn more_rows_than_a_club_has_are_refused(club: &Club) {
    installed(club);
    script(
        club,
        "INSERT INTO players (id, full_name) WITH RECURSIVE many (n) AS
            (SELECT 2001 UNION ALL SELECT n + 1 FROM many WHERE n < 102001) SELECT n, 'Somebody' FROM many",
    );
    let error = refused(club, "bad-mapping");
    assert!(error["message"].as_str().unwrap().contains("more than 100000 rows; name a view"), "{error:#}");
}

fn the_doctor_judges_it_too(club: &Club) {
    installed(club);
    let mapping = |exit| {
        let checks = club.untouched(|| club.tourney(["doctor", "--json"]).run().expect(exit)).json();
        checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "mapping").unwrap().clone()
    };
    assert_eq!(mapping(0)["passed"], true);
    club.folder.write("environments.yaml", &environment(&PLAYERS.replace("parent_email", "mail")));
    let check = mapping(1);
    let detail = check["detail"].as_str().unwrap();
    assert!(
        check["passed"] == false && detail.contains("players.columns.email: players has no column mail"),
        "{detail}"
    );
}

fn without_a_mapping_it_is_said_what_to_write(club: &Club) {
    installed(club);
    club.folder.write("environments.yaml", "test: {database: {url_env: DATABASE_URL}}\n");
    let error = refused(club, "no-players");
    assert!(
        error["hint"].as_str().unwrap().contains("players: {table: players, columns: {id: id, email: email"),
        "{error:#}"
    );
    let told = club.tourney(["import", "roster.csv", "--match", "email", "-e", "sandbox"]).run().expect(1).stderr;
    assert!(told.starts_with("sandbox · sqlite ") && told.contains("with -e"), "{told}");
    let told = club.folder.tourney(["import", "roster.csv", "--match", "email", "--json"]).run().expect(64).json();
    assert_eq!(told["error"]["code"], "environment-required");
    for args in [
        &["--match", "name"][..],
        &["--match", "Email"],
        &["--match", ""],
        &["--match"],
        &["--match=email", "--match=email"],
    ] {
        let words = [&["import", "roster.csv", "--json"][..], args].concat();
        let told = club.at_home(club.folder.tourney(words)).run().expect(64).json();
        assert_eq!(told["error"]["code"], "usage", "{args:?}");
    }
}

/// A user of the database who may read the one column and not the other, and then not enter the schema.
#[test]
fn a_right_that_is_missing_is_named() {
    let Some(club) = Club::on_postgres() else { return };
    installed(&club);
    script(&club, "CREATE ROLE reader LOGIN; GRANT SELECT (id, full_name) ON players TO reader");
    let as_reader = || {
        let url = club.database().replace("postgres@", "reader@");
        let words = ["import", "roster.csv", "--match", "email", "--json"];
        club.folder.tourney(words).env("TOURNEY_ENV", "test").env("DATABASE_URL", url).run()
    };
    let told = error(&as_reader().expect(1), "bad-mapping").to_string();
    assert!(
        told.contains("players.table") && told.contains("the right to SELECT is missing, on parent_email"),
        "{told}"
    );
    assert!(told.contains("GRANT SELECT ON players"), "{told}");
    script(
        &club,
        "CREATE SCHEMA inner_room; ALTER TABLE players SET SCHEMA inner_room; GRANT SELECT ON inner_room.players TO reader",
    );
    club.folder
        .write("environments.yaml", &environment(&PLAYERS.replace("table: players", "table: inner_room.players")));
    let told = error(&as_reader().expect(1), "bad-mapping").to_string();
    assert!(told.contains("GRANT USAGE ON SCHEMA inner_room"), "{told}");
    // Who may only read needs nothing else.
    script(&club, "GRANT USAGE ON SCHEMA inner_room TO reader");
    as_reader().expect(0);
    script(&club, "DROP OWNED BY reader; DROP ROLE reader");
}
