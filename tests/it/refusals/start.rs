//! Refused before anything is looked at: the command line, the confirmation, the manifest.

use crate::story::club::Club;
use crate::story::on_both;
use crate::support::Outcome;

use super::refused;

on_both!(
    a_wrong_command_line_is_64,
    without_a_terminal_somebody_must_say_yes,
    at_a_terminal_anything_but_yes_declines,
    a_bad_manifest_is_told_with_its_place,
    the_first_line_says_where_we_are_and_quiet_says_no_more,
    colour_only_where_it_is_wanted,
);

fn a_wrong_command_line_is_64(club: &Club) {
    club.bill();
    refused(club, ["plan", "--json", "--detailed-exit-code"], 64, "usage");
    refused(club, ["reconcile", "--json"], 64, "usage");
    refused(club, ["apply", "--json", "--yes", "--parallelism", "0"], 64, "usage");
    refused(club, ["apply", "--json", "--yes", "--lock-timeout", "soon"], 64, "usage");
    refused(club, ["apply", "--json", "--yes", "--allow-less"], 64, "usage");
    for command in ["plan", "apply"] {
        let yes = if command == "apply" { "--yes" } else { "--detailed-exitcode" };
        let error = refused(club, [command, "--json", yes, "--player", "1001", "1O02"], 64, "usage");
        assert!(error["message"].as_str().unwrap().contains("1O02"), "{error:#}");
    }
    let plain = club.untouched(|| club.tourney(["plan", "--detailed-exit-code"]).run()).expect(64);
    assert_eq!(plain.stdout, "");
    assert!(plain.stderr.contains("--detailed-exitcode"), "it says what was meant: {}", plain.stderr);
    club.tourney(["--help"]).run().expect(0);
    club.tourney(["--version"]).run().expect(0);
}

fn without_a_terminal_somebody_must_say_yes(club: &Club) {
    refused(club, ["apply", "--json"], 1, "confirmation-needed");
    let outcome = club.untouched(|| club.tourney(["apply"]).stdin("yes\n").run()).expect(1);
    assert_eq!(outcome.stdout, "");
    let kind = if club.is_sqlite() { "sqlite" } else { "postgres" };
    assert!(outcome.stderr.starts_with(&format!("test · {kind} ")), "it says where it was meant to be: {outcome:?}");
    assert!(outcome.stderr.contains("confirmation-needed"), "{}", outcome.stderr);
    assert!(club.sessions().is_empty() && club.requests().iter().all(|request| request["path"] != "/v1/account"));
}

/// Runs a shell command line at a terminal of its own, where `answer` is typed.
fn at_a_terminal(club: &Club, line: &str, answer: &str) -> Outcome {
    // `script` gives the command a terminal; -e passes its exit code on.
    club.in_shell(&format!("script -qec '{line}' /dev/null")).stdin(answer).run()
}

fn at_a_terminal_anything_but_yes_declines(club: &Club) {
    for answer in ["no\n", "y\n", "\n"] {
        let outcome = club.untouched(|| at_a_terminal(club, "tourney apply", answer)).expect(1);
        assert!(outcome.stdout.contains("Type yes to go on") && outcome.stdout.contains("declined"), "{outcome:?}");
    }
    assert!(club.sessions().is_empty());
    at_a_terminal(club, "tourney apply", "yes\n").expect(0);
    assert_eq!(club.sessions().len(), 3);
}

fn a_bad_manifest_is_told_with_its_place(club: &Club) {
    club.bill();
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 8}");
    for args in [["plan", "--json"], ["verify", "--json"]] {
        let error = refused(club, args, 1, "bad-manifest");
        assert_eq!(
            (&error["details"][0]["file"], &error["details"][0]["line"]),
            (&"tournament.yaml".into(), &7.into())
        );
    }
    refused(club, ["apply", "--yes", "--json"], 1, "bad-manifest");
    let shown = club.untouched(|| club.tourney(["plan"]).run()).expect(1);
    assert!(shown.stderr.contains("tournament.yaml:7:"), "{}", shown.stderr);
    refused(club, ["plan", "--json", "elsewhere.yaml"], 1, "bad-manifest");
}

fn the_first_line_says_where_we_are_and_quiet_says_no_more(club: &Club) {
    let kind = if club.is_sqlite() { "sqlite" } else { "postgres" };
    let is_place = |line: &str| {
        line.starts_with(&format!("test · {kind} "))
            && line.contains(" · Stripe acct_")
            && line.ends_with(" (test mode)")
    };
    for args in [["plan", "--color=never"], ["apply", "--yes"], ["verify", "--audit-only"]] {
        let outcome = club.tourney(args).run().expect(0);
        assert!(outcome.stderr.lines().next().is_some_and(is_place), "{}", outcome.stderr);
    }
    for args in [["plan", "-q"], ["verify", "-q"]] {
        let outcome = club.tourney(args).run().expect(0);
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert!(lines.len() == 1 && is_place(lines[0]), "{}", outcome.stderr);
    }
    for args in [["plan", "-vv"], ["status", "-vv"], ["history", "-vv"], ["show", "1001"]] {
        let outcome = club.tourney(args).run().expect(0);
        assert!(outcome.stderr.starts_with(&format!("test · {kind} ")), "{args:?}: {}", outcome.stderr);
        let logged = outcome.stderr.contains("GET /v1/account");
        assert_eq!(logged, ["plan", "status"].contains(&args[0]), "no line is lost: {args:?}: {}", outcome.stderr);
    }
    club.remove_player("1001");
    let outcome = club.tourney(["apply", "-q", "--yes"]).run().expect(0);
    assert!(outcome.stderr.lines().count() == 1 && outcome.stdout.contains("1 done"), "{outcome:?}");
}

fn colour_only_where_it_is_wanted(club: &Club) {
    let coloured = |outcome: Outcome| outcome.expect(0).stdout.contains("\u{1b}[");
    assert!(!coloured(club.tourney(["plan"]).run()), "not into a pipe");
    assert!(coloured(club.tourney(["plan", "--color", "always"]).run()));
    assert!(coloured(at_a_terminal(club, "tourney plan", "")));
    assert!(!coloured(at_a_terminal(club, "NO_COLOR=1 tourney plan", "")));
    assert!(!coloured(at_a_terminal(club, "tourney plan --color never", "")));
}
