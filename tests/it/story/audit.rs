//! What the audit of `verify` must not pass.

use serde_json::{Value, json};

use super::club::Club;
use super::on_both;
use super::trip::{detail, passed};

on_both!(
    two_links_for_one_registration_do_not_pass,
    a_link_for_another_amount_than_the_manifests_does_not_pass,
    one_of_a_thing_is_told_as_one,
);

#[track_caller]
fn audited(club: &Club, code: i32) -> Value {
    club.untouched(|| club.tourney(["verify", "--audit-only", "--json"]).run().expect(code)).json()
}

fn one_of_a_thing_is_told_as_one(club: &Club) {
    club.bill();
    club.script_makes(json!({}));
    club.pay(club.order("1001").session());
    club.edit("fee: 5}\n  - {id: 1002", "fee: 5, amount: 50.00}\n  - {id: 1002");
    club.tourney(["apply", "--yes"]).run().expect(3);
    let verdict = audited(club, 3);
    assert!(detail(&verdict, "foreign").contains(": 1 session of this account: "), "{verdict:#}");
    assert!(detail(&verdict, "money-matched").starts_with("1 finding waits for "), "{verdict:#}");
    let shown = club.tourney(["verify", "--audit-only"]).run().expect(3).stdout;
    assert!(shown.contains("but 1 finding about money waits for a decision"), "{shown}");
}

fn two_links_for_one_registration_do_not_pass(club: &Club) {
    club.bill();
    let fine = audited(club, 0);
    assert_eq!((passed(&fine, "paid-once"), passed(&fine, "one-order")), (json!(true), json!(true)));
    club.sql(
        "INSERT INTO orders (id, tournament_id, player_id, fee_id, amount_cents, currency, status, created_at, updated_at) \
         VALUES ('dup-1', 'cup', '1001', '5', 5500, 'usd', 'pending', 1, 1)",
    );
    let without_link = audited(club, 1);
    assert_eq!((passed(&without_link, "paid-once"), passed(&without_link, "one-order")), (json!(true), json!(false)));
    club.record("dup-1", &club.script_makes(json!({"metadata": club.ours("dup-1", "1001", "5")})));
    club.plans(&["1001/5 retire duplicate-order"]);
    let twice = audited(club, 1);
    assert_eq!((passed(&twice, "paid-once"), passed(&twice, "one-order")), (json!(false), json!(false)), "{twice:#}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    audited(club, 0);
}

fn a_link_for_another_amount_than_the_manifests_does_not_pass(club: &Club) {
    club.bill();
    club.edit("name: 17U Select, amount: 65.00", "name: 17U Select, amount: 70.00");
    let verdict = audited(club, 1);
    assert_eq!(passed(&verdict, "amount"), json!(false), "{verdict:#}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(passed(&audited(club, 0), "amount"), json!(true));
}
