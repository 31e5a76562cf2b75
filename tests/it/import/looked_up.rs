//! `import --match email`: ids come from the application's own players, by address; whatever is not certain is refused, and
//! nothing is ever written into the database.

use serde_json::{Value, json};

use crate::adopt::app::{error, script, tables};
use crate::story::club::{Club, text};
use crate::story::on_both;
use crate::support::{Outcome, assert_valid};

on_both!(
    an_address_gives_its_players_id,
    names_tell_siblings_apart,
    without_names_siblings_are_for_a_person,
    every_row_that_is_not_certain_is_told_at_once,
    ids_of_the_roster_win_and_are_checked,
    who_stands_in_the_manifest_stays_as_written,
    what_a_person_wrote_by_hand_holds,
    an_id_of_an_earlier_import_is_never_doubled,
    ids_that_no_manifest_can_hold_are_told,
    ids_of_other_kinds_are_found,
    addresses_are_never_shown,
    hostile_tables_and_rosters_do_no_harm,
);

/// The mapping of the players.
pub(crate) const PLAYERS: &str = "    table: players
    columns: { id: id, email: parent_email, name: full_name }
";

/// The environment around a mapping.
pub(crate) fn environment(players: &str) -> String {
    format!("test:\n  database: {{ url_env: DATABASE_URL }}\n  players:\n{players}")
}

const MANIFEST: &str = "\
version: 1
tournament: {id: cup, name: Spring Cup, currency: usd}
fees:
  - {id: 5, name: 17U Elite, amount: 55.00}
  - {id: 6, name: 17U Select, amount: 65.00}
players: []
";

/// The application's players stand in the club's database: siblings, somebody without an address, and no orders at all.
pub(crate) fn installed(club: &Club) {
    script(
        club,
        "CREATE TABLE players (id INTEGER PRIMARY KEY, full_name VARCHAR(120), parent_email VARCHAR(255), weight REAL, born DATE, shirt INTEGER);
         INSERT INTO players (id, full_name, parent_email) VALUES
            (1017, 'Jordan Example', 'parent17@example.com'), (11, 'Sam Sample', 'dune@example.com'),
            (12, 'Zoë Sample', ' DUNE@example.com '), (13, 'Lou Twin', 'twin@example.com'),
            (14, 'LOU  twin', 'twin@example.com'), (15, 'Nobody', NULL), (16, 'Empty', '  ')",
    );
    club.folder.write("environments.yaml", &environment(PLAYERS));
    club.folder.write("tournament.yaml", MANIFEST);
    club.folder.write("roster.csv", "Name,Email,Fee\nJordan Example,Parent17@Example.com,5\n");
}

/// `tourney import roster.csv --match email ARGS…`, with no key of Stripe's in sight.
pub(crate) fn import(club: &Club, args: &[&str]) -> Outcome {
    let words = [&["import", "roster.csv", "--match", "email"], args].concat();
    club.folder.tourney(words).env("TOURNEY_ENV", "test").env("DATABASE_URL", club.database()).run()
}

/// The same for another roster; the database stays as it is to the byte.
#[track_caller]
fn imported(club: &Club, roster: &str) -> Value {
    club.folder.write("roster.csv", roster);
    let before = club.everything();
    let document = import(club, &["--json"]).expect(0).json();
    assert_valid("import", &document);
    assert_eq!(club.everything(), before, "only read");
    document
}

/// The problems of a roster, each as its line and message; nothing is written.
#[track_caller]
fn refused(club: &Club, roster: &str) -> Vec<(u64, String)> {
    club.folder.write("roster.csv", roster);
    let (manifest, before) = (club.folder.read("tournament.yaml"), club.everything());
    let error = error(&import(club, &["--json"]).expect(1), "bad-roster");
    assert_eq!((club.folder.read("tournament.yaml"), club.everything()), (manifest, before));
    let details = error["details"].as_array().unwrap().iter();
    details
        .map(|one| {
            assert!(!text(&one["help"]).is_empty(), "{one:#}");
            (one["line"].as_u64().unwrap(), text(&one["message"]).to_owned())
        })
        .collect()
}

/// The players who came, as id and name.
fn added(document: &Value) -> Vec<(Value, &str)> {
    document["added"].as_array().unwrap().iter().map(|one| (one["player"].clone(), text(&one["name"]))).collect()
}

#[track_caller]
fn assert_told(found: &[(u64, String)], expected: &[(u64, &[&str])]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((at, message), (line, words)) in found.iter().zip(expected) {
        assert!(
            at == line && words.iter().all(|word| message.contains(word)),
            "line {line}, {words:?}: {at} {message}"
        );
    }
}

fn an_address_gives_its_players_id(club: &Club) {
    installed(club);
    let tables_before = tables(club);
    let told = import(club, &[]).expect(0);
    let first = told.stderr.lines().next().unwrap();
    let place = if club.is_sqlite() { "test · sqlite " } else { "test · postgres postgres@" };
    assert!(first.starts_with(place) && !first.contains("Stripe"), "{}", told.stderr);
    assert!(told.stdout.contains("  + 1017 Jordan Example · P***@Example.com · fee 5\n"), "{}", told.stdout);
    let expected = "players:\n  - id: 1017\n    name: Jordan Example\n    email: Parent17@Example.com\n    fee: 5\n";
    assert_eq!(club.folder.read("tournament.yaml"), MANIFEST.replace("players: []\n", expected));
    assert_eq!(tables(club), tables_before, "no table of tourney's is made");
    let again = imported(club, &club.folder.read("roster.csv"));
    assert_eq!((&again["written"], &again["unchanged"]), (&json!(false), &json!(1)), "{again:#}");
    // Where we are is said before anything that goes wrong.
    let told = import(club, &["--into", "none.yaml"]).expect(1);
    assert!(told.stderr.starts_with(place) && told.stderr.contains("none.yaml"), "{}", told.stderr);
}

fn names_tell_siblings_apart(club: &Club) {
    installed(club);
    let document = imported(
        club,
        "Name,Email,Fee\nSam Sample,dune@example.com,5\nZOE  sample,Dune@example.com,6\nZoe Sample,dune@example.com,5\n",
    );
    assert_eq!(added(&document), [(json!(11), "Sam Sample"), (json!(12), "ZOE sample")]);
    assert!(club.folder.read("tournament.yaml").contains("fees: [6, 5]"));
    // The one player of an address is found whatever the name, which is told.
    club.folder.write("tournament.yaml", MANIFEST);
    club.folder.write("roster.csv", "Name,Email,Fee\nJordi Example,parent17@example.com,5\n");
    let told = import(club, &[]).expect(0);
    assert!(told.stdout.contains("+ 1017 Jordi Example"), "{}", told.stdout);
    assert!(told.stderr.contains("line 2: player 1017 is \"Jordan Example\" in the application"), "{}", told.stderr);
    // Names may stand in two columns.
    script(
        club,
        "ALTER TABLE players ADD COLUMN last_name TEXT; UPDATE players SET full_name = 'Sam', last_name = 'Sample' WHERE id = 11",
    );
    club.folder
        .write("environments.yaml", &environment(&PLAYERS.replace("name: full_name", "name: [full_name, last_name]")));
    club.folder.write("tournament.yaml", MANIFEST);
    assert_eq!(added(&imported(club, "Name,Email,Fee\nSam Sample,dune@example.com,5\n")), [(json!(11), "Sam Sample")]);
}

fn without_names_siblings_are_for_a_person(club: &Club) {
    installed(club);
    club.folder.write("environments.yaml", &environment(&PLAYERS.replace(", name: full_name", "")));
    let roster = "Name,Email,Fee\nSam Sample,dune@example.com,5\nJordan Example,parent17@example.com,5\nKim Example,parent17@example.com,5\n";
    let found = refused(club, roster);
    assert_told(
        &found,
        &[
            (2, &["d***@example.com leads to 2 players of the application: 11, 12"]),
            (
                3,
                &[
                    "p***@example.com leads to one player of the application: 1017, and other rows have that address too",
                ],
            ),
            (4, &["other rows"]),
        ],
    );
    let error = error(&import(club, &["--json"]).expect(1), "bad-roster");
    let hint = text(&error["hint"]);
    assert!(hint.contains("map `name` among `players.columns`") && hint.contains("a column of ids"), "{hint}");
}

fn every_row_that_is_not_certain_is_told_at_once(club: &Club) {
    installed(club);
    let roster = "Name,Email,Fee\n\
        Jordan Example,parent17@example.com,5\n\
        New Child,new@example.com,5\n\
        Kim Sample,dune@example.com,5\n\
        Lou Twin,twin@example.com,5\n\
        Bad Address,nowhere,5\n\
        Bad Fee,new2@example.com,9\n\
        No Body,nobody@example.com,5\n";
    let found = refused(club, roster);
    assert_told(
        &found,
        &[
            (3, &["no player of the application has the address n***@example.com"]),
            (
                4,
                &["d***@example.com leads to 2 players of the application: 11, 12, none of them called \"Kim Sample\""],
            ),
            (5, &["13, 14, and 2 of them are called \"Lou Twin\""]),
            (6, &["has an @"]),
            (7, &["there is no fee \"9\""]),
            (8, &["no player of the application has the address n***@example.com"]),
        ],
    );
    let none = refused(club, "Name,Email,Fee\nNobody,new@example.com,5\n");
    assert_told(&none, &[(2, &["no player of the application"])]);
    // One child of the application cannot be two of the roster.
    script(club, "INSERT INTO players (id, full_name, parent_email) VALUES (18, 'Pat', 'pat1@example.com')");
    script(
        club,
        "CREATE VIEW twice AS SELECT id, full_name, parent_email FROM players UNION ALL SELECT id, full_name, 'pat2@example.com' FROM players WHERE id = 18",
    );
    club.folder.write("environments.yaml", &environment(&PLAYERS.replace("table: players", "table: twice")));
    let found = refused(club, "Name,Email,Fee\nPat,pat1@example.com,5\nPat,pat2@example.com,6\n");
    assert_told(&found, &[(3, &["the application's player 18 is found for line 2 too"])]);
}

fn ids_of_the_roster_win_and_are_checked(club: &Club) {
    installed(club);
    let document = imported(
        club,
        "ID,Name,Email,Fee\n14,Lou Twin,twin@example.com,5\n15,No Body,elsewhere@example.com,5\n,Sam Sample,dune@example.com,5\n",
    );
    assert_eq!(added(&document), [(json!(14), "Lou Twin"), (json!(15), "No Body"), (json!(11), "Sam Sample")]);
    club.folder.write("tournament.yaml", MANIFEST);
    let told = import(club, &[]).expect(0).stderr;
    assert!(told.contains("line 3: the application has another address for player 15, or none"), "{told}");
    club.folder.write("tournament.yaml", MANIFEST);
    let found = refused(
        club,
        "ID,Name,Email,Fee\n1071,Jordan Example,parent17@example.com,5\n13,Sam Sample,dune@example.com,5\nslug,New,new@example.com,5\n",
    );
    assert_told(
        &found,
        &[
            (2, &["the application has no player 1071"]),
            (3, &["this row has the id 13, and its address d***@example.com leads to 11, 12"]),
            (4, &["the application has no player slug"]),
        ],
    );
}

fn who_stands_in_the_manifest_stays_as_written(club: &Club) {
    installed(club);
    let players = "players:
  # The captain
  - id: 1017   # from the application
    name: \"Jordan Example\"
    email: 'parent17@example.com'   # asked for this one
    fee: 5
    amount: 40.00   # early bird
  - {id: 12, name: Zoë Sample, email: dune@example.com, fees: [5, {id: 6, amount: 60.00}]}   # sibling of Sam
";
    club.folder.write("tournament.yaml", &MANIFEST.replace("players: []\n", players));
    let document = imported(
        club,
        "Name,Email,Fee,Team\nSam Sample,dune@example.com,5,\nZoe Sample,dune@example.com,5; 6,\nJordan B. Example,parent17@example.com,5,Gold\n",
    );
    assert_eq!(added(&document), [(json!(11), "Sam Sample")]);
    let changed: Vec<_> = document["changed"].as_array().unwrap().iter().map(|one| &one["player"]).collect();
    assert_eq!(changed, [&json!(12), &json!(1017)], "{document:#}");
    let expected = MANIFEST.replace("players: []\n", players).replace("\"Jordan Example\"", "Jordan B. Example");
    let expected = expected.replace("early bird\n", "early bird\n    team: Gold\n").replace("Zoë", "Zoe");
    let new = "  - {id: 11, name: Sam Sample, email: dune@example.com, fee: 5}\n";
    assert_eq!(club.folder.read("tournament.yaml"), expected + new);
}

/// Every error that says "by hand" can be followed.
fn what_a_person_wrote_by_hand_holds(club: &Club) {
    installed(club);
    let roster =
        "Name,Email,Fee\nLou Twin,twin@example.com,5\nNo Body,new@example.com,5\nSam Sample,dune@example.com,5\n";
    assert_eq!(refused(club, roster).len(), 2);
    let players = "players:
  - {id: 14, name: Lou Twin, email: twin@example.com, fee: 5}
  - {id: 15, name: No Body, email: new@example.com, fee: 5}
  - {id: 13, name: Sam Sample, email: dune@example.com, fee: 5}
";
    club.folder.write("tournament.yaml", &MANIFEST.replace("players: []\n", players));
    assert_eq!(imported(club, roster)["unchanged"], 3);
    let told = import(club, &[]).expect(0).stderr;
    assert!(told.contains("line 4: the address leads to 11; 13 of the manifest is kept"), "{told}");
    // A sibling of the one player of an address is not written over that player's entry.
    let players = "players:\n  - {id: 1017, name: Jordan Example, email: parent17@example.com, fee: 5}\n";
    club.folder.write("tournament.yaml", &MANIFEST.replace("players: []\n", players));
    let found = refused(club, "Name,Email,Fee\nKim Example,parent17@example.com,5\n");
    assert_told(
        &found,
        &[(2, &["leads to player 1017, who is \"Jordan Example\" in the application and in the manifest"])],
    );
}

fn an_id_of_an_earlier_import_is_never_doubled(club: &Club) {
    installed(club);
    club.folder.write("roster.csv", "Name,Email,Fee\nJordan Example,parent17@example.com,5\nSam Sample,dune@example.com,5\nZoe Sample,dune@example.com,5\n");
    let first = club.folder.tourney(["import", "roster.csv", "--json"]).run().expect(0).json();
    let ids: Vec<&str> = first["added"].as_array().unwrap().iter().map(|one| text(&one["player"])).collect();
    let roster = "Name,Email,Fee\nJordi Example,parent17@example.com,5\nSam Sample,dune@example.com,5\nZoe Sample,dune@example.com,5\n";
    let found = refused(club, roster);
    let calls = |id: &str| format!("the manifest calls this player {id}, which the application does not know");
    assert_told(
        &found,
        &[
            (
                2,
                &[&format!("the manifest has player {} of this address", ids[0]), "leads to 1017: are they one child?"],
            ),
            (3, &[&calls(ids[1]), "there it is 11"]),
            (4, &[&calls(ids[2]), "there it is 12"]),
        ],
    );
    let told = import(club, &[]).expect(1).stderr;
    assert!(told.contains("`id: 11` and `renamed_from: sam-sample-"), "{told}");
    // As it says.
    let mut manifest = club.folder.read("tournament.yaml");
    for (old, new) in ids.iter().zip(["1017", "11", "12"]) {
        manifest = manifest.replace(&format!("id: {old}\n"), &format!("id: {new}\n    renamed_from: {old}\n"));
    }
    club.folder.write("tournament.yaml", &manifest.replace("Jordan", "Jordi"));
    let document = imported(club, roster);
    assert_eq!((&document["added"], &document["missing"]), (&json!([]), &json!([])), "{document:#}");
    club.folder.tourney(["validate"]).run().expect(0);
    // A sibling whom the application does know is nobody's earlier self; nor is one whose id stands there for another row.
    let players = "players:\n  - {id: 11, name: Sam Sample, email: dune@example.com, fee: 5}\n";
    club.folder.write("tournament.yaml", &MANIFEST.replace("players: []\n", players));
    assert_eq!(added(&imported(club, "Name,Email,Fee\nZoe Sample,dune@example.com,5\n")), [(json!(12), "Zoe Sample")]);
    // Two ids that the application has.
    let players = "players:\n  - {id: 13, name: Lou Twin, email: twin@example.com, fee: 5}\n";
    club.folder.write("tournament.yaml", &MANIFEST.replace("players: []\n", players));
    let found = refused(club, "ID,Name,Email,Fee\n14,Lou Twin,twin@example.com,5\n");
    assert_told(&found, &[(2, &["the manifest calls this player 13, and the roster 14: the application has both"])]);
}

fn ids_that_no_manifest_can_hold_are_told(club: &Club) {
    installed(club);
    script(
        club,
        "CREATE TABLE members (code TEXT, mail TEXT);
         INSERT INTO members VALUES ('0017', 'a@example.com'), ('a b', 'b@example.com'), ('', 'c@example.com'),
            ('fine-1', 'd@example.com'), ('17', 'e@example.com'), (NULL, 'f@example.com')",
    );
    club.folder
        .write("environments.yaml", &environment("    table: members\n    columns: { id: code, email: mail }\n"));
    let found = refused(
        club,
        "Name,Email,Fee\nA,a@example.com,5\nB,b@example.com,5\nC,c@example.com,5\nD,d@example.com,5\nE,e@example.com,5\nF,f@example.com,5\n",
    );
    assert_told(
        &found,
        &[
            (2, &["the id \"0017\" that the application has for a***@example.com can stand in no manifest"]),
            (3, &["the id \"a b\""]),
            (4, &["the id \"\""]),
            (7, &["no player of the application"]),
        ],
    );
    let document = imported(club, "Name,Email,Fee\nD,d@example.com,5\nE,e@example.com,5\n");
    assert_eq!(added(&document), [(json!("fine-1"), "D"), (json!(17), "E")]);
}

fn ids_of_other_kinds_are_found(club: &Club) {
    installed(club);
    let (uuid, number) = if club.is_sqlite() { ("CHAR(36)", "NUMERIC") } else { ("UUID", "NUMERIC(12)") };
    script(
        club,
        &format!(
            "CREATE TABLE members (id {uuid}, num {number}, mail CHAR(40));
             INSERT INTO members VALUES ('5a3f6c1e-9b7d-4e21-a0c4-f2d6b8e91357', 4007, 'a@example.com')"
        ),
    );
    for (column, id) in [("id", json!("5a3f6c1e-9b7d-4e21-a0c4-f2d6b8e91357")), ("num", json!(4007))] {
        let mapping = format!("    table: members\n    columns: {{ id: {column}, email: mail }}\n");
        club.folder.write("environments.yaml", &environment(&mapping));
        club.folder.write("tournament.yaml", MANIFEST);
        assert_eq!(added(&imported(club, "Name,Email,Fee\nA,a@example.com,5\n")), [(id, "A")]);
    }
}

fn addresses_are_never_shown(club: &Club) {
    installed(club);
    script(
        club,
        "INSERT INTO players (id, full_name, parent_email) VALUES (21, 'P', 'planted.one@example.com'), (22, 'P', 'planted.one@example.com')",
    );
    club.folder.write("roster.csv", "Name,Email,Fee\nP,planted.one@example.com,5\nQ,planted.two@example.com,5\n");
    for args in [&["-v"][..], &["-vv", "--json"], &["--dry-run"]] {
        let told = import(club, args).expect(1);
        assert!(!told.stdout.contains("planted") && !told.stderr.contains("planted"), "{}{}", told.stdout, told.stderr);
    }
}

/// What stands in a cell or in a row is data: never SQL, never a command of the terminal.
fn hostile_tables_and_rosters_do_no_harm(club: &Club) {
    installed(club);
    let before = club.everything();
    script(
        club,
        "INSERT INTO players (id, full_name, parent_email) VALUES (31, 'Evil\u{1b}[31m\u{202e}', 'evil@example.com')",
    );
    script(
        club,
        "INSERT INTO players (id, full_name, parent_email) VALUES (32, 'It''s \"quoted\"', 'x'') OR 1=1 --@example.com')",
    );
    let long = "x".repeat(250);
    let roster = format!(
        "Name,Email,Fee\n\"'; DROP TABLE players; --\",evil@example.com,5\n{long},parent17@example.com,5\n\"\"\"a\"\" OR 1=1\",o'r=1@example.com,5\n"
    );
    club.folder.write("roster.csv", &roster);
    let told = import(club, &[]).expect(1);
    let said = told.stdout + &told.stderr;
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    club.folder.write("roster.csv", "Name,Email,Fee\n\"'; DROP TABLE players; --\",evil@example.com,5\n");
    let told = import(club, &[]).expect(0);
    let said = told.stdout + &told.stderr;
    assert!(said.contains("one child?") && !said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    script(club, "DELETE FROM players WHERE id IN (31, 32)");
    if !club.is_sqlite() {
        assert_eq!(club.everything(), before);
    }
    for name in ["players; DROP TABLE players", "play\"ers", "players--", "a.b.c", "'players'"] {
        let mapping = PLAYERS.replace("table: players", &format!("table: {}", json!(name)));
        club.folder.write("environments.yaml", &environment(&mapping));
        error(&import(club, &["--json"]).expect(1), "bad-environments");
    }
}
