//! Restricted keys: what they may not do is refused as Stripe refuses it, before anything else is looked at.

use serde_json::{Value, json};
use tourney::sandbox::core::Call;

use super::{CREATE, FORM, Sandbox, message, parsed};

const KEY: &str = "rk_test_51ClubsOwnKeyq8Kg";

impl Sandbox {
    fn restrict(&mut self, permissions: &[&str]) {
        self.control(json!({"command": "restrict", "key": KEY, "permissions": permissions}));
    }

    fn with(&mut self, key: &str, method: &str, path: &str, text: &str) -> (u16, Value) {
        let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
        let (query, body) = if method == "GET" { (text.to_owned(), Vec::new()) } else { (String::new(), text.into()) };
        parsed(&self.send(Call { method: method.into(), path: path.into(), query, body, headers }))
    }

    /// What Stripe says the key lacks; none where it may.
    #[track_caller]
    fn lacks(&mut self, method: &str, path: &str, text: &str) -> Option<String> {
        let (status, body) = self.with(KEY, method, path, text);
        if status != 403 {
            assert_ne!(body["error"]["code"], "more_permissions_required", "{body:#}");
            return None;
        }
        let error = &body["error"];
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("invalid_request_error"), &json!("more_permissions_required"))
        );
        let told = message(&body);
        assert!(told.starts_with("Permission denied. The provided key 'rk_test_...q8Kg' does not have"), "{told}");
        assert!(told.contains("on account 'acct_") && !told.contains("ClubsOwn"), "{told}");
        told.split("('").nth(1).and_then(|rest| rest.split('\'').next()).map(str::to_owned)
    }
}

#[test]
fn a_restricted_key_may_do_what_it_was_given_and_nothing_else() {
    let mut sandbox = Sandbox::new();
    sandbox.restrict(&["checkout_session_read", "webhook_write"]);
    for (method, path, text, lacks) in [
        ("GET", CREATE, "limit=1", None),
        ("GET", CREATE, "expand[]=data.payment_intent", Some("payment_intent_read")),
        ("POST", CREATE, FORM, Some("checkout_session_write")),
        ("POST", "/v1/checkout/sessions/cs_test_none/expire", "", Some("checkout_session_write")),
        ("GET", "/v1/payment_intents", "", Some("payment_intent_read")),
        ("GET", "/v1/charges", "", Some("charge_read")),
        ("GET", "/v1/refunds", "", Some("charge_read")),
        ("POST", "/v1/refunds", "payment_intent=pi_1", Some("charge_write")),
        ("GET", "/v1/disputes", "", Some("dispute_read")),
        ("GET", "/v1/events", "", Some("event_read")),
        ("GET", "/v1/account", "", Some("accounts_kyc_basic_read")),
        // Who may write may read.
        ("GET", "/v1/webhook_endpoints", "", None),
        ("DELETE", "/v1/webhook_endpoints/we_none", "", None),
    ] {
        assert_eq!(sandbox.lacks(method, path, text).as_deref(), lacks, "{method} {path}");
    }
    sandbox.restrict(&["checkout_session_write", "payment_intent_read"]);
    let (status, body) = sandbox.with(KEY, "POST", "/v1/checkout/sessions/cs_test_none/expire", "");
    assert_eq!((status, &body["error"]["code"]), (404, &json!("resource_missing")), "the right is asked for first");
    assert_eq!(sandbox.with(KEY, "POST", CREATE, FORM).0, 200);
    let charges = sandbox.lacks("GET", "/v1/payment_intents", "expand[]=data.latest_charge");
    assert_eq!(charges.as_deref(), Some("charge_read"), "also of what is expanded");
}

#[test]
fn other_keys_are_not_touched_and_a_restriction_outlives_a_restart() {
    let mut sandbox = Sandbox::new();
    sandbox.restrict(&[]);
    for key in ["sk_test_1", "rk_test_1"] {
        assert_eq!(sandbox.with(key, "GET", "/v1/account", "").0, 200);
    }
    sandbox.reload();
    assert_eq!(sandbox.lacks("GET", "/v1/account", "").as_deref(), Some("accounts_kyc_basic_read"));
    sandbox.control(json!({"command": "restrict", "key": KEY}));
    assert_eq!(sandbox.lacks("GET", "/v1/account", ""), None);
    for (key, permission, word) in
        [("sk_test_1", "event_read", "rk_test_"), (KEY, "event", "event"), (KEY, "rak_event_read", "checkout_session")]
    {
        let command = json!({"command": "restrict", "key": key, "permissions": [permission]});
        assert!(sandbox.try_control(command).unwrap_err().contains(word), "{key} {permission}");
    }
    assert_eq!(sandbox.with("sk_test_1", "GET", "/v1/account", "").0, 200);
}

#[test]
fn what_was_refused_has_had_no_effect() {
    let mut sandbox = Sandbox::new();
    let session = sandbox.session("");
    sandbox.restrict(&["checkout_session_read"]);
    let path = format!("{CREATE}/{session}/expire");
    assert!(sandbox.lacks("POST", &path, "").is_some() && sandbox.lacks("POST", CREATE, FORM).is_some());
    assert_eq!(sandbox.read(&session)["status"], "open");
    assert_eq!(sandbox.get(CREATE, "").1["data"].as_array().unwrap().len(), 1);
}
