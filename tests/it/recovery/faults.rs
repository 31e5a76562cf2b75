//! Faults at Stripe: every kind at every request of an apply, once and for good.

use serde_json::{Value, json};
use tourney::domain::{Mode, OrderStatus};
use tourney::ledger::Ledger as _;
use tourney::sandbox::core::{Control, What, When};

use super::On;
use super::scene::{CUP, MANIFEST, Scene};
use crate::support::Outcome;

super::on_both!(
    a_fault_that_passes_is_overcome_wherever_it_strikes,
    a_stored_failure_is_reported_and_looked_into_by_the_rerun,
    while_stripe_is_down_nothing_is_begun_and_afterwards_everything_is,
    one_registration_that_fails_does_not_stop_the_others,
    links_that_recovery_made_are_reported,
    what_an_attempt_left_open_is_closed_after_the_stop_button,
    an_attempt_that_cannot_be_settled_does_not_stop_the_others,
    a_slow_stripe_slows_us_down_and_nothing_else,
    an_order_that_is_paid_while_it_is_renewed_is_recorded_as_paid,
    a_stored_event_is_worked_off_at_the_start_of_a_run,
);

const CREATE: (&str, &str) = ("POST", "/v1/checkout/sessions");
/// With an id behind it: updating and expiring by POST, retrieving by GET.
const ONE: &str = "/v1/checkout/sessions/";

fn fault(scene: &Scene, (method, path): (&str, &str), when: When, what: What, times: u32, skip: u32) {
    let (method, path_prefix) = (Some(method.to_owned()), path.to_owned());
    scene.control(Control::Fault { method, path_prefix, when, what, times, skip });
}

fn failures(report: &Value) -> Vec<&Value> {
    report["results"].as_array().unwrap().iter().filter(|one| one["outcome"] == "failed").collect()
}

/// A run under a fault has done everything, or says what failed and why; the rerun without it does the rest.
#[track_caller]
fn settles(scene: &Scene, run: Outcome) {
    if run.code() == Some(1) {
        let report = run.json();
        if report["error"].is_null() {
            assert!(!failures(&report).is_empty(), "{report}");
            for failure in failures(&report) {
                let message = failure["error"]["message"].as_str().unwrap();
                assert!(failure["error"]["code"].is_string() && message.contains("safe to run again"), "{failure}");
            }
        } else {
            assert!(report["error"]["code"].as_str().unwrap().starts_with("stripe-"), "{report}");
        }
        scene.control(Control::ClearFaults);
        scene.apply().expect(0);
    } else {
        run.expect(0);
    }
    scene.assert_converged();
}

fn a_fault_that_passes_is_overcome_wherever_it_strikes(on: On) {
    let whats = [(When::Before, What::Cut), (When::After, What::Cut), (When::Before, What::RateLimited)];
    for (when, what) in whats {
        let Some(scene) = on(CUP) else { return };
        scene.one_of_each();
        for request in [("POST", ONE), ("GET", ONE), ("GET", CREATE.1)] {
            fault(&scene, request, when, what, 1, 0);
        }
        // The first creation, past the faults above.
        fault(&scene, CREATE, when, what, 1, 0);
        scene.apply().expect(0);
        scene.assert_converged();
        assert_eq!(scene.sessions().len(), 4 + 2, "{when:?} {what:?}: a lost answer makes no second session");
    }
}

/// Stripe stores a 500 under its key and answers with it for ever, whether or not the session was made.
fn a_stored_failure_is_reported_and_looked_into_by_the_rerun(on: On) {
    for skip in 0..4 {
        let Some(scene) = on(CUP) else { return };
        scene.one_of_each();
        fault(&scene, ("POST", "/v1/checkout/sessions"), When::After, What::Status(500), 1, skip);
        settles(&scene, scene.apply());
        assert_eq!(scene.sessions().len(), 4 + 2, "skip {skip}: the session that was made is adopted");
    }
}

fn while_stripe_is_down_nothing_is_begun_and_afterwards_everything_is(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.one_of_each();
    fault(&scene, ("GET", "/v1/checkout/sessions"), When::Before, What::Status(503), 1_000, 0);
    let refused = scene.apply().expect(1);
    assert_eq!(refused.json()["error"]["code"], "stripe-unreachable", "{}", refused.stdout);
    assert_eq!(scene.creates(), 0);
    settles(&scene, refused);
}

fn one_registration_that_fails_does_not_stop_the_others(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.incident();
    // One at a time, so that the second creation fails on each of its five tries.
    fault(&scene, CREATE, When::Before, What::Status(500), 5, 1);
    let report = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).run().expect(1).json();
    let outcomes: Vec<_> =
        report["results"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["done", "failed", "done", "done"], "{report}");
    let failure = &report["results"][1];
    assert_eq!((&failure["player"], &failure["error"]["code"]), (&2.into(), &"stripe".into()));
    let message = failure["error"]["message"].as_str().unwrap();
    assert!(message.contains("answered 500") && message.contains("done before: retiring the order"), "{message}");
    let again = scene.apply().expect(0).json();
    assert_eq!(again["recovered"], 1, "{again}");
    scene.assert_replaced_once();
}

/// The links that an earlier run made, and whose answers were lost, are reported by the run that finds them.
fn links_that_recovery_made_are_reported(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.incident();
    fault(&scene, CREATE, When::After, What::Cut, 50, 0);
    let failed = scene.apply().expect(1).json();
    for failure in failures(&failed) {
        let order = failure["order_id"].as_str().unwrap();
        let message = failure["error"]["message"].as_str().unwrap();
        assert!(message.contains(order) && !message.contains("nothing was done before"), "{failure:#}");
    }
    scene.control(Control::ClearFaults);
    let report = scene.apply().expect(0).json();
    let results = report["results"].as_array().unwrap();
    assert_eq!((results.len(), &report["recovered"]), (4, &4.into()), "{report:#}");
    for result in results {
        assert!(
            result["outcome"] == "done" && result["url"].is_string() && result["order_id"].is_string(),
            "{result:#}"
        );
    }
    scene.assert_replaced_once();
}

/// The stop button is pressed while an attempt of an earlier run is unsettled: what it made, or still makes, is closed.
fn what_an_attempt_left_open_is_closed_after_the_stop_button(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.incident();
    fault(&scene, CREATE, When::After, What::Cut, 50, 0);
    scene.apply().expect(1);
    scene.control(Control::ClearFaults);
    let text = scene.folder.read(MANIFEST);
    scene.folder.write(MANIFEST, &text.replace("currency: usd}", "currency: usd, open: false}"));
    scene.tourney(["plan", "--detailed-exitcode", "--out", "saved.plan"]).run().expect(2);
    scene.tourney(["apply", "--yes", "saved.plan"]).run().expect(0);
    assert!(scene.sessions().iter().all(|session| !session.is_open()), "{:?}", scene.sessions());
    assert_eq!(scene.facts().attempts, []);
    scene.tourney(["plan", "--detailed-exitcode"]).run().expect(0);
}

/// The attempt of an earlier run that cannot be settled holds up its own registration, and nobody else's.
fn an_attempt_that_cannot_be_settled_does_not_stop_the_others(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.incident();
    // The first creation and all its tries are lost, and the second to last with it.
    fault(&scene, CREATE, When::Before, What::Cut, 5, 0);
    let apply = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1", "--player", "1"]).run().expect(1);
    assert_eq!(failures(&apply.json()).len(), 1);
    fault(&scene, CREATE, When::Before, What::Cut, 5, 0);
    let report = scene.apply().expect(1).json();
    let outcomes: Vec<_> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["player"].as_u64().unwrap(), one["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes, [(1, "failed"), (1, "skipped"), (2, "done"), (3, "done"), (4, "done")], "{report}");
    scene.apply().expect(0);
    scene.assert_replaced_once();
}

fn a_slow_stripe_slows_us_down_and_nothing_else(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.incident();
    scene.control(Control::Rate { per_second: Some(6) });
    scene.tourney(["apply", "--yes", "--json", "--parallelism", "8"]).run().expect(0);
    scene.control(Control::Rate { per_second: None });
    scene.assert_replaced_once();
}

/// What was done instead of closing is told, as done.
pub(super) fn assert_told_as_recorded(report: &Value, order: &str, session: &str) {
    let results = report["results"].as_array().unwrap();
    let recorded: Vec<&Value> =
        results.iter().filter(|one| one["action"] == "record_payment" && one["order_id"] == order).collect();
    assert_eq!(recorded.len(), 1, "{report:#}");
    let told = ["outcome", "session_id", "findings"].map(|key| recorded[0][key].clone());
    assert_eq!(told, [json!("done"), json!(session), json!(["unrecorded-payment"])], "{report:#}");
}

/// The parent pays between our look and our expiring: the payment is recorded, and no new bill is made.
fn an_order_that_is_paid_while_it_is_renewed_is_recorded_as_paid(on: On) {
    let Some(scene) = on(CUP) else { return };
    let [.., renewed, _] = scene.one_of_each();
    scene.latency(300);
    let apply = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).spawn();
    scene.wait_for_creates(1);
    scene.pay(&renewed);
    let report = apply.wait().expect(0).json();
    scene.latency(0);
    let skipped = report["results"].as_array().unwrap().iter().find(|one| one["player"] == 3).unwrap();
    assert_eq!(skipped["outcome"], "skipped", "{report}");
    assert!(skipped["detail"].as_str().unwrap().contains("it was paid meanwhile"), "{skipped}");
    let facts = scene.facts();
    let order = facts.orders.iter().find(|order| order.session.as_ref() == Some(&renewed)).unwrap();
    assert_told_as_recorded(&report, &order.id.to_string(), renewed.as_str());
    assert_eq!(order.status, OrderStatus::Paid);
    assert_eq!(scene.creates(), 1, "no new bill");
    scene.assert_converged();
}

/// An event that was stored when Stripe could not be asked is worked off by the next apply.
fn a_stored_event_is_worked_off_at_the_start_of_a_run(on: On) {
    let Some(scene) = on(CUP) else { return };
    let [.., paid] = scene.one_of_each();
    let event = tourney::ledger::Event {
        id: "evt_1".to_owned(),
        kind: "checkout.session.completed".to_owned(),
        session: Some(paid.clone()),
        payment_intent: None,
        body: serde_json::json!({"id": "evt_1", "livemode": Mode::Test.is_live()}).to_string(),
        received_at: jiff::Timestamp::now(),
        outcome: None,
    };
    scene.block_on(scene.ledger.store_event(&event)).unwrap();
    scene.apply().expect(0);
    assert_eq!(scene.block_on(scene.ledger.unfinished_events(10)).unwrap(), []);
    scene.assert_converged();
}
