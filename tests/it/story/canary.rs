//! The canary is nobody's order: it takes no registration's place, and whatever breaks off, it is removed.

use serde_json::json;

use super::club::Club;
use super::on_both;
use super::trip::passed;
use crate::support::{Outcome, wait_until};

on_both!(
    a_registration_of_the_manifest_is_no_canary,
    an_order_or_claim_of_somebody_else_is_no_canary,
    a_canceled_row_of_an_earlier_canary_stands_in_nobodys_way,
    a_canary_that_a_kill_left_is_removed_by_the_next_apply,
    a_canary_that_cannot_be_removed_keeps_nothing_else_from_its_turn,
);

/// `verify` where the environment names its canary.
fn verify_as(club: &Club, player: &str) -> Outcome {
    let canary = format!("test: {{verify: {{canary: {{player: {player}, fee: 5, email: canary@example.com}}}}}}\n");
    club.folder.write("environments.yaml", &canary);
    club.tourney(["-e", "test", "verify", "--json"]).run()
}

#[track_caller]
fn refused(club: &Club, player: &str) {
    let (orders, sessions) = (club.orders(), club.sessions());
    let verdict = verify_as(club, player).expect(1).json();
    assert_eq!(verdict["error"]["code"], "canary", "{verdict:#}");
    assert!(verdict["error"]["hint"].as_str().unwrap().contains("environments.yaml"), "{verdict:#}");
    assert_eq!((passed(&verdict, "canary"), passed(&verdict, "order-id")), (json!(false), json!(true)), "{verdict:#}");
    assert_eq!((club.orders(), club.sessions()), (orders, sessions), "nothing was made and nothing removed");
    assert_eq!(club.sql("SELECT run_id FROM tourney_canaries"), Vec::<Vec<_>>::new(), "nothing is journalled");
}

fn a_registration_of_the_manifest_is_no_canary(club: &Club) {
    club.bill();
    refused(club, "1001");
    club.pay(club.order("1001").session());
    club.tourney(["-e", "test", "apply", "--yes"]).run().expect(0);
    assert_eq!(club.order("1001").status, "paid");
    refused(club, "1001");
}

/// Another application's row for a player that the manifest does not have.
fn row(club: &Club, id: &str, status: &str) {
    club.sql(&format!(
        "INSERT INTO orders (id, tournament_id, player_id, fee_id, amount_cents, currency, status, created_at, updated_at) \
         VALUES ('{id}', 'cup', '2001', '5', 5500, 'usd', '{status}', 1, 1)"
    ));
}

fn an_order_or_claim_of_somebody_else_is_no_canary(club: &Club) {
    club.bill();
    for status in ["paid", "pending"] {
        row(club, "app-1", status);
        refused(club, "2001");
        club.sql("DELETE FROM orders WHERE id = 'app-1'");
    }
    club.sql(
        "INSERT INTO tourney_claims (tournament_id, player_id, fee_id, order_id) VALUES ('cup', '2001', '5', 'x')",
    );
    refused(club, "2001");
}

fn a_canceled_row_of_an_earlier_canary_stands_in_nobodys_way(club: &Club) {
    club.bill();
    row(club, "canary-1", "canceled");
    for _ in 0..2 {
        verify_as(club, "2001").expect(0);
        assert_eq!(club.orders().len(), 4);
        assert_eq!(club.status("canary-1"), "canceled");
    }
    club.sql("UPDATE orders SET status = 'paid' WHERE id = 'canary-1'");
    club.tourney(["-e", "test", "plan", "--detailed-exitcode"]).run().expect(3);
}

/// A verify is killed while its canary's session is being made.
fn killed(club: &Club) {
    club.control(json!({"command": "latency", "ms": 300}));
    club.control(json!({"command": "reset_stats"}));
    let verify = club.tourney(["verify"]).spawn();
    let posted = || club.requests().iter().any(|request| request["method"] == "POST");
    wait_until("the canary's session is asked for", posted);
    verify.signal("KILL");
    assert_eq!(verify.wait().code(), None);
    club.control(json!({"command": "latency", "ms": 0}));
    wait_until("Stripe has made it", || club.sessions().len() == 4);
    assert_eq!(club.orders().len(), 4, "the canary is there");
}

fn a_canary_that_a_kill_left_is_removed_by_the_next_apply(club: &Club) {
    club.bill();
    killed(club);
    club.plans(&[]);
    club.expire(club.order("1001").session());
    let applied = club.tourney(["apply", "--yes"]).run().expect(0);
    assert!(applied.stderr.contains("canary") && applied.stderr.contains("is removed"), "{}", applied.stderr);
    assert_eq!(club.orders().len(), 3);
    assert_eq!(club.sessions().iter().filter(|session| session["status"] == "open").count(), 3);
    assert_eq!(club.sql("SELECT run_id FROM tourney_canaries WHERE closed = 0"), Vec::<Vec<_>>::new());
    club.plans(&[]);
}

fn a_canary_that_cannot_be_removed_keeps_nothing_else_from_its_turn(club: &Club) {
    club.bill();
    killed(club);
    // Its order has become another registration's: whoever did that, it is no longer ours to remove.
    let order = club.orders().into_iter().find(|order| order.player == "tourney-canary").unwrap().id;
    club.sql(&format!("UPDATE orders SET player_id = '2002' WHERE id = '{order}'"));
    club.expire(club.order("1001").session());
    let applied = club.tourney(["apply", "--yes"]).run().expect(0);
    assert!(applied.stderr.contains("could not be removed"), "{}", applied.stderr);
    assert_eq!(club.order("1001").status, "pending");

    club.sql(
        "INSERT INTO tourney_canaries (run_id, tournament_id, player_id, fee_id, sessions) \
         VALUES ('zz', 'cup', 'tourney-canary', '5', '[]')",
    );
    let verdict = verify_as(club, "2001").expect(1).json();
    assert_eq!(passed(&verdict, "left-over-canary"), json!(false), "{verdict:#}");
    assert_eq!((passed(&verdict, "order-paid"), passed(&verdict, "clean-up")), (json!(true), json!(true)));
    assert_eq!(club.sql("SELECT run_id FROM tourney_canaries WHERE closed = 0").len(), 1, "the other one is done with");

    club.sql(&format!("UPDATE orders SET player_id = 'tourney-canary' WHERE id = '{order}'"));
    verify_as(club, "2001").expect(0);
    assert_eq!(club.orders().len(), 3);
}
