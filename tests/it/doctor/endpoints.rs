//! What Stripe says: the registered endpoints, their events, the time, and what the key may not do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{checks, fails, is_ok, warns};
use crate::support::{Answer, Folder, Listener, Tourney};

pub(super) const URL: &str = "https://club.example/stripe";
const EVENTS: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
];
/// What is asked to learn whether a restricted key may write: nothing there can be changed.
const NO_SESSION: &str = "/v1/checkout/sessions/cs_test_no_session_is_called_so/expire";

/// A stand-in for Stripe whose endpoints, events, time and rights are as a test wants them.
pub(super) struct Stripe {
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
    pub(super) fn start(self) -> Listener {
        Listener::start(move |request| {
            let path = request.uri.path();
            let asks = request.method.as_str() == "POST" && path == NO_SESSION && request.body.is_empty();
            assert!(asks || request.method.as_str() == "GET", "doctor writes nothing at Stripe: {request:?}");
            let list = |data: &Value| json!({"object": "list", "has_more": false, "data": data}).to_string();
            let body = match path {
                _ if self.refused.contains(&path) => {
                    let message = "The provided key 'rk_test_*******' does not have the required permissions";
                    let error = json!({"error": {"type": "invalid_request_error", "message": message}});
                    return Answer::new(403, error.to_string());
                }
                NO_SESSION => {
                    let error = json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}});
                    return Answer::new(404, error.to_string());
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

pub(super) fn at(folder: &Folder, api_base: &str) -> Tourney {
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
        let beside_the_point = ["database-clock", "mapping", "deliveries"].contains(&name.as_str());
        assert!(check["passed"] == true || beside_the_point, "{name}: {check:#}");
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
    let twice = with(json!([{"id": "we_1", "url": URL, "status": "enabled", "enabled_events": EVENTS},
        {"id": "we_2", "url": format!("{URL}/"), "status": "enabled", "enabled_events": EVENTS}]));
    let checks = Stripe { events: event(1), ..twice }.checks(1);
    warns(&checks, "webhook-endpoint", "registered 2 times");
    warns(&checks, "webhook-endpoint", "we_2");
    fails(&checks, "deliveries", "2 endpoints get them");
    let slash = with(json!([{"id": "we_1", "url": format!("{URL}/"), "status": "enabled", "enabled_events": EVENTS}]));
    warns(&slash.checks(0), "webhook-endpoint", "differ in the slash");
    let plain = URL.replace("https:", "http:");
    let plain = with(json!([{"id": "we_1", "url": plain, "status": "enabled", "enabled_events": EVENTS}]));
    warns(&plain.checks(0), "webhook-endpoint", "differ in http and https");
    let nowhere = with(json!([])).checks(1);
    fails(&nowhere, "webhook-endpoint", "not registered at Stripe in test mode");
    assert!(nowhere["webhook-endpoint"]["hint"].as_str().unwrap().contains("live mode"), "{nowhere:#?}");
    let version =
        json!([{"id": "we_1", "url": URL, "status": "enabled", "enabled_events": EVENTS, "api_version": "2023-08-16"}]);
    let told = with(version).checks(0)["webhook-endpoint"]["detail"].to_string();
    assert!(told.contains("API version 2023-08-16"), "{told}");
}

#[test]
fn clocks_and_rights_that_are_missing_are_told() {
    for (seconds_ahead, words) in [(120, "behind Stripe"), (-120, "ahead of Stripe")] {
        warns(&Stripe { seconds_ahead, ..Stripe::default() }.checks(0), "clock", words);
    }
    fails(&Stripe { seconds_ahead: 900, ..Stripe::default() }.checks(1), "clock", "behind Stripe");
    for (path, level, words) in [
        ("/v1/account", false, "read whose account it is"),
        ("/v1/checkout/sessions", false, "read Checkout Sessions"),
        (NO_SESSION, false, "write Checkout Sessions"),
        ("/v1/payment_intents", false, "read payment intents"),
        ("/v1/charges", false, "read charges"),
        ("/v1/refunds", false, "read refunds"),
        ("/v1/disputes", true, "read disputes"),
        ("/v1/events", true, "read events"),
        ("/v1/webhook_endpoints", true, "read webhook endpoints"),
    ] {
        let refused: &'static [&'static str] = Vec::leak(vec![path]);
        let checks = Stripe { refused, ..Stripe::default() }.checks(i32::from(!level));
        if level {
            warns(&checks, "permissions", words)
        } else {
            fails(&checks, "permissions", words)
        }
        assert_eq!(checks["permissions"]["detail"].as_str().unwrap().lines().count(), 1, "{checks:#?}");
        is_ok(&checks, "database");
    }
    let checks = Stripe { refused: &["/v1/events"], ..Stripe::default() }.checks(0);
    is_ok(&checks, "webhook-endpoint");
    assert_eq!(checks["deliveries"]["passed"], Value::Null);
    let checks = Stripe { refused: &["/v1/account"], ..Stripe::default() }.checks(1);
    fails(&checks, "stripe", "whose account it is");
    is_ok(&checks, "webhook-endpoint");
}
