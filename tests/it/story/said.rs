//! What `plan` and `apply` say of links and of money is what comes of it.

use std::time::Duration;

use serde_json::json;

use super::club::{Club, run_sql, text};
use super::on_both;
use crate::support::assert_valid;

on_both!(
    every_link_that_dies_is_counted_whoever_made_it,
    what_was_paid_is_not_said_to_be_unpayable,
    a_link_that_is_known_to_be_bad_is_not_handed_out,
    links_that_nothing_proves_are_not_listed,
);

fn every_link_that_dies_is_counted_whoever_made_it(club: &Club) {
    club.bill();
    let order = club.order("1001");
    for _ in 0..2 {
        club.script_makes(json!({"metadata": club.ours("0000", "1003", "5")}));
    }
    club.script_makes(json!({"metadata": club.ours(&order.id, "1001", "5")}));
    let open = || club.sessions().iter().filter(|session| session["status"] == "open").count();
    let before = open();
    let expected = ["1001/5 expire payable-twice", "1003/5 expire ad-hoc-session", "1003/5 expire ad-hoc-session"];
    let plan = club.plans(&expected);
    let shown = club.tourney(["plan"]).run().expect(0).stdout;
    assert!(shown.contains("3 links that may have been mailed will stop working."), "{shown}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(plan["links_stopping"], before - open(), "{plan:#}");
}

fn what_was_paid_is_not_said_to_be_unpayable(club: &Club) {
    club.bill();
    let order = club.order("1001");
    club.pay(order.session());
    club.sql(&format!("UPDATE orders SET status = 'canceled' WHERE id = '{}'", order.id));
    let plan = club.plans(&["1001/5 attention settled-before", "1001/5 attention ad-hoc-payment"]);
    assert_valid("plan", &plan);
    assert_eq!(plan["undecided_money"], json!([{"amount": 5500, "currency": "usd"}]), "{plan:#}");
    assert_eq!((&plan["money"]["unpayable"], &plan["money"]["paid"]), (&json!(0), &json!(0)), "{plan:#}");
    let headline = "$55.00 was paid and waits for a decision; $0.00 of $175.00 counts as paid";
    let shown = club.tourney(["plan"]).run().expect(0).stdout;
    assert_eq!(shown.lines().next(), Some(headline), "{shown}");
    // Another link has died: only that one cannot be paid.
    club.expire(club.order("1002").session());
    let shown = club.tourney(["plan"]).run().expect(0).stdout;
    let headline = "$55.00 was paid and waits for a decision; 1 order, $65.00 cannot be paid: 1 session expired";
    assert_eq!(shown.lines().next(), Some(headline), "{shown}");
}

fn a_link_that_is_known_to_be_bad_is_not_handed_out(club: &Club) {
    club.bill();
    let before: Vec<String> = ["1001", "1002", "1003"].map(|player| club.order(player).session().to_owned()).to_vec();
    before.iter().for_each(|session| club.expire(session));
    club.control(json!({"command": "latency", "ms": 300}));
    let (database, old) = (club.database().to_owned(), before[0].clone());
    // As soon as the first link is made, and while the others are not, the application cancels its order.
    let cancels = club.spawn(async move {
        let renewed =
            format!("SELECT id FROM orders WHERE player_id = '1001' AND stripe_checkout_session_id <> '{old}'");
        while run_sql(&database, &renewed).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        run_sql(&database, "UPDATE orders SET status = 'canceled' WHERE player_id = '1001'").await;
    });
    let outcome = club.tourney(["apply", "--yes", "--parallelism", "1"]).run().expect(1);
    club.block_on(cancels).unwrap();
    club.control(json!({"command": "latency", "ms": 0}));
    let canceled = club.orders().into_iter().find(|order| order.player == "1001").unwrap();
    let (table, rest) = outcome.stdout.split_once("\n\n").unwrap();
    assert!(!table.contains(&canceled.id) && !table.contains(canceled.session()), "{table}");
    let url = text(&club.session(canceled.session())["url"]).to_owned();
    assert!(!outcome.stdout.contains(&url), "{}", outcome.stdout);
    assert!(table.contains(&club.order("1002").id) && table.contains("1003 Casey Cedar"), "{table}");
    let why = format!(
        "player 1001 fee 5: renew done, but its link is not to be sent: order {} is canceled by now",
        canceled.id
    );
    assert!(rest.starts_with(&why), "{rest}");
    assert!(rest.contains("payable-twice"), "{rest}");
}

fn links_that_nothing_proves_are_not_listed(club: &Club) {
    // Sessions are listed for the question, for the run and for the proof.
    club.control(json!({"command": "fault", "method": "GET", "path_prefix": "/v1/checkout/sessions",
        "when": "before", "what": {"status": 400}, "skip": 2, "times": 100}));
    let outcome = club.tourney(["apply", "--yes"]).run().expect(1);
    assert!(outcome.stdout.starts_with("3 links made, and not listed since nothing proves them"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("NOT PROVED") && !outcome.stdout.contains("/c/pay/"), "{}", outcome.stdout);
    club.control(json!({"command": "clear_faults"}));
    let links = club.tourney(["links"]).run().expect(0).stdout;
    assert_eq!(links.matches("/c/pay/").count(), 3, "{links}");
}
