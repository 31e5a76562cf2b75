//! The application writes in the very moment between what tourney has read of a row and what it writes there.
//!
//! What came of each act at each moment stands in the snapshots: what the run said of it and how the orders stood, the same
//! of the next run, and what was left to a person.

use super::acts::{ACTS, Act, Scene, before};
use super::shop::Shop;

/// The first statement of a retirement and of the transactions A and B, before they look at the order once more.
const BEGINS: &str = "UPDATE tourney_lock SET fence = fence WHERE";
const UPDATES: &str = "UPDATE \"orders\"";
const INSERTS: &str = "INSERT INTO \"orders\"";
const ATTEMPTS: &str = "INSERT INTO tourney_attempts";

/// Everybody is billed.
fn billed(shop: &Shop) {
    shop.club.tourney(["apply", "--yes", "--parallelism", "1"]).run().expect(0);
}

/// Everybody has paid, and nobody was told of it.
fn paid(shop: &Shop) {
    billed(shop);
    for player in &shop.players {
        shop.club.pay(&shop.orders_of(*player)[0][2]);
    }
}

fn stale(shop: &Shop) {
    shop.go_stale(&shop.players);
}

#[test]
fn an_application_that_acts_while_its_orders_are_replaced_is_observed_again() {
    let moments = [
        before("before the retirement", 0, BEGINS),
        before("before the retirement's write", 0, UPDATES),
        before("before A", 1, BEGINS),
        before("before A's write", 1, INSERTS),
        before("before B", 2, BEGINS),
        before("before B's write", 2, UPDATES),
    ];
    let Some(scene) = Scene::of(&moments, &ACTS, stale) else { return };
    insta::assert_snapshot!(scene.tells());
}

#[test]
fn an_application_that_acts_while_its_orders_are_renewed_is_observed_again() {
    let moments = [
        before("before A", 0, BEGINS),
        before("before A's write", 0, ATTEMPTS),
        before("before B", 1, BEGINS),
        before("before B's write", 1, UPDATES),
    ];
    let stand = |shop: &Shop| {
        billed(shop);
        shop.players.iter().for_each(|player| shop.club.expire(&shop.orders_of(*player)[0][2]));
    };
    let Some(scene) = Scene::of(&moments, &ACTS, stand) else { return };
    insta::assert_snapshot!(scene.tells());
}

#[test]
fn an_application_that_acts_while_its_payments_are_recorded_is_observed_again() {
    let acts = [&ACTS[..], &[Act::PaysOtherwise]].concat();
    let Some(scene) = Scene::of(&[before("before the write", 0, UPDATES)], &acts, paid) else { return };
    insta::assert_snapshot!(scene.tells());
}

#[test]
fn an_application_that_acts_while_its_refunds_are_recorded_is_observed_again() {
    let stand = |shop: &Shop| {
        paid(shop);
        billed(shop);
        for player in &shop.players {
            let session = shop.club.session(&shop.orders_of(*player)[0][2]);
            let intent = session["payment_intent"].as_str().unwrap();
            shop.club.stripe("refunds", Some(&format!("payment_intent={intent}")));
        }
    };
    let acts = [&ACTS[..], &[Act::PaysOtherwise]].concat();
    let Some(scene) = Scene::of(&[before("before the write", 0, UPDATES)], &acts, stand) else { return };
    insta::assert_snapshot!(scene.tells());
}

#[test]
fn an_application_that_acts_while_its_orders_are_retired_is_observed_again() {
    let stand = |shop: &Shop| {
        billed(shop);
        let text = shop.club.folder.read("tournament.yaml");
        let (head, _) = text.split_once("players:").unwrap();
        let nobody = "players:\n  - {id: 1, name: Nobody, email: nobody@example.com, fee: 5, amount: 0.00}\n";
        shop.club.folder.write("tournament.yaml", &format!("{head}{nobody}policy: {{max_retired: 100%}}\n"));
    };
    let Some(scene) = Scene::of(&[before("before the write", 0, UPDATES)], &ACTS, stand) else { return };
    insta::assert_snapshot!(scene.tells());
}

#[test]
fn an_application_that_acts_while_its_orders_are_settled_is_observed_again() {
    let stand = |shop: &Shop| {
        billed(shop);
        let text = shop.club.folder.read("tournament.yaml");
        shop.club
            .folder
            .write("tournament.yaml", &text.replace("fee: 5}", "fee: 5, paid: {how: cash, on: 2026-04-12}}"));
    };
    let Some(scene) = Scene::of(&[before("before the write", 0, UPDATES)], &ACTS, stand) else { return };
    insta::assert_snapshot!(scene.tells());
}

/// What was observed again and is in order is no failure; what waits for a person is 3; what another run must do is 1.
#[test]
fn the_exit_code_is_that_of_what_the_application_did() {
    for (act, code) in [(Act::Pays, 0), (Act::Relinks, 0), (Act::Cancels, 3), (Act::OrdersAgain, 1)] {
        let Some(scene) = Scene::of(&[before("before B", 2, BEGINS)], &[act], stale) else { return };
        scene.apply().expect(code);
    }
}
