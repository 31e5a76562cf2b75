//! Error codes are part of the public contract: the runbook says of each what to do, and a test asks for each.

use std::collections::BTreeSet;
use std::path::Path;

/// Where a code is given its name in the source; behind a bare arrow may stand another word, but none with a hyphen.
const GIVEN: [(&str, bool); 4] = [("Failure::new(", true), ("Self::new(", true), ("=> (", true), ("=> ", false)];
/// Codes that no command line asks for.
const UNASKED: [(&str, &str); 2] = [
    ("demo", "a defect of tourney itself: the story does not end as it is told"),
    ("internal", "a defect of tourney itself: what cannot be"),
];
/// Tests that ask the library and not the binary.
const OF_THE_LIBRARY: [&str; 5] = ["config.rs", "error_codes.rs", "ledger.rs", "ledger_peers.rs", "stripe"];

/// The files in which errors become codes.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("render/errors.rs"), root.join("config/error.rs")];
    files.extend(std::fs::read_dir(root.join("cli")).unwrap().map(|entry| entry.unwrap().path()));
    files.iter().filter(|file| file.is_file()).map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

fn codes_in(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for (given, also_plain) in GIVEN {
        for (at, _) in source.match_indices(given) {
            let rest = source[at + given.len()..].trim_start();
            let Some(code) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
            let is_word = code.len() > 1 && (also_plain || code.contains('-'));
            if is_word && code.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                codes.insert(code.to_owned());
            }
        }
    }
    codes
}

fn codes() -> BTreeSet<String> {
    sources().iter().flat_map(|source| codes_in(source)).collect()
}

/// The text of every test that runs the binary.
fn tests(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let asked = entries.filter(|path| !OF_THE_LIBRARY.iter().any(|name| path.ends_with(Path::new("it").join(name))));
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => tests(&path),
        false => std::fs::read_to_string(path).unwrap(),
    };
    asked.map(text).collect()
}

#[test]
fn a_test_asks_the_binary_for_each_error() {
    let tests = tests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    let unasked = |code: &String| UNASKED.iter().any(|(name, _)| name == code);
    let missing: Vec<_> =
        codes().into_iter().filter(|code| !unasked(code) && !tests.contains(&format!("\"{code}\""))).collect();
    assert!(missing.is_empty(), "no test runs the binary into {missing:?}");
}

#[test]
fn the_runbook_says_what_to_do_at_each_error() {
    let runbook = include_str!("../../docs/tournament-billing-runbook.md");
    let codes = codes();
    assert!(codes.contains("plan-outdated") && codes.contains("live-refused"), "the search finds codes: {codes:?}");
    assert!(codes.contains("io") && codes.contains("locked"), "the search finds codes: {codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !runbook.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "the runbook is silent on {missing:?}");
}
