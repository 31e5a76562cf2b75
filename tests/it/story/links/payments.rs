//! Money that moves at links.

use serde_json::json;

use super::incident::own_receiver;
use crate::story::club::{Club, text};
use crate::story::money::waits_until_it_arrives;
use crate::story::on_both;
use crate::support::wait_until;

on_both!(
    a_payment_whose_webhook_was_lost_is_recorded,
    of_two_visits_that_are_paid_the_second_is_for_a_person,
    an_open_visit_beside_a_payment_is_closed,
    a_payment_on_its_way_at_a_visit_is_left_alone_until_it_arrives,
    a_payment_at_a_visit_that_failed_is_billed_anew,
    a_payment_at_a_visit_without_order_id_is_recorded,
    our_receiver_knows_the_order_by_the_link,
    a_payment_at_an_early_visit_of_somebody_s_link_is_recorded,
    a_failed_payment_at_a_visit_without_order_id_is_billed_anew,
    a_refund_of_a_link_s_payment_is_recorded,
    a_payment_that_arrives_while_its_player_leaves_is_recorded,
    a_link_without_its_limit_is_closed_when_it_is_paid,
    links_that_take_each_others_place_pile_up_no_products,
    status_says_what_the_visits_of_a_link_have_paid,
    links_that_were_paid_cost_no_request_each,
);

fn a_payment_whose_webhook_was_lost_is_recorded(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let intent = club.pay(&club.visit(&link));
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
    let after = club.row(&order.id).unwrap();
    assert_eq!((after.status.as_str(), after.intent), ("paid", Some(intent)));
    club.tourney(["verify", "--audit-only"]).run().expect(0);
}

/// Two parents have the page open, and Stripe lets both pay (docs/SANDBOX.md).
fn of_two_visits_that_are_paid_the_second_is_for_a_person(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visits = [club.visit(&link), club.visit(&link)];
    let intents = visits.map(|visit| club.pay(&visit));

    let plan = ["1001/5 record_payment unrecorded-payment", "1001/5 attention ad-hoc-payment"];
    club.converges(&plan, &["1001/5 attention ad-hoc-payment"]);

    let after = club.row(&order.id).unwrap();
    assert!(after.status == "paid" && intents.contains(after.intent.as_ref().unwrap()), "{after:?}");
    let second = intents.iter().find(|intent| after.intent.as_ref() != Some(intent)).unwrap();
    club.control(json!({"command": "refund", "payment_intent": second}));
    club.plans(&[]);
}

fn an_open_visit_beside_a_payment_is_closed(club: &Club) {
    club.bill_by_links();
    let (_, link) = club.linked("1001");
    let [first, second] = [club.visit(&link), club.visit(&link)];
    club.pay(&first);
    assert!(club.is_open(&second), "it outlives the link");

    club.converges(&["1001/5 expire payable-twice", "1001/5 record_payment unrecorded-payment"], &[]);

    assert!(!club.is_open(&second));
}

fn a_payment_on_its_way_at_a_visit_is_left_alone_until_it_arrives(club: &Club) {
    club.bill_by_links();
    let (before, link) = club.linked("1001");
    let visit = club.visit(&link);
    let intent = club.pay_with(&visit, "delayed_success");

    let plan = club.plans(&[]);
    assert_eq!((&plan["notes"][0]["finding"], &plan["notes"][1]), (&json!("payment-processing"), &json!(null)));
    waits_until_it_arrives(club, &before, &visit);
    assert_eq!(club.row(&before.id).unwrap().intent, Some(intent));
}

fn a_payment_at_a_visit_that_failed_is_billed_anew(club: &Club) {
    club.bill_by_links();
    let (before, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.pay_with(&visit, "delayed_failure");
    club.plans(&[]);
    club.control(json!({"command": "settle_delayed", "session": visit, "succeed": false}));

    club.converges(&["1001/5 replace payment-failed"], &[]);

    assert_eq!(club.status(&before.id), "canceled");
    let (_, new) = club.linked("1001");
    assert!(new != link && club.is_active(&new));
}

/// The link has lost its metadata; what the visit's session does not say, the link by which it was made does.
fn a_payment_at_a_visit_without_order_id_is_recorded(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    club.change_link(&link, "metadata=&payment_intent_data[metadata]=");
    let intent = club.pay(&club.visit(&link));

    let plan = club.tourney(["plan", "--json"]).run().expect(0).json();
    assert_eq!(plan["summary"]["record_payment"], 1, "{plan:#}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);

    let after = club.row(&order.id).unwrap();
    assert_eq!((after.status.as_str(), after.intent), ("paid", Some(intent)));
}

/// A program made a link of its own, somebody opened it, and it got its metadata only then.
fn a_payment_at_an_early_visit_of_somebody_s_link_is_recorded(club: &Club) {
    club.bill_by_links();
    let (order, own) = club.linked("1001");
    let other = club.script_makes_link(&json!({}));
    let visit = club.visit(&other);
    let ours = club.ours(&order.id, "1001", "5");
    let form: Vec<String> =
        ours.as_object().unwrap().iter().map(|(name, value)| format!("metadata[{name}]={}", text(value))).collect();
    club.change_link(&other, &form.join("&"));
    let intent = club.pay(&visit);
    assert!(club.is_active(&other));

    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);

    let after = club.row(&order.id).unwrap();
    assert_eq!((after.status.as_str(), after.intent), ("paid", Some(intent)));
    assert!(!club.is_active(&own) && !club.is_active(&other));
}

/// That a payment has failed, its payment intent says, and nothing but the link leads to that.
fn a_failed_payment_at_a_visit_without_order_id_is_billed_anew(club: &Club) {
    club.bill_by_links();
    let (before, link) = club.linked("1001");
    club.change_link(&link, "metadata=&payment_intent_data[metadata]=");
    let visit = club.visit(&link);
    club.pay_with(&visit, "delayed_failure");
    club.control(json!({"command": "settle_delayed", "session": visit, "succeed": false}));

    club.converges(&["1001/5 replace missing-metadata payment-failed"], &[]);

    assert_eq!(club.status(&before.id), "canceled");
}

/// The same heard by tourney's own receiver, before any apply.
fn our_receiver_knows_the_order_by_the_link(club: &Club) {
    club.bill_by_links();
    let receiver = own_receiver(club, 0);
    let (order, link) = club.linked("1001");
    club.change_link(&link, "metadata=&payment_intent_data[metadata]=");
    let intent = club.pay(&club.visit(&link));
    wait_until("the order is marked paid", || club.status(&order.id) == "paid");
    receiver.abort();
    assert_eq!(club.row(&order.id).unwrap().intent, Some(intent));
    club.plans(&[]);
}

fn a_refund_of_a_link_s_payment_is_recorded(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.pay(&visit);
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.control(json!({"command": "refund", "session": visit, "amount": 1500}));
    club.plans(&["1001/5 attention refunded-at-stripe"]);
    club.control(json!({"command": "refund", "session": visit}));

    club.converges(&["1001/5 record_refund refunded-at-stripe"], &["1001/5 attention settled-before"]);

    assert_eq!(club.status(&order.id), "refunded");
    assert!(!club.is_active(&link));
}

fn a_payment_that_arrives_while_its_player_leaves_is_recorded(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.remove_player("1001");
    let intent = club.pay(&visit);

    let asked = ["1001/5 record_payment unrecorded-payment", "1001/5 attention paid-withdrawn"];
    club.converges(&asked, &["1001/5 attention paid-withdrawn"]);

    let after = club.row(&order.id).unwrap();
    assert_eq!((after.status.as_str(), after.intent), ("paid", Some(intent)));
}

/// Somebody has taken the limit off in the dashboard, and so the first payment does not close the link.
fn a_link_without_its_limit_is_closed_when_it_is_paid(club: &Club) {
    club.bill_by_links();
    let (_, link) = club.linked("1001");
    club.change_link(&link, "restrictions=");
    club.pay(&club.visit(&link));
    assert!(club.is_active(&link));
    let open = club.visit(&link);

    let report = club.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    let results = report["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["outcome"] == "done"), "{report:#}");

    club.plans(&[]);
    assert!(!club.is_active(&link) && !club.is_open(&open));
}

fn links_that_take_each_others_place_pile_up_no_products(club: &Club) {
    club.bill_by_links();
    let count = |what: &str| {
        let list = club.stripe(&format!("{what}?limit=100"), None);
        let archived = club.stripe(&format!("{what}?limit=100&active=false"), None);
        [list, archived].iter().map(|list| list["data"].as_array().unwrap().len()).collect::<Vec<_>>()
    };
    let before = (count("products"), count("prices"));
    for _ in 0..3 {
        for player in ["1001", "1002", "1003"] {
            club.change_link(&club.linked(player).1, "active=false");
        }
        let again = ["1001/5", "1002/6", "1003/5"].map(|one| format!("{one} renew expired-session"));
        club.converges(&again.each_ref().map(String::as_str), &[]);
    }
    assert_eq!((count("products"), count("prices")), before);
    assert_eq!(before.1, [3, 0], "one for each line: a parent tells siblings apart");
}

/// Of a link itself Stripe says no more than whether it is active.
fn status_says_what_the_visits_of_a_link_have_paid(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let [visit, _left] = [club.visit(&link), club.visit(&link)];
    let told = || {
        let status = club.tourney(["status", "--json", "--player", "1001"]).run().expect(0).json();
        let one = &status["registrations"][0];
        assert_eq!((&one["session_id"], &one["kind"]), (&json!(link), &json!("payment_link")));
        [&one["order_status"], &one["session_status"], &one["payment_status"]].map(|word| text(word).to_owned())
    };
    let shown = || club.tourney(["status", "--player", "1001"]).run().expect(0).stdout;
    assert_eq!(told(), ["pending", "open", "unpaid"]);

    club.pay_with(&visit, "delayed_success");
    assert_eq!(told(), ["pending", "complete", "unpaid"]);
    assert!(shown().contains("processing"), "{}", shown());
    let links = club.tourney(["links", "--json"]).run().expect(0).json();
    assert_eq!(links["missing"], 0, "it needs none: {links:#}");

    club.control(json!({"command": "settle_delayed", "session": visit, "succeed": true}));
    assert_eq!(told(), ["pending", "complete", "paid"]);
    assert!(shown().contains("paid, not recorded"), "{}", shown());

    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(told(), ["paid", "complete", "paid"]);
    assert!(
        shown().contains("closed") && shown().contains(&club.row(&order.id).unwrap().intent.unwrap()),
        "{}",
        shown()
    );
}

/// A tournament whose links have nearly all been paid is looked at as quickly as on its first day.
fn links_that_were_paid_cost_no_request_each(club: &Club) {
    club.bill_by_links();
    for player in ["1001", "1002"] {
        club.pay(&club.visit(&club.linked(player).1));
    }
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.control(json!({"command": "reset_stats"}));
    club.plans(&[]);
    let paths: Vec<String> = club.requests().iter().map(|request| text(&request["path"]).to_owned()).collect();
    assert!(!paths.iter().any(|path| path.contains("plink_")), "{paths:?}");
}
