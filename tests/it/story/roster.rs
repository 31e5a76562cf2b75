//! What a person changes in the manifest after players were billed.

use super::club::Club;
use super::on_both;

on_both!(
    only_the_players_that_are_asked_for_are_touched,
    a_withdrawn_players_order_is_canceled,
    a_withdrawn_players_order_is_deleted_where_policy_says_so,
    a_withdrawn_players_order_is_kept_where_policy_says_so,
    a_renamed_players_order_moves_along,
    a_waived_fee_retires_the_order,
    a_cash_payment_settles_the_order,
    after_pay_by_nothing_can_be_paid,
    the_stop_button_closes_everything_and_can_be_released,
);

fn only_the_players_that_are_asked_for_are_touched(club: &Club) {
    club.tourney(["apply", "--yes", "--player", "1003", "1001"]).run().expect(0);
    club.converges(&["1002/6 create missing-order"], &[]);
}

fn a_withdrawn_players_order_is_canceled(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.remove_player("1001");

    club.converges(&["1001/5 retire withdrawn"], &[]);

    assert_eq!(club.status(&order.id), "canceled");
    assert!(!club.is_open(order.session()));
}

fn a_withdrawn_players_order_is_deleted_where_policy_says_so(club: &Club) {
    club.append("policy: {retire: delete}");
    club.bill();
    let order = club.order("1001");
    club.remove_player("1001");

    club.converges(&["1001/5 retire withdrawn"], &[]);

    assert_eq!(club.row(&order.id), None);
    assert!(!club.is_open(order.session()));
    let copies = club.sql("SELECT order_id, row_copy FROM tourney_retired");
    assert_eq!(copies[0][0], Some(order.id.clone()));
    assert!(copies[0][1].as_ref().unwrap().contains(order.session()), "the copy is whole: {copies:?}");
}

fn a_withdrawn_players_order_is_kept_where_policy_says_so(club: &Club) {
    club.append("policy: {withdrawn: keep}");
    club.bill();
    let order = club.order("1001");
    club.remove_player("1001");

    club.converges(&[], &[]);

    assert_eq!(club.order("1001"), order);
    assert!(club.is_open(order.session()));
}

fn a_renamed_players_order_moves_along(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.edit("{id: 1001,", "{id: 2001, renamed_from: 1001,");

    club.converges(&["2001/5 rename renamed"], &[]);

    let after = club.order("2001");
    assert_eq!((&after.id, &after.session), (&before.id, &before.session), "the link stays good");
    assert!(club.is_open(before.session()));
    assert_eq!(club.orders().len(), 3);
}

fn a_waived_fee_retires_the_order(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 0.00}");

    club.converges(&["1001/5 retire waived"], &[]);

    assert_eq!(club.status(&order.id), "canceled");
    assert!(!club.is_open(order.session()));
}

fn a_cash_payment_settles_the_order(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, paid: {how: cash, on: 2026-04-12}}");

    club.converges(&["1001/5 settle paid-elsewhere"], &[]);

    let after = club.order("1001");
    assert_eq!((after.id, after.status.as_str(), after.intent), (order.id.clone(), "paid", None));
    assert!(!club.is_open(order.session()));
}

fn after_pay_by_nothing_can_be_paid(club: &Club) {
    club.bill();
    let before = club.orders();
    club.edit("pay_by: 2999-04-25", "pay_by: 2020-04-25");

    club.converges(&["1001/5 expire past-due", "1002/6 expire past-due", "1003/5 expire past-due"], &[]);

    assert_eq!(club.orders(), before, "orders are kept");
    assert!(before.iter().all(|order| !club.is_open(order.session())));
}

fn the_stop_button_closes_everything_and_can_be_released(club: &Club) {
    club.bill();
    let before = club.orders();
    club.edit("open: true", "open: false");
    club.converges(&["1001/5 expire closed", "1002/6 expire closed", "1003/5 expire closed"], &[]);
    assert_eq!(club.orders(), before, "orders are kept");
    assert!(before.iter().all(|order| !club.is_open(order.session())));

    club.edit("open: false", "open: true");
    club.converges(
        &["1001/5 renew expired-session", "1002/6 renew expired-session", "1003/5 renew expired-session"],
        &[],
    );
    for order in before {
        assert_eq!(club.order(&order.player).id, order.id);
    }
}
