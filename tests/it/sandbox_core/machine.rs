//! The state machine under any sequence of requests, payments and passing time.

use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::strategy::{Just, Strategy};
use proptest::{collection, prop_oneof};
use serde_json::{Value, json};

use super::{CREATE, Sandbox};

#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    Pay(usize, &'static str),
    Expire(usize),
    Settle(usize, bool),
    Describe(usize),
    Refund(usize),
    Wait(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0usize..4;
    let card = prop_oneof![Just("success"), Just("decline"), Just("delayed_success"), Just("delayed_failure")];
    prop_oneof![
        Just(Step::Create),
        (which.clone(), card).prop_map(|(n, card)| Step::Pay(n, card)),
        which.clone().prop_map(Step::Expire),
        (which.clone(), any::<bool>()).prop_map(|(n, well)| Step::Settle(n, well)),
        which.clone().prop_map(Step::Describe),
        which.prop_map(Step::Refund),
        (0i64..40 * 3600).prop_map(Step::Wait),
        Just(Step::Restart),
    ]
}

/// Does a step; what the state does not allow is refused, which is as good.
fn take(sandbox: &mut Sandbox, ids: &mut Vec<String>, step: Step) {
    let of = |ids: &[String], n: usize| ids.get(n % ids.len().max(1)).cloned().unwrap_or_default();
    let command = match step {
        Step::Create => return ids.push(sandbox.session("")),
        Step::Pay(n, card) => json!({"command": "pay", "session": of(ids, n), "card": card}),
        Step::Settle(n, succeed) => json!({"command": "settle_delayed", "session": of(ids, n), "succeed": succeed}),
        Step::Refund(n) => json!({"command": "refund", "session": of(ids, n), "amount": 100}),
        Step::Wait(seconds) => json!({"command": "advance", "seconds": seconds}),
        Step::Expire(n) => {
            sandbox.post(&format!("{CREATE}/{}/expire", of(ids, n)), "");
            return;
        }
        Step::Describe(n) => {
            sandbox.post(&format!("{CREATE}/{}", of(ids, n)), "metadata[seen]=1");
            return;
        }
        Step::Restart => return sandbox.reload(),
    };
    let _ = sandbox.try_control(command);
}

/// Whether a session may go from one status and payment status to another.
fn may_follow(old: &Value, new: &Value) -> bool {
    let state = |s: &Value| format!("{}/{}", s["status"].as_str().unwrap(), s["payment_status"].as_str().unwrap());
    let (old, new) = (state(old), state(new));
    old == new
        || matches!(
            (old.as_str(), new.as_str()),
            ("open/unpaid", "complete/paid" | "complete/unpaid" | "expired/unpaid")
                | ("complete/unpaid", "complete/paid")
        )
}

fn check(session: &Value, events: &[Value]) {
    let id = &session["id"];
    assert_eq!(session["url"].is_string(), session["status"] == "open");
    assert_eq!(session["payment_intent"].is_string(), session["status"] == "complete");
    let count = |kind: &str| {
        events.iter().filter(|event| event["type"] == kind && event["data"]["object"]["id"] == *id).count()
    };
    assert_eq!(count("checkout.session.completed"), usize::from(session["status"] == "complete"));
    assert_eq!(count("checkout.session.expired"), usize::from(session["status"] == "expired"));
    let late = count("checkout.session.async_payment_succeeded");
    assert!(late + count("checkout.session.async_payment_failed") <= 1);
    assert!(late == 0 || session["payment_status"] == "paid");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sessions_only_move_forward(steps in collection::vec(step(), 1..30)) {
        let (mut sandbox, mut ids) = (Sandbox::new(), Vec::new());
        let mut last: BTreeMap<String, Value> = BTreeMap::new();
        for step in steps {
            take(&mut sandbox, &mut ids, step);
            let events = sandbox.get("/v1/events", "limit=100").1["data"].as_array().unwrap().clone();
            for id in &ids {
                let session = sandbox.read(id);
                check(&session, &events);
                if let Some(old) = last.insert(id.clone(), session.clone()) {
                    assert!(may_follow(&old, &session), "{old:#} {session:#}");
                }
            }
        }
        let before: Vec<Value> = ids.iter().map(|id| sandbox.read(id)).collect();
        sandbox.reload();
        let after: Vec<Value> = ids.iter().map(|id| sandbox.read(id)).collect();
        assert_eq!(before, after, "a restart forgets nothing");
    }
}
