//! PostgreSQL is restarted in the middle of an apply.

use serde_json::{Value, json};

use super::course::Course;
use super::shop::Shop;
use crate::story::club::{Club, text};
use crate::support::{Cluster, Relay, Then, cluster, wait_until};

/// A shop with 21 stale orders, on a server that nobody else uses.
fn shop(cluster: &Cluster, name: &str) -> Shop {
    let shop = Shop::of(Club::on(cluster.database(name)), 21);
    shop.go_stale(&shop.players);
    // What the application has written survives: this server answers before that is certain.
    shop.club.sql("CHECKPOINT");
    shop
}

/// What a run said that it did stands, whatever else became of it.
#[track_caller]
fn keeps_its_word(shop: &Shop, report: &Value) {
    for result in report["results"].as_array().unwrap() {
        let player = usize::try_from(result["player"].as_u64().unwrap()).unwrap();
        match text(&result["outcome"]) {
            "done" => {
                let [order, status, session, _] = shop.orders_of(player).pop().unwrap();
                let told = (result["order_id"].to_string(), result["session_id"].as_str());
                assert_eq!((told, "pending"), ((order, Some(session.as_str())), status.as_str()), "{result:#}");
            }
            "failed" => {
                assert_eq!(result["error"]["code"], "database", "{result:#}");
                assert!(text(&result["error"]["message"]).ends_with("safe to run again)"), "{result:#}");
            }
            other => panic!("{other}: {result:#}"),
        }
    }
}

/// Four changes are on their way, wherever they are.
#[test]
fn a_server_that_is_restarted_during_an_apply_does_no_harm() {
    let Some(cluster) = cluster() else { return };
    for mode in ["fast", "immediate"] {
        let shop = shop(&cluster, mode);
        shop.club.control(json!({"command": "latency", "ms": 100}));
        let run = shop.club.tourney(["apply", "--yes", "--json"]).spawn();
        wait_until("some sessions are made", || shop.creates() >= 5);
        cluster.restart(mode);
        let run = run.wait();
        shop.club.control(json!({"command": "latency", "ms": 0}));

        shop.is_sound();
        keeps_its_word(&shop, &run.json());
        if run.code() != Some(0) {
            run.expect(1);
            shop.club.tourney(["apply", "--yes"]).run().expect(0);
        }
        shop.is_settled(&[]);
        shop.is_replaced_once();
    }
}

/// The server goes down before a COMMIT, and crashes right behind one that it has answered.
#[test]
fn what_was_committed_before_a_crash_stands_and_what_was_not_is_done_again() {
    let Some(cluster) = cluster() else { return };
    let shop = shop(&cluster, "crash");
    let (mut course, mut restarted) = (Course::default(), Vec::new());
    let relay = Relay::start(shop.club.database(), move |sql| {
        let place = course.at(sql);
        let mode = match (place.change, place.stage, sql) {
            (3, 1, "COMMIT") if place.step.is_some() => "fast",
            // Behind transaction A, and the session is made.
            (8, 2, _) if place.step == Some(0) => "immediate",
            // Behind transaction B.
            (13, 3, _) if sql.starts_with("INSERT INTO tourney_run_steps") => "immediate",
            _ => return Then::Pass,
        };
        if restarted.contains(&place.change) {
            return Then::Pass;
        }
        restarted.push(place.change);
        course.broke_off(place);
        cluster.restart(mode);
        Then::CutBefore
    });

    let report = shop.apply_through(&relay).run().expect(0).json();

    keeps_its_word(&shop, &report);
    assert_eq!((report["results"].as_array().unwrap().len(), shop.creates()), (21, 21), "{report:#}");
    shop.is_settled(&[]);
    shop.is_replaced_once();
}
