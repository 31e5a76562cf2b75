//! Output that cannot be written, and files that `plan --out` must not replace.

use serde_json::Value;

use crate::story::club::Club;
use crate::support::{Folder, applied_camp, camp};

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

/// Saves a plan over what a script has put there, which must stand as it was.
#[track_caller]
fn is_kept(folder: &Folder, make: &str) {
    folder.sh(make).run().expect(0);
    let stands = "ls -ld --time-style=full-iso out; cat tournament.yaml; test ! -f out || cat out";
    let before = folder.sh(stands).run().expect(0).stdout;
    let refused = folder.tourney(["plan", "--out", "out", "--json"]).run().expect(1);
    let error: Value = refused.json()["error"].take();
    assert_eq!(error["code"], "io", "{make}: {error:#}");
    assert!(error["message"].as_str().unwrap().contains("out "), "{make}: {error:#}");
    assert!(refused.stderr.starts_with("sandbox · sqlite"), "{make}: {}", refused.stderr);
    assert_eq!(folder.sh(stands).run().expect(0).stdout, before, "{make}");
    // Nothing was planned: else the sandbox would have been opened.
    assert!(!folder.path(".tourney").exists(), "{make}: it went on");
    folder.sh("rm -rf out target").run().expect(0);
}

#[test]
fn a_plan_replaces_nothing_but_a_plan() {
    let folder = camp();
    for make in [
        "echo 'id,name' >out",
        "printf 'SQLite format 3\\000' >out",
        "printf '\\377\\376' >out",
        "echo '{\"version\": 1}' >out",
        "ln tournament.yaml out",
        "mkfifo out",
        "mkdir out",
        "ln -s /dev/null out",
        "ln -s nowhere out",
        "echo x >target; ln -s target out",
    ] {
        is_kept(&folder, make);
    }
    for same in ["tournament.yaml", "./tournament.yaml"] {
        folder.tourney(["plan", "--out", same]).run().expect(64);
    }
}

#[test]
fn a_plan_replaces_a_plan_whole_or_torn_or_behind_a_link() {
    let club = Club::on_sqlite();
    let save = |name| club.tourney(["plan", "--out", name]).run().expect(0);
    club.folder.write("empty", "");
    for name in ["new", "empty", "new"] {
        save(name);
    }
    let whole = club.folder.read("new");
    for torn in [&whole[..100], &whole.replace("\"format_version\": 1", "\"format_version\": 9")] {
        club.folder.write("new", torn);
        save("new");
    }
    club.in_shell("ln -s new link; echo mine >new.partial").run().expect(0);
    save("link");
    assert!(club.folder.path("link").is_symlink(), "the link leads where it led");
    assert_eq!(club.folder.read("new.partial"), "mine\n");
    assert_eq!(std::fs::read_dir(club.folder.path("")).unwrap().count(), 6, "nothing is left over");
    club.tourney(["apply", "--yes", "link"]).run().expect(0);
}
