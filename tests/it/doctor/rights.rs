//! What a restricted key may do is known before an apply begins, and enough is enough.

use serde_json::{Value, json};

use super::{checks, fails, is_ok, warns};
use crate::story::club::Club;
use crate::story::on_both;
use crate::support::Tourney;

on_both!(
    each_right_that_is_missing_is_named,
    without_the_right_to_write_nothing_is_begun,
    without_the_account_nothing_is_read,
    what_doctor_asks_for_is_enough,
    a_right_that_is_lost_on_the_way_is_reported,
    payment_links_need_rights_of_their_own,
    what_doctor_asks_for_is_enough_for_payment_links,
);

const KEY: &str = "rk_test_clubsOwn";
/// What a plan, an apply and a verify cannot do without.
const NEEDED: [&str; 4] = ["accounts_kyc_basic_read", "checkout_session_write", "payment_intent_read", "charge_read"];

fn restrict(club: &Club, permissions: &[&str]) {
    club.control(json!({"command": "restrict", "key": KEY, "permissions": permissions}));
}

fn with_key<const N: usize>(club: &Club, args: [&str; N]) -> Tourney {
    club.tourney(args).env("STRIPE_SECRET_KEY", KEY)
}

/// The requests that were no reading, in lines of method, path and status.
fn writes(club: &Club) -> Vec<String> {
    let other = club.requests().into_iter().filter(|request| request["method"] != "GET");
    other
        .map(|one| format!("{} {} {}", one["method"].as_str().unwrap(), one["path"].as_str().unwrap(), one["status"]))
        .collect()
}

fn each_right_that_is_missing_is_named(club: &Club) {
    club.bill();
    let (before, open) = (club.everything(), club.order("1001").session().to_owned());
    restrict(club, &["checkout_session_read", "accounts_kyc_basic_read"]);
    club.control(json!({"command": "reset_stats"}));
    let told = checks(with_key(club, ["doctor", "--json"]), 1);
    for words in ["write Checkout Sessions", "payment intents", "charges", "refunds", "disputes", "events", "endpoints"]
    {
        fails(&told, "permissions", words);
    }
    let hint = told["permissions"]["hint"].as_str().unwrap();
    assert!(hint.contains("Checkout Sessions: Write; Payment Intents: Read; Charges and Refunds: Read;"), "{hint}");
    for name in ["webhook-endpoint", "webhook-events", "other-endpoints", "deliveries"] {
        assert_eq!(told[name]["passed"], Value::Null, "{name}");
    }
    restrict(club, &NEEDED);
    let told = checks(with_key(club, ["doctor", "--json"]), 0);
    warns(&told, "permissions", "read disputes");
    let without_links = [&NEEDED[..], &["dispute_read", "event_read", "webhook_read"]].concat();
    restrict(club, &without_links);
    let told = checks(with_key(club, ["doctor", "--json"]), 0);
    warns(&told, "permissions", "read Payment Links");
    assert!(told["permissions"]["hint"].as_str().unwrap().ends_with("choose: Payment Links: Read"), "{told:#?}");
    let all = [&without_links[..], &["payment_links_read"]].concat();
    restrict(club, &all);
    is_ok(&checks(with_key(club, ["doctor", "--json"]), 0), "permissions");
    // The question whether it may write has changed nothing.
    let question = "POST /v1/checkout/sessions/cs_test_no_session_is_called_so/expire";
    assert_eq!(
        writes(club),
        [format!("{question} 403"), format!("{question} 404"), format!("{question} 404"), format!("{question} 404")]
    );
    assert!(club.everything() == before && club.is_open(&open));
    let secret = checks(club.tourney(["doctor", "--json"]), 0);
    is_ok(&secret, "permissions");
    assert_eq!(writes(club).len(), 4, "a secret key is not asked whether it may write");
}

fn without_the_right_to_write_nothing_is_begun(club: &Club) {
    club.bill();
    club.expire(club.order("1001").session());
    restrict(club, &["checkout_session_read", "accounts_kyc_basic_read", "payment_intent_read", "charge_read"]);
    with_key(club, ["plan"]).run().expect(0);
    let (before, sessions) = (club.everything(), club.sessions());
    let error = with_key(club, ["apply", "--yes", "--json"]).run().expect(1).json()["error"].clone();
    assert_eq!(error["code"], "stripe-key", "{error:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("Checkout Sessions Write") && message.ends_with("; nothing was done"), "{message}");
    assert!(error["hint"].as_str().unwrap().contains("tourney doctor"), "{error:#}");
    assert!(!error.to_string().contains("clubsOwn"), "{error:#}");
    // The audit only reads and is made; the round trip is not begun.
    let told = with_key(club, ["verify", "--json"]).run().expect(1).json()["error"].clone();
    assert_eq!(told["code"], "stripe-key", "{told:#}");
    assert!(told["details"]["checks"].as_array().unwrap().len() > 5, "{told:#}");
    assert!(club.everything() == before && club.sessions() == sessions, "nothing was written");
    // What needs nothing of Stripe's is done all the same.
    club.edit(
        "name: Avery Alder, email: parent01@example.com, fee: 5",
        "name: Avery Alder, email: parent01@example.com, fee: 5, paid: {how: cash, on: 2026-04-12}",
    );
    let plan = with_key(club, ["plan", "--json"]).run().expect(0).json();
    let actions: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["settle"], "{plan:#}");
    with_key(club, ["apply", "--yes"]).run().expect(0);
    assert_eq!(club.order("1001").status, "paid");
}

fn without_the_account_nothing_is_read(club: &Club) {
    club.bill();
    restrict(club, &["checkout_session_write", "payment_intent_read", "charge_read"]);
    let told = checks(with_key(club, ["doctor", "--json"]), 1);
    fails(&told, "stripe", "whose account it is");
    assert!(told["stripe"]["hint"].as_str().unwrap().contains("Basic Business Contact Information: Read"), "{told:#?}");
    fails(&told, "permissions", "whose account it is");
    is_ok(&told, "clock");
    for args in [["plan", "--json"], ["apply", "--json"], ["verify", "--json"]] {
        let command = with_key(club, args);
        let yes = args[0] == "apply";
        let outcome =
            club.untouched(|| if yes { with_key(club, ["apply", "--json", "--yes"]).run() } else { command.run() });
        let error = outcome.expect(1).json()["error"].clone();
        assert_eq!(error["code"], "stripe-key", "{error:#}");
        assert!(error["message"].as_str().unwrap().contains("Basic Business Contact Information Read"), "{error:#}");
    }
}

/// The rights that doctor calls needed carry a whole tournament, with a payment, a refund and a dispute in it.
fn what_doctor_asks_for_is_enough(club: &Club) {
    restrict(club, &NEEDED);
    with_key(club, ["apply", "--yes"]).run().expect(0);
    with_key(club, ["verify"]).run().expect(0);
    let (first, second) = (club.order("1001"), club.order("1002"));
    let intent = club.pay(first.session());
    club.pay(second.session());
    with_key(club, ["apply", "--yes"]).run().expect(0);
    club.control(json!({"command": "refund", "session": second.session()}));
    club.control(json!({"command": "dispute", "payment_intent": intent}));
    with_key(club, ["apply", "--yes"]).run().expect(3);
    assert_eq!((club.status(&first.id).as_str(), club.status(&second.id).as_str()), ("paid", "refunded"));
    with_key(club, ["show", "1001"]).run().expect(0);
    let without = ["accounts_kyc_basic_read", "checkout_session_write", "payment_intent_read"];
    restrict(club, &without);
    let error = with_key(club, ["plan", "--json"]).run().expect(1).json()["error"].clone();
    assert_eq!(error["code"], "stripe-key", "{error:#}");
    assert!(error["message"].as_str().unwrap().contains("Charges and Refunds Read"), "{error:#}");
}

/// What was begun before Stripe said no is told, and the next run goes on from there.
fn a_right_that_is_lost_on_the_way_is_reported(club: &Club) {
    club.bill();
    for player in ["1001", "1002", "1003"] {
        club.expire(club.order(player).session());
    }
    let forbidden = json!({"command": "fault", "method": "POST", "path_prefix": "/v1/checkout/sessions", "when": "before",
        "what": {"status": 403}, "times": 99, "skip": 2});
    club.control(forbidden);
    // One request is the question whether it may write, one makes a session.
    let report = with_key(club, ["apply", "--yes", "--json"]).run().expect(1).json();
    let results = report["results"].as_array().unwrap();
    let count = |outcome: &str| results.iter().filter(|one| one["outcome"] == outcome).count();
    assert_eq!((count("done"), count("failed")), (1, 2), "{report:#}");
    for failed in results.iter().filter(|one| one["outcome"] == "failed") {
        let message = failed["error"]["message"].as_str().unwrap();
        assert!(message.contains("(403)") && message.contains("safe to run again"), "{message}");
        assert!(message.contains(failed["order_id"].as_str().unwrap()) && failed["url"].is_null(), "{failed:#}");
    }
    assert_eq!(report["remaining"]["renew"], 2, "{report:#}");
    club.control(json!({"command": "clear_faults"}));
    with_key(club, ["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
}

/// What Payment Links need besides.
const FOR_LINKS: [&str; 3] = ["payment_links_write", "plan_write", "product_write"];
const LINKS: &str = "policy: {link: payment_link}";

fn payment_links_need_rights_of_their_own(club: &Club) {
    club.bill();
    restrict(club, &NEEDED);
    // Sessions need none of them.
    warns(&checks(with_key(club, ["doctor", "--json"]), 0), "permissions", "read disputes");
    club.append(LINKS);
    club.control(json!({"command": "reset_stats"}));
    let told = checks(with_key(club, ["doctor", "--json"]), 1);
    for words in ["read Payment Links", "write Payment Links", "read prices", "write prices", "write products"] {
        fails(&told, "permissions", words);
    }
    let hint = told["permissions"]["hint"].as_str().unwrap();
    assert!(hint.ends_with("Payment Links: Write; Prices: Write; Products: Write"), "{hint}");
    // Each right to write is refused before anything is begun.
    let (before, sessions) = (club.everything(), club.sessions());
    for (lacking, row) in [(0, "Payment Links Write"), (1, "Prices Write"), (2, "Products Write")] {
        let held: Vec<&str> =
            FOR_LINKS.into_iter().enumerate().filter(|(at, _)| *at != lacking).map(|one| one.1).collect();
        restrict(club, &[&NEEDED[..], &held].concat());
        for args in [["apply", "--yes", "--json"], ["verify", "-q", "--json"]] {
            let error = with_key(club, args).run().expect(1).json()["error"].clone();
            assert_eq!(error["code"], "stripe-key", "{error:#}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(row) && message.ends_with("; nothing was done"), "{message}");
        }
    }
    assert!(club.everything() == before && club.sessions() == sessions, "nothing was written");
}

fn what_doctor_asks_for_is_enough_for_payment_links(club: &Club) {
    club.append(LINKS);
    restrict(club, &[&NEEDED[..], &FOR_LINKS, &["dispute_read", "event_read", "webhook_read"]].concat());
    is_ok(&checks(with_key(club, ["doctor", "--json"]), 0), "permissions");
    with_key(club, ["apply", "--yes"]).run().expect(0);
    with_key(club, ["verify"]).run().expect(0);
    with_key(club, ["plan", "--detailed-exitcode"]).run().expect(0);
    // To close links, sessions in their place, a key needs no prices.
    club.edit(LINKS, "policy: {link: session}");
    restrict(club, &[&NEEDED[..], &["payment_links_read"]].concat());
    let error = with_key(club, ["apply", "--yes", "--json"]).run().expect(1).json()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("Payment Links Write"), "{error:#}");
    restrict(club, &[&NEEDED[..], &["payment_links_write"]].concat());
    with_key(club, ["apply", "--yes"]).run().expect(0);
    with_key(club, ["plan", "--detailed-exitcode"]).run().expect(0);
}
