//! Rosters as clubs keep them, and who is taken for whom.

use serde_json::{Value, json};

use super::{MANIFEST, club, import, imported};
use crate::support::Folder;

const EMPTY: &str =
    "version: 1\ntournament: {id: a, name: A, currency: usd}\nfees: [{id: 5, name: F, amount: 5}]\nplayers: []\n";

fn names(folder: &Folder, roster: &[u8], args: &[&str]) -> Vec<String> {
    std::fs::write(folder.path("roster.csv"), roster).unwrap();
    folder.write("tournament.yaml", EMPTY);
    let document = imported(folder, args);
    document["added"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_spreadsheets_csv_is_read() {
    let folder = Folder::new();
    for roster in [
        &b"\xef\xbb\xbfName;Email\r\nZo\xc3\xab M\xc3\xbcller;a@example.com\r\n;\r\n"[..],
        b"Name;Email\r\nZo\xeb M\xfcller;a@example.com\r\n",
        b"sep=\t\r\nName\tEmail\r\n\"Zo\xeb  M\xfcller\"\t a@example.com \r\n",
        "First Name,\"Last\nname\",\"E-mail address\",\n\"Zoë\",Müller,a@example.com,\n\n".as_bytes(),
        "Email Name\nZoë".replace(' ', "|").replace("\nZoë", "\na@example.com|Zoë Müller").as_bytes(),
        &"\u{feff}Name\tEmail\r\nZoë Müller\ta@example.com\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>(),
        "Name,Email\rZoë Müller,a@example.com\r".as_bytes(),
    ] {
        assert_eq!(names(&folder, roster, &["--fee", "5"]), ["Zoë Müller"], "{}", String::from_utf8_lossy(roster));
    }
}

#[test]
fn columns_are_named_where_they_cannot_be_guessed() {
    let folder = Folder::new();
    let roster = b"Spieler,Vorname,Parent Email,Email,Was\nMuster,Ann,p@example.com,a@example.com,F\n";
    let map = ["--map", "name=Vorname", "--map", "name=Spieler", "--map", "email=parent email", "--fee-column", "Was"];
    assert_eq!(names(&folder, roster, &map), ["Ann Muster"]);
    assert!(folder.read("tournament.yaml").contains("email: p@example.com"));
    let told = import(&folder, &[&map[..], &["--map", "email=Email"]].concat()).expect(64);
    assert!(told.stderr.contains("--map email stands twice"), "{}", told.stderr);
    let told = import(&folder, &map[..4]).expect(1).stderr;
    assert!(
        told.contains("both \"Parent Email\" and \"Email\" could be the email") && told.contains("--map email="),
        "{told}"
    );
}

#[test]
fn wrong_flags_are_told_from_wrong_files() {
    let folder = club(b"Name,Email\nPat New,pat@example.com\n");
    for args in [
        &[][..],
        &["--fee", "99"],
        &["--fee", "5", "--fee-column", "Name"],
        &["--fee-column", "Division"],
        &["--fee", "5", "--map", "fee=Name"],
        &["--fee", "5", "--map", "team=Squad"],
        &["--fee", "5", "--map", "shirt=Name"],
        &["--fee", "5", "--map", "team"],
        &["--fee", "5", "--map", "team="],
    ] {
        let told = import(&folder, args).expect(64);
        assert!(told.stdout.is_empty() && !told.stderr.is_empty(), "{args:?}");
        let document = import(&folder, &[args, &["--json"]].concat()).expect(64).json();
        assert_eq!(document["error"]["code"], "usage", "{args:?}");
    }
    assert_eq!(folder.read("tournament.yaml"), MANIFEST);
    folder.tourney(["import"]).run().expect(64);
    let missing = folder.tourney(["import", "roster.csv", "--fee", "5", "--into", "no.yaml", "--json"]).run().expect(1);
    assert_eq!(missing.json()["error"]["code"], "bad-manifest");
}

fn ids(document: &Value) -> Vec<(String, String)> {
    let one = |one: &Value| (one["name"].as_str().unwrap().to_owned(), one["player"].as_str().unwrap().to_owned());
    let mut ids: Vec<_> = document["added"].as_array().unwrap().iter().map(one).collect();
    ids.sort();
    ids
}

/// Siblings, namesakes, another order, a row less, other capitals: whoever is there has the same id.
#[test]
fn ids_stay_the_same_next_time() {
    let rows =
        ["Sam Dune,fam@example.com", "Kim Dune,fam@example.com", "Sam Dune,other@example.com", "Jo Ash,jo@example.com"];
    let roster = |rows: &[&str]| format!("Name,Email\n{}\n", rows.join("\n"));
    let folder = club(roster(&rows).as_bytes());
    folder.write("tournament.yaml", EMPTY);
    let first = ids(&imported(&folder, &["--fee", "5"]));
    assert_eq!(first.iter().map(|(_, id)| id).collect::<std::collections::BTreeSet<_>>().len(), 4, "{first:?}");
    let text = folder.read("tournament.yaml");
    folder.write("roster.csv", &roster(&[rows[2], rows[3], rows[1], rows[0]]));
    assert_eq!(imported(&folder, &["--fee", "5"])["unchanged"], 4);
    assert_eq!(folder.read("tournament.yaml"), text);
    folder.write("tournament.yaml", EMPTY);
    folder.write("roster.csv", &roster(&[rows[3], "kim  DUNE,FAM@example.com", rows[2], rows[0]]));
    let again = ids(&imported(&folder, &["--fee", "5"]));
    let only =
        |ids: &[(String, String)]| ids.iter().map(|(_, id)| id.clone()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(only(&again), only(&first));
}

#[test]
fn who_is_whom_goes_by_id_then_by_person_then_by_an_address_of_their_own() {
    // By id, whatever else differs; by name and address; by an address that nobody else has.
    let folder = club(b"id,name,email\nsam,Samantha Sample,new@example.com\n,kim SAMPLE,Dune@example.com\n,Jordi Example,parent17@example.com\n");
    let document = imported(&folder, &["--fee", "7", "--dry-run"]);
    let changed: Vec<_> = document["changed"].as_array().unwrap().iter().map(|one| &one["player"]).collect();
    assert_eq!(changed, [&json!("sam"), &json!("kim"), &json!(1017)], "{document:#}");
    assert_eq!((&document["added"], &document["missing"]), (&json!([]), &json!([])));
    // A sibling who comes is not taken for one who stays away, nor one with an id of their own for another.
    let folder = club(b"id,name,email\n,Kim Sample,dune@example.com\n,Lou Sample,dune@example.com\n1018,Jo Example,parent17@example.com\n");
    let document = imported(&folder, &["--fee", "7", "--dry-run"]);
    let added: Vec<_> = document["added"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(added, ["Lou Sample", "Jo Example"], "{document:#}");
    let missing: Vec<_> = document["missing"].as_array().unwrap().iter().map(|one| &one["player"]).collect();
    assert_eq!(missing, [&json!(1017), &json!("sam")]);
}

#[test]
fn doubtful_cases_are_said() {
    let folder = club(b"id,name,email\n4,Kim Sample,dune@example.com\n,Jordan Example,moved@example.com\n");
    let told = import(&folder, &["--fee", "7", "--dry-run"]).expect(0);
    assert!(told.stderr.contains("line 2: the roster calls this player 4; kim is kept"), "{}", told.stderr);
    assert!(
        told.stderr.contains("line 3: jordan-example-") && told.stderr.contains("and 1017, who has"),
        "{}",
        told.stderr
    );
    assert!(!told.stdout.contains("moved@") && !told.stderr.contains("moved@"), "{}", told.stdout);
}
