//! Webhook endpoints and deliveries.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tourney::sandbox::core::Delivery;

use super::{Sandbox, call};

const ENDPOINTS: &str = "/v1/webhook_endpoints";
const HOOK: &str = "url=http%3A%2F%2Flocalhost%3A8000%2Fhook&enabled_events[]=checkout.session.completed";

fn listening() -> (Sandbox, Value) {
    let mut sandbox = Sandbox::new();
    let (_, endpoint) = sandbox.post(ENDPOINTS, HOOK);
    (sandbox, endpoint)
}

fn paid(sandbox: &mut Sandbox) -> String {
    let id = sandbox.session("");
    sandbox.pay(&id, "success");
    id
}

fn report(sandbox: &mut Sandbox, delivery: &Delivery, status: Option<u16>) {
    let puts = sandbox.core.delivered(sandbox.now, &delivery.id, status);
    sandbox.commit(puts);
}

#[test]
fn the_secret_is_shown_once() {
    let (mut sandbox, endpoint) = listening();
    assert!(endpoint["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap());
    assert_eq!(sandbox.get(&path, "").1.get("secret"), None);
    assert_eq!(sandbox.get(ENDPOINTS, "").1["data"][0].get("secret"), None);
    let (_, updated) = sandbox.post(&path, "enabled_events[]=*&disabled=true");
    assert_eq!((&updated["status"], &updated["enabled_events"]), (&json!("disabled"), &json!(["*"])));
    assert_eq!(sandbox.post(ENDPOINTS, "url=x&enabled_events[]=*").0, 400);
    assert_eq!(sandbox.post(ENDPOINTS, "url=http%3A%2F%2Fx.example&enabled_events[]=nothing").0, 400);
    let gone = sandbox.send(call("DELETE", &path, "", "", None));
    assert_eq!(serde_json::from_str::<Value>(&gone.body).unwrap()["deleted"], true);
    assert_eq!(sandbox.get(&path, "").0, 404);
}

#[test]
fn a_delivery_is_signed_with_the_endpoints_secret() {
    let (mut sandbox, endpoint) = listening();
    let id = paid(&mut sandbox);
    let due = sandbox.core.due(sandbox.now);
    assert_eq!((due.len(), due[0].attempt, due[0].url.as_str()), (1, 1, "http://localhost:8000/hook"));
    let event: Value = serde_json::from_str(&due[0].body).unwrap();
    assert_eq!((&event["type"], &event["data"]["object"]["id"]), (&json!("checkout.session.completed"), &json!(id)));
    let mut mac = Hmac::<Sha256>::new_from_slice(endpoint["secret"].as_str().unwrap().as_bytes()).unwrap();
    mac.update(format!("{}.{}", sandbox.now, due[0].body).as_bytes());
    let want = format!("t={},v1={}", sandbox.now, hex::encode(mac.finalize().into_bytes()));
    assert_eq!(due[0].signature, want);
    assert!(sandbox.core.due(sandbox.now).is_empty(), "handed out once");
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    assert_eq!(sandbox.get(&path, "").1["pending_webhooks"], 1);
    report(&mut sandbox, &due[0], Some(204));
    assert_eq!(sandbox.get(&path, "").1["pending_webhooks"], 0);
    sandbox.reload();
    assert!(sandbox.core.due(sandbox.now + 1_000_000).is_empty());
}

#[test]
fn a_failed_delivery_is_tried_again_with_a_fresh_signature() {
    let (mut sandbox, _) = listening();
    paid(&mut sandbox);
    let mut signatures = Vec::new();
    for attempt in 1..=5 {
        let due = sandbox.core.due(sandbox.now);
        assert_eq!((due.len(), due[0].attempt), (1, attempt));
        signatures.push(due[0].signature.clone());
        report(&mut sandbox, &due[0], (attempt % 2 == 0).then_some(500));
        assert!(sandbox.core.due(sandbox.now).is_empty());
        sandbox.reload();
        sandbox.control(json!({"command": "advance", "seconds": 4 * 3600}));
    }
    assert!(sandbox.core.due(sandbox.now).is_empty(), "given up");
    signatures.dedup();
    assert_eq!(signatures.len(), 5);
}

#[test]
fn deliveries_misbehave_where_asked() {
    let (mut sandbox, _) = listening();
    sandbox.control(json!({"command": "deliveries", "mode": "drop"}));
    paid(&mut sandbox);
    assert!(sandbox.core.due(sandbox.now + 1_000_000).is_empty());

    sandbox.control(json!({"command": "deliveries", "mode": "duplicate"}));
    paid(&mut sandbox);
    let due = sandbox.core.due(sandbox.now);
    assert_eq!((due.len(), &due[0].body), (2, &due[1].body));
    for delivery in &due {
        report(&mut sandbox, delivery, Some(200));
    }

    sandbox.control(json!({"command": "deliveries", "mode": {"delay": 60}}));
    paid(&mut sandbox);
    assert!(sandbox.core.due(sandbox.now + 59).is_empty());
    assert_eq!(sandbox.core.due(sandbox.now + 60).len(), 1);

    sandbox.control(json!({"command": "deliveries", "mode": "reorder"}));
    let first = paid(&mut sandbox);
    let second = paid(&mut sandbox);
    let early = sandbox.core.due(sandbox.now);
    assert!(early.len() == 1 && early[0].body.contains(&second));
    let late = sandbox.core.due(sandbox.now + 60);
    assert!(late.len() == 1 && late[0].body.contains(&first));
}

#[test]
fn a_disabled_or_deleted_endpoint_hears_nothing() {
    let (mut sandbox, endpoint) = listening();
    let path = format!("{ENDPOINTS}/{}", endpoint["id"].as_str().unwrap());
    paid(&mut sandbox);
    sandbox.send(call("DELETE", &path, "", "", None));
    assert!(sandbox.core.due(sandbox.now).is_empty());
    let (_, other) = sandbox.post(ENDPOINTS, HOOK);
    sandbox.post(&format!("{ENDPOINTS}/{}", other["id"].as_str().unwrap()), "disabled=true");
    paid(&mut sandbox);
    assert!(sandbox.core.due(sandbox.now).is_empty());
}
