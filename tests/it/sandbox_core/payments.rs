//! Payments, refunds and disputes.

use serde_json::{Value, json};

use super::{CREATE, NOON, Sandbox, message};

fn intent_of(sandbox: &mut Sandbox, session: &str) -> Value {
    let id = sandbox.read(session)["payment_intent"].as_str().unwrap().to_owned();
    sandbox.get(&format!("/v1/payment_intents/{id}"), "expand[]=latest_charge").1
}

#[test]
fn a_card_pays_at_once() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("payment_intent_data[metadata][order_id]=1&metadata[order_id]=1");
    sandbox.pay(&id, "4242424242424242");
    let session = sandbox.read(&id);
    assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(session["url"], json!(null));
    let intent = intent_of(&mut sandbox, &id);
    assert_eq!((&intent["status"], &intent["amount_received"]), (&json!("succeeded"), &json!(5500)));
    assert_eq!(intent["metadata"], json!({"order_id": "1"}));
    assert_eq!(intent["latest_charge"]["paid"], true);
    assert_eq!(sandbox.events(), ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]);
    assert!(sandbox.try_control(json!({"command": "pay", "session": id, "card": "success"})).is_err());
}

#[test]
fn session_metadata_is_not_copied_to_the_intent() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("metadata[order_id]=1");
    sandbox.pay(&id, "success");
    assert_eq!(intent_of(&mut sandbox, &id)["metadata"], json!({}));
}

#[test]
fn a_declined_card_leaves_the_session_open() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    sandbox.pay(&id, "decline");
    let session = sandbox.read(&id);
    assert_eq!((&session["status"], &session["payment_intent"]), (&json!("open"), &json!(null)));
    assert_eq!(sandbox.events(), ["payment_intent.payment_failed"]);
    sandbox.pay(&id, "success");
    let (_, intents) = sandbox.get("/v1/payment_intents", "");
    assert_eq!(intents["data"].as_array().unwrap().len(), 1);
    assert_eq!(intents["data"][0]["status"], "succeeded");
}

#[test]
fn an_expired_session_cancels_what_a_declined_card_left() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    sandbox.pay(&id, "decline");
    sandbox.control(json!({"command": "expire", "session": id}));
    assert_eq!(sandbox.get("/v1/payment_intents", "").1["data"][0]["status"], "canceled");
    let error = sandbox.try_control(json!({"command": "pay", "session": id, "card": "success"})).unwrap_err();
    assert!(error.contains("is expired, not open"), "{error}");
}

#[test]
fn a_delayed_payment_settles_by_the_clock_or_by_command() {
    for (card, by_clock) in
        [("delayed_success", true), ("delayed_success", false), ("delayed_failure", true), ("delayed_failure", false)]
    {
        let mut sandbox = Sandbox::new();
        let id = sandbox.session("");
        sandbox.pay(&id, card);
        let session = sandbox.read(&id);
        assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("unpaid")));
        assert_eq!(intent_of(&mut sandbox, &id)["status"], "processing");
        sandbox.reload();
        let succeed = card == "delayed_success";
        if by_clock {
            sandbox.control(json!({"command": "advance", "seconds": 3 * 24 * 3600}));
        } else {
            sandbox.control(json!({"command": "settle_delayed", "session": id, "succeed": succeed}));
        }
        let (paid, status, event) = if succeed {
            ("paid", "succeeded", "checkout.session.async_payment_succeeded")
        } else {
            ("unpaid", "requires_payment_method", "checkout.session.async_payment_failed")
        };
        assert_eq!(sandbox.read(&id)["payment_status"], paid);
        assert_eq!(intent_of(&mut sandbox, &id)["status"], status);
        assert_eq!(sandbox.events().last().unwrap(), event);
        assert!(sandbox.try_control(json!({"command": "settle_delayed", "session": id, "succeed": true})).is_err());
    }
}

#[test]
fn refunds_add_up_to_the_charge() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    sandbox.pay(&id, "success");
    let intent = intent_of(&mut sandbox, &id);
    let form = format!("payment_intent={}", intent["id"].as_str().unwrap());
    assert_eq!(sandbox.post("/v1/refunds", &format!("{form}&amount=1500")).1["amount"], 1500);
    let (status, body) = sandbox.post("/v1/refunds", &format!("{form}&amount=4001"));
    assert_eq!(status, 400);
    assert_eq!(message(&body), "Refund amount ($40.01) is greater than unrefunded amount on charge ($40.00)");
    sandbox.control(json!({"command": "refund", "session": id}));
    let charge = intent_of(&mut sandbox, &id)["latest_charge"].clone();
    assert_eq!((&charge["refunded"], &charge["amount_refunded"]), (&json!(true), &json!(5500)));
    let (_, body) = sandbox.post("/v1/refunds", &form);
    assert_eq!(body["error"]["code"], "charge_already_refunded");
    assert_eq!(sandbox.get("/v1/refunds", &form).1["data"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.read(&id)["payment_status"], "paid");
    assert_eq!(sandbox.post("/v1/refunds", "amount=1").0, 400);
    let events = sandbox.events();
    assert_eq!(events[events.len() - 2..], ["refund.created", "charge.refunded"]);
}

#[test]
fn a_dispute_shows_on_the_charge() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    sandbox.pay(&id, "success");
    let intent = intent_of(&mut sandbox, &id)["id"].clone();
    sandbox.control(json!({"command": "dispute", "payment_intent": intent}));
    assert_eq!(intent_of(&mut sandbox, &id)["latest_charge"]["disputed"], true);
    assert_eq!(sandbox.events().last().unwrap(), "charge.dispute.created");
    let (_, body) = sandbox.post("/v1/refunds", &format!("payment_intent={}", intent.as_str().unwrap()));
    assert_eq!(body["error"]["code"], "charge_disputed");
    assert!(sandbox.try_control(json!({"command": "dispute", "payment_intent": intent})).is_err());
}

#[test]
fn an_event_is_a_snapshot_and_names_its_request() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("metadata[a]=1");
    let answer = sandbox.send(super::call("POST", &format!("{CREATE}/{id}/expire"), "", "", Some("k")));
    let (_, events) = sandbox.get("/v1/events", "type=checkout.session.*");
    let event = &events["data"][0];
    assert_eq!(event["request"]["id"], answer.header("Request-Id").unwrap());
    assert_eq!(event["request"]["idempotency_key"], "k");
    assert_eq!((&event["data"]["object"]["id"], &event["created"]), (&json!(id), &json!(NOON)));
    assert_eq!((&event["pending_webhooks"], &event["api_version"]), (&json!(0), &json!("2026-09-30.endive")));
    assert_eq!(sandbox.get("/v1/events", "types[]=refund.created").1["data"], json!([]));
}
