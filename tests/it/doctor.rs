//! `tourney doctor`: one line for each thing that can be wrong, and nothing written anywhere.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::story::club::Club;
use crate::story::on_both;
use crate::support::{Answer, Folder, Listener, Tourney, applied_camp, assert_valid, camp};

on_both!(
    before_the_first_apply_all_is_in_order,
    after_it_the_binding_is_checked,
    tables_of_another_version_are_told,
    an_orders_table_of_somebody_else_is_told,
);

const URL: &str = "https://club.example/stripe";
const EVENTS: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
];

/// The checks by name: `passed`, and whether there is a hint.
#[track_caller]
fn checks(command: Tourney, code: i32) -> BTreeMap<String, Value> {
    let document = command.run().expect(code).json();
    assert_valid("doctor", &document);
    assert_eq!(document["passed"], code == 0, "{document:#}");
    let checks = document["checks"].as_array().unwrap();
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
        for name in ["configuration", "database", "schema"] {
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
    for name in
        ["configuration", "database", "schema", "binding", "stripe", "key", "permissions", "clock", "success-url"]
    {
        is_ok(&checks, name);
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
    club.sql("UPDATE tourney_ledger SET account = 'acct_other'");
    fails(&checks(local(club), 1), "binding", "belongs to acct_other");
    club.sql("UPDATE tourney_ledger SET mode = 'live'");
    fails(&checks(local(club), 1), "binding", "belongs to live mode");
}

fn tables_of_another_version_are_told(club: &Club) {
    club.bill();
    club.sql("UPDATE tourney_migrations SET version = version + 900000 WHERE version = (SELECT MAX(version) FROM tourney_migrations)");
    fails(&checks(local(club), 1), "schema", "newer version");
    club.sql("DELETE FROM tourney_migrations WHERE version > 900000");
    warns(&checks(local(club), 0), "schema", "have not been made");
}

fn an_orders_table_of_somebody_else_is_told(club: &Club) {
    if club.is_sqlite() {
        std::fs::write(club.folder.path("orders.db"), "").unwrap();
    }
    club.sql("CREATE TABLE orders (id TEXT)");
    fails(&checks(local(club), 1), "schema", "tourney did not make");
}

/// A stand-in for Stripe whose endpoints, events, time and rights are as a test wants them.
struct Stripe {
    endpoints: Value,
    events: Value,
    seconds_ahead: i64,
    refused: &'static [&'static str],
}

impl Default for Stripe {
    fn default() -> Self {
        let endpoints = json!([{"id": "we_1", "object": "webhook_endpoint", "url": URL, "status": "enabled", "enabled_events": EVENTS}]);
        Self { endpoints, events: json!([]), seconds_ahead: 0, refused: &[] }
    }
}

impl Stripe {
    fn start(self) -> Listener {
        Listener::start(move |request| {
            assert_eq!(request.method.as_str(), "GET", "doctor writes nothing at Stripe");
            let path = request.uri.path();
            let list = |data: &Value| json!({"object": "list", "has_more": false, "data": data}).to_string();
            let body = match path {
                _ if self.refused.contains(&path) => {
                    let message = "The provided key 'rk_test_*******' does not have the required permissions";
                    let error = json!({"error": {"type": "invalid_request_error", "message": message}});
                    return Answer::new(403, error.to_string());
                }
                "/v1/account" => json!({"id": "acct_1Club", "object": "account"}).to_string(),
                "/v1/webhook_endpoints" => list(&self.endpoints),
                "/v1/events" => list(&self.events),
                _ => list(&json!([])),
            };
            let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(self.seconds_ahead);
            let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            Answer::new(200, body).header("date", date)
        })
    }

    /// What doctor says of it.
    #[track_caller]
    fn checks(self, code: i32) -> BTreeMap<String, Value> {
        let stripe = self.start();
        checks(at(&Folder::new(), &stripe.url("")), code)
    }
}

fn at(folder: &Folder, api_base: &str) -> Tourney {
    let command = folder.tourney(["doctor", "--json"]).env("DATABASE_URL", "sqlite://orders.db");
    let command = command.env("STRIPE_SECRET_KEY", "rk_test_51Key").env("STRIPE_API_BASE", api_base);
    let command = command.env("TOURNEY_WEBHOOK_URL", URL).env("STRIPE_WEBHOOK_SECRET", "whsec_51Secret");
    command.env("TOURNEY_SUCCESS_URL", "https://club.example/thanks")
}

#[test]
fn an_environment_that_is_whole_has_nothing_to_do() {
    let checks = Stripe::default().checks(0);
    for (name, check) in &checks {
        assert_eq!(check["hint"], Value::Null, "{name}");
        assert!(check["passed"] == true || name == "deliveries", "{name}: {check:#}");
    }
    assert!(checks["key"]["detail"].as_str().unwrap().contains("restricted key of test mode"));
}

#[test]
fn endpoints_are_held_against_the_configured_one() {
    let with = |endpoints| Stripe { endpoints, ..Stripe::default() };
    let moved = with(
        json!([{"id": "we_1", "url": "https://old.example/stripe", "status": "enabled", "enabled_events": ["*"]}]),
    );
    let checks = moved.checks(1);
    fails(&checks, "webhook-endpoint", "https://old.example/stripe is: an old domain?");
    warns(&checks, "other-endpoints", "old domain");
    let off = with(json!([{"id": "we_1", "url": URL, "status": "disabled", "enabled_events": EVENTS}]));
    fails(&off.checks(1), "webhook-endpoint", "disabled");
    let deaf = with(json!([{"id": "we_1", "url": URL, "status": "enabled", "enabled_events": ["charge.succeeded"]}]));
    fails(&deaf.checks(1), "webhook-events", "checkout.session.completed");
    let partly = with(json!([{"id": "we_1", "url": URL, "status": "enabled", "enabled_events": &EVENTS[..2]}]));
    warns(&partly.checks(0), "webhook-events", "async_payment_failed");
    let event = |pending: u32| json!([{"id": "evt_1", "type": EVENTS[0], "created": 1_700_000_000, "pending_webhooks": pending}]);
    is_ok(&Stripe { events: event(0), ..Stripe::default() }.checks(0), "deliveries");
    fails(&Stripe { events: event(1), ..Stripe::default() }.checks(1), "deliveries", "1 of 1");
}

#[test]
fn clocks_and_rights_are_told() {
    for (seconds_ahead, words) in [(120, "behind Stripe"), (-120, "ahead of Stripe")] {
        warns(&Stripe { seconds_ahead, ..Stripe::default() }.checks(0), "clock", words);
    }
    fails(&Stripe { seconds_ahead: 900, ..Stripe::default() }.checks(1), "clock", "behind Stripe");
    let checks = Stripe { refused: &["/v1/events"], ..Stripe::default() }.checks(0);
    warns(&checks, "permissions", "Events");
    warns(&checks, "webhook-endpoint", "Stripe did not tell");
    let checks = Stripe { refused: &["/v1/checkout/sessions"], ..Stripe::default() }.checks(1);
    fails(&checks, "permissions", "Checkout Sessions");
    let checks = Stripe { refused: &["/v1/account"], ..Stripe::default() }.checks(1);
    fails(&checks, "stripe", "permissions");
    is_ok(&checks, "database");
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
        ("STRIPE_SECRET_KEY", "whsec_51Secret", "this is a webhook secret"),
        ("STRIPE_SECRET_KEY", "sk_live_51Secret", "live key"),
        ("TOURNEY_WEBHOOK_URL", "club.example", "no URL"),
    ] {
        let checks = checks(at(&folder, "http://127.0.0.1:9").env(name, value), 1);
        assert_eq!(checks.len(), 1);
        fails(&checks, "configuration", words);
        fails(&checks, "configuration", name);
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
    let folder = Folder::new().with("environments.yaml", &text).with("key", "sk_test_51Key\n");
    folder.write("hook", &format!("whsec_{}\n", "0a".repeat(32)));
    folder.write(".git/HEAD", "ref: refs/heads/main\n");
    let checks = checks(folder.tourney(["doctor", "--json", "-e", "test"]), 0);
    warns(&checks, "secret-files", "can be read by others");
    warns(&checks, "secret-files", "stands inside a repository");
    warns(&checks, "success-url", "no page is set");
    warns(&checks, "webhook-secret", "stripe listen");
}
