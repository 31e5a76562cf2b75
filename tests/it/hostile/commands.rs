//! Command lines that are wrong: exit 64, the word that is wrong named, nothing done.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{applied, assert_untouched, code_of, contents, refused};

/// Lines that no version of the program takes, in the shell's words without quotes: `''` is an empty word.
const WRONG: &[&str] = &[
    "",
    "bogus",
    "Plan",
    "PLAN",
    "pla",
    "plan plan.yaml more.yaml",
    "--bogus",
    "-x",
    "-",
    "--",
    "-- plan",
    "''",
    "--version=5",
    "--json=yes plan",
    "--env plan",
    "-e",
    "-e '' plan",
    "--env= plan",
    "-e a -e b plan",
    "--color plan",
    "--color sometimes plan",
    "--color '' plan",
    "plan --bogus",
    "plan --detailed-exitcodes",
    "plan --detailed-exitcode=5",
    "plan --yes",
    "plan --player",
    "plan --player ''",
    "plan --player a/b",
    "plan --player 1.5",
    "plan --player 007",
    "plan --player 99999999999999999999",
    "plan --player nobody",
    "plan --player 1017 --player 4",
    "plan --out",
    "plan --out ''",
    "plan --out tournament.yaml",
    "plan --out ./tournament.yaml",
    "plan --markdown --json",
    "plan ''",
    "apply --yes --parallelism 0",
    "apply --yes --parallelism -1",
    "apply --yes --parallelism 65",
    "apply --yes --parallelism 256",
    "apply --yes --parallelism 99999999999999999999",
    "apply --yes --parallelism 1.5",
    "apply --yes --parallelism four",
    "apply --yes --parallelism ''",
    "apply --yes --parallelism 0x4",
    "apply --yes --lock-timeout 5",
    "apply --yes --lock-timeout -5s",
    "apply --yes --lock-timeout soon",
    "apply --yes --lock-timeout ''",
    "apply --yes --lock-timeout 25h",
    "apply --yes --lock-timeout 9999999999999h",
    "apply --yes --lock-timeout 1y",
    "apply --yes --allow-less",
    "apply --yes --player nobody",
    "apply --yes --player ''",
    "apply --yes --yes=no",
    "apply --yes --confirm",
    "apply --yes a b",
    "verify --endpoint",
    "verify --pay-within 5m",
    "verify --pay --pay-within -5m",
    "verify --pay --pay-within 99999999h",
    "verify --audit-only --pay",
    "verify --audit-only --endpoint http://localhost/",
    "verify --lock-timeout never",
    "status --player nobody",
    "status --problem",
    "show",
    "show ''",
    "show a b",
    "links --format xml",
    "links --format",
    "links --format csv --json",
    "links --player nobody",
    "history ''",
    "history --limit 0",
    "history --limit -1",
    "history --limit 10001",
    "history --limit many",
    "history --limit 5 abc",
    "unlock --yes",
    "unlock abc",
    "completions",
    "completions cmd",
    "completions ''",
    "man --out",
    "init a b",
    "init ''",
    "schema a",
    "sandbox --listen",
    "sandbox --listen 4242",
    "sandbox --listen localhost",
    "sandbox --listen 127.0.0.1:99999",
    "sandbox --listen 127.0.0.1:-1",
    "sandbox --listen 0.0.0.0:0",
    "sandbox --listen [::]:0",
    "sandbox --state",
    "sandbox seed",
    "sandbox seed bogus",
    "sandbox seed incident a b",
    "sandbox bogus more",
    "validate --bogus",
    "validate ''",
    "help bogus",
];

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().map(|word| word.trim_matches('\''))
}

#[test]
fn wrong_command_lines_are_refused_with_64() {
    let folder = applied();
    let before = contents(&folder);
    for line in WRONG {
        let outcome = refused(line, folder.tourney(words(line)));
        assert_eq!(outcome.code(), Some(64), "{line}: {}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.stdout.is_empty(), !words(line).any(|word| word == "--json"), "{line}: {}", outcome.stdout);
    }
    assert_untouched(&before, &contents(&folder), "a wrong command line");
}

/// A script that asked for JSON gets it, also where the flag itself stands beside the mistake.
#[test]
fn wrong_command_lines_are_json_where_that_is_asked_for() {
    let folder = applied();
    let before = contents(&folder);
    let lines =
        WRONG.iter().filter(|line| !line.contains("--json") && !line.contains("--markdown") && !line.starts_with("--"));
    for line in lines {
        let outcome = refused(line, folder.tourney(["--json"].into_iter().chain(words(line))));
        assert_eq!((outcome.code(), code_of(&outcome).as_str()), (Some(64), "usage"), "{line}: {}", outcome.stdout);
        assert_eq!(outcome.stderr.lines().filter(|line| line.contains("Usage")).count(), 0, "{}", outcome.stderr);
    }
    assert_untouched(&before, &contents(&folder), "a wrong command line");
}

#[test]
fn a_mistake_is_named() {
    let folder = applied();
    for (line, word) in [
        ("plan --bogus", "--bogus"),
        ("bogus", "bogus"),
        ("show", "<WHAT>"),
        ("completions", "<SHELL>"),
        ("apply --yes --parallelism 65", "65"),
        ("apply --yes --lock-timeout 25h", "24h"),
        ("plan --player nobody", "nobody"),
        ("plan --out tournament.yaml", "--out"),
        ("links --format xml", "xml"),
    ] {
        let outcome = refused(line, folder.tourney(words(line)));
        assert!(outcome.stderr.contains(word), "{line} does not name {word}: {}", outcome.stderr);
        let outcome = refused(line, folder.tourney(words(line).chain(["--json"])));
        assert!(outcome.stdout.contains(word), "{line} does not name {word}: {}", outcome.stdout);
    }
}

#[test]
fn words_that_are_no_text_are_refused() {
    let folder = applied();
    let bad = || OsString::from(OsStr::from_bytes(b"\xff\xfe"));
    let before = contents(&folder);
    for line in [
        &[][..],
        &["plan", "--player"],
        &["plan", "-e"],
        &["apply", "--yes", "--parallelism"],
        &["apply", "--yes", "--lock-timeout"],
        &["show"],
        &["history"],
        &["links", "--format"],
        &["completions"],
        &["sandbox", "--listen"],
        &["verify", "--endpoint"],
    ] {
        let args = line.iter().map(OsString::from).chain([bad()]);
        let outcome = refused(&format!("{line:?}"), folder.tourney(args));
        assert_eq!(outcome.code(), Some(64), "{line:?}: {}", outcome.stderr);
    }
    for command in ["plan", "validate", "status"] {
        let outcome = refused(command, folder.tourney([OsString::from(command), bad()]));
        assert_eq!(outcome.code(), Some(1), "{command}: {}", outcome.stderr);
    }
    assert_untouched(&before, &contents(&folder), "a word that is no text");
}

/// Places where output cannot go.
#[test]
fn output_that_cannot_be_written_is_an_error_and_leaves_no_piece() {
    let folder = applied().with("file", "x").with("folder/file", "x");
    let before = contents(&folder);
    for line in [
        "plan --out folder",
        "plan --out nowhere/plan.json",
        "plan --out file/plan.json",
        "plan --out /proc/plan.json",
        "init file",
        "init file/new",
        "init /proc/new",
        "man --out file",
        "sandbox --state file --listen 127.0.0.1:0",
    ] {
        for json in [&[][..], &["--json"]] {
            let outcome = refused(line, folder.tourney(words(line).chain(json.iter().copied())));
            assert_eq!(outcome.code(), Some(1), "{line}: {}", outcome.stderr);
        }
    }
    assert_untouched(&before, &contents(&folder), "output that cannot be written");
}
