//! Several fees of one child: in one cell, or in several rows.

use serde_json::{Value, json};

use super::{MANIFEST, club, import, imported};
use crate::support::Folder;

const HEAD: &str = "version: 1
tournament: {id: a, name: A, currency: usd}
fees:
  - {id: 5, name: 17U Elite, amount: 55}
  - {id: 7, name: 16U Elite, amount: 65}
  - {id: shirt, name: \"Shirt, size M\", amount: 18}
";

/// The players that a roster becomes, and that nothing is left to do when it comes again.
#[track_caller]
fn players(roster: &str) -> String {
    becomes("players: []\n", roster)
}

/// What a section `players` becomes, and that nothing is left to do when the roster comes again.
#[track_caller]
fn becomes(players: &str, roster: &str) -> String {
    let folder = club(roster.as_bytes());
    folder.write("tournament.yaml", &format!("{HEAD}{players}"));
    imported(&folder, &[]);
    folder.tourney(["validate"]).run().expect(0);
    let text = folder.read("tournament.yaml");
    let again = imported(&folder, &[]);
    assert_eq!(
        (&again["written"], &again["changed"], &again["added"]),
        (&json!(false), &json!([]), &json!([])),
        "{text}"
    );
    assert_eq!(folder.read("tournament.yaml"), text);
    text.strip_prefix(HEAD).unwrap().to_owned()
}

/// Why a roster cannot be taken: line, column and message of each problem.
#[track_caller]
fn refused(folder: &Folder, args: &[&str]) -> Vec<(u64, String, String)> {
    let before = folder.read("tournament.yaml");
    let document = import(folder, &[args, &["--json"]].concat()).expect(1).json();
    assert_eq!(document["error"]["code"], "bad-roster", "{document:#}");
    assert_eq!(folder.read("tournament.yaml"), before);
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let details = document["error"]["details"].as_array().unwrap();
    details.iter().map(|one| (one["line"].as_u64().unwrap(), text(one, "path"), text(one, "message"))).collect()
}

#[test]
fn a_cell_of_several_fees_becomes_all_of_them() {
    for cell in [
        "5; 7; shirt",
        "\"17U Elite, 16U Elite, Shirt, size M\"",
        "\"5\n7\nshirt\"",
        "17u elite + 7 & shirt",
        "5/7/shirt;",
    ] {
        let text = players(&format!("id,name,email,fee\n1,Ann,ann@example.com,{cell}\n2,Bob,bob@example.com,7\n"));
        let ann = "  - id: 1\n    name: Ann\n    email: ann@example.com\n    fees: [5, 7, shirt]\n";
        let bob = "  - id: 2\n    name: Bob\n    email: bob@example.com\n    fee: 7\n";
        assert_eq!(text, format!("players:\n{ann}{bob}"), "{cell}");
    }
    // A name with a comma is one fee.
    assert!(players("id,name,email,fee\n1,Ann,ann@example.com,\"Shirt, size M\"\n").contains("    fee: shirt\n"));
}

#[test]
fn rows_of_one_child_become_one_player() {
    let text = players(
        "id,name,email,fee,amount,team,note\n\
         ,Ann Example,ann@example.com,5,,17U Gold,late\n\
         3,Bob,bob@example.com,7,,,\n\
         ,ANN  example,Ann@example.com,16U Elite,40.00,16U Blue,late\n\
         3,Bob,bob@example.com,5; shirt,,,\n",
    );
    assert!(
        text.contains("    fees: [5, {id: 7, amount: 40.00}]\n    team: \"17U Gold; 16U Blue\"\n    note: late\n"),
        "{text}"
    );
    assert!(text.contains("    name: Bob\n    email: bob@example.com\n    fees: [7, 5, shirt]\n"), "{text}");
    // A row without an id is the one child of that name and address.
    let text = players("id,name,email,fee\n,Ann,ann@example.com,7\n1,Ann,ann@example.com,5\n");
    assert_eq!(text.matches("- id:").count(), 1, "{text}");
    assert!(text.contains("- id: 1\n") && text.contains("fees: [7, 5]"), "{text}");
}

#[test]
fn what_several_fees_come_to_is_no_amount_of_its_own() {
    let text = players("id,name,email,fee,amount due\n1,Ann,ann@example.com,5;7,$120.00\n2,Bob,bob@example.com,7,40\n");
    assert!(text.contains("    fees: [5, 7]\n") && text.contains("    fee: 7\n    amount: 40.00\n"), "{text}");
    let folder = club(b"id,name,email,fee,amount due\n1,Ann,ann@example.com,5;7,100.00\n");
    let found = refused(&folder, &[]);
    assert_eq!((found[0].0, found[0].1.as_str()), (2, "amount due"));
    assert!(found[0].2.contains("for which of the 2 fees"), "{found:?}");
}

#[test]
fn a_single_fee_becomes_several_and_the_comments_stay() {
    let roster = "id,name,email,fee,team\n1,Ann,ann@example.com,7;5,Gold\n";
    for (before, after) in [
        (
            "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    fee: 5   # elite\n    amount: 40.00   # early bird\n    note: x\n",
            "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    fees: [{id: 5, amount: 40.00}, 7]   # elite\n    # early bird\n    note: x\n    team: Gold\n",
        ),
        (
            "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    fee: 5\n    amount: 0.00\n",
            "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    fees: [{id: 5, amount: 0.00}, 7]\n    team: Gold\n",
        ),
        (
            "players:\n  - {id: 1, name: Ann, email: ann@example.com, fee: 5, amount: 40.00}   # x\n",
            "players:\n  - {id: 1, name: Ann, email: ann@example.com, fees: [{id: 5, amount: 40.00}, 7], team: Gold}   # x\n",
        ),
        (
            "players:\n- {amount: 40.00, fee: 5, id: 1, name: Ann, email: ann@example.com}\n",
            "players:\n- {fees: [{id: 5, amount: 40.00}, 7], id: 1, name: Ann, email: ann@example.com, team: Gold}\n",
        ),
        (
            "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    fees:   # both\n      - 5 # elite\n",
            "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    team: Gold\n    fees:   # both\n      - 5 # elite\n      - 7\n",
        ),
        (
            "players:\n  - {id: 1, name: Ann, email: ann@example.com, fees: [{id: 5, amount: 40.00}]}\n",
            "players:\n  - {id: 1, name: Ann, email: ann@example.com, team: Gold, fees: [{id: 5, amount: 40.00}, 7]}\n",
        ),
    ] {
        for end in ["\n", "\r\n"] {
            let text = becomes(&before.replace('\n', end), roster);
            assert_eq!(text, after.replace('\n', end), "{before}");
        }
    }
}

#[test]
fn own_amounts_stay_and_those_of_the_roster_are_taken() {
    let before = "players:\n  - {id: 1, name: Ann, email: ann@example.com, fees: [5, {id: 7, amount: 40.00}]}\n";
    assert_eq!(becomes(before, "id,name,email,fee\n1,Ann,ann@example.com,7;5\n"), before);
    let text = becomes(before, "id,name,email,fee,amount\n1,Ann,ann@example.com,7,45\n1,Ann,ann@example.com,5,50\n");
    assert_eq!(text, before.replace("[5, {id: 7, amount: 40.00}]", "[{id: 5, amount: 50.00}, {id: 7, amount: 45.00}]"));
    let block = "players:\n  - id: 1\n    name: Ann\n    email: ann@example.com\n    fees:\n      - id: 5\n      - id: 7\n        amount: 40.00  # agreed\n";
    let text = becomes(
        block,
        "id,name,email,fee,amount\n1,Ann,ann@example.com,7,45\n1,Ann,ann@example.com,5,50\n1,Ann,ann@example.com,shirt,\n",
    );
    let after = block
        .replace("- id: 5\n", "- id: 5\n        amount: 50.00\n")
        .replace("40.00  # agreed\n", "45.00  # agreed\n      - shirt\n");
    assert_eq!(text, after);
}

#[test]
fn a_fee_of_which_the_roster_says_nothing_is_kept_and_told() {
    let folder = club(b"id,name,email,fee\nsam,Sam Sample,dune@example.com,5\nkim,Kim Sample,dune@example.com,5;7\n");
    let told = import(&folder, &[]).expect(0);
    assert!(
        told.stderr.contains("line 2: sam owes fee 7 in the manifest, of which the roster says nothing"),
        "{}",
        told.stderr
    );
    assert!(told.stdout.contains("~ kim Kim Sample: fee 7 → 7, 5\n"), "{}", told.stdout);
    let expected = MANIFEST.replace("email: dune@example.com, fee: 7}", "email: dune@example.com, fees: [7, 5]}");
    assert_eq!(folder.read("tournament.yaml"), expected);
    // With --fee the roster speaks of that fee alone.
    let folder = club(b"id,name,email\nsam,Sam Sample,dune@example.com\n");
    let told = import(&folder, &["--fee", "5"]).expect(0);
    assert!(!told.stderr.contains("says nothing"), "{}", told.stderr);
}

#[test]
fn what_is_doubtful_is_for_a_person() {
    let manifest = MANIFEST
        .replace("  - {id: 7,", "  - {id: 8, name: 15U, amount: 50}\n  - {id: 7,")
        .replace("fee: 7}   #", "fee: 7, paid: {how: cash}}   #");
    let folder = club(b"id,name,email,fee\nsam,Sam Sample,dune@example.com,5;8\nkim,Kim Sample,dune@example.com,7;5\n");
    folder.write("tournament.yaml", &manifest);
    let found = refused(&folder, &[]);
    assert_eq!(found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [2, 3], "{found:?}");
    assert!(
        found[0].2.contains("player sam: fee cannot be changed here") && found[0].2.contains("whether 7 is still owed"),
        "{found:?}"
    );
    assert!(found[1].2.contains("`paid` in the manifest would hold for all of them"), "{found:?}");
}

#[test]
fn every_cell_and_row_that_is_no_set_of_fees_is_told_at_once() {
    let roster = "Player ID,Player,Email,Division\n\
        1,Ann,ann@example.com,5; 5\n\
        2,Bob,bob@example.com,\"17U Elite, 18U Elite\"\n\
        3,Cid,cid@example.com,;\n\
        4,Dee,dee@example.com,5\n\
        4,Dee,dee@example.com,7; 5\n\
        5,Eve,eve@example.com,5\n\
        5,Eva,eve@example.com,7\n\
        ,Fay,fay@example.com,5\n\
        ,Fay,fay@example.com,17U Elite\n\
        8,Gus,gus@example.com,5\n\
        9,Gus,gus@example.com,7\n\
        ,Gus,gus@example.com,5\n";
    let found = refused(&club(roster.as_bytes()), &["--fee-column", "Division"]);
    let expected = [
        (2, "Division", "fee 5 stands twice in this cell"),
        (3, "Division", "there is no fee \"18U Elite\""),
        (4, "Division", "there is no fee \";\""),
        (6, "Player ID", "player 4 stands twice; first in line 5, with fee 5"),
        (8, "Player ID", "player 5 stands twice; first in line 7"),
        (10, "Player", "the name and e-mail address of line 9 stand here again, with fee 5"),
        (13, "Player", "of players with several ids"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((at, column, message), (line, title, words)) in found.iter().zip(expected) {
        assert!(*at == line && column == title && message.contains(words), "line {line}: {at} {column:?} {message:?}");
    }
    let folder = club(b"name,email\nAnn,ann@example.com\nAnn,ann@example.com\n");
    let told = import(&folder, &["--fee", "5"]).expect(1).stderr;
    assert!(told.contains("with --fee every row owes the same"), "{told}");
}

/// Names of fees that hold the very signs that stand between fees.
#[test]
fn a_cell_that_can_be_read_in_two_ways_is_refused() {
    let folder = club(b"id,name,email,fee\n1,Ann,ann@example.com,\"A, B, C\"\n2,Bob,bob@example.com,\"A, B\"\n3,Cid,cid@example.com,Twin\n");
    let fees = ["A", "B", "C", "A, B", "B, C", "Twin", "TWIN"];
    let fees: String =
        fees.iter().enumerate().map(|(id, name)| format!("  - {{id: {id}, name: \"{name}\", amount: 5}}\n")).collect();
    folder.write(
        "tournament.yaml",
        &format!("version: 1\ntournament: {{id: a, name: A, currency: usd}}\nfees:\n{fees}players: []\n"),
    );
    let found = refused(&folder, &[]);
    assert_eq!(found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [2, 4], "{found:?}");
    assert!(found[0].2.contains("several ways") && found[1].2.contains("2 fees are called \"Twin\""), "{found:?}");
}
