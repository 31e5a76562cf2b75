//! Manifests: the examples are valid, and a few hundred broken ones are refused with file, line and what to write instead.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;
use tourney::domain::{FeeId, Id, Money, PlayerId};
use tourney::manifest::{Manifest, ManifestErrors, Retire, Stale, parse, read};

/// A valid manifest; the table of broken ones says what to replace in it.
pub(crate) const BASE: &str = include_str!("../manifests/base.yaml");
/// `name | replace | with`, one broken manifest in a line; `\n`, `\t`, `\e` stand for what they look like.
const BROKEN: &str = include_str!("../manifests/broken.txt");

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn manifest(text: &str) -> Manifest {
    parse("tournament.yaml", text.as_bytes()).unwrap_or_else(|errors| panic!("{}", shown(&errors)))
}

pub(crate) fn refused(text: &[u8]) -> ManifestErrors {
    parse("tournament.yaml", text).map(|_| String::from_utf8_lossy(text).into_owned()).unwrap_err()
}

fn shown(errors: &ManifestErrors) -> String {
    let mut text = String::new();
    let theme = GraphicalTheme::unicode_nocolor();
    GraphicalReportHandler::new_themed(theme).with_width(110).render_report(&mut text, errors).unwrap();
    text
}

/// The broken manifests of the table: name and text.
fn broken() -> Vec<(&'static str, String)> {
    let unescape = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\e", "\u{1b}");
    let rows = BROKEN.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    rows.map(|row| {
        let parts: Vec<&str> = row.splitn(3, " | ").collect();
        let [name, old, new] = parts[..] else { panic!("not a row: {row}") };
        let (old, new) = (unescape(old), unescape(new));
        assert!(BASE.contains(&old), "{name}: {old:?} is not in base.yaml");
        (name, BASE.replacen(&old, &new, 1))
    })
    .collect()
}

#[test]
fn every_example_is_valid() {
    for folder in ["plans", "examples"] {
        for entry in std::fs::read_dir(repository().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_manifest = path.extension().is_some_and(|ext| ext == "yaml") && !path.ends_with("environments.yaml");
            if is_manifest {
                read(&path).unwrap_or_else(|errors| panic!("{}", shown(&errors)));
            }
        }
    }
}

#[test]
fn the_utah_invitational_bills_21_players_1235_dollars() {
    let manifest = read(&repository().join("plans/utah-invitational.yaml")).unwrap();
    let owed: i64 = manifest.registrations().map(|(_, owed)| owed.amount.minor).sum();
    let on = |fee: i64| manifest.registrations().filter(|(_, owed)| owed.fee == FeeId(Id::Int(fee))).count();
    assert_eq!(Money::new(owed, manifest.tournament.currency).to_string(), "$1,235.00");
    assert_eq!((manifest.players.len(), on(5) + on(7), on(6)), (21, 13, 8));
}

#[test]
fn everything_that_is_written_is_read() {
    let manifest = manifest(BASE);
    assert_eq!(manifest.tournament.name, "Utah Invitational");
    assert!(manifest.tournament.open);
    assert_eq!(manifest.policy.stale, Stale::Renew);
    assert_eq!(manifest.policy.retire, Retire::Cancel);
    assert_eq!(manifest.policy.max_retired_percent, 30);
    let jordan = manifest.player(&PlayerId(Id::Int(1017))).unwrap();
    assert_eq!(jordan.owes[0].amount.minor, 4000);
    assert_eq!(jordan.paid.as_ref().unwrap().how, "cash");
    assert_eq!(jordan.renamed_from, Some(PlayerId(Id::Int(917))));
    let sibling = manifest.player(&PlayerId(Id::Slug("sam".to_owned()))).unwrap();
    let owes: Vec<i64> = sibling.owes.iter().map(|owed| owed.amount.minor).collect();
    assert_eq!(owes, [5500, 4000]);
    assert_eq!(manifest.decisions.len(), 1);
    assert_eq!(manifest.sha256.len(), 64);
}

#[test]
fn spellings_of_the_same_value_are_equal() {
    for amount in ["55.00", "55", "\"55.00\"", "'55'", "55.0"] {
        let manifest = manifest(&BASE.replace("amount: 55.00 #5", &format!("amount: {amount} #5")));
        assert_eq!(manifest.fees[0].amount.minor, 5500, "{amount}");
    }
    let text = manifest(BASE);
    for other in [format!("\u{feff}{BASE}"), BASE.replace('\n', "\r\n"), format!("---\n{BASE}"), format!("{BASE}...\n")]
    {
        assert_eq!(Manifest { sha256: text.sha256.clone(), ..manifest(&other) }, text);
    }
}

#[test]
fn players_may_be_none_and_an_anchor_may_be_shared() {
    let none = BASE.split("players:").next().unwrap().to_owned() + "players: []\n";
    assert_eq!(manifest(&none).players.len(), 0);
    let shared = BASE
        .replace("email: parent17@example.com", "email: &home parent17@example.com")
        .replace("email: sam@example.com", "email: *home");
    let manifest = manifest(&shared);
    assert_eq!(manifest.players[0].email, manifest.players[1].email);
}

#[test]
fn every_broken_manifest_is_refused_with_its_place() {
    let broken = broken();
    assert!(broken.len() >= 200, "{} broken manifests", broken.len());
    let taken: Vec<_> =
        broken.iter().filter(|(_, text)| parse("x", text.as_bytes()).is_ok()).map(|(name, _)| name).collect();
    assert!(taken.is_empty(), "taken for valid: {taken:#?}");
    for (name, text) in broken {
        let began = Instant::now();
        let errors = refused(text.as_bytes());
        let report = shown(&errors);
        assert!(began.elapsed() < Duration::from_secs(2), "{name} took {:?}", began.elapsed());
        for problem in errors.problems() {
            let lines = text.lines().count() + 1;
            assert!((1..=lines).contains(&problem.line) && problem.column >= 1, "{name}: {problem:?}");
            assert!(!problem.message.is_empty() && problem.help.is_some(), "{name}: {problem:?}");
        }
        assert!(report.contains("tournament.yaml:"), "{name} names no line: {report}");
        assert!(!report.contains('\u{1b}'), "{name} lets a control character through");
    }
}

/// The most important thirty, as a person sees them.
#[test]
fn broken_manifests_as_they_are_shown() {
    let mut report = String::new();
    for (name, text) in broken().into_iter().filter(|(name, _)| name.starts_with('!')) {
        writeln!(report, "=== {}\n{}", name.trim_start_matches('!'), shown(&refused(text.as_bytes()))).unwrap();
    }
    insta::assert_snapshot!(report);
}

#[test]
fn all_problems_of_a_file_come_at_once_and_in_its_order() {
    let text = BASE
        .replace("currency: usd", "currency: usdd")
        .replace("parent17@example.com", "parent17")
        .replace("fees: [5,", "fees: [99,")
        .replace("stale: renew", "stale: renwe");
    let errors = refused(text.as_bytes());
    let paths: Vec<&str> = errors.problems().iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["tournament.currency", "players[0].email", "players[1].fees[0]", "policy.stale"]);
}

#[test]
fn output_stays_bounded_whatever_is_wrong() {
    let players: String = (0..5000).map(|n| format!("  - {{id: {n}, name: A, email: none, fee: 9}}\n")).collect();
    let text = BASE.split("players:").next().unwrap().to_owned() + "players:\n" + &players;
    let errors = refused(text.as_bytes());
    assert_eq!((errors.problems().len(), errors.shown().len(), errors.hidden()), (10_000, 100, 9900));
    assert!(shown(&errors).len() < 60_000);
    assert!(errors.to_string().ends_with("… and 9900 more"), "{errors}");
}

#[test]
fn hostile_input_is_refused_at_once() {
    let bomb = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, n| {
        writeln!(text, "a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}]", n + 1, n + 1).unwrap();
        text
    });
    let cases = [
        ("brackets", "[".repeat(50_000)),
        ("closed brackets", "[".repeat(50_000) + &"]".repeat(50_000)),
        ("braces", "{a: ".repeat(50_000)),
        ("dashes", "- ".repeat(50_000)),
        ("indents", (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect()),
        ("bomb", bomb),
        ("ten megabytes", "x".repeat(10_000_000)),
        ("one long line", "x".repeat(4_000_000)),
        ("quotes", "\"".repeat(100_001)),
        ("documents", "---\n".repeat(50_000)),
        ("anchors", (0..5000).map(|n| format!("- &a{n} x\n")).collect()),
        ("nothing but colons", ": ".repeat(50_000)),
        ("question marks", "? ".repeat(50_000)),
        ("nulls", "\0".repeat(50_000)),
    ];
    for (name, text) in cases {
        let began = Instant::now();
        let errors = refused(text.as_bytes());
        let took = began.elapsed();
        // Milliseconds in a release build; the bound leaves room for a debug build on a busy machine.
        assert!(took < Duration::from_secs(10), "{name} took {took:?}");
        assert!(shown(&errors).len() < 20_000, "{name}");
    }
}

#[test]
fn what_is_no_readable_text_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = read(&folder.path().join("tournament.yaml")).unwrap_err();
    assert!(shown(&missing).contains("tourney init"), "{}", shown(&missing));
    assert!(shown(&read(folder.path()).unwrap_err()).contains("folder"));
    let latin = refused(b"version: 1\ntournament: {name: J\xf6rg}\n");
    assert_eq!((latin.problems()[0].line, latin.problems()[0].column), (2, 21));
    for empty in ["", "\n\n", "# nothing\n", "---\n", "\u{feff}"] {
        assert!(shown(&refused(empty.as_bytes())).contains("empty"), "{empty:?}");
    }
}

#[test]
fn ten_thousand_players_are_read_in_linear_time() {
    let of = |count: u32| {
        let players: String = (0..count)
            .map(|n| format!("  - {{id: {n}, name: Player {n}, email: p{n}@example.com, fee: 5}}\n"))
            .collect();
        BASE.split("players:").next().unwrap().to_owned() + "players:\n" + &players
    };
    let time = |text: &str| {
        let began = Instant::now();
        manifest(text);
        began.elapsed()
    };
    let (small, large) = (of(1000), of(10_000));
    let small = (0..3).map(|_| time(&small)).min().unwrap();
    let large = time(&large);
    assert!(large < small * 40 + Duration::from_secs(1), "1,000 took {small:?}, 10,000 took {large:?}");
}

/// YAML as JSON, for the examples: they use nothing that the two read differently.
fn as_json(text: &str) -> serde_json::Value {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_schema_is_published_and_takes_every_example() {
    let published = std::fs::read_to_string(repository().join("docs/schemas/manifest.schema.json")).unwrap();
    let schema = tourney::manifest::schema();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&published).unwrap(), schema, "run `tourney schema` anew");
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for file in ["plans/utah-invitational.yaml", "examples/chess-open-eur.yaml", "examples/festival-jpy.yaml"]
        .into_iter()
        .chain(["examples/siblings-several-fees.yaml", "examples/waived-and-cash.yaml", "tests/manifests/base.yaml"])
    {
        let json = as_json(&std::fs::read_to_string(repository().join(file)).unwrap());
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_it_can() {
    let validator = jsonschema::draft202012::new(&tourney::manifest::schema()).unwrap();
    let names =
        ["unknown key", "bad e-mail", "negative amount", "unknown currency", "quoted integer id", "fee and fees"]
            .into_iter()
            .chain(["neither fee nor fees", "amount beside several", "missing key", "wrong version", "not a finding"])
            .chain(["bill after the wrong finding", "percentage without its sign", "unknown key of a player"]);
    for wanted in names {
        let (_, text) = broken().into_iter().find(|(name, _)| name.trim_start_matches('!') == wanted).unwrap();
        assert!(!validator.is_valid(&as_json(&text)), "the schema takes {wanted}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse("tournament.yaml", &bytes).map_err(|errors| shown(&errors));
    }

    #[test]
    fn no_edit_of_a_manifest_makes_it_panic(at in 0..BASE.len(), len in 0_usize..12, piece in "[-:{}\\[\\]&*!|>'\"%@`#,a0 \n\t]{0,6}|\\PC{0,3}") {
        let mut text = BASE.as_bytes().to_vec();
        text.splice(at..(at + len).min(BASE.len()), piece.bytes());
        let _ = parse("tournament.yaml", &text).map_err(|errors| shown(&errors));
    }

    #[test]
    fn every_text_in_a_name_is_refused_or_kept(name in "\\PC{1,30}") {
        let quoted = serde_json::to_string(&name).unwrap();
        let text = BASE.replace("name: Jordan Example", &format!("name: {quoted}"));
        if let Ok(manifest) = parse("tournament.yaml", text.as_bytes()) {
            prop_assert_eq!(&manifest.players[0].name, name.trim());
        }
    }
}
