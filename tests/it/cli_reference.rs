//! `docs/cli.md` is the help of every command; manual pages and completions know the same commands.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use tourney::cli::Cli;

use crate::support::Folder;

/// Set it to write the reference anew: `TOURNEY_WRITE_CLI_REFERENCE=1 cargo test --test it cli_reference`.
const REWRITE: &str = "TOURNEY_WRITE_CLI_REFERENCE";

/// Every command as the words that call it, the program itself first.
fn commands() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
        found.push(words.to_vec());
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            walk(sub, &[words, &[sub.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    walk(&Cli::command(), &["tourney".to_owned()], &mut found);
    found
}

#[test]
fn the_reference_is_the_help_of_the_binary() {
    let folder = Folder::new();
    let mut text =
        "# The command line\nGenerated from `tourney --help` and the help of every command; a test keeps it so.\n"
            .to_owned();
    for words in commands() {
        let call = words.join(" ");
        let help = folder.sh(&format!("{call} --help")).run().expect(0).stdout;
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## `{call}`\n```text\n{}\n```\n", lines.join("\n").trim_end());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/cli.md is not what the binary says: set {REWRITE}=1, run this test again, review");
}

#[test]
fn every_command_of_the_contract_is_there() {
    let known: Vec<String> =
        commands().into_iter().filter(|words| words.len() == 2).map(|words| words[1].clone()).collect();
    for command in [
        "init",
        "validate",
        "schema",
        "plan",
        "apply",
        "verify",
        "status",
        "show",
        "links",
        "import",
        "sandbox",
        "history",
        "unlock",
        "doctor",
        "completions",
        "man",
    ] {
        assert!(known.iter().any(|one| one == command), "{command} is missing");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    folder.tourney(["man", "--out", "pages"]).run().expect(0);
    for words in commands() {
        let page = folder.read(&format!("pages/{}.1", words.join("-")));
        assert!(page.contains(".TH") && page.contains(".SH SYNOPSIS"), "{words:?}");
    }
    let all = folder.tourney(["man"]).run().expect(0).stdout;
    assert_eq!(all.matches("\n.TH ").count(), commands().len());
    folder.write("file", "");
    folder.tourney(["man", "--out", "file/pages"]).run().expect(1);
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.tourney(["completions", shell]).run().expect(0).stdout;
        assert!(script.contains("apply") && script.contains("audit-only"), "{shell}");
    }
    folder.tourney(["completions", "cmd"]).run().expect(64);
    let bash = folder.tourney(["completions", "bash"]).run().expect(0).stdout;
    folder.write("tourney.bash", &bash);
    folder.sh("bash -n tourney.bash").run().expect(0);
}
