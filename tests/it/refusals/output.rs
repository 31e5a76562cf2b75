//! Output that cannot be written.

use crate::support::applied_camp;

/// Every command that prints data, in a folder that has been applied.
const PRINTING: [&str; 20] = [
    "validate",
    "schema",
    "plan",
    "plan --json",
    "plan --markdown",
    "apply --yes",
    "apply --yes --json",
    "verify",
    "verify --audit-only --json",
    "status",
    "show 1 --json",
    "links",
    "history",
    "unlock",
    "completions bash",
    "man",
    "demo",
    "--help",
    "--version",
    "sandbox --listen 127.0.0.1:0",
];

#[test]
fn output_that_cannot_be_written_is_told() {
    let folder = applied_camp();
    for line in PRINTING {
        let outcome = folder.sh(&format!("exec tourney {line} >/dev/full")).run().expect(1);
        let codes = outcome.stderr.lines().filter(|line| *line == "io").count();
        assert!(codes == 1 && outcome.stderr.contains("No space left"), "{line}: {}", outcome.stderr);
    }
    // The code of what went wrong before stays.
    let outcome = folder.sh("exec tourney plan --bogus --json >/dev/full").run().expect(64);
    assert!(outcome.stderr.contains("--bogus"), "{}", outcome.stderr);
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let folder = applied_camp();
    // The reader is gone before anything is written to it.
    folder.sh("mkfifo pipe").run().expect(0);
    for line in PRINTING.into_iter().filter(|line| !line.starts_with("sandbox")) {
        let script = format!("exec 3<>pipe; exec 4>pipe 3>&-; exec tourney {line} >&4 4>&-");
        let outcome = folder.sh(&script).run().expect(0);
        assert!(!outcome.stderr.contains("io\n"), "{line}: {}", outcome.stderr);
    }
}
