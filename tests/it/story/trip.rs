//! The round trip against a club's own application: what it proves, what it does not, and what is told in any case.

use serde_json::{Value, json};

use super::application::{Application, Handler, SECRET};
use super::club::{Club, text};
use super::on_both;
use crate::support::{Outcome, assert_valid};

on_both!(
    a_good_application_passes_and_every_check_is_told_of_any,
    what_moved_the_canary_too_early_proves_nothing_of_what_follows,
    a_handler_that_looks_elsewhere_is_told_so,
    where_nobody_pays_nothing_is_said_of_the_handler,
    a_parent_who_pays_meanwhile_is_no_fault,
    a_trip_that_breaks_off_tells_the_audit_and_cleans_up,
    a_trip_that_is_refused_shows_the_audit_first,
);

/// Whether a check passed.
#[track_caller]
pub(crate) fn passed(verdict: &Value, name: &str) -> Value {
    let checks = verdict["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("no check {name}: {verdict:#}"))["passed"].clone()
}

#[track_caller]
pub(crate) fn detail(verdict: &Value, name: &str) -> String {
    let checks = verdict["checks"].as_array().unwrap();
    text(&checks.iter().find(|check| check["name"] == name).unwrap()["detail"]).to_owned()
}

fn names(verdict: &Value) -> Vec<String> {
    verdict["checks"].as_array().unwrap().iter().map(|check| text(&check["name"]).to_owned()).collect()
}

fn verify(club: &Club, url: &str, more: &[&str]) -> Outcome {
    let args = [&["verify", "--json", "--endpoint", url], more].concat();
    let command = club.at_home(club.folder.tourney(args));
    command.env("STRIPE_WEBHOOK_SECRET", SECRET).run()
}

/// Nothing of a canary is left, in the orders, at Stripe, in the journal.
#[track_caller]
fn nothing_is_left(club: &Club) {
    assert_eq!(club.orders().len(), 3);
    let open = club.sessions().into_iter().filter(|session| session["status"] == "open");
    assert!(open.into_iter().all(|session| session["metadata"]["tourney_player"] != "tourney-canary"));
    assert_eq!(club.sql("SELECT run_id FROM tourney_canaries WHERE closed = 0"), Vec::<Vec<_>>::new());
}

fn a_good_application_passes_and_every_check_is_told_of_any(club: &Club) {
    club.bill();
    let application = Application::start(club, Handler { works_later: true, ..Handler::default() });
    let good = verify(club, application.url(), &[]).expect(0).json();
    assert_valid("verify", &good);
    assert_eq!(passed(&good, "left-over-canary"), Value::Null);
    nothing_is_left(club);

    let made = good["checks"].as_array().unwrap().iter().filter(|check| !check["passed"].is_null()).count();
    let history = club.tourney(["history", "--json"]).run().expect(0).json();
    assert_eq!(history["runs"][0]["summary"], format!("{made} checks passed"), "{history:#}");

    let dead = verify(club, "http://127.0.0.1:1/hook", &[]).expect(1).json();
    assert_eq!(names(&dead), names(&good));
    for name in ["order-paid", "payment-intent", "duplicate-event"] {
        assert_eq!(passed(&dead, name), Value::Null, "{dead:#}");
        assert!(detail(&dead, name).contains("not made"), "{dead:#}");
    }
    nothing_is_left(club);
}

fn what_moved_the_canary_too_early_proves_nothing_of_what_follows(club: &Club) {
    club.bill();
    for works_later in [false, true] {
        let application = Application::start(club, Handler { ignores_time: true, works_later, ..Handler::default() });
        let verdict = verify(club, application.url(), &[]).expect(1).json();
        assert_eq!(passed(&verdict, "wrong-secret"), json!(true), "{verdict:#}");
        assert_eq!(passed(&verdict, "stale-timestamp"), json!(false), "{verdict:#}");
        assert!(detail(&verdict, "stale-timestamp").contains("replayed"), "{verdict:#}");
        for name in ["unknown-event-type", "expired-predecessor", "signed-event", "order-paid", "payment-intent"] {
            assert_eq!(passed(&verdict, name), Value::Null, "{verdict:#}");
        }
        assert_eq!(passed(&verdict, "clean-up"), json!(true));
        nothing_is_left(club);
    }
}

fn a_handler_that_looks_elsewhere_is_told_so(club: &Club) {
    club.bill();
    let application = Application::start(club, Handler { looks_elsewhere: true, ..Handler::default() });
    let running = verify(club, application.url(), &[]);
    let verdict = running.expect(1).json();
    assert_eq!(passed(&verdict, "order-paid"), json!(false), "{verdict:#}");
    let told = detail(&verdict, "order-paid");
    assert!(told.contains("another field than order_id") && told.contains("slower than the 15 s"), "{told}");
    // No other database has an order of this id.
    assert!(!told.contains("THERE MAY NOW SAY"), "{told}");
    assert_eq!(passed(&verdict, "duplicate-event"), Value::Null, "{verdict:#}");
}

fn where_nobody_pays_nothing_is_said_of_the_handler(club: &Club) {
    club.bill();
    let application = Application::start(club, Handler::default());
    let verdict = verify(club, application.url(), &["--pay", "--pay-within", "1s"]).expect(1).json();
    assert_eq!(passed(&verdict, "order-paid"), json!(false), "{verdict:#}");
    assert!(detail(&verdict, "order-paid").starts_with("nobody paid within 1s"), "{verdict:#}");
    assert_eq!(passed(&verdict, "payment-intent"), Value::Null, "{verdict:#}");
    nothing_is_left(club);
}

fn a_parent_who_pays_meanwhile_is_no_fault(club: &Club) {
    club.bill();
    let order = club.order("1001");
    let intent = club.pay(order.session());
    let mark = |intent: &str, id: &str| {
        format!("UPDATE orders SET status = 'paid', stripe_payment_intent_id = '{intent}' WHERE id = '{id}'")
    };
    let handler = Handler { meanwhile: Some(mark(&intent, &order.id)), ..Handler::default() };
    // Before the trip the payment is not recorded: the audit says so, as it must.
    let verdict = verify(club, Application::start(club, handler).url(), &[]).expect(1).json();
    assert_eq!(passed(&verdict, "payments-recorded"), json!(false), "{verdict:#}");
    assert_eq!(passed(&verdict, "other-orders"), json!(true), "{verdict:#}");
    assert!(detail(&verdict, "other-orders").contains(&order.id), "{verdict:#}");

    // What Stripe does not know was not paid, whatever the order says.
    let unpaid = club.order("1002");
    let handler = Handler { meanwhile: Some(mark("pi_invented", &unpaid.id)), ..Handler::default() };
    let verdict = verify(club, Application::start(club, handler).url(), &[]).expect(1).json();
    assert_eq!(passed(&verdict, "other-orders"), json!(false), "{verdict:#}");
    assert!(detail(&verdict, "other-orders").contains(&unpaid.id), "{verdict:#}");
}

fn a_trip_that_breaks_off_tells_the_audit_and_cleans_up(club: &Club) {
    club.bill();
    let good = club.tourney(["verify", "--json"]).run().expect(0).json();
    club.control(json!({"command": "fault", "method": "POST", "path_prefix": "/v1/checkout/sessions",
        "when": "before", "what": {"status": 400}, "times": 2}));
    let outcome = club.tourney(["verify", "--json"]).run().expect(1);
    let verdict = outcome.json();
    assert_valid("verify", &verdict);
    assert_eq!(verdict["error"]["code"], "canary", "{verdict:#}");
    assert_eq!((&verdict["passed"], names(&verdict)), (&json!(false), names(&good)));
    assert_eq!((passed(&verdict, "order-id"), passed(&verdict, "canary")), (json!(true), json!(false)));
    assert_eq!(passed(&verdict, "clean-up"), json!(true), "{verdict:#}");
    let shown = club.tourney(["verify"]).run().expect(1);
    assert!(shown.stdout.contains("order-id") && shown.stdout.contains("NOT VERIFIED"), "{}", shown.stdout);
    assert!(shown.stderr.contains("canary"), "{}", shown.stderr);
    nothing_is_left(club);
}

fn a_trip_that_is_refused_shows_the_audit_first(club: &Club) {
    club.bill();
    let beat = jiff::Timestamp::now().as_second();
    club.sql(&format!("UPDATE tourney_lock SET run_id = 'r', who = 'ana@club', since = {beat}, heartbeat = {beat}"));
    let shown = club.untouched(|| club.tourney(["verify"]).run()).expect(1);
    assert!(shown.stdout.contains("order-id") && shown.stdout.contains("round-trip"), "{}", shown.stdout);
    assert!(shown.stderr.contains("locked") && shown.stderr.contains("ana@club"), "{}", shown.stderr);
    let error = club.untouched(|| club.tourney(["verify", "--json"]).run()).expect(1).json();
    assert_eq!(error["error"]["code"], "locked", "{error:#}");
    assert_eq!(passed(&error["error"]["details"], "order-id"), json!(true), "{error:#}");
}
