//! Money that moved at Stripe while nobody told the database. No webhook is registered in any of these stories.

use serde_json::json;

use super::club::{Club, Order};
use super::on_both;

on_both!(
    a_payment_that_nobody_heard_of_is_recorded,
    a_payment_without_order_id_is_recorded,
    a_payment_that_names_a_predecessor_is_recorded,
    a_payment_recorded_for_two_players_is_for_a_person,
    a_payment_at_a_scripts_session_that_names_the_order_is_recorded,
    a_refund_of_another_payment_leaves_the_order_paid,
    a_refund_is_seen_where_the_session_is_gone,
    a_payment_on_its_way_closes_every_other_link,
    a_payment_on_its_way_is_left_alone_until_it_arrives,
    a_failed_payment_is_billed_anew,
    a_full_refund_is_recorded_and_never_billed_again_by_itself,
    a_partial_refund_is_for_a_person,
    a_second_payment_is_for_a_person,
    a_payment_that_no_order_owns_is_for_a_person,
    a_payment_of_less_than_was_ordered_is_never_recorded,
    a_payment_that_arrives_while_its_player_leaves_is_recorded,
    a_paid_player_who_left_is_for_a_person,
    a_payment_on_a_fee_that_was_left_stops_the_new_bill,
    a_payment_of_another_amount_is_for_a_person_and_can_be_decided,
    a_dispute_is_for_a_person,
);

/// Player 1001 has paid, and it is recorded.
fn paid(club: &Club) -> Order {
    club.bill();
    let intent = club.pay(club.order("1001").session());
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
    let order = club.order("1001");
    assert_eq!((order.status.as_str(), order.intent.as_ref()), ("paid", Some(&intent)));
    order
}

fn a_payment_that_nobody_heard_of_is_recorded(club: &Club) {
    let order = paid(club);
    let plan = club.plans(&[]);
    assert_eq!(plan["money"], json!({"currency": "usd", "owed": 17500, "paid": 5500, "unpayable": 0}));
    assert_eq!(club.session(order.session())["payment_intent"].as_str(), order.intent.as_deref());
}

fn a_payment_without_order_id_is_recorded(club: &Club) {
    club.bill();
    let before = club.script_replaces("1001", json!({}));
    let intent = club.pay(before.session());

    club.converges(&["1001/5 record_payment missing-metadata unrecorded-payment"], &[]);

    let after = club.order("1001");
    assert_eq!((after.id, after.status.as_str(), after.intent), (before.id, "paid", Some(intent)));
}

/// Also where the predecessor's row is gone, or stands under the player's former id: the plan knows it.
fn a_payment_that_names_a_predecessor_is_recorded(club: &Club) {
    club.bill();
    let first = club.order("1001").id;
    club.script_replaces("1001", json!({}));
    club.append("policy: {stale: replace}");
    club.expire(club.order("1001").session());
    club.converges(&["1001/5 replace expired-session missing-metadata"], &[]);
    let names_first = json!({"metadata": club.ours(&first, "1001", "5")});
    let before = club.script_replaces("1001", names_first);
    assert_eq!(club.status(&first), "canceled");
    club.sql(&format!("DELETE FROM orders WHERE id = '{first}'"));
    let intent = club.pay(before.session());

    club.converges(&["1001/5 record_payment wrong-metadata unrecorded-payment"], &[]);

    let after = club.order("1001");
    assert_eq!((after.id, after.status.as_str(), after.intent), (before.id, "paid", Some(intent)));
}

/// A script wrote one session onto the orders of two siblings: whose it was cannot be told, and neither is billed again.
fn a_payment_recorded_for_two_players_is_for_a_person(club: &Club) {
    club.bill();
    let shared = club.script_replaces("1001", json!({})).session().to_owned();
    club.expire(club.order("1003").session());
    club.record(&club.order("1003").id, &shared);
    club.pay(&shared);
    let before = club.orders();

    let asked = ["-/- attention ad-hoc-payment"];
    club.converges(&asked, &asked);
    assert_eq!(club.orders(), before);

    // A person finds out whose it was and takes it off the other order.
    let other = club.order("1003").id;
    club.sql(&format!("UPDATE orders SET stripe_checkout_session_id = NULL WHERE id = '{other}'"));
    let plan = ["1001/5 record_payment missing-metadata unrecorded-payment", "1003/5 renew missing-session"];
    club.converges(&plan, &[]);
}

/// It carries `order_id` and nothing else of ours, as a club's own helper writes it.
fn a_payment_at_a_scripts_session_that_names_the_order_is_recorded(club: &Club) {
    club.bill();
    let (open, paid) = (club.order("1001"), club.order("1003"));
    let second = club.script_makes(json!({"metadata": {"order_id": open.id}}));
    let other = club.script_makes(json!({"metadata": {"order_id": paid.id}}));
    let intent = club.pay(&other);

    let expected =
        ["1001/5 expire payable-twice", "1003/5 expire payable-twice", "1003/5 record_payment unrecorded-payment"];
    club.converges(&expected, &[]);

    assert!(!club.is_open(&second) && club.is_open(open.session()) && !club.is_open(paid.session()));
    assert_eq!((club.order("1003").id, club.order("1003").intent), (paid.id, Some(intent)));
}

/// The organiser pays back the second of two payments: the first still stands.
fn a_refund_of_another_payment_leaves_the_order_paid(club: &Club) {
    club.bill();
    let before = club.order("1001");
    let first = club.script_makes(json!({}));
    let first = club.pay(&first);
    club.sql(&format!(
        "UPDATE orders SET status = 'paid', stripe_payment_intent_id = '{first}' WHERE id = '{}'",
        before.id
    ));
    club.pay(before.session());
    club.plans(&["1001/5 attention ad-hoc-payment"]);
    club.control(json!({"command": "refund", "session": before.session()}));

    club.plans(&[]);

    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!((club.status(&before.id).as_str(), club.order("1001").intent), ("paid", Some(first)));
}

fn a_refund_is_seen_where_the_session_is_gone(club: &Club) {
    let order = paid(club);
    let session = order.session().to_owned();
    club.sql(&format!("UPDATE orders SET stripe_checkout_session_id = NULL WHERE id = '{}'", order.id));
    club.sql("UPDATE tourney_attempts SET session_id = NULL");
    club.control(json!({"command": "refund", "session": session}));

    club.converges(&["1001/5 record_refund refunded-at-stripe"], &["1001/5 attention settled-before"]);
    assert_eq!(club.status(&order.id), "refunded");
}

fn a_payment_on_its_way_closes_every_other_link(club: &Club) {
    club.bill();
    let order = club.order("1001");
    let second = club.script_makes(json!({"metadata": club.ours(&order.id, "1001", "5")}));
    club.pay_with(&second, "delayed_success");

    club.converges(&["1001/5 expire payable-twice"], &[]);

    assert!(!club.is_open(order.session()), "nobody can pay twice");
    assert_eq!(club.order("1001"), order);
    club.control(json!({"command": "settle_delayed", "session": second, "succeed": true}));
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
}

fn a_payment_on_its_way_is_left_alone_until_it_arrives(club: &Club) {
    club.bill();
    let before = club.order("1001");
    let intent = club.pay_with(before.session(), "delayed_success");

    let plan = club.plans(&[]);
    assert_eq!(plan["notes"][0]["finding"], "payment-processing", "{plan:#}");
    waits_until_it_arrives(club, &before, before.session());
    assert_eq!(club.order("1001").intent, Some(intent));
}

/// The first player's order, at whose session a payment is on its way, is left as it is, also where the player leaves, and
/// paid when the money comes.
pub(super) fn waits_until_it_arrives(club: &Club, before: &Order, session: &str) {
    club.tourney(["apply", "--yes"]).run().expect(0);
    let whole = club.folder.read("tournament.yaml");
    club.remove_player("1001");
    club.plans(&[]);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(club.row(&before.id), Some(before.clone()), "not recorded, not retired, not renewed");

    club.folder.write("tournament.yaml", &whole);
    club.control(json!({"command": "settle_delayed", "session": session, "succeed": true}));
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
}

fn a_failed_payment_is_billed_anew(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.pay_with(before.session(), "delayed_failure");
    club.plans(&[]);
    club.control(json!({"command": "settle_delayed", "session": before.session(), "succeed": false}));

    club.converges(&["1001/5 replace payment-failed"], &[]);

    assert_eq!(club.status(&before.id), "canceled");
    assert!(club.is_open(club.order("1001").session()));
}

fn a_full_refund_is_recorded_and_never_billed_again_by_itself(club: &Club) {
    let order = paid(club);
    club.control(json!({"command": "refund", "session": order.session()}));

    club.converges(&["1001/5 record_refund refunded-at-stripe"], &["1001/5 attention settled-before"]);

    assert_eq!(club.status(&order.id), "refunded");
    club.tourney(["apply", "--yes"]).run().expect(3);
    assert_eq!(club.orders().len(), 3, "no new bill");
    club.append("decisions:\n  - {player: 1001, fee: 5, finding: refunded-at-stripe, note: they withdrew in time}");
    club.plans(&["1001/5 decided settled-before"]);
}

fn a_partial_refund_is_for_a_person(club: &Club) {
    let order = paid(club);
    club.control(json!({"command": "refund", "session": order.session(), "amount": 1500}));

    let asked = ["1001/5 attention refunded-at-stripe"];
    club.converges(&asked, &asked);

    assert_eq!(club.order("1001"), order);
    club.append("decisions:\n  - {player: 1001, fee: 5, finding: refunded-at-stripe, note: early bird}");
    club.converges(&["1001/5 decided refunded-at-stripe"], &["1001/5 decided refunded-at-stripe"]);
}

fn a_second_payment_is_for_a_person(club: &Club) {
    let order = paid(club);
    let second = club.script_makes(json!({"metadata": club.ours(&order.id, "1001", "5")}));
    club.pay(&second);

    let asked = ["1001/5 attention ad-hoc-payment"];
    club.converges(&asked, &asked);

    assert_eq!(club.order("1001"), order, "the first payment stays the order's");
    club.tourney(["verify", "--audit-only"]).run().expect(3);
}

fn a_payment_that_no_order_owns_is_for_a_person(club: &Club) {
    club.bill();
    let before = club.orders();
    let nobodys = club.script_makes(json!({"metadata": club.ours("0000", "1001", "5")}));
    club.pay(&nobodys);

    let asked = ["1001/5 attention ad-hoc-payment"];
    club.converges(&asked, &asked);

    assert_eq!(club.orders(), before);
}

fn a_payment_of_less_than_was_ordered_is_never_recorded(club: &Club) {
    club.bill();
    let id = club.order("1001").id;
    let before = club.script_replaces("1001", json!({"amount": 5400, "metadata": club.ours(&id, "1001", "5")}));
    club.pay(before.session());

    let asked = ["1001/5 attention paid-amount-differs"];
    club.converges(&asked, &asked);

    assert_eq!(club.order("1001"), before);
}

fn a_payment_that_arrives_while_its_player_leaves_is_recorded(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.remove_player("1001");
    let intent = club.pay(order.session());

    let asked = ["1001/5 record_payment unrecorded-payment", "1001/5 attention paid-withdrawn"];
    club.converges(&asked, &["1001/5 attention paid-withdrawn"]);

    let after = club.order("1001");
    assert_eq!((after.status.as_str(), after.intent), ("paid", Some(intent)));
}

fn a_paid_player_who_left_is_for_a_person(club: &Club) {
    let order = paid(club);
    club.remove_player("1001");

    let asked = ["1001/5 attention paid-withdrawn"];
    club.converges(&asked, &asked);

    assert_eq!(club.order("1001"), order);
    club.append("decisions:\n  - {player: 1001, fee: 5, finding: paid-withdrawn, note: a donation}");
    club.plans(&["1001/5 decided paid-withdrawn"]);
}

fn a_payment_on_a_fee_that_was_left_stops_the_new_bill(club: &Club) {
    let order = paid(club);
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 6}");

    let asked = ["1001/5 attention paid-other-fee"];
    club.converges(&asked, &asked);

    assert_eq!(club.order("1001"), order);
}

fn a_payment_of_another_amount_is_for_a_person_and_can_be_decided(club: &Club) {
    let order = paid(club);
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 40.00}");

    let asked = ["1001/5 attention paid-amount-differs"];
    club.converges(&asked, &asked);
    assert_eq!(club.order("1001"), order);

    club.append("decisions:\n  - {player: 1001, fee: 5, finding: paid-amount-differs, amount: 50.00}");
    club.plans(&asked);
    club.edit("amount: 50.00", "amount: 55.00, note: early price");
    let plan = club.plans(&["1001/5 decided paid-amount-differs"]);
    assert_eq!((&plan["summary"]["decided"], &plan["summary"]["attention"]), (&json!(1), &json!(0)));
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.tourney(["verify", "--audit-only"]).run().expect(0);
}

fn a_dispute_is_for_a_person(club: &Club) {
    let order = paid(club);
    club.control(json!({"command": "dispute", "payment_intent": order.intent}));

    let asked = ["1001/5 attention disputed"];
    club.converges(&asked, &asked);

    assert_eq!(club.order("1001"), order);
}
