//! What can be wrong with the session of a pending order.

use serde_json::json;

use super::club::Club;
use super::on_both;

on_both!(
    an_order_without_a_session_gets_one,
    an_expired_session_is_renewed,
    an_expired_session_is_replaced_where_policy_says_so,
    a_session_that_stripe_does_not_know_is_replaced,
    where_stripe_knows_no_session_at_all_a_person_decides,
    an_open_session_without_order_id_is_repaired_and_its_link_stays,
    an_expired_session_without_order_id_is_replaced,
    an_order_id_of_a_predecessor_is_repaired,
    an_order_id_of_a_predecessor_on_a_dead_session_is_replaced,
    an_order_id_of_somebody_else_is_for_a_person,
    another_amount_in_the_manifest_replaces_the_order,
    another_amount_at_stripe_replaces_the_order,
    another_currency_replaces_every_order,
    another_address_renews_the_session,
    a_session_younger_than_ten_minutes_is_left_alone,
    sessions_that_are_not_ours_are_never_touched,
);

fn an_order_without_a_session_gets_one(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.expire(before.session());
    club.sql("UPDATE orders SET stripe_checkout_session_id = NULL, checkout_url = NULL WHERE player_id = '1001'");

    let applied = club.converges(&["1001/5 renew missing-session"], &[]);

    let after = club.order("1001");
    assert_eq!((&after.id, after.status.as_str()), (&before.id, "pending"));
    assert!(club.is_open(after.session()));
    let result = &applied["results"][0];
    assert_eq!(result["order_id"], before.id.as_str());
    assert_eq!(result["session_id"], after.session());
    assert_eq!(result["url"], club.session(after.session())["url"]);
    assert!(result["expires_at"].is_string(), "{result}");
}

fn an_expired_session_is_renewed(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.expire(before.session());

    club.converges(&["1001/5 renew expired-session"], &[]);

    let after = club.order("1001");
    assert_eq!(after.id, before.id, "the order is kept");
    assert_ne!(after.session, before.session);
    assert!(club.is_open(after.session()));
}

fn an_expired_session_is_replaced_where_policy_says_so(club: &Club) {
    club.append("policy: {stale: replace}");
    club.bill();
    let before = club.order("1001");
    club.expire(before.session());

    club.converges(&["1001/5 replace expired-session"], &[]);

    let after = club.order("1001");
    assert_ne!(after.id, before.id);
    assert!(club.is_open(after.session()));
    assert_eq!(club.status(&before.id), "canceled");
}

fn a_session_that_stripe_does_not_know_is_replaced(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.expire(before.session());
    club.record(&before.id, "cs_test_gone");

    club.converges(&["1001/5 replace unknown-session"], &[]);

    assert_ne!(club.order("1001").id, before.id);
    assert_eq!(club.status(&before.id), "canceled");
}

fn where_stripe_knows_no_session_at_all_a_person_decides(club: &Club) {
    club.bill();
    for order in club.orders() {
        club.expire(order.session());
        club.record(&order.id, &format!("cs_test_gone{}", order.player));
    }
    let before = club.orders();
    let asked =
        ["1001/5 attention unknown-session", "1002/6 attention unknown-session", "1003/5 attention unknown-session"];
    club.converges(&asked, &asked);
    assert_eq!(club.orders(), before);

    club.append(
        "decisions:
  - {player: 1001, fee: 5, finding: unknown-session, note: it is the right account}
  - {player: 1002, fee: 6, finding: unknown-session}
  - {player: 1003, fee: 5, finding: unknown-session}",
    );
    club.converges(
        &["1001/5 replace unknown-session", "1002/6 replace unknown-session", "1003/5 replace unknown-session"],
        &[],
    );
}

fn an_open_session_without_order_id_is_repaired_and_its_link_stays(club: &Club) {
    club.bill();
    let before = club.script_replaces("1001", json!({}));

    let applied = club.converges(&["1001/5 repair missing-metadata"], &[]);

    assert_eq!(club.order("1001"), before, "order and session stay");
    let session = club.session(before.session());
    assert_eq!(session["metadata"]["order_id"], before.id.as_str());
    assert_eq!(applied["results"][0]["url"], session["url"]);
    let intent = club.pay(before.session());
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
    assert_eq!(club.order("1001").intent, Some(intent), "a payment at the repaired link is matched");
}

fn an_expired_session_without_order_id_is_replaced(club: &Club) {
    club.bill();
    let before = club.script_replaces("1001", json!({"created_seconds_ago": 260_000, "expired_seconds_ago": 170_000}));

    club.converges(&["1001/5 replace expired-session missing-metadata"], &[]);

    assert_eq!(club.status(&before.id), "canceled");
    assert_ne!(club.order("1001").id, before.id);
}

/// A player's order that was replaced once: the predecessor's id and the standing order's session.
fn replaced_once(club: &Club) -> (String, String) {
    club.append("policy: {stale: replace}");
    club.bill();
    let first = club.order("1001");
    club.expire(first.session());
    club.tourney(["apply", "--yes"]).run().expect(0);
    (first.id, club.order("1001").session().to_owned())
}

fn an_order_id_of_a_predecessor_is_repaired(club: &Club) {
    let (predecessor, session) = replaced_once(club);
    club.stripe(&format!("checkout/sessions/{session}"), Some(&format!("metadata[order_id]={predecessor}")));
    let before = club.order("1001");

    club.converges(&["1001/5 repair wrong-metadata"], &[]);

    assert_eq!(club.order("1001"), before);
    assert_eq!(club.session(&session)["metadata"]["order_id"], before.id.as_str());
}

fn an_order_id_of_a_predecessor_on_a_dead_session_is_replaced(club: &Club) {
    let (predecessor, session) = replaced_once(club);
    club.stripe(&format!("checkout/sessions/{session}"), Some(&format!("metadata[order_id]={predecessor}")));
    club.expire(&session);
    let before = club.order("1001");

    club.converges(&["1001/5 replace expired-session wrong-metadata"], &[]);

    assert_eq!(club.status(&before.id), "canceled");
}

fn an_order_id_of_somebody_else_is_for_a_person(club: &Club) {
    club.bill();
    let (mine, theirs) = (club.order("1001"), club.order("1003"));
    club.stripe(&format!("checkout/sessions/{}", mine.session()), Some(&format!("metadata[order_id]={}", theirs.id)));
    let before = club.orders();

    club.converges(&["1001/5 attention wrong-metadata"], &["1001/5 attention wrong-metadata"]);

    assert_eq!(club.orders(), before);
    assert!(club.is_open(mine.session()));
    // Even a payment there is nobody's to record.
    club.pay(mine.session());
    club.tourney(["apply", "--yes"]).run().expect(3);
    assert_eq!(club.orders(), before);
}

fn another_amount_in_the_manifest_replaces_the_order(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.edit("parent01@example.com, fee: 5}", "parent01@example.com, fee: 5, amount: 40.00}");

    club.converges(&["1001/5 replace wrong-amount"], &[]);

    let after = club.order("1001");
    assert_eq!((after.amount, club.session(after.session())["amount_total"].as_i64()), (4000, Some(4000)));
    assert_eq!(club.status(&before.id), "canceled");
    assert!(!club.is_open(before.session()));
}

fn another_amount_at_stripe_replaces_the_order(club: &Club) {
    club.bill();
    let id = club.order("1001").id;
    let before = club.script_replaces("1001", json!({"amount": 5400, "metadata": club.ours(&id, "1001", "5")}));

    club.converges(&["1001/5 replace wrong-amount"], &[]);

    assert_eq!(club.status(&before.id), "canceled");
    assert!(!club.is_open(before.session()));
}

fn another_currency_replaces_every_order(club: &Club) {
    club.bill();
    let before = club.orders();
    club.edit("currency: usd", "currency: eur");

    club.converges(
        &["1001/5 replace wrong-currency", "1002/6 replace wrong-currency", "1003/5 replace wrong-currency"],
        &[],
    );

    for order in before {
        assert_eq!(club.status(&order.id), "canceled");
        assert!(!club.is_open(order.session()));
        assert_eq!(club.order(&order.player).currency, "eur");
    }
}

fn another_address_renews_the_session(club: &Club) {
    club.bill();
    let before = club.order("1001");
    club.edit("parent01@example.com", "parent01.new@example.com");

    club.converges(&["1001/5 renew changed-email"], &[]);

    let after = club.order("1001");
    assert_eq!(after.id, before.id);
    assert!(!club.is_open(before.session()));
    assert_eq!(club.session(after.session())["customer_email"], "parent01.new@example.com");
}

fn a_session_younger_than_ten_minutes_is_left_alone(club: &Club) {
    club.bill();
    let order = club.order("1001");
    let metadata = club.ours(&order.id, "1001", "5");
    let young = club.script_makes(json!({"metadata": metadata, "created_seconds_ago": 60}));
    club.plans(&[]);

    club.control(json!({"command": "advance", "seconds": 600}));
    club.converges(&["1001/5 expire payable-twice"], &[]);
    assert!(!club.is_open(&young));
    assert!(club.is_open(order.session()));
}

fn sessions_that_are_not_ours_are_never_touched(club: &Club) {
    club.bill();
    let order = club.order("1001");
    let look = json!({"email": "parent01@example.com", "name": "Spring Cup: 17U Elite, Avery A."});
    let alike = club.script_makes(look);
    // An order id alone is no proof: small integers repeat in every database.
    let numbered = club.script_makes(json!({"metadata": {"order_id": order.id, "tourney_ledger": "another"}}));
    club.pay(&numbered);

    let plan = club.plans(&[]);

    assert_eq!(plan["foreign"], 2, "{plan:#}");
    club.tourney(["verify", "--audit-only"]).run().expect(0);
    assert!(club.is_open(&alike));
    assert_eq!(club.order("1001"), order);
}
