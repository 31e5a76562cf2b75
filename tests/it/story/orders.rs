//! Orders: missing, doubled, settled by others, and what can be paid besides them.

use serde_json::json;

use super::club::Club;
use super::on_both;

on_both!(
    a_new_roster_is_billed,
    what_tourney_retired_is_billed_again_when_the_player_returns,
    of_two_pending_orders_the_newest_payable_one_stays,
    of_two_live_orders_the_paid_one_stays,
    what_another_application_has_canceled_is_for_a_person,
    a_second_open_session_of_a_pending_order_is_expired,
    an_open_session_of_a_paid_order_is_expired,
    an_open_session_that_no_order_owns_is_expired,
);

fn a_new_roster_is_billed(club: &Club) {
    let plan =
        club.plans(&["1001/5 create missing-order", "1002/6 create missing-order", "1003/5 create missing-order"]);
    assert_eq!(plan["money"], json!({"currency": "usd", "owed": 17500, "paid": 0, "unpayable": 17500}));
    assert_eq!(plan["changes"][1]["desired"], json!({"amount": 6500, "currency": "usd"}));
    assert!(plan["changes"][1]["order"].is_null() && plan["changes"][1]["session"].is_null());

    let applied = club
        .converges(&["1001/5 create missing-order", "1002/6 create missing-order", "1003/5 create missing-order"], &[]);

    for result in applied["results"].as_array().unwrap() {
        let order = club.row(result["order_id"].as_str().unwrap()).unwrap();
        assert_eq!((order.status.as_str(), order.session.as_deref()), ("pending", result["session_id"].as_str()));
        let session = club.session(order.session());
        assert_eq!(session["url"], result["url"]);
        assert_eq!(session["client_reference_id"], order.id.as_str());
        let intent = club.pay(order.session());
        let intent = club.stripe(&format!("payment_intents/{intent}"), None);
        assert_eq!(intent["metadata"]["order_id"], order.id.as_str(), "I10");
    }
}

fn what_tourney_retired_is_billed_again_when_the_player_returns(club: &Club) {
    club.bill();
    let whole = club.folder.read("tournament.yaml");
    let before = club.order("1001");
    club.remove_player("1001");
    club.converges(&["1001/5 retire withdrawn"], &[]);
    club.folder.write("tournament.yaml", &whole);

    club.converges(&["1001/5 create missing-order"], &[]);

    assert_ne!(club.order("1001").id, before.id, "an order id is never used again");
}

/// Another application inserts a pending order for player 1001, later than tourney's own.
fn another_order(club: &Club, id: &str, status: &str) {
    club.sql(&format!(
        "INSERT INTO orders (id, tournament_id, player_id, fee_id, amount_cents, currency, status, created_at, updated_at) \
         VALUES ('{id}', 'cup', '1001', '5', 5500, 'usd', '{status}', 4000000000, 4000000000)"
    ));
}

fn of_two_pending_orders_the_newest_payable_one_stays(club: &Club) {
    club.bill();
    let first = club.order("1001");
    another_order(club, "dup-1", "pending");
    club.converges(&["1001/5 retire duplicate-order"], &[]);
    assert_eq!((club.status(&first.id), club.status("dup-1")), ("pending".to_owned(), "canceled".to_owned()));
    assert!(club.is_open(first.session()));

    another_order(club, "dup-2", "pending");
    let link = club.script_makes(json!({"metadata": club.ours("dup-2", "1001", "5")}));
    club.record("dup-2", &link);
    club.converges(&["1001/5 retire duplicate-order"], &[]);
    assert_eq!((club.status(&first.id), club.status("dup-2")), ("canceled".to_owned(), "pending".to_owned()));
    assert!(!club.is_open(first.session()));
    assert!(club.is_open(&link));
}

fn of_two_live_orders_the_paid_one_stays(club: &Club) {
    club.bill();
    let first = club.order("1001");
    another_order(club, "cash-1", "paid");

    club.converges(&["1001/5 retire duplicate-order"], &[]);

    assert_eq!((club.status(&first.id), club.status("cash-1")), ("canceled".to_owned(), "paid".to_owned()));
    assert!(!club.is_open(first.session()));
}

fn what_another_application_has_canceled_is_for_a_person(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.sql(&format!("UPDATE orders SET status = 'canceled' WHERE id = '{}'", order.id));

    club.converges(
        &["1001/5 expire payable-twice", "1001/5 attention settled-before"],
        &["1001/5 attention settled-before"],
    );

    assert!(!club.is_open(order.session()));
    assert_eq!(club.status(&order.id), "canceled");
    club.append("decisions:\n  - {player: 1001, fee: 5, finding: settled-before, then: bill}");
    club.converges(&["1001/5 create settled-before"], &[]);
    assert_ne!(club.order("1001").id, order.id);
}

fn a_second_open_session_of_a_pending_order_is_expired(club: &Club) {
    club.bill();
    let order = club.order("1001");
    let second = club.script_makes(json!({"metadata": club.ours(&order.id, "1001", "5")}));

    club.converges(&["1001/5 expire payable-twice"], &[]);

    assert!(!club.is_open(&second));
    assert_eq!(club.order("1001"), order);
    assert!(club.is_open(order.session()));
}

fn an_open_session_of_a_paid_order_is_expired(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.sql(&format!("UPDATE orders SET status = 'paid' WHERE id = '{}'", order.id));

    club.converges(&["1001/5 expire payable-twice"], &[]);

    assert!(!club.is_open(order.session()));
    assert_eq!(club.status(&order.id), "paid");
}

fn an_open_session_that_no_order_owns_is_expired(club: &Club) {
    club.bill();
    let before = club.orders();
    let nobodys = club.script_makes(json!({"metadata": club.ours("0000", "1001", "5")}));
    let strangers = club.script_makes(json!({"metadata": club.ours("0001", "7777", "5")}));

    club.converges(&["1001/5 expire ad-hoc-session", "7777/5 expire ad-hoc-session"], &[]);

    assert!(!club.is_open(&nobodys) && !club.is_open(&strangers));
    assert_eq!(club.orders(), before);
}
