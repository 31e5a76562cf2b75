//! `tourney doctor`: one line for each thing that can be wrong, and nothing written anywhere.

mod database;
mod endpoints;
mod rights;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::story::club::Club;
use crate::story::on_both;
use crate::support::{Folder, Tourney, applied_camp, assert_valid, camp};

use endpoints::{Stripe, URL, at};

on_both!(
    before_the_first_apply_all_is_in_order,
    after_it_the_binding_is_checked,
    tables_of_another_version_are_told,
    an_orders_table_of_somebody_else_is_told,
);

/// The checks by name: `passed`, and whether there is a hint.
#[track_caller]
fn checks(command: Tourney, code: i32) -> BTreeMap<String, Value> {
    let document = command.run().expect(code).json();
    assert_valid("doctor", &document);
    assert_eq!(document["passed"], code == 0, "{document:#}");
    let checks = document["checks"].as_array().unwrap();
    for check in checks {
        let level = match (&check["passed"], &check["hint"]) {
            (Value::Bool(true), Value::Null) => "ok",
            (Value::Bool(true), _) => "warning",
            (Value::Bool(false), Value::String(hint)) if !hint.is_empty() => "failure",
            (Value::Null, Value::Null) => "skipped",
            _ => "none of them",
        };
        assert_eq!(check["level"], level, "{check:#}");
    }
    checks.iter().map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone())).collect()
}

#[track_caller]
fn is_ok(checks: &BTreeMap<String, Value>, name: &str) {
    assert_eq!((&checks[name]["passed"], &checks[name]["hint"]), (&json!(true), &Value::Null), "{checks:#?}");
}

#[track_caller]
fn warns(checks: &BTreeMap<String, Value>, name: &str, words: &str) {
    assert_eq!(checks[name]["passed"], true, "{checks:#?}");
    assert!(checks[name]["hint"].is_string(), "{checks:#?}");
    assert!(checks[name]["detail"].as_str().unwrap().contains(words), "{checks:#?}");
}

#[track_caller]
fn fails(checks: &BTreeMap<String, Value>, name: &str, words: &str) {
    assert_eq!(checks[name]["passed"], false, "{checks:#?}");
    assert!(checks[name]["hint"].is_string(), "{checks:#?}");
    assert!(checks[name]["detail"].as_str().unwrap().contains(words), "{checks:#?}");
}

/// Every file beneath a folder, and what stands in it.
fn files(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn in_the_sandbox_nothing_can_be_set_up_wrongly() {
    for folder in [camp(), applied_camp(), Folder::new()] {
        let before = files(&folder.path(""));
        let checks = checks(folder.tourney(["doctor", "--json"]), 0);
        for name in ["configuration", "database", "database-rights", "schema"] {
            is_ok(&checks, name);
        }
        for name in ["stripe", "clock", "webhook-endpoint", "webhook-events", "deliveries", "webhook-secret"] {
            assert_eq!(checks[name]["passed"], Value::Null, "{name}");
        }
        assert_eq!(files(&folder.path("")), before, "doctor writes nothing");
        let told = folder.tourney(["doctor"]).run().expect(0);
        assert!(told.stderr.starts_with("sandbox · sqlite"), "{}", told.stderr);
        assert!(told.stdout.contains("ok       database") && told.stdout.contains("In order:"), "{}", told.stdout);
    }
}

fn before_the_first_apply_all_is_in_order(club: &Club) {
    let checks =
        checks(club.tourney(["doctor", "--json"]).env("TOURNEY_SUCCESS_URL", "https://club.example/thanks"), 0);
    for name in ["configuration", "database", "database-rights", "schema", "binding", "stripe", "key", "permissions"] {
        is_ok(&checks, name);
    }
    is_ok(&checks, "clock");
    is_ok(&checks, "success-url");
    if !club.is_sqlite() {
        is_ok(&checks, "database-clock");
    }
    assert!(checks["schema"]["detail"].as_str().unwrap().contains("the first apply makes them"));
    warns(&checks, "webhook-endpoint", "no endpoint is registered");
    warns(&checks, "webhook-secret", "no webhook is configured");
    let local = club.tourney(["doctor", "--json"]).env("TOURNEY_WEBHOOK_URL", "http://localhost:8000/stripe");
    let local = self::checks(local.env("STRIPE_WEBHOOK_SECRET", format!("whsec_{}", "0a".repeat(32))), 0);
    assert_eq!(local["webhook-endpoint"]["passed"], Value::Null, "{local:#?}");
    is_ok(&local, "webhook-secret");
    warns(&local, "success-url", "example.com");
    let missing =
        self::checks(club.tourney(["doctor", "--json"]).env("TOURNEY_WEBHOOK_URL", "http://localhost:8000/"), 1);
    fails(&missing, "webhook-secret", "its signing secret is missing");
}

fn local(club: &Club) -> Tourney {
    let command = club.tourney(["doctor", "--json"]).env("TOURNEY_WEBHOOK_URL", "http://localhost:8000/stripe");
    command.env("STRIPE_WEBHOOK_SECRET", "whsec_51Secret")
}

fn after_it_the_binding_is_checked(club: &Club) {
    club.bill();
    let good = checks(local(club), 0);
    is_ok(&good, "binding");
    is_ok(&good, "schema");
    assert!(good["schema"]["detail"].as_str().unwrap().contains("of version 2"), "{good:#?}");
    club.sql("UPDATE tourney_ledger SET account = 'acct_other'");
    fails(&checks(local(club), 1), "binding", "belongs to acct_other");
    club.sql("UPDATE tourney_ledger SET mode = 'live'");
    fails(&checks(local(club), 1), "binding", "belongs to live mode");
}

fn tables_of_another_version_are_told(club: &Club) {
    club.bill();
    club.sql("UPDATE tourney_migrations SET version = version + 900000 WHERE version = (SELECT MAX(version) FROM tourney_migrations)");
    fails(&checks(local(club), 1), "schema", "of version 900002, made by a newer tourney: this one knows version 2");
    club.sql("DELETE FROM tourney_migrations WHERE version > 900000");
    warns(&checks(local(club), 0), "schema", "one migration to version 2");
}

fn an_orders_table_of_somebody_else_is_told(club: &Club) {
    if club.is_sqlite() {
        std::fs::write(club.folder.path("orders.db"), "").unwrap();
    }
    club.sql("CREATE TABLE orders (id TEXT)");
    fails(&checks(local(club), 1), "schema", "tourney did not make");
}

#[test]
fn what_the_configuration_refuses_is_a_check_too() {
    let folder = Folder::new();
    for (name, value, words) in [
        (
            "STRIPE_WEBHOOK_SECRET",
            "sk_test_51Secret",
            "secret key of the API, and the endpoint's webhook secret is needed",
        ),
        ("STRIPE_WEBHOOK_SECRET", "'whsec_51Secret'", "in quotes"),
        ("STRIPE_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET=whsec_51Secret", ".env file"),
        ("STRIPE_WEBHOOK_SECRET", "we_51Secret", "endpoint's id"),
        ("STRIPE_SECRET_KEY", "whsec_51Secret", "this is a webhook secret"),
        ("STRIPE_SECRET_KEY", "sk_live_51Secret", "live key"),
        ("TOURNEY_WEBHOOK_URL", "club.example", "no URL"),
    ] {
        let checks = checks(at(&folder, "http://127.0.0.1:9").env(name, value), 1);
        assert_eq!(checks.len(), 1);
        fails(&checks, "configuration", words);
        fails(&checks, "configuration", name);
        assert!(!checks["configuration"].to_string().contains("51Secret"), "{checks:#?}");
    }
    folder.write("environments.yaml", "test: {stripe: {secret_key: sk_test_51Secret}, bogus: 1}\n");
    let broken = checks(folder.tourney(["doctor", "--json", "-e", "test"]), 1);
    fails(&broken, "configuration", "environments.yaml:1:");
    fails(&broken, "configuration", "unknown key \"bogus\"");
    folder.write("environments.yaml", "test: {database: {url: 'sqlite://orders.db'}}\n");
    let told = folder.tourney(["doctor", "--json", "-e", "prod"]).run().expect(64).json();
    assert_eq!(told["error"]["code"], "unknown-environment");
}

#[test]
fn each_side_is_told_where_the_other_does_not_answer() {
    let folder = Folder::new();
    let command = at(&folder, "http://127.0.0.1:9").env("DATABASE_URL", "sqlite://none/orders.db");
    let no_stripe = checks(command, 1);
    fails(&no_stripe, "stripe", "");
    is_ok(&no_stripe, "database");
    folder.write("broken.db", &"no database ".repeat(100));
    let stripe = Stripe::default().start();
    let no_database = checks(at(&folder, &stripe.url("")).env("DATABASE_URL", "sqlite://broken.db"), 1);
    fails(&no_database, "database", "broken.db");
    is_ok(&no_database, "stripe");
    let no_key = folder.tourney(["doctor", "--json"]).env("DATABASE_URL", "sqlite://orders.db");
    fails(&checks(no_key, 1), "stripe", "names no Stripe key");
}

#[cfg(unix)]
#[test]
fn secret_files_that_others_can_read_are_told() {
    let stripe = Stripe::default().start();
    let text = format!(
        "test: {{database: {{url: 'sqlite://a.db'}}, stripe: {{secret_key_file: key, api_base: '{}'}}, \
         webhook: {{url: '{URL}', secret_file: ~/hook}}}}\n",
        stripe.url("")
    );
    let folder = Folder::new().with("environments.yaml", &text).with("key", "\u{feff}sk_test_51Key\r\n");
    folder.write("hook", &format!("whsec_{}\n", "0a".repeat(32)));
    folder.write(".git/HEAD", "ref: refs/heads/main\n");
    let checks = checks(folder.tourney(["doctor", "--json", "-e", "test"]), 0);
    warns(&checks, "secret-files", "can be read by others");
    warns(&checks, "secret-files", "begins with a byte order mark");
    warns(&checks, "secret-files", "stands inside a repository");
    warns(&checks, "success-url", "no page is set");
    warns(&checks, "webhook-secret", "stripe listen");
}
