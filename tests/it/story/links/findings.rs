//! Each finding about a link, and what is done about it.

use serde_json::json;

use crate::story::club::Club;
use crate::story::on_both;
use crate::support::wait_until;

on_both!(
    a_link_that_was_closed_while_its_order_is_pending_is_renewed,
    a_link_without_order_id_is_repaired_in_place,
    a_visit_that_comes_while_its_link_is_repaired_is_closed,
    a_link_that_names_a_predecessor_is_repaired_in_place,
    a_link_that_names_a_stranger_s_order_is_for_a_person,
    another_amount_closes_the_link_and_its_visits,
    links_of_others_are_counted_and_left_alone,
    ad_hoc_links_are_closed,
    a_link_beside_the_order_s_own_is_closed,
    a_link_of_an_order_that_was_paid_in_cash_is_closed,
    a_link_of_a_player_who_left_is_closed_with_its_visits,
    the_stop_button_and_a_day_that_has_passed_close_links,
    an_address_of_another_parent_needs_no_other_link,
    a_link_of_a_waived_fee_is_closed,
    a_link_whose_order_somebody_canceled_is_closed,
    a_parent_who_looks_at_a_link_outdates_no_saved_plan,
);

fn a_link_that_was_closed_while_its_order_is_pending_is_renewed(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.change_link(&link, "active=false");

    // The visit outlives the link: somebody may still pay there, and so it goes first.
    club.converges(&["1001/5 expire payable-twice", "1001/5 renew expired-session"], &[]);

    let (after, new) = club.linked("1001");
    assert_eq!(after.id, order.id, "the order is kept");
    assert!(new != link && club.is_active(&new) && !club.is_open(&visit));
}

fn a_link_without_order_id_is_repaired_in_place(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    club.change_link(&link, "metadata[order_id]=&payment_intent_data[metadata][note]=lost");
    let early = club.visit(&link);
    assert!(club.session(&early)["metadata"]["order_id"].is_null());

    let applied = club.converges(&["1001/5 expire payable-twice", "1001/5 repair missing-metadata"], &[]);

    let now = club.link(&link);
    assert_eq!(now["metadata"]["order_id"], order.id.as_str());
    assert_eq!(now["payment_intent_data"]["metadata"]["order_id"], order.id.as_str());
    let told = applied["results"][1]["url"].as_str().unwrap();
    assert!(told.starts_with(now["url"].as_str().unwrap()), "the mailed link stays: {told}");
    assert_eq!(club.linked("1001"), (order.clone(), link.clone()));
    assert!(!club.is_open(&early), "a payment there would have found no order");
    let visit = club.visit(&link);
    assert_eq!(club.session(&visit)["metadata"]["order_id"], order.id.as_str());
    let intent = club.pay(&visit);
    assert_eq!(
        club.stripe(&format!("payment_intents/{intent}"), None)["metadata"]["order_id"],
        order.id.as_str(),
        "I10"
    );
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
}

fn a_visit_that_comes_while_its_link_is_repaired_is_closed(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    club.change_link(&link, "metadata[order_id]=");
    club.control(json!({"command": "reset_stats"}));
    club.control(json!({"command": "latency", "ms": 300}));
    let apply = club.tourney(["apply", "--yes", "--json"]).spawn();
    // The sessions have been listed under the lock, and the link is about to be repaired.
    let asked = || club.control(json!({"command": "stats"}))["counts"]["POST /v1/payment_links/{payment_link}"] == 1;
    wait_until("the repair is on its way", asked);
    let visit = club.visit(&link);
    let report = apply.wait().expect(0).json();
    club.control(json!({"command": "latency", "ms": 0}));

    assert_eq!(report["results"].as_array().unwrap().len(), 1, "only the link was known: {report:#}");
    assert!(!club.is_open(&visit), "a payment there would have found no order");
    assert_eq!(club.linked("1001"), (order, link));
    club.converges(&[], &[]);
}

fn a_link_that_names_a_predecessor_is_repaired_in_place(club: &Club) {
    club.bill_by_links();
    let (first, closed) = club.linked("1001");
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 40.00}");
    club.converges(&["1001/5 replace wrong-amount"], &[]);
    let (order, link) = club.linked("1001");
    assert!(!club.is_active(&closed));
    club.change_link(&link, &format!("metadata[order_id]={}", first.id));
    let early = club.visit(&link);

    club.converges(&["1001/5 expire payable-twice", "1001/5 repair wrong-metadata"], &[]);

    assert_eq!(club.linked("1001"), (order, link));
    assert!(!club.is_open(&early), "the payment would have gone to an order that is gone");
}

fn a_link_that_names_a_stranger_s_order_is_for_a_person(club: &Club) {
    club.bill_by_links();
    let (_, link) = club.linked("1001");
    club.change_link(&link, "metadata[order_id]=ord_of_somebody_else");

    club.plans(&["1001/5 attention wrong-metadata"]);
    club.tourney(["apply", "--yes"]).run().expect(3);

    assert_eq!(club.link(&link)["metadata"]["order_id"], "ord_of_somebody_else");
    assert!(club.is_active(&link));
}

fn another_amount_closes_the_link_and_its_visits(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visits = [club.visit(&link), club.visit(&link)];
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 40.00}");

    club.converges(&["1001/5 replace wrong-amount"], &[]);

    assert_eq!(club.status(&order.id), "canceled");
    assert!(!club.is_active(&link) && visits.iter().all(|visit| !club.is_open(visit)));
    assert_eq!(club.plans(&[])["notes"], json!([]), "nothing is left to say of the closed one");
    let (after, new) = club.linked("1001");
    assert_eq!(after.amount, 4_000);
    assert_eq!(club.session(&club.visit(&new))["amount_total"], 4_000);
}

fn links_of_others_are_counted_and_left_alone(club: &Club) {
    club.bill_by_links();
    let donations = club.script_makes_link(&json!({"campaign": "roof"}));
    let elsewhere = json!({"order_id": club.order("1001").id, "tourney_ledger": "another"});
    let elsewhere = club.script_makes_link(&elsewhere);
    let visits = [club.visit(&donations), club.visit(&elsewhere)];

    club.converges(&[], &[]);

    assert!(club.is_active(&donations) && club.is_active(&elsewhere) && visits.iter().all(|one| club.is_open(one)));
    let plan = club.tourney(["plan"]).run().expect(0);
    let said = format!("{}{}", plan.stdout, plan.stderr);
    assert!(said.contains("2 other sessions and 2 other payment links"), "two links and two visits: {said}");
    let verdict = club.tourney(["verify", "--audit-only", "--json"]).run().expect(0).json();
    let checks = verdict["checks"].as_array().unwrap();
    let foreign = checks.iter().find(|check| check["name"] == "foreign").unwrap()["detail"].to_string();
    for id in [&donations, &elsewhere, &visits[0], &visits[1]] {
        assert!(foreign.contains(id.as_str()), "{id} is not in {foreign}");
    }
}

fn ad_hoc_links_are_closed(club: &Club) {
    club.bill_by_links();
    let before = club.orders();
    let nobodys = club.script_makes_link(&club.ours("0000", "1001", "5"));
    let strangers = club.script_makes_link(&club.ours("0001", "7777", "5"));
    let visit = club.visit(&nobodys);

    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);

    assert!(!club.is_active(&nobodys) && !club.is_active(&strangers) && !club.is_open(&visit));
    assert_eq!(club.orders(), before);
}

fn a_link_beside_the_order_s_own_is_closed(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let second = club.script_makes_link(&club.ours(&order.id, "1001", "5"));
    let visits = [club.visit(&link), club.visit(&second)];

    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);

    assert!(club.is_active(&link) && club.is_open(&visits[0]));
    assert!(!club.is_active(&second) && !club.is_open(&visits[1]));
}

fn a_link_of_an_order_that_was_paid_in_cash_is_closed(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, paid: {how: cash}}");
    club.converges(&["1001/5 settle paid-elsewhere"], &[]);
    assert_eq!(club.status(&order.id), "paid");
    assert!(!club.is_active(&link) && !club.is_open(&visit));

    // The application marks another one paid by itself.
    let (other, link) = club.linked("1002");
    let visit = club.visit(&link);
    club.sql(&format!("UPDATE orders SET status = 'paid' WHERE id = '{}'", other.id));
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    assert!(!club.is_active(&link) && !club.is_open(&visit));
}

fn a_link_of_a_player_who_left_is_closed_with_its_visits(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.remove_player("1001");

    club.tourney(["apply", "--yes", "--allow-mass-retire"]).run().expect(0);
    club.plans(&[]);

    assert_eq!(club.status(&order.id), "canceled");
    assert!(!club.is_active(&link) && !club.is_open(&visit));
}

fn the_stop_button_and_a_day_that_has_passed_close_links(club: &Club) {
    club.bill_by_links();
    let whole = club.folder.read("tournament.yaml");
    for (before, after, finding) in
        [("open: true", "open: false", "closed"), ("pay_by: 2999-04-25", "pay_by: 2020-04-25", "past-due")]
    {
        let links: Vec<String> = ["1001", "1002", "1003"].map(|player| club.linked(player).1).to_vec();
        let visits: Vec<String> = links.iter().map(|link| club.visit(link)).collect();
        club.edit(before, after);
        let expected = ["1001/5", "1002/6", "1003/5"].map(|one| format!("{one} expire {finding}"));
        club.converges(&expected.each_ref().map(String::as_str), &[]);
        assert!(links.iter().all(|link| !club.is_active(link)) && visits.iter().all(|visit| !club.is_open(visit)));
        assert!(club.orders().iter().all(|order| order.status == "pending"), "orders are kept");

        club.folder.write("tournament.yaml", &whole);
        let again = ["1001/5", "1002/6", "1003/5"].map(|one| format!("{one} renew expired-session"));
        club.converges(&again.each_ref().map(String::as_str), &[]);
    }
}

/// A link knows no address: it stands in the query that is sent.
fn an_address_of_another_parent_needs_no_other_link(club: &Club) {
    club.bill_by_links();
    let before = club.linked("1001");
    club.edit("parent01@example.com", "mother01@example.com");
    club.plans(&[]);
    assert_eq!(club.linked("1001"), before);
}

fn a_link_of_a_waived_fee_is_closed(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 0.00}");
    club.converges(&["1001/5 retire waived"], &[]);
    assert_eq!(club.status(&order.id), "canceled");
    assert!(!club.is_active(&link) && !club.is_open(&visit));
}

fn a_link_whose_order_somebody_canceled_is_closed(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.sql(&format!("UPDATE orders SET status = 'canceled' WHERE id = '{}'", order.id));
    club.tourney(["apply", "--yes"]).run().expect(3);
    club.plans(&["1001/5 attention settled-before"]);
    assert!(!club.is_active(&link) && !club.is_open(&visit));
}

/// Anybody who opens a link makes a session, and leaves it to expire. That decides nothing; a payment does.
fn a_parent_who_looks_at_a_link_outdates_no_saved_plan(club: &Club) {
    club.bill_by_links();
    let (_, left) = club.linked("1001");
    let abandoned = club.visit(&left);
    club.edit("parent02@example.com, fee: 6}", "parent02@example.com, fee: 6, amount: 40.00}");
    club.tourney(["plan", "--out", "saved.plan"]).run().expect(0);
    let (order, replaced) = club.linked("1002");
    let visits = [club.visit(&left), club.visit(&replaced)];
    club.expire(&abandoned);

    club.tourney(["apply", "--yes", "saved.plan"]).run().expect(0);

    assert!(club.is_open(&visits[0]) && !club.is_open(&visits[1]) && !club.is_active(&replaced));
    assert_eq!(club.status(&order.id), "canceled");
    club.converges(&[], &[]);

    club.edit("amount: 40.00", "amount: 41.00");
    club.tourney(["plan", "--out", "saved.plan"]).run().expect(0);
    club.pay(&visits[0]);
    let refused = club.tourney(["apply", "--yes", "--json", "saved.plan"]).run().expect(1).json();
    assert_eq!(refused["error"]["code"], "plan-outdated", "{refused:#}");
}
