//! The command line against the contract's table: every command and flag is there and says what it is for.

use crate::support::Folder;

/// The commands that stand, each with its own flags and words, from the contract's table.
const TABLE: &[(&str, &[&str])] = &[
    ("init", &["[DIR]"]),
    ("validate", &["[MANIFEST]..."]),
    ("schema", &[]),
    (
        "plan",
        &["[MANIFEST]", "--out <FILE>", "--markdown", "--detailed-exitcode", "--player <ID>...", "--allow-mass-retire"],
    ),
    (
        "apply",
        &[
            "--yes",
            "-y",
            "--parallelism <N>",
            "--player <ID>...",
            "--allow-mass-retire",
            "--allow-less",
            "--lock-timeout <TIME>",
        ],
    ),
    ("verify", &["[MANIFEST]", "--endpoint <URL>", "--audit-only", "--pay"]),
    ("status", &["[MANIFEST]", "--player <ID>...", "--problems"]),
    ("show", &["<WHAT>"]),
    ("links", &["[MANIFEST]"]),
    (
        "import",
        &[
            "<ROSTER.csv>",
            "--into <FILE>",
            "--fee <ID>",
            "--fee-column <NAME>",
            "--map <FIELD=COLUMN>",
            "--match <BY>",
            "--dry-run",
            "--remove-missing",
        ],
    ),
    ("sandbox", &["--listen <ADDR>", "seed"]),
    ("history", &[]),
    ("unlock", &["--force"]),
    ("doctor", &["--manifest <FILE>"]),
    ("completions", &["<SHELL>"]),
    ("man", &[]),
];

/// What every command takes.
const GLOBAL: &[&str] = &["-e, --env <NAME>", "--json", "-q, --quiet", "-v, --verbose", "--color <WHEN>"];

/// The lines of a help text that begin a flag or word, each with what it says, on the same line or below.
fn entries(help: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        let text = line.trim();
        let begins = line.starts_with("  ")
            && text.starts_with(['-', '<', '['])
            && !text.starts_with("- ")
            && !text.starts_with("[default")
            && !text.starts_with("[possible")
            && !text.starts_with("[env");
        match entries.last_mut() {
            _ if begins => {
                let (name, said) = text.split_once("  ").unwrap_or((text, ""));
                entries.push((name.to_owned(), said.trim().to_owned()));
            }
            Some((_, said)) if !text.is_empty() => said.push_str(text),
            _ => {}
        }
    }
    entries
}

#[test]
fn every_command_and_flag_of_the_contract_stands_in_its_help() {
    let folder = Folder::new();
    let overview = folder.tourney(["--help"]).run().expect(0).stdout;
    for (command, words) in TABLE {
        let line = overview.lines().find(|line| line.trim_start().starts_with(&format!("{command} ")));
        let said = line.and_then(|line| line.trim_start().split_once(' ')).map_or("", |(_, said)| said.trim());
        assert!(said.len() > 10, "--help does not say what {command} is for: {line:?}");
        let outcome = folder.tourney([command, "--help"]).run().expect(0);
        assert_eq!(outcome.stderr, "", "{command} --help is data");
        for word in words.iter().chain(GLOBAL) {
            assert!(outcome.stdout.contains(word), "{command} --help lacks {word}:\n{}", outcome.stdout);
        }
        let silent: Vec<_> = entries(&outcome.stdout).into_iter().filter(|(_, said)| said.len() < 4).collect();
        assert!(silent.is_empty(), "{command} --help says nothing of {silent:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 0, "help writes nothing");
}

/// Every command that the program has, also one that came after the table, explains itself both ways.
#[test]
fn every_command_explains_itself() {
    let folder = Folder::new();
    let overview = folder.tourney(["--help"]).run().expect(0).stdout;
    let commands = overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that goes on is indented further.
    let commands = commands.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > TABLE.len(), "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let long = folder.tourney([command, "--help"]).run().expect(0).stdout;
        let short = folder.tourney([command, "-h"]).run().expect(0).stdout;
        assert!(long.contains("Usage: tourney") && short.contains("Usage: tourney"), "{command}: {long}{short}");
        folder.tourney(["help", command]).run().expect(0);
    }
}

#[test]
fn help_and_version_are_data_and_exit_with_0() {
    let folder = Folder::new();
    for args in [&["--version"][..], &["-V"], &["--version", "--json"]] {
        let outcome = folder.tourney(args).run().expect(0);
        let version = format!("tourney {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!((outcome.stdout, outcome.stderr), (version, String::new()), "{args:?}");
    }
    for args in
        [&["-h"][..], &["help"], &["help", "plan"], &["plan", "-h"], &["--help", "--json"], &["sandbox", "seed", "-h"]]
    {
        let outcome = folder.tourney(args).run().expect(0);
        assert!(outcome.stdout.contains("Usage: tourney") && outcome.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn without_a_command_the_help_comes_with_64() {
    let outcome = Folder::new().tourney([""; 0]).run().expect(64);
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("Usage: tourney"), "{}", outcome.stderr);
}

#[test]
fn a_mistake_is_64_and_json_where_that_is_asked_for() {
    let folder = Folder::new();
    for args in [&["plan", "--bogus"][..], &["bogus"], &["show"], &["apply", "--parallelism", "0"]] {
        let outcome = folder.tourney(args).run().expect(64);
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains("error: "), "{args:?}: {}", outcome.stderr);
        let outcome = folder.tourney(args.iter().chain(&["--json"])).run().expect(64);
        let document = outcome.json();
        assert_eq!(document["error"]["code"], "usage", "{args:?}");
        assert!(document["error"]["hint"].as_str().unwrap().contains("--help"), "{args:?}");
    }
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let folder = Folder::new();
    for args in [&["--help"][..], &["plan", "--help"], &["bogus"], &["plan"]] {
        let outcome = folder.tourney(args).run();
        assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains('\u{1b}'), "{args:?}");
    }
    let outcome = folder.tourney(["plan", "--color", "always"]).run().expect(1);
    assert!(outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
}
