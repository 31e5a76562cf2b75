//! Parents pay while `apply` is at work, and two people apply at once.

use serde_json::{Value, json};

use crate::support::wait_until;

use super::club::Club;
use super::on_both;

on_both!(
    a_payment_faster_than_a_retirement_is_recorded,
    a_payment_faster_than_a_replacement_is_recorded,
    a_delayed_payment_faster_than_a_retirement_is_left_alone,
    two_runs_at_once_bill_once,
);

/// Applies while player 1001 pays between the plan and the expiring of the session, which Stripe fails at first.
fn apply_while_paying(club: &Club, card: &str, exit: i32) -> Value {
    let session = club.order("1001").session().to_owned();
    let expire = format!("/v1/checkout/sessions/{session}/expire");
    club.control(json!({"command": "fault", "method": "POST", "path_prefix": expire, "when": "before",
        "what": {"status": 500}, "times": 4}));
    club.control(json!({"command": "reset_stats"}));
    let running = club.tourney(["apply", "--yes", "--json"]).spawn();
    wait_until("the session is to be expired", || club.requests().iter().any(|request| request["path"] == *expire));
    club.pay_with(&session, card);
    running.wait().expect(exit).json()
}

fn a_payment_faster_than_a_retirement_is_recorded(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.remove_player("1001");

    apply_while_paying(club, "success", 3);

    let after = club.order("1001");
    assert_eq!((&after.id, after.status.as_str(), after.intent.is_some()), (&before.id, "paid", true));
    club.plans(&["1001/5 attention paid-withdrawn"]);
}

fn a_payment_faster_than_a_replacement_is_recorded(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 40.00}");

    apply_while_paying(club, "success", 3);

    let after = club.order("1001");
    assert_eq!((&after.id, after.status.as_str(), after.amount), (&before.id, "paid", 5500));
    assert_eq!(club.orders().len(), 3, "nobody is billed twice");
    club.plans(&["1001/5 attention paid-amount-differs"]);
}

fn a_delayed_payment_faster_than_a_retirement_is_left_alone(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.remove_player("1001");

    let applied = apply_while_paying(club, "delayed_success", 0);

    assert_eq!(applied["results"][0]["outcome"], "skipped", "{applied:#}");
    assert_eq!(club.order("1001"), before);
}

fn two_runs_at_once_bill_once(club: &Club) {
    let run = || club.tourney(["apply", "--yes", "--lock-timeout", "1m"]).spawn();
    let (one, other) = (run(), run());
    one.wait().expect(0);
    other.wait().expect(0);
    club.plans(&[]);
    assert_eq!((club.orders().len(), club.sessions().len()), (3, 3));
}
