//! What the audit of `verify` says of Payment Links, and what visits of them change: nothing.

use serde_json::{Value, json};

use super::club::{Club, text};
use super::links::LINKS;
use super::on_both;
use super::trip::{detail, passed};
use crate::support::assert_valid;

on_both!(
    visits_of_our_own_links_are_neither_foreign_nor_news,
    a_link_of_somebody_else_is_told_and_left_alone,
    a_link_without_its_order_or_for_another_amount_does_not_pass,
    a_link_of_ours_that_no_order_has_does_not_pass,
    a_link_besides_another_does_not_pass,
    nothing_is_said_of_links_that_the_key_may_not_read,
    a_page_shows_a_links_visits,
);

/// Three players are billed by Payment Links.
fn bill_by_links(club: &Club) {
    club.append(LINKS);
    let applied = club.tourney(["apply", "--yes"]).run().expect(0);
    let proved = "3 payment links open, each carries its own order_id.";
    assert!(applied.stdout.contains(proved), "{}", applied.stdout);
}

/// A player's order and its link.
fn link(club: &Club, player: i64) -> (String, String) {
    let status = club.tourney(["status", "--json"]).run().expect(0).json();
    let of = status["registrations"].as_array().unwrap().iter().find(|one| one["player"] == player).unwrap();
    (text(&of["order_id"]).to_owned(), text(&of["session_id"]).to_owned())
}

#[track_caller]
fn audited(club: &Club, code: i32) -> Value {
    let verdict = club.untouched(|| club.tourney(["verify", "--audit-only", "--json"]).run().expect(code)).json();
    assert_valid("verify", &verdict);
    verdict
}

/// Another program makes a link over a price of ours; gives its id.
fn makes_link(club: &Club, metadata: &Value) -> String {
    let price = club.stripe("prices?limit=1", None)["data"][0]["id"].clone();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("line_items[0][price]", text(&price)).append_pair("line_items[0][quantity]", "1");
    for (key, value) in metadata.as_object().unwrap() {
        form.append_pair(&format!("metadata[{key}]"), text(value));
    }
    text(&club.stripe("payment_links", Some(&form.finish()))["id"]).to_owned()
}

fn visits_of_our_own_links_are_neither_foreign_nor_news(club: &Club) {
    bill_by_links(club);
    let (_, plink) = link(club, 1001);
    club.edit("amount: 65.00", "amount: 70.00");
    club.tourney(["plan", "--out", "saved.plan"]).run().expect(0);
    // Somebody looks at the link, turns back, and looks again.
    let first = club.visit(&plink);
    club.expire(&first);
    club.visit(&plink);
    let verdict = audited(club, 1);
    assert_eq!(passed(&verdict, "amount"), json!(false), "{verdict:#}");
    assert!(detail(&verdict, "order-id").starts_with("3 open payment links, each"), "{verdict:#}");
    assert_eq!(detail(&verdict, "foreign"), "no session or link of anybody else");
    for name in ["paid-once", "no-ad-hoc-session", "one-owner", "mode"] {
        assert_eq!(passed(&verdict, name), json!(true), "{name}: {verdict:#}");
    }
    // What was reviewed is still what is to be done.
    club.tourney(["apply", "--yes", "saved.plan"]).run().expect(0);
    assert!(club.is_active(&plink));
    club.plans(&[]);
    audited(club, 0);
}

fn a_link_of_somebody_else_is_told_and_left_alone(club: &Club) {
    bill_by_links(club);
    let theirs = makes_link(club, &json!({"shop": "cups"}));
    let verdict = audited(club, 0);
    let said = detail(&verdict, "foreign");
    assert!(said.contains("1 payment link of this account") && said.contains(&theirs), "{said}");
    let plan = club.tourney(["plan"]).run().expect(0).stdout;
    assert!(plan.contains("1 other payment link of this Stripe account cannot be proved"), "{plan}");
    club.visit(&theirs);
    let verdict = audited(club, 0);
    assert!(detail(&verdict, "foreign").contains("1 session and 1 payment link of this account"), "{verdict:#}");
    club.plans(&[]);
    assert!(club.is_active(&theirs));
}

fn a_link_without_its_order_or_for_another_amount_does_not_pass(club: &Club) {
    bill_by_links(club);
    let (order, plink) = link(club, 1001);
    club.stripe(&format!("payment_links/{plink}"), Some("metadata[order_id]="));
    club.edit("amount: 65.00", "amount: 70.00");
    let verdict = audited(club, 1);
    assert_eq!(passed(&verdict, "order-id"), json!(false), "{verdict:#}");
    assert_eq!(detail(&verdict, "order-id"), format!("1 does not carry its order's id: {plink}"));
    assert!(detail(&verdict, "amount").contains(&link(club, 1002).1), "{verdict:#}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    audited(club, 0);
    assert_eq!(link(club, 1001), (order, plink), "it was repaired in its place");
}

fn a_link_of_ours_that_no_order_has_does_not_pass(club: &Club) {
    bill_by_links(club);
    let stray = makes_link(club, &club.ours("gone-1", "1001", "5"));
    let verdict = audited(club, 1);
    assert_eq!(passed(&verdict, "no-ad-hoc-session"), json!(false), "{verdict:#}");
    assert!(detail(&verdict, "no-ad-hoc-session").contains(&stray), "{verdict:#}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert!(!club.is_active(&stray));
    audited(club, 0);
}

fn a_link_besides_another_does_not_pass(club: &Club) {
    bill_by_links(club);
    let (order, plink) = link(club, 1001);
    let second = makes_link(club, &club.ours(&order, "1001", "5"));
    let verdict = audited(club, 1);
    assert_eq!(passed(&verdict, "paid-once"), json!(false), "{verdict:#}");
    assert!(detail(&verdict, "paid-once").contains(&second), "{verdict:#}");
    // A session besides it is one too many as well.
    let session = club.script_makes(json!({"metadata": club.ours(&order, "1001", "5")}));
    let said = detail(&audited(club, 1), "paid-once");
    assert!(said.contains(&second) && said.contains(&session) && !said.contains(&plink), "{said}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert!(club.is_active(&plink) && !club.is_active(&second) && !club.is_open(&session));
    audited(club, 0);
}

fn a_page_shows_a_links_visits(club: &Club) {
    bill_by_links(club);
    let (order, plink) = link(club, 1001);
    let [abandoned, paid] = [club.visit(&plink), club.visit(&plink)];
    club.expire(&abandoned);
    let open = club.tourney(["show", &plink]).run().expect(0).stdout;
    for line in [
        format!("payment link {plink}: order {order}, open until it is paid or closed, $55.00"),
        format!("session {abandoned}: order {order}, expired, unpaid, $55.00\n    made by a visit of {plink}"),
        "Next: tourney links --player 1001".to_owned(),
    ] {
        assert!(open.contains(&line), "{line}\n{open}");
    }
    let intent = club.pay(&paid);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let page = club.tourney(["show", "1001", "--json"]).run().expect(0).json();
    let find = |id: &str| page["sessions"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone();
    assert_eq!((&find(&paid)["payment_link"], &find(&paid)["kind"]), (&json!(plink), &json!("session")));
    assert_eq!((&find(&plink)["kind"], &find(&plink)["url"]), (&json!("payment_link"), &Value::Null));
    assert_eq!(find(&paid)["payment"]["payment_intent"], json!(intent));
    for what in [paid.as_str(), &plink, &intent, &order] {
        let same = club.tourney(["show", what, "--json"]).run().expect(0).json();
        assert_eq!((&same["orders"], &same["sessions"]), (&page["orders"], &page["sessions"]), "{what}");
    }
    let text = club.tourney(["show", &paid]).run().expect(0).stdout;
    assert!(text.contains(&format!("payment link {plink}: order {order}, closed")), "{text}");
    assert!(text.contains("Next: nothing: all is in order"), "{text}");
}

fn nothing_is_said_of_links_that_the_key_may_not_read(club: &Club) {
    club.bill();
    let key = "rk_test_clubsOwn";
    let rights = ["checkout_session_write", "accounts_kyc_basic_read", "payment_intent_read", "charge_read"];
    club.control(json!({"command": "restrict", "key": key, "permissions": rights}));
    let verdict =
        club.tourney(["verify", "--audit-only", "--json"]).env("STRIPE_SECRET_KEY", key).run().expect(0).json();
    assert_eq!(passed(&verdict, "payment-links"), Value::Null);
    assert!(detail(&verdict, "payment-links").starts_with("not read"), "{verdict:#}");
    let plan = club.tourney(["plan"]).env("STRIPE_SECRET_KEY", key).run().expect(0).stdout;
    assert!(plan.contains("Payment Links were not read"), "{plan}");
    let verdict = audited(club, 0);
    assert!(!verdict["checks"].as_array().unwrap().iter().any(|check| check["name"] == "payment-links"), "{verdict:#}");
}
