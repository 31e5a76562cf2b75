//! Which environment it is, and whether it can be: what the variables alone make, and what a live key needs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::support::{Folder, Tourney, camp};

use super::is_refusal;

const LIVE: &str = "test: {database: {url: 'sqlite://a.db'}}
live: {mode: live, database: {url: 'sqlite://b.db'}}
";

/// Each of the variables, with a value that is in order.
const MAKERS: [(&str, &str); 6] = [
    ("TOURNEY_ENV", "test"),
    ("STRIPE_SECRET_KEY", "sk_test_51H"),
    ("STRIPE_WEBHOOK_SECRET", "whsec_1a2b"),
    ("STRIPE_API_BASE", "http://127.0.0.1:1"),
    ("TOURNEY_WEBHOOK_URL", "http://127.0.0.1:1/hook"),
    ("TOURNEY_SUCCESS_URL", "https://club.example/thanks"),
];

/// Asserts that the folder is as it was made: nothing but these files.
#[track_caller]
fn assert_holds(folder: &Folder, files: usize) {
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), files, "something was written");
}

#[test]
fn a_variable_alone_leaves_the_sandbox_and_says_what_is_missing() {
    let folder = camp();
    for (name, value) in MAKERS {
        for command in ["plan", "verify", "history"] {
            let outcome = folder.tourney([command, "--json"]).env(name, value).run();
            let error = is_refusal(outcome, 1, "missing-database");
            assert!(error["message"].as_str().unwrap().contains("environment test"), "{name}: {error:#}");
            assert!(error["hint"].as_str().unwrap().contains("-e sandbox"), "{name}: {error:#}");
        }
        let chosen = folder.tourney(["-e", "sandbox", "history"]).env(name, value).run().expect(0);
        assert!(chosen.stderr.starts_with("sandbox · sqlite"), "{name}: {}", chosen.stderr);
    }
    assert_holds(&folder, 1);
    let alone = folder.tourney(["history"]).env("DATABASE_URL", "sqlite://orders.db").run().expect(0);
    assert!(alone.stderr.starts_with("test · sqlite orders.db"), "{}", alone.stderr);
    let sandbox = folder.tourney(["history"]).env("TOURNEY_ENV", "sandbox").run().expect(0);
    assert!(sandbox.stderr.starts_with("sandbox · sqlite"), "{}", sandbox.stderr);
}

#[test]
fn a_name_that_leads_nowhere_is_a_wrong_command_line() {
    let folder = camp();
    let known = |outcome| is_refusal(outcome, 64, "unknown-environment")["message"].as_str().unwrap().to_owned();
    let by_variable = known(folder.tourney(["plan", "--json"]).env("TOURNEY_ENV", "prod").run());
    assert!(by_variable.contains("prod") && by_variable.contains("test, sandbox"), "{by_variable}");
    assert!(known(folder.tourney(["plan", "--json", "-e", "prod"]).run()).contains("sandbox"));
    folder.write("environments.yaml", LIVE);
    let by_flag = known(folder.tourney(["plan", "--json", "-e", "prod"]).run());
    assert!(by_flag.contains("test, live, sandbox"), "{by_flag}");
    let unchosen = is_refusal(folder.tourney(["plan", "--json"]).run(), 64, "environment-required");
    assert!(unchosen["message"].as_str().unwrap().contains("test, live, sandbox"), "{unchosen:#}");
    assert_holds(&folder, 2);
}

#[test]
fn a_live_key_needs_the_environment_on_the_command_line() {
    let folder = camp().with("environments.yaml", LIVE);
    // Nobody listens there, and a live key never goes there: whoever gets that far is told so.
    let live =
        |command: Tourney| command.env("STRIPE_SECRET_KEY", "sk_live_51H").env("STRIPE_API_BASE", "http://127.0.0.1:1");
    let by_variable = live(folder.tourney(["plan", "--json"]).env("TOURNEY_ENV", "live")).run();
    let error = is_refusal(by_variable, 1, "live-refused");
    assert!(error["hint"].as_str().unwrap().contains("-e"), "{error:#}");
    is_refusal(live(folder.tourney(["plan", "--json", "-e", "test"])).run(), 1, "live-refused");
    let chosen = live(folder.tourney(["plan", "--json", "-e", "live"]).env("TOURNEY_ENV", "test")).run();
    is_refusal(chosen, 1, "live-elsewhere");
    assert_holds(&folder, 2);
}

#[test]
fn what_an_environment_names_must_be_there() {
    let text = "test: {database: {url_env: CLUB_DB}}
mapped:
  database: {url: 'sqlite://a.db'}
  orders:
    table: orders
    columns: {id: id, tournament: t, player: p, fee: f, amount: a, status: s, session: c, payment_intent: i}
    statuses: {pending: pending, paid: paid}
";
    let folder = camp().with("environments.yaml", text);
    let plan = |name| folder.tourney(["plan", "--json", "-e", name]);
    let error = is_refusal(plan("test").run(), 1, "missing-variable");
    assert!(error["message"].as_str().unwrap().contains("CLUB_DB"), "{error:#}");
    let no_text = OsStr::from_bytes(b"sqlite://\xff");
    is_refusal(plan("test").env("CLUB_DB", no_text).run(), 1, "bad-variable");
    // An application's database is never made.
    is_refusal(plan("mapped").env("STRIPE_SECRET_KEY", "sk_test_51H").run(), 1, "database");
    assert_holds(&folder, 2);
}
