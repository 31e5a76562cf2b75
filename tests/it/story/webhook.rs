//! An application whose webhook cancels an order when an old session of it expires: `verify` finds it and remembers it, and
//! from then on no order is kept whose link such an event would leave behind.

use serde_json::{Value, json};

use super::application::{Application, Handler, OnExpired, SECRET};
use super::club::{Club, text};
use super::on_both;
use super::trip::{detail, passed};
use crate::support::{Outcome, wait_until};

on_both!(
    what_cancels_is_told_and_nothing_is_renewed,
    what_is_mended_renews_again,
    a_handler_that_works_later_is_found_all_the_same,
    a_handler_that_looks_at_the_recorded_session_is_harmless,
    a_replacement_goes_through_while_stripe_tells_of_every_end,
    an_order_with_two_links_is_replaced,
    a_payment_is_recorded_before_the_other_link_is_closed,
    cash_is_booked_on_what_the_webhook_cancels,
    a_closed_tournament_says_what_the_webhook_does,
    a_plan_that_was_saved_before_is_out_of_date,
    an_interrupted_run_is_settled,
    a_database_of_the_version_before_is_read_and_brought_up_to_date,
);

const REPLACE: &str = "policy: {stale: replace}";

pub(super) fn cancels() -> Handler {
    Handler { on_expired: OnExpired::Cancels, ..Handler::default() }
}

pub(super) fn verify(club: &Club, application: &Application) -> Outcome {
    // What stands behind the path may be a secret.
    let url = format!("{}?token=hunter2", application.url());
    let command = club.tourney(["verify", "--json", "--endpoint", &url]);
    command.env("STRIPE_WEBHOOK_SECRET", SECRET).run()
}

/// Three players are billed, and a round trip has found that the application cancels.
pub(super) fn found(club: &Club, handler: Handler) -> Application {
    club.bill();
    let application = Application::start(club, handler);
    let verdict = verify(club, &application).expect(1).json();
    assert_eq!(passed(&verdict, "expired-predecessor"), json!(false), "{verdict:#}");
    application
}

/// A command is refused before anything is written.
#[track_caller]
pub(super) fn is_refused<const N: usize>(club: &Club, args: [&str; N]) -> Value {
    let error = club.untouched(|| club.tourney(args).run()).expect(1).json()["error"].clone();
    assert_eq!(error["code"], "renew-refused", "{error:#}");
    error
}

fn remembered(club: &Club) -> Vec<Vec<Option<String>>> {
    club.sql("SELECT endpoint, CAST(cancels AS TEXT) FROM tourney_handler")
}

fn what_cancels_is_told_and_nothing_is_renewed(club: &Club) {
    let application = found(club, cancels());
    let verdict = verify(club, &application).expect(1).json();
    let said = detail(&verdict, "expired-predecessor");
    for part in ["the order changed", "renewals are refused", "recorded on the order", "policy: { stale: replace }"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!((passed(&verdict, "signed-event"), passed(&verdict, "clean-up")), (Value::Null, json!(true)));
    assert_eq!(remembered(club), [[Some(application.url().to_owned()), Some("1".to_owned())]]);

    // Nothing is stale: nothing is refused.
    club.plans(&[]);
    let before = club.order("1001");
    club.expire(before.session());
    let error = is_refused(club, ["plan", "--json"]);
    assert_eq!(error["details"]["registrations"], json!([{"player": 1001, "fee": 5}]), "{error:#}");
    for part in [application.url(), "player 1001 fee 5", text(&error["details"]["found_at"]), "nothing was done"] {
        assert!(text(&error["message"]).contains(part), "{error:#}");
    }
    assert!(text(&error["hint"]).contains("policy: { stale: replace }"), "{error:#}");
    is_refused(club, ["apply", "--yes", "--json"]);
    is_refused(club, ["plan", "--json", "--out", "saved.plan"]);
    assert!(!club.folder.path("saved.plan").exists());
    let shown = club.tourney(["plan"]).run().expect(1);
    assert!(shown.stdout.contains("± replace") && shown.stdout.contains("Refused: policy keeps 1"), "{}", shown.stdout);
    // Whoever only looks is told as ever, and the others are billed as ever.
    club.untouched(|| club.tourney(["status"]).run()).expect(0);
    club.untouched(|| club.tourney(["verify", "--audit-only"]).run()).expect(0);
    club.tourney(["apply", "--yes", "--player", "1002"]).run().expect(0);

    club.append(REPLACE);
    club.converges(&["1001/5 replace expired-session"], &[]);
    let after = club.order("1001");
    assert_ne!(after.id, before.id);
    application.hears_of_the_end_of(club, before.session());
    assert_eq!(club.order("1001"), after, "the late event finds nothing to cancel");
    application.register(club);
    let intent = club.pay(after.session());
    wait_until("the handler marks the order paid", || club.order("1001").status == "paid");
    assert_eq!(club.order("1001").intent, Some(intent));
    club.plans(&[]);
}

fn what_is_mended_renews_again(club: &Club) {
    drop(found(club, cancels()));
    let before = club.order("1001");
    club.expire(before.session());
    // Neither tourney's own receiver nor an endpoint that answers nothing says anything of the application's handler.
    club.tourney(["verify"]).run().expect(0);
    let dead = club.tourney(["verify", "--json", "--endpoint", "http://127.0.0.1:1/hook"]);
    dead.env("STRIPE_WEBHOOK_SECRET", SECRET).run().expect(1);
    is_refused(club, ["apply", "--yes", "--json"]);

    let mended = Application::start(club, Handler::default());
    verify(club, &mended).expect(0);
    assert_eq!(remembered(club), [[Some(mended.url().to_owned()), Some("0".to_owned())]]);
    club.converges(&["1001/5 renew expired-session"], &[]);
    mended.hears_of_the_end_of(club, before.session());
    assert_eq!((club.order("1001").id, club.order("1001").status), (before.id, "pending".to_owned()));
}

fn a_handler_that_works_later_is_found_all_the_same(club: &Club) {
    found(club, Handler { works_later: true, ..cancels() });
    drop(verify(club, &Application::start(club, Handler::default())).expect(0));
    assert_eq!(remembered(club)[0][1].as_deref(), Some("0"));
    // So late that it was taken for harmless at first.
    let late = Application::start(club, Handler { on_expired: OnExpired::CancelsWithTheNext, ..Handler::default() });
    let verdict = verify(club, &late).expect(1).json();
    assert_eq!(passed(&verdict, "expired-predecessor"), json!(false), "{verdict:#}");
    assert_eq!(passed(&verdict, "order-paid"), Value::Null, "{verdict:#}");
    assert!(detail(&verdict, "order-paid").contains("expired-predecessor"), "{verdict:#}");
    assert_eq!(remembered(club)[0][1].as_deref(), Some("1"));
}

/// Also where Stripe itself tells it of the canary's sessions.
fn a_handler_that_looks_at_the_recorded_session_is_harmless(club: &Club) {
    club.bill();
    let own = Application::start(club, Handler { on_expired: OnExpired::CancelsItsOwn, ..Handler::default() });
    own.register(club);
    verify(club, &own).expect(0);
    assert_eq!(remembered(club)[0][1].as_deref(), Some("0"));
    let any = Application::start(club, cancels());
    any.register(club);
    let verdict = verify(club, &any).expect(1).json();
    assert_eq!(passed(&verdict, "expired-predecessor"), json!(false), "{verdict:#}");
    assert_eq!(passed(&verdict, "tampered-body"), json!(true), "{verdict:#}");
}

/// The webhook is faster than `apply`: the order is canceled between the end of its session and its retirement.
fn a_replacement_goes_through_while_stripe_tells_of_every_end(club: &Club) {
    let application = found(club, cancels());
    application.register(club);
    club.append(REPLACE);
    let before = club.order("1001");
    club.edit("parent01@example.com", "parent01.new@example.com");
    club.plans(&["1001/5 replace changed-email"]);

    faster(club, before.session(), || club.status(&before.id) == "canceled");

    let after = club.order("1001");
    assert_ne!(after.id, before.id);
    assert!(club.is_open(after.session()) && !club.is_open(before.session()));
    club.plans(&[]);
    club.pay(after.session());
    wait_until("the handler marks the order paid", || club.order("1001").status == "paid");
    // As tourney retired it, the player is billed again when they return; nobody is asked who canceled it.
    let reason = format!("SELECT reason FROM tourney_retired WHERE order_id = '{}'", before.id);
    assert_eq!(club.sql(&reason), [[Some("changed-email".to_owned())]]);
}

/// Applies, and the answer to the end of a session is lost until the application has heard of it.
fn faster(club: &Club, session: &str, heard: impl FnMut() -> bool) {
    let expire = format!("/v1/checkout/sessions/{session}/expire");
    club.control(json!({"command": "fault", "method": "POST", "path_prefix": expire, "when": "after", "what": "cut",
        "times": 3}));
    let running = club.tourney(["apply", "--yes"]).spawn();
    wait_until("the application has heard of it", heard);
    club.control(json!({"command": "clear_faults"}));
    running.wait().expect(0);
}

fn an_order_with_two_links_is_replaced(club: &Club) {
    let application = found(club, cancels());
    application.register(club);
    let before = club.order("1001");
    let second = club.script_makes(json!({"metadata": club.ours(&before.id, "1001", "5")}));
    is_refused(club, ["apply", "--yes", "--json"]);
    assert!(club.is_open(before.session()) && club.is_open(&second));

    club.append(REPLACE);
    club.converges(&["1001/5 replace payable-twice"], &[]);

    let after = club.order("1001");
    assert!(!club.is_open(before.session()) && !club.is_open(&second));
    assert_eq!(club.status(&before.id), "canceled");
    club.pay(after.session());
    wait_until("the handler marks the order paid", || club.order("1001").status == "paid");
}

fn a_payment_is_recorded_before_the_other_link_is_closed(club: &Club) {
    let application = found(club, cancels());
    let before = club.order("1001");
    let paid = club.script_makes(json!({"metadata": club.ours(&before.id, "1001", "5")}));
    let intent = club.pay(&paid);
    application.register(club);

    club.plans(&["1001/5 expire payable-twice", "1001/5 record_payment unrecorded-payment"]);

    // The webhook hears of the end before `apply` goes on, whatever comes next.
    faster(club, before.session(), || !club.is_open(before.session()));

    club.plans(&[]);
    let after = club.order("1001");
    assert_eq!((after.id, after.status.as_str(), after.intent), (before.id, "paid", Some(intent)));
}

fn cash_is_booked_on_what_the_webhook_cancels(club: &Club) {
    let application = found(club, cancels());
    application.register(club);
    let before = club.order("1001");
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, paid: {how: cash}}");

    faster(club, before.session(), || club.status(&before.id) == "canceled");

    assert_eq!(club.status(&before.id), "paid");
    club.plans(&[]);
}

/// The orders cannot be kept then, and nobody can pay for them: a person says whether to bill them again.
fn a_closed_tournament_says_what_the_webhook_does(club: &Club) {
    let application = found(club, cancels());
    application.register(club);
    let before = club.order("1001");
    club.edit("open: true", "open: false");
    let plan = club.tourney(["plan", "--json", "--player", "1001"]).run().expect(0).json();
    let said = text(&plan["changes"][0]["detail"]);
    assert!(said.contains("webhook cancels order") && said.contains(&before.id), "{plan:#}");
    // It may hear of the first while the last is closed.
    assert!([Some(0), Some(3)].contains(&club.tourney(["apply", "--yes"]).run().code()));
    wait_until("the webhook has canceled them", || club.orders().iter().all(|order| order.status == "canceled"));
    club.edit("open: false", "open: true");
    club.plans(&[
        "1001/5 attention settled-before",
        "1002/6 attention settled-before",
        "1003/5 attention settled-before",
    ]);
}

fn a_plan_that_was_saved_before_is_out_of_date(club: &Club) {
    club.bill();
    let (first, second) = (club.order("1001"), club.order("1003"));
    club.expire(first.session());
    club.tourney(["plan", "--out", "renews.plan"]).run().expect(0);
    let application = Application::start(club, cancels());
    verify(club, &application).expect(1);
    is_refused(club, ["apply", "--yes", "--json", "renews.plan"]);
    is_refused(club, ["apply", "--yes", "--json", "--allow-less", "renews.plan"]);

    verify(club, &Application::start(club, Handler::default())).expect(0);
    club.append(REPLACE);
    club.edit("parent03@example.com", "parent03.new@example.com");
    club.plans(&["1001/5 replace expired-session", "1003/5 renew changed-email"]);
    club.tourney(["plan", "--out", "renews.plan"]).run().expect(0);
    verify(club, &application).expect(1);
    for args in
        [&["apply", "--yes", "--json", "renews.plan"][..], &["apply", "--yes", "--json", "--allow-less", "renews.plan"]]
    {
        let outcome = club.untouched(|| club.at_home(club.folder.tourney(args)).run()).expect(1).json();
        assert_eq!(outcome["error"]["code"], "plan-outdated", "{outcome:#}");
    }
    assert!(club.is_open(second.session()));
    let error = club.tourney(["apply", "--yes", "--json", "renews.plan"]).run().expect(1).json();
    assert!(text(&error["error"]["message"]).contains("cancels an order when an old session"), "{error:#}");
    // Once more harmless, the plan is as good as before.
    verify(club, &Application::start(club, Handler::default())).expect(0);
    club.tourney(["apply", "--yes", "renews.plan"]).run().expect(0);
    assert_eq!(club.order("1003").id, second.id);
}

/// The answer to the making of a session was lost, and the run with it.
fn broken_off(club: &Club) {
    club.control(json!({"command": "fault", "method": "POST", "path_prefix": "/v1/checkout/sessions", "when": "after",
        "what": "cut", "times": 99}));
    club.tourney(["apply", "--yes", "--player", "1001"]).run().expect(1);
    club.control(json!({"command": "clear_faults"}));
    assert_eq!(club.sql("SELECT order_id FROM tourney_attempts WHERE state = 'open'").len(), 1);
}

fn an_interrupted_run_is_settled(club: &Club) {
    // The first session of an order is nobody's successor: it is recorded.
    club.tourney(["apply", "--yes", "--player", "1002", "1003"]).run().expect(0);
    let application = Application::start(club, cancels());
    verify(club, &application).expect(1);
    broken_off(club);
    let billed = club.order("1001");
    assert_eq!(billed.session, None);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(club.order("1001").id, billed.id);
    assert!(club.is_open(club.order("1001").session()));
    club.plans(&[]);

    // A renewal that was begun before anything was known is not gone through with.
    verify(club, &Application::start(club, Handler::default())).expect(0);
    club.expire(club.order("1001").session());
    broken_off(club);
    verify(club, &application).expect(1);
    is_refused(club, ["apply", "--yes", "--json"]);
    club.append(REPLACE);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(club.status(&billed.id), "canceled");
    let after = club.order("1001");
    assert!(after.id != billed.id && club.is_open(after.session()));
    let open = club.sessions().into_iter().filter(|session| session["status"] == "open");
    assert_eq!(open.count(), 3, "what was begun is closed");
    club.plans(&[]);
}

fn a_database_of_the_version_before_is_read_and_brought_up_to_date(club: &Club) {
    club.bill();
    club.sql("DROP TABLE tourney_handler");
    club.sql("DROP TABLE tourney_names");
    club.sql("DELETE FROM tourney_migrations WHERE version = 2");
    let session = club.order("1001").session().to_owned();
    club.expire(&session);
    for args in [&["plan"][..], &["status"], &["links"], &["verify", "--audit-only"], &["show", &session], &["doctor"]]
    {
        let outcome = club.untouched(|| club.at_home(club.folder.tourney(args)).run());
        assert_eq!(outcome.code(), Some(0), "{args:?}: {}{}", outcome.stdout, outcome.stderr);
    }
    club.converges(&["1001/5 renew expired-session"], &[]);
    assert_eq!(remembered(club), Vec::<Vec<_>>::new());
    verify(club, &Application::start(club, cancels())).expect(1);
    assert_eq!(remembered(club)[0][1].as_deref(), Some("1"));
}
