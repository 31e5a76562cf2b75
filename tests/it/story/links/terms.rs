//! What a link says of the payments at it: which order they are for, and that one of them closes it. Somebody may change
//! either in the dashboard while the link's own metadata stays right.

use serde_json::{Value, json};

use super::LINKS;
use crate::story::club::{Club, text};
use crate::story::on_both;

on_both!(
    payments_without_order_id_are_repaired_in_place,
    payments_that_would_name_another_order_are_repaired_in_place,
    a_limit_that_was_lost_is_set_again,
    a_limit_that_was_raised_is_set_again,
    a_link_that_was_paid_without_its_limit_is_closed,
    of_two_payments_at_a_link_without_limit_the_second_is_for_a_person,
    a_limit_that_was_lost_outdates_a_saved_plan,
    a_link_without_limit_gives_way_to_a_session,
);

/// The first player's order and link, after something was changed about it; another one is in order.
#[track_caller]
fn changed(club: &Club, form: &str) -> (String, String) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let before = club.link(&link);
    let after = club.change_link(&link, form);
    assert_eq!(before["metadata"], after["metadata"], "its own metadata is right");
    (order.id, link)
}

/// What the audit says against the links, which are not handed out either.
#[track_caller]
fn audited(club: &Club, check: &str) -> String {
    let links = club.tourney(["links", "--json"]).run().expect(0).json();
    let players: Vec<&Value> = links["links"].as_array().unwrap().iter().map(|one| &one["player"]).collect();
    assert_eq!(players, [1002, 1003], "{links:#}");
    let verdict = club.tourney(["verify", "--audit-only", "--json"]).run().expect(1).json();
    let failed: Vec<&Value> =
        verdict["checks"].as_array().unwrap().iter().filter(|check| check["passed"] == false).collect();
    assert_eq!(failed.len(), 1, "{verdict:#}");
    assert_eq!(failed[0]["name"], check);
    text(&failed[0]["detail"]).to_owned()
}

/// The link stands as tourney makes it, and was not replaced.
#[track_caller]
fn stands(club: &Club, order: &str, link: &str) {
    let shown = club.link(link);
    assert_eq!((&shown["active"], &shown["metadata"]["order_id"]), (&json!(true), &json!(order)));
    assert_eq!(shown["payment_intent_data"]["metadata"], shown["metadata"], "all of it");
    assert_eq!(shown["restrictions"]["completed_sessions"]["limit"], 1);
    let (now, its) = club.linked("1001");
    assert_eq!((now.id.as_str(), its.as_str()), (order, link));
}

fn payments_without_order_id_are_repaired_in_place(club: &Club) {
    let (order, link) = changed(club, "payment_intent_data[metadata][note]=lost");
    let early = club.visit(&link);
    let told = audited(club, "order-id");
    assert!(told.contains(&link) && told.contains("does not carry its order's id"), "{told}");

    let plan = club.plans(&["1001/5 repair missing-metadata"]);
    assert_eq!(plan["changes"][0]["detail"], "payments at the link would carry no order_id");
    club.converges(&["1001/5 repair missing-metadata"], &[]);

    stands(club, &order, &link);
    assert!(!club.is_open(&early), "its payment would have carried no order_id");
    let intent = club.pay(&club.visit(&link));
    let intent = club.stripe(&format!("payment_intents/{intent}"), None);
    assert_eq!(intent["metadata"]["order_id"], order.as_str(), "I10");
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
}

fn payments_that_would_name_another_order_are_repaired_in_place(club: &Club) {
    let (order, link) = changed(club, "payment_intent_data[metadata][order_id]=ord_of_somebody_else");
    let early = club.visit(&link);
    audited(club, "order-id");

    club.converges(&["1001/5 repair wrong-metadata"], &[]);

    stands(club, &order, &link);
    assert!(!club.is_open(&early));
}

fn a_limit_that_was_lost_is_set_again(club: &Club) {
    let (order, link) = changed(club, "restrictions=");
    let early = club.visit(&link);
    let told = audited(club, "paid-once");
    assert!(told.contains(&link) && told.contains("can be paid more than once"), "{told}");

    let plan = club.plans(&["1001/5 repair changed-link"]);
    assert_eq!(plan["changes"][0]["detail"], "the link could be paid more than once");
    club.converges(&["1001/5 repair changed-link"], &[]);

    stands(club, &order, &link);
    assert!(club.is_open(&early), "a payer who has the page open goes on");
    club.pay(&early);
    assert!(!club.is_active(&link), "one payment");
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
}

fn a_limit_that_was_raised_is_set_again(club: &Club) {
    let (order, link) = changed(club, "restrictions[completed_sessions][limit]=5");
    club.converges(&["1001/5 repair changed-link"], &[]);
    stands(club, &order, &link);
}

/// The money comes first, then nobody else may pay.
fn a_link_that_was_paid_without_its_limit_is_closed(club: &Club) {
    let (order, link) = changed(club, "restrictions=");
    let visits = [club.visit(&link), club.visit(&link)];
    club.pay(&visits[0]);
    assert!(club.is_active(&link) && club.is_open(&visits[1]));

    let plan = club.tourney(["plan", "--json"]).run().expect(0).json();
    let findings: Vec<&Value> = plan["changes"].as_array().unwrap().iter().map(|one| &one["findings"][0]).collect();
    assert!(
        findings.contains(&&json!("unrecorded-payment")) && findings.contains(&&json!("payable-twice")),
        "{plan:#}"
    );
    club.tourney(["apply", "--yes"]).run().expect(0);

    club.plans(&[]);
    assert_eq!(club.status(&order), "paid");
    assert!(!club.is_active(&link) && !club.is_open(&visits[1]));
}

fn of_two_payments_at_a_link_without_limit_the_second_is_for_a_person(club: &Club) {
    let (order, link) = changed(club, "restrictions=");
    let intents = [club.visit(&link), club.visit(&link)].map(|visit| club.pay(&visit));

    club.tourney(["apply", "--yes"]).run().expect(3);

    club.plans(&["1001/5 attention ad-hoc-payment"]);
    let row = club.row(&order).unwrap();
    assert_eq!(row.status, "paid");
    assert!(row.intent.is_some_and(|intent| intents.contains(&intent)), "{intents:?}");
    assert!(!club.is_active(&link), "not a third");
}

fn a_limit_that_was_lost_outdates_a_saved_plan(club: &Club) {
    club.bill_by_links();
    club.edit("parent02@example.com, fee: 6}", "parent02@example.com, fee: 6, amount: 40.00}");
    club.tourney(["plan", "--out", "saved.plan"]).run().expect(0);
    club.change_link(&club.linked("1001").1, "restrictions=");
    let refused = club.tourney(["apply", "--yes", "--json", "saved.plan"]).run().expect(1).json();
    assert_eq!(refused["error"]["code"], "plan-outdated", "{refused:#}");
}

fn a_link_without_limit_gives_way_to_a_session(club: &Club) {
    let (order, link) = changed(club, "restrictions=");
    club.edit(LINKS, "policy: {link: session}");
    let all = ["1001/5", "1002/6", "1003/5"].map(|one| format!("{one} renew changed-link"));
    club.converges(&all.each_ref().map(String::as_str), &[]);
    assert!(!club.is_active(&link));
    assert_eq!(club.order("1001").id, order);
}
