//! The database goes away in the middle of a run and does not come back; and a network does, of which it hears nothing.

use serde_json::Value;

use super::course::Course;
use super::shop::Shop;
use crate::story::club::text;
use crate::support::{Relay, Then, assert_valid};

/// Where the database goes away, in the second change: its stage, whether at the COMMIT or at the first statement, and
/// whether that is carried out.
const PLACES: [(usize, bool, bool); 5] =
    [(0, false, false), (1, true, false), (1, true, true), (2, true, false), (2, true, true)];

/// Three orders whose sessions a script made, and three whose links are open and ask another amount than the manifest does
/// by now.
fn shop() -> Option<Shop> {
    let shop = Shop::with(6)?;
    let (stale, billed) = shop.players.split_at(3);
    shop.go_stale(stale);
    let ids: Vec<String> = billed.iter().map(ToString::to_string).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let apply = [&["apply", "--yes", "--player"], &ids[..]].concat();
    shop.club.at_home(shop.club.folder.tourney(apply)).run().expect(0);
    let text = shop.club.folder.read("tournament.yaml");
    let (head, tail) = text.split_at(text.find("{id: 1004").unwrap());
    shop.club.folder.write("tournament.yaml", &(head.to_owned() + &tail.replace("fee: 5}", "fee: 5, amount: 40.00}")));
    Some(shop)
}

#[test]
fn a_database_that_goes_away_is_told_and_no_link_is_closed_meanwhile() {
    for (stage, at_commit, carried_out) in PLACES {
        let Some(shop) = shop() else { return };
        let (mut course, mut gone) = (Course::default(), false);
        let relay = Relay::start(shop.club.database(), move |sql| {
            if gone {
                return Then::CutBefore;
            }
            let place = course.at(sql);
            gone = (place.change, place.stage) == (1, stage)
                && if at_commit { sql == "COMMIT" && place.step.is_some() } else { place.step == Some(0) };
            match (gone, carried_out) {
                (false, _) => Then::Pass,
                (true, false) => Then::CutBefore,
                (true, true) => Then::CutAfter,
            }
        });

        let outcome = shop.apply_through(&relay).run().expect(1);

        let report = outcome.json();
        assert_valid("apply", &report);
        let results = report["results"].as_array().unwrap();
        assert_eq!(results[0]["outcome"], "done", "{report:#}");
        for result in &results[1..] {
            assert_eq!(result["error"]["code"], "database", "{result:#}");
            let said = text(&result["error"]["message"]);
            assert!(said.contains("the connection broke off") && said.ends_with("safe to run again)"), "{said}");
        }
        assert_eq!((&report["proof"], &report["remaining"]), (&Value::Null, &Value::Null));
        let unproved = text(&report["unproved"]);
        assert!(
            unproved.contains("the orders database") && unproved.ends_with("the connection broke off"),
            "{unproved}"
        );
        shop.is_sound();
        for player in &shop.players[3..] {
            let orders = shop.orders_of(*player);
            assert!(
                shop.club.is_open(&orders[0][2]),
                "its link was closed, and nothing could take its place: {orders:?}"
            );
        }
        shop.club.tourney(["apply", "--yes"]).run().expect(0);
        shop.is_settled(&[]);
    }
}

/// The server waits for the rest of a transaction, and its locks with it: it is not waited for longer than a moment.
#[test]
fn a_connection_of_whose_end_the_server_hears_nothing_holds_up_nobody_for_long() {
    let Some(shop) = Shop::with(3) else { return };
    shop.go_stale(&shop.players);
    let (mut course, mut vanished) = (Course::default(), false);
    let relay = Relay::start(shop.club.database(), move |sql| {
        let place = course.at(sql);
        if vanished || (place.change, place.stage, sql) != (1, 1, "COMMIT") {
            return Then::Pass;
        }
        vanished = true;
        course.broke_off(place);
        Then::Vanish
    });
    shop.apply_through(&relay).run().expect(0);
    shop.is_settled(&[]);
    shop.is_replaced_once();
}
