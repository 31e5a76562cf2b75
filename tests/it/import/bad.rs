//! Rosters that cannot be taken: everything is told at once, with its line and column, and nothing is written.

use serde_json::Value;

use super::{MANIFEST, club, import};

/// The problems of a roster, each as its line, column name and message.
#[track_caller]
fn problems(roster: &[u8], args: &[&str]) -> Vec<(u64, String, String)> {
    let folder = club(roster);
    let document = import(&folder, &[args, &["--json"]].concat()).expect(1).json();
    assert_eq!(document["error"]["code"], "bad-roster", "{document:#}");
    assert_eq!(folder.read("tournament.yaml"), MANIFEST);
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let details = document["error"]["details"].as_array().unwrap();
    details.iter().map(|one| (one["line"].as_u64().unwrap(), text(one, "path"), text(one, "message"))).collect()
}

#[test]
fn every_bad_row_is_told_at_once() {
    let roster = "Player ID,Player,Parent Email,Division,Amount\r\n\
        1,Ann,ann@example.com,5,\r\n\
        \r\n\
        2,,bob@example.com,5,\r\n\
        3,Cid,,5,\r\n\
        4,Dee,\"dee@example\",5,\r\n\
        5,Eve,eve@example.com,18U Elite,\r\n\
        6,Fay,fay@example.com,,0.10\r\n\
        007,Gus,gus@example.com,5,free\r\n\
        1,Ann again,ann2@example.com,5,\r\n\
        8,Hal,hal@example.com\r\n\
        9,Ivy,ivy@example.com,5,,,extra\r\n\
        10,\"Jo\r\nJo\",jo@example.com,5,\r\n\
        11,Kay,kay,5,\r\n";
    let found = problems(roster.as_bytes(), &["--fee-column", "Division"]);
    let expected = [
        (4, "Player", "the name is missing"),
        (5, "Parent Email", "the e-mail address is missing"),
        (6, "Parent Email", "dot"),
        (7, "Division", "there is no fee \"18U Elite\""),
        (8, "Division", "the fee is missing"),
        (8, "Amount", "minimum"),
        (9, "Player ID", "not a plain integer"),
        (9, "Amount", "not an amount"),
        (10, "Player ID", "player 1 stands twice; first in line 2"),
        (11, "", "this row has 3 cells, and the header has 5"),
        (12, "", "this row has 7 cells, and the header has 5"),
        (15, "Parent Email", "has an @"),
    ];
    let lines: Vec<_> = found.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, expected.map(|(line, ..)| line), "{found:#?}");
    for ((_, column, message), (line, title, words)) in found.iter().zip(expected) {
        assert!(column == title && message.contains(words), "line {line}: {column:?} {message:?}");
    }
}

#[test]
fn the_places_are_shown_without_addresses() {
    let folder =
        club(b"Name,Email\nAnn,planted.parent@example\nBob,planted.other@example.com\nBob,planted.other@example.com\n");
    let told = import(&folder, &["--fee", "5"]).expect(1);
    assert!(told.stdout.is_empty() && told.stderr.contains("roster.csv:2:5"), "{}", told.stderr);
    assert!(told.stderr.contains("the name and e-mail address of line 3 stand here again"), "{}", told.stderr);
    assert!(!told.stderr.contains("planted"), "{}", told.stderr);
}

#[test]
fn a_file_that_is_no_roster_is_named_as_what_it_is() {
    for (roster, line, words) in [
        (&b""[..], 1, "the file is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", 1, "the file is empty"),
        (b";;\r\n;;\r\n", 1, "the file is empty"),
        (b"Name,Email\n", 1, "no player below the header"),
        (b"Ann,ann@example.com\nBob,bob@example.com\n", 1, "there is no header"),
        (b"a,b\nAnn,x\n", 1, "no column of this header is the player's name"),
        (b"Name,Address\nAnn,x\n", 1, "no column of this header is the parent's e-mail address"),
        (b"Name,Email,Email\nAnn,a@example.com,a@example.com\n", 1, "could be the email"),
        (b"PK\x03\x04\x14\0", 1, "this is a workbook"),
        (b"Name,Email\nAnn\0,a@example.com\n", 1, "zero bytes"),
        (b"Name,Email\nA\x81nn,a@example.com\n", 1, "neither in UTF-8 nor in Windows-1252"),
        (b"Name,Email\nZo\xc3\xab,a@example.com\nZo\xeb,b@example.com\n", 1, "neither in UTF-8 nor in Windows-1252"),
        (b"Name,Email\nAnn,a@example.com\n\"Bob,b@example.com\nCid,c@example.com\n", 3, "never closed"),
        (b"Name,Email\nA\x1bnn,a@example.com\n", 2, "control character"),
    ] {
        let found = problems(roster, &["--fee", "5"]);
        let named = found.iter().any(|(at, _, message)| *at == line && message.contains(words));
        assert!(named, "{}: {found:?}", String::from_utf8_lossy(roster));
    }
    let folder = club(b"Name,Email\nAnn,a@example.com\n");
    for name in ["none.csv", "."] {
        let told = folder.tourney(["import", name, "--fee", "5", "--json"]).run().expect(1).json();
        assert_eq!(told["error"]["code"], "bad-roster", "{name}");
    }
}
