//! What is edited in the manifest, to the byte.

use serde_json::json;

use super::{EVERYBODY, MANIFEST, club, import, imported};
use crate::support::Folder;

#[test]
fn what_is_the_same_changes_nothing() {
    let folder = club(EVERYBODY.as_bytes());
    let document = imported(&folder, &[]);
    assert_eq!(document["unchanged"], 3, "{document:#}");
    assert_eq!(document["written"], false);
    assert_eq!(folder.read("tournament.yaml"), MANIFEST);
}

#[test]
fn only_the_values_that_differ_are_edited() {
    let folder = club(
        b"ID,Name,E-Mail,Fee,Amount,Team,Notes\n\
          1017,Jordan B. Example,parent18@example.com,7,$45,17U Gold,\"late, perhaps: #1\"\n\
          kim,Kim Sample,dune@example.com,16U Elite,60.00,Blue,\n\
          sam,Sam Sample,DUNE@example.com,7,,17U Gold,paid half\n",
    );
    let document = imported(&folder, &[]);
    let expected = MANIFEST
        .replace("\"Jordan Example\"", "Jordan B. Example")
        .replace("'parent17@example.com'", "parent18@example.com")
        .replace("    fee: 5\n", "    fee: 7\n")
        .replace(
            "    amount: 40.00   # early bird\n",
            "    amount: 45.00   # early bird\n    team: 17U Gold\n    note: \"late, perhaps: #1\"\n",
        )
        .replace("email: dune@example.com, fee: 7}", "email: dune@example.com, fee: 7, amount: 60.00, team: Blue}")
        .replace("    note: >-\n      pays\n      late\n", "    note: paid half\n    team: 17U Gold\n");
    assert_eq!(folder.read("tournament.yaml"), expected);
    let fields: Vec<_> =
        document["changed"][0]["changes"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["name", "email", "fee", "amount", "team", "note"]);
    assert_eq!(
        document["changed"][0]["changes"][1],
        json!({"field": "email", "from": "p***@example.com", "to": "p***@example.com"})
    );
    assert_eq!((&document["changed"][2]["player"], &document["written"]), (&json!("sam"), &json!(true)));
    folder.tourney(["validate"]).run().expect(0);
    assert_eq!(imported(&folder, &[])["unchanged"], 3, "the second time there is nothing to do");
}

#[test]
fn who_comes_stands_at_the_end_and_who_goes_is_listed() {
    let folder = club(
        b"Player,Email,Fee,Amount,Team\nPat New,pat@example.com,17U Elite,55.00,17U Gold\nLee New,lee@example.com,7,0,\n\
          Jordan Example,parent17@example.com,5,,\nSam Sample,dune@example.com,7,,\n",
    );
    let told = import(&folder, &[]).expect(0);
    assert!(told.stdout.contains("2 added, 0 changed, 0 removed, 1 missing, 2 unchanged."), "{}", told.stdout);
    assert!(told.stderr.contains("kept: kim (--remove-missing"), "{}", told.stderr);
    assert!(told.stderr.contains("Columns: name = \"Player\", email = \"Email\""), "{}", told.stderr);
    let text = folder.read("tournament.yaml");
    let (before, after) = MANIFEST.split_at(MANIFEST.find("\n# The rules").unwrap());
    assert!(text.starts_with(before) && text.ends_with(after), "{text}");
    let new = &text[before.len()..text.len() - after.len()];
    let lines: Vec<&str> = new.lines().collect();
    assert!(lines[0].starts_with("  - id: pat-new-"), "{new}");
    assert_eq!(lines[1..5], ["    name: Pat New", "    email: pat@example.com", "    fee: 5", "    team: 17U Gold"]);
    assert!(lines[5].starts_with("  - id: lee-new-"), "{new}");
    assert_eq!(lines[6..], ["    name: Lee New", "    email: lee@example.com", "    fee: 7", "    amount: 0.00"]);

    let gone = imported(&folder, &["--remove-missing"]);
    assert_eq!(gone["removed"], json!([{"player": "kim", "name": "Kim Sample"}]));
    let kim = "  - {id: kim, name: Kim Sample, email: dune@example.com, fee: 7}   # sibling of Sam\n";
    assert_eq!(folder.read("tournament.yaml"), text.replace(kim, ""));
}

#[test]
fn whole_entries_leave() {
    let folder = club(b"Player,Email\nKim Sample,dune@example.com\n");
    imported(&folder, &["--fee", "7", "--remove-missing"]);
    let text = folder.read("tournament.yaml");
    assert!(text.contains("players:\n  # The captains\n\n  - {id: kim, name: Kim Sample"), "{text}");
    assert!(text.contains("# sibling of Sam\n\n# The rules\n"), "{text}");
    assert!(!text.contains("Jordan") && !text.contains("remark") && !text.contains("pays"), "{text}");
}

#[test]
fn all_may_leave_and_others_come() {
    let folder = club(b"Player,Email\nPat New,pat@example.com\n");
    imported(&folder, &["--fee", "7", "--remove-missing"]);
    let text = folder.read("tournament.yaml");
    assert!(text.contains("players:\n  # The captains\n\n  - id: pat-new-"), "{text}");
    folder.tourney(["validate"]).run().expect(0);
}

#[test]
fn every_style_of_a_list_is_kept() {
    let head = "version: 1\ntournament: {id: a, name: A, currency: usd}\nfees: [{id: 5, name: F, amount: 5}]\n";
    let ann = "{id: 1, name: Ann, email: ann@example.com, fee: 5}";
    let bob = "{id: 2, name: Bob, email: bob@example.com, fee: 5}";
    let pat = "id: 9, name: Pat, email: pat@example.com, fee: 5";
    let lines = |dash: &str| format!("{dash}- {}", pat.replace(", ", &format!("\n{dash}  ")));
    for (players, expected) in [
        ("players: []   # none yet\n".to_owned(), format!("players:   # none yet\n{}\n", lines("  "))),
        ("players: []".to_owned(), format!("players:\n{}", lines("  "))),
        (format!("players: [{ann}]\n"), format!("players: [{{{pat}}}]\n")),
        (format!("players: [{ann}, {bob}]\n"), format!("players: [{{{pat}}}]\n")),
        (format!("players:\n- {ann}\n- {bob}\n"), format!("players:\n- {{{pat}}}\n")),
        (
            "players:\n    - id: 1\n      name: Ann\n      email: ann@example.com\n      fee: 5".to_owned(),
            format!("players:\n{}\n", lines("    ")),
        ),
    ] {
        for line_end in ["\n", "\r\n"] {
            let folder = club(b"id;name;email\n9;Pat;pat@example.com\n");
            folder.write("tournament.yaml", &format!("{head}{players}").replace('\n', line_end));
            imported(&folder, &["--fee", "5", "--remove-missing"]);
            let text = folder.read("tournament.yaml");
            let expected = format!("{head}{expected}").replace('\n', line_end);
            assert_eq!(text.trim_end(), expected.trim_end(), "{players}");
            folder.tourney(["validate"]).run().expect(0);
        }
        let folder = club(b"id;name;email\n9;Pat;pat@example.com\n1;Ann;ann@example.com\n2;Bob;bob@example.com\n");
        folder.write("tournament.yaml", &format!("\u{feff}{head}{players}"));
        imported(&folder, &["--fee", "5"]);
        let text = folder.read("tournament.yaml");
        assert!(text.starts_with('\u{feff}') && text.contains("Pat"), "{text}");
        assert_eq!(imported(&folder, &["--fee", "5"])["unchanged"], 3, "{text}");
    }
    let folder = Folder::new().with("t.yaml", &format!("{head}players:\n  - {ann}\npolicy: {{stale: renew}}\n"));
    folder.write("roster.csv", "name,email\nNobody,else@example.com\n");
    folder.tourney(["import", "roster.csv", "--into", "t.yaml", "--fee", "5", "--remove-missing"]).run().expect(0);
    assert!(folder.read("t.yaml").contains("players:\n  - {id: nobody-"));
}

#[test]
fn what_cannot_be_edited_alone_is_told_and_nothing_is_written() {
    let text = MANIFEST.replace("dune@example.com, fee: 7}", "&mail dune@example.com, fee: 7}").replacen(
        "    email: dune@example.com",
        "    email: *mail",
        1,
    );
    let folder = club(b"id,name,email\nkim,Kim Sample,other@example.com\n");
    folder.write("tournament.yaml", &text);
    let error = import(&folder, &["--fee", "7", "--json"]).expect(1).json();
    assert_eq!(error["error"]["code"], "bad-roster", "{error:#}");
    assert_eq!(folder.read("tournament.yaml"), text);

    let folder = club(b"id,name,email\nsam,Sam Sample,dune@example.com\n");
    folder
        .write("tournament.yaml", &MANIFEST.replace("  - {id: 7,", "  - {id: 8, name: 15U, amount: 50}\n  - {id: 7,"));
    let told = import(&folder, &["--fee", "8"]).expect(1).stderr;
    assert!(told.contains("player sam: fee cannot be changed here") && told.contains("roster.csv:2:1"), "{told}");
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let folder = club(EVERYBODY.replace("Elite,", "Elite,16U Gold").as_bytes());
    let told = import(&folder, &["--dry-run"]).expect(0);
    assert!(told.stdout.contains("--- tournament.yaml\n+++ tournament.yaml\n@@"), "{}", told.stdout);
    assert!(
        told.stdout.contains("\n+  - {id: kim, name: Kim Sample, email: d***@example.com, fee: 7, team: 16U Gold}")
    );
    assert!(!told.stdout.contains("dune@"), "{}", told.stdout);
    assert_eq!(imported(&folder, &["--dry-run"])["written"], false);
    assert_eq!(folder.read("tournament.yaml"), MANIFEST);
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn the_file_behind_a_link_is_replaced_with_its_rights() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = club(b"id,name,email\nnew,New One,new@example.com\n");
    folder.write("real/t.yaml", MANIFEST);
    std::fs::remove_file(folder.path("tournament.yaml")).unwrap();
    std::os::unix::fs::symlink("real/t.yaml", folder.path("tournament.yaml")).unwrap();
    std::fs::set_permissions(folder.path("real/t.yaml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    imported(&folder, &["--fee", "7"]);
    assert!(folder.read("real/t.yaml").contains("New One"));
    let mode = std::fs::metadata(folder.path("real/t.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(folder.path("tournament.yaml").is_symlink());
    assert_eq!(std::fs::read_dir(folder.path("real")).unwrap().count(), 1, "nothing is left behind");
}
