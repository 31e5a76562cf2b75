//! Money that moves at links.

use serde_json::json;

use super::LINKS;
use super::incident::own_receiver;
use crate::story::club::Club;
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
    a_refund_of_a_link_s_payment_is_recorded,
    a_payment_that_arrives_while_its_player_leaves_is_recorded,
    a_link_without_its_limit_is_closed_when_it_is_paid,
    links_that_take_each_others_place_pile_up_no_products,
);

fn billed(club: &Club) {
    club.append(LINKS);
    club.bill();
}

fn a_payment_whose_webhook_was_lost_is_recorded(club: &Club) {
    billed(club);
    let (order, link) = club.linked("1001");
    let intent = club.pay(&club.visit(&link));
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
    let after = club.row(&order.id).unwrap();
    assert_eq!((after.status.as_str(), after.intent), ("paid", Some(intent)));
    club.tourney(["verify", "--audit-only"]).run().expect(0);
}

/// Two parents have the page open, and Stripe lets both pay (docs/SANDBOX.md).
fn of_two_visits_that_are_paid_the_second_is_for_a_person(club: &Club) {
    billed(club);
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
    billed(club);
    let (_, link) = club.linked("1001");
    let [first, second] = [club.visit(&link), club.visit(&link)];
    club.pay(&first);
    assert!(club.is_open(&second), "it outlives the link");

    club.converges(&["1001/5 expire payable-twice", "1001/5 record_payment unrecorded-payment"], &[]);

    assert!(!club.is_open(&second));
}

fn a_payment_on_its_way_at_a_visit_is_left_alone_until_it_arrives(club: &Club) {
    billed(club);
    let (before, link) = club.linked("1001");
    let visit = club.visit(&link);
    let intent = club.pay_with(&visit, "delayed_success");

    let plan = club.plans(&[]);
    assert_eq!((&plan["notes"][0]["finding"], &plan["notes"][1]), (&json!("payment-processing"), &json!(null)));
    club.tourney(["apply", "--yes"]).run().expect(0);
    let whole = club.folder.read("tournament.yaml");
    club.remove_player("1001");
    club.plans(&[]);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(club.row(&before.id), Some(before.clone()), "not recorded, not retired, not renewed");

    club.folder.write("tournament.yaml", &whole);
    club.control(json!({"command": "settle_delayed", "session": visit, "succeed": true}));
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
    assert_eq!(club.row(&before.id).unwrap().intent, Some(intent));
}

fn a_payment_at_a_visit_that_failed_is_billed_anew(club: &Club) {
    billed(club);
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
    billed(club);
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

/// The same heard by tourney's own receiver, before any apply.
fn our_receiver_knows_the_order_by_the_link(club: &Club) {
    billed(club);
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
    billed(club);
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
    billed(club);
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
    billed(club);
    let (_, link) = club.linked("1001");
    club.change_link(&link, "restrictions=");
    club.pay(&club.visit(&link));
    assert!(club.is_active(&link));
    let open = club.visit(&link);

    club.tourney(["apply", "--yes"]).run().expect(0);

    club.plans(&[]);
    assert!(!club.is_active(&link) && !club.is_open(&open));
}

fn links_that_take_each_others_place_pile_up_no_products(club: &Club) {
    billed(club);
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
