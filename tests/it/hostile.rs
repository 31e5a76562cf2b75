//! Bad input through the binary: whatever is wrong with a file, a variable or the command line, the exit code is 1 or 64, the
//! message is clear, nothing panics and nothing is written.

mod commands;
pub(crate) mod environments;
mod files;
mod manifests;
mod plans;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::{Folder, Outcome, Tourney};

/// A valid manifest.
const BASE: &str = include_str!("../manifests/base.yaml");
/// `name | replace | with`, one broken manifest in a line; `\n`, `\t`, `\e` stand for what they look like.
const BROKEN: &str = include_str!("../manifests/broken.txt");

/// What stands in no message for people.
const TRACES: [&str; 6] = ["panicked", "RUST_BACKTRACE", "stack backtrace", ".rs:", "unwrap()", "Os {"];

/// The valid manifest with days that lie ahead, so that its players can be billed.
pub(crate) fn ahead() -> String {
    BASE.replace("2026-04-25", "2099-04-25").replace("starts: 2026-05-01", "starts: 2099-05-01")
}

/// A folder with a valid manifest that has been applied: there is something that a bad input could spoil.
fn applied() -> Folder {
    let folder = Folder::new().with("tournament.yaml", &ahead());
    folder.tourney(["apply", "--yes"]).run().expect(0);
    folder
}

/// Every file under a folder with its bytes, and everything else with its kind. Left out are the sandbox's own
/// files, whose bytes SQLite moves (its log goes back into its database) whenever they are opened.
fn contents(folder: &Folder) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(path: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                walk(&path, found);
            }
            let passing = path.to_string_lossy().contains(".tourney/sandbox.");
            if !passing {
                let bytes = if kind.is_file() { std::fs::read(&path) } else { Ok(Vec::new()) };
                found.insert(path, bytes.unwrap_or_default());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&folder.path(""), &mut found);
    found
}

/// Asserts that two listings are the same, naming what differs.
#[track_caller]
fn assert_untouched(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    let moved: Vec<&PathBuf> =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(moved.is_empty(), "{what} wrote {moved:?}");
}

/// Runs a command line that must be refused, and asserts everything that holds for every refusal.
#[track_caller]
fn refused(what: &str, command: Tourney) -> Outcome {
    let outcome = command.env("RUST_BACKTRACE", "1").run();
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(matches!(outcome.code(), Some(1 | 64)), "{what}: exit {:?}\n{said}", outcome.code());
    for trace in TRACES {
        assert!(!said.contains(trace), "{what} shows {trace:?}:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "{what} commands the terminal:\n{said:?}");
    if outcome.stdout.is_empty() {
        assert!(outcome.stderr.trim().len() > 10, "{what} says nothing: {said:?}");
    } else {
        let document = outcome.json();
        let error = document["error"].as_object().unwrap_or_else(|| panic!("{what}: no error in {document}"));
        assert_eq!(document.as_object().unwrap().len(), 1, "{what}: more than the error in {document}");
        for key in ["code", "message"] {
            assert!(error[key].as_str().is_some_and(|text| !text.is_empty()), "{what}: {document}");
        }
        assert!(error["hint"].is_null() || error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{document}");
        let known = ["code", "message", "hint", "details"];
        assert!(error.keys().all(|key| known.contains(&key.as_str())), "{what}: {document}");
    }
    outcome
}

/// The code of a refusal with `--json`.
#[track_caller]
fn code_of(outcome: &Outcome) -> String {
    outcome.json()["error"]["code"].as_str().unwrap().to_owned()
}

/// The broken manifests of the shared table: name and text.
pub(crate) fn broken() -> Vec<(String, String)> {
    let unescape = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\e", "\u{1b}");
    let rows = BROKEN.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    rows.map(|row| {
        let parts: Vec<&str> = row.splitn(3, " | ").collect();
        let [name, old, new] = parts[..] else { panic!("not a row: {row}") };
        (name.trim_start_matches('!').to_owned(), BASE.replacen(&unescape(old), &unescape(new), 1))
    })
    .collect()
}
