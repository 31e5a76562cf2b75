//! Error codes are part of the public contract: the runbook says of each what to do.

use std::collections::BTreeSet;
use std::path::Path;

/// Where a code is given its name in the source.
const GIVEN: [&str; 4] = ["Failure::new(", "Self::new(", "=> (", "=> "];

/// The files in which errors become codes.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("render/errors.rs"), root.join("config/error.rs")];
    files.extend(std::fs::read_dir(root.join("cli")).unwrap().map(|entry| entry.unwrap().path()));
    files.iter().filter(|file| file.is_file()).map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

fn codes_in(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for given in GIVEN {
        for (at, _) in source.match_indices(given) {
            let rest = source[at + given.len()..].trim_start();
            let Some(code) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
            if code.contains('-') && code.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                codes.insert(code.to_owned());
            }
        }
    }
    codes
}

#[test]
fn the_runbook_says_what_to_do_at_each_error() {
    let runbook = include_str!("../../docs/tournament-billing-runbook.md");
    let codes: BTreeSet<String> = sources().iter().flat_map(|source| codes_in(source)).collect();
    assert!(codes.contains("plan-outdated") && codes.contains("live-refused"), "the search finds codes: {codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !runbook.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "the runbook is silent on {missing:?}");
}
