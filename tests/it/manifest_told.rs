//! What is told of a broken manifest: everything at once, at its exact place, and with help that works.

use std::time::{Duration, Instant};

use tourney::manifest::{Problem, parse};

use crate::manifest::{BASE, manifest, refused};
use crate::support::Folder;

/// The base with pieces replaced, each of which must stand in it.
fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(BASE.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old:?} is not in base.yaml");
        text.replacen(old, new, 1)
    })
}

fn problems(edits: &[(&str, &str)]) -> Vec<Problem> {
    refused(edited(edits).as_bytes()).problems().to_vec()
}

/// The paths of what is wrong, in the file's order.
fn paths(edits: &[(&str, &str)]) -> Vec<String> {
    problems(edits).into_iter().map(|problem| problem.path).collect()
}

/// Path, message and help of the only problem.
fn only(edits: &[(&str, &str)]) -> Problem {
    let [problem] = <[Problem; 1]>::try_from(problems(edits)).unwrap();
    problem
}

#[test]
fn every_error_of_the_policy_is_told() {
    let policy = [
        ("stale: renew", "stale: maybe"),
        ("retire: cancel", "retire: 1"),
        ("withdrawn: retire", "withdrawn: drop"),
        ("max_retired: 30%", "max_retired: 130%\n  z: 1"),
    ];
    assert_eq!(paths(&policy), ["policy.stale", "policy.retire", "policy.withdrawn", "policy.max_retired", "policy"]);
}

#[test]
fn amounts_are_judged_as_far_as_they_can_be_without_a_currency() {
    let amounts = [("amount: 55.00 #5", "amount: -1 #5"), ("amount: 65.00 #7", "amount: 6,5 #7")];
    let unknown = [&[("currency: usd", "currency: zzz")], &amounts[..]].concat();
    assert_eq!(paths(&unknown), ["tournament.currency", "fees[0].amount", "fees[1].amount"]);
    let missing = [&[("  currency: usd\n", "")], &amounts[..]].concat();
    assert_eq!(paths(&missing), ["tournament", "fees[0].amount", "fees[1].amount"]);
    let decimals = [("currency: usd", "currency: zzz"), ("amount: 55.00 #5", "amount: 55.123 #5")];
    assert_eq!(paths(&decimals), ["tournament.currency"], "how many it may have nobody knows");
}

#[test]
fn what_is_no_number_or_names_nothing_hides_nothing_else() {
    for value in [".inf", "-.inf", ".nan", "*nowhere"] {
        let told = problems(&[
            ("amount: 55.00 #5", &format!("amount: {value} #5")),
            ("parent17@example.com", "parent17"),
            ("id: 1017", &format!("id: {value}")),
        ]);
        let lines: Vec<usize> = told.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [12, 17, 19], "{value}: {told:#?}");
        assert_eq!(told[0].column, 13, "{value}");
    }
    let alias = only(&[("fee: 5\n", "fee: *five\n")]);
    assert_eq!((alias.line, alias.column), (20, 10));
    assert!(alias.message.contains("*five") && alias.help.unwrap().contains("&five"), "{}", alias.message);
    let many: String = (0..30).map(|n| format!("  - *a{n}\n")).collect();
    assert_eq!(problems(&[("decisions:\n", &format!("decisions:\n{many}"))]).len(), 11, "and it ends");
}

#[test]
fn a_tab_is_told_where_it_stands() {
    let tabs = [
        ("version: 1", "\tversion: 1", 1),
        ("  name: Utah", "\tname: Utah", 4),
        ("    name: 17U Elite", "\tname: 17U Elite", 11),
        ("  - id: sam", "\n\n\n \t- id: sam", 29),
    ];
    for (old, new, line) in tabs {
        let tab = only(&[(old, new)]);
        assert!(tab.message.contains("tab"), "{new:?}: {tab:?}");
        assert_eq!((tab.line, tab.column), (line, new.trim_start_matches('\n').find('\t').unwrap() + 1), "{new:?}");
    }
}

/// The value that a rendered diagnostic underlines.
fn underlined(text: &str) -> Vec<String> {
    let report = format!("{:?}", miette::Report::new(refused(text.as_bytes())));
    let lines: Vec<&str> = report.lines().collect();
    let marks = |line: &str| line.chars().skip_while(|c| *c != '·').skip(1).collect::<Vec<char>>();
    lines
        .windows(2)
        .filter(|pair| pair[1].trim_start().starts_with('·') && pair[1].contains(['─', '┬']))
        .map(|pair| {
            let shown: Vec<char> = pair[0].chars().skip_while(|c| *c != '│').skip(1).collect();
            let marks = marks(pair[1]);
            shown.iter().zip(&marks).filter(|(_, mark)| "─┬".contains(**mark)).map(|(c, _)| *c).collect()
        })
        .collect()
}

#[test]
fn a_list_or_mapping_is_underlined_from_bracket_to_bracket() {
    let text = edited(&[(
        "  - id: sam\n    name: Sam Example\n    email: sam@example.com\n",
        "  - {id: [1, [2], {a: b}], name: {x: y}, email: ['a]', b@c.d], team: [ ], note: {  }, fees: []}\n  - id: sam\n    \
         name: Sam Example\n    email: [a@b.example] # the parents'\n",
    )]);
    let expected = ["[1, [2], {a: b}]", "{x: y}", "['a]', b@c.d]", "[ ]", "{  }", "[]", "[a@b.example]"];
    assert_eq!(underlined(&text), expected);
}

#[test]
fn help_that_is_followed_works() {
    let id = |id: &str| only(&[("- id: sam", &format!("- id: {id}"))]);
    let zero = id("'01'").help.unwrap();
    assert!(zero.contains("write 1 without quotes, or a slug such as p01"), "{zero}");
    assert!(id("'5'").help.unwrap().ends_with("write it without quotes: 5"));
    let large = id("99999999999999999999");
    assert!(large.message.contains("too large") && large.help.unwrap().contains("in quotes"), "{}", large.message);
    for good in ["1", "p01", "5", "'99999999999999999999'"] {
        manifest(&edited(&[("- id: sam", &format!("- id: {good}"))]));
    }
    let empty = |old: &str, new: &str| only(&[(old, new)]).help.unwrap();
    assert_eq!(empty("amount: 55.00 #5", "amount:"), "write one: `amount: 55.00`");
    assert_eq!(empty("open: true", "open:"), "write one, or leave the key out");
    let players = BASE.split("players:").next().unwrap().to_owned() + "players:\n";
    assert_eq!(refused(players.as_bytes()).problems()[0].help.as_deref(), Some("write one: `players: []`"));
}

#[test]
fn a_text_must_be_seen_and_stand_on_one_line() {
    for name in ["\\u200B", "\\u200B \\u2060", "\\u3164", "a\\u2028b", "a\\u2029b", "a\\x07b"] {
        let told = only(&[("name: Jordan Example", &format!("name: \"{name}\""))]);
        assert_eq!(told.path, "players[0].name", "{name}");
    }
    for name in ["Zo\u{eb} \u{1f469}\u{200d}\u{1f466}", "\u{645}\u{6cc}\u{200c}\u{62e}"] {
        manifest(&edited(&[("name: Jordan Example", &format!("name: \"{name}\""))]));
    }
}

/// A fee may have left the manifest while money still lies on it; nobody is billed on it any more.
#[test]
fn a_decision_about_a_fee_that_left_is_read_where_an_order_may_stand_on_it() {
    let decision = "fee: 5, finding: paid-amount-differs, amount: 55.00, note: early price";
    let decided = |entry: &str| edited(&[(decision, entry)]);
    for finding in ["paid-withdrawn", "paid-other-fee", "ad-hoc-payment", "refunded-at-stripe", "disputed"] {
        manifest(&decided(&format!("fee: 55, finding: {finding}")));
    }
    for entry in ["fee: 55, finding: settled-before", "fee: 55, finding: refunded-at-stripe, then: bill"] {
        let errors = refused(decided(entry).as_bytes());
        assert_eq!(errors.problems()[0].path, "decisions[0].fee", "{entry}");
        assert!(errors.problems()[0].help.as_deref().unwrap().ends_with("5, 7"), "{entry}");
    }
}

#[test]
fn scripts_get_every_error_and_people_a_hundred() {
    let players: String = (0..300).map(|n| format!("  - {{id: {n}, name: A, email: none, fee: 5}}\n")).collect();
    let text = BASE.split("players:").next().unwrap().to_owned() + "players:\n" + &players;
    let folder = Folder::new().with("tournament.yaml", &text);
    for command in ["validate", "plan"] {
        let error = folder.tourney([command, "--json"]).run().expect(1).json();
        let details = error["error"]["details"].as_array().unwrap();
        assert_eq!(details.len(), 300);
        assert_eq!((&details[299]["line"], &details[299]["column"]), (&316.into(), &31.into()), "{}", details[299]);
        assert!(error["error"]["message"].as_str().unwrap().contains("300 problems"), "{}", error["error"]["message"]);
    }
    let shown = folder.tourney(["validate"]).run().expect(1).stderr;
    assert!(shown.contains("and 200 more") && shown.matches("players[").count() == 100, "{shown}");
}

#[test]
fn ten_thousand_errors_on_one_line_are_placed_at_once() {
    let players: Vec<String> = (0..10_000).map(|n| format!("{{id: {n}, name: A, email: none, fee: 9}}")).collect();
    let text = BASE.split("players:").next().unwrap().to_owned() + &format!("players: [{}]\n", players.join(", "));
    let began = Instant::now();
    let errors = parse("tournament.yaml", text.as_bytes()).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let last = &errors.problems()[19_999];
    let line = text.lines().nth(last.line - 1).unwrap();
    assert_eq!(last.path, "players[9999].fee");
    assert_eq!(&line[last.column - 1..], "9}]");
}
