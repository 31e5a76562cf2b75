//! What moves beside a run, between two runs, or inside one.

use tourney::ledger::{Ledger as _, RetireHow, Written};

use super::On;
use super::scene::{CUP, MANIFEST};
use crate::lock::held;
use crate::support::wait_until;

super::on_both!(
    an_order_is_renamed_and_renewed_in_one_run,
    what_a_killed_run_made_for_an_order_that_is_gone_is_closed,
    a_session_for_a_person_to_look_at_is_no_failure,
);

/// The new payable is made for the order under the player's new id, in the same run.
fn an_order_is_renamed_and_renewed_in_one_run(on: On) {
    let Some(scene) = on(CUP) else { return };
    let [.., renewed, _] = scene.one_of_each();
    let order = scene.facts().orders.into_iter().find(|order| order.session.as_ref() == Some(&renewed)).unwrap();
    scene.folder.write(MANIFEST, &CUP.replace("id: 3,", "id: 33, renamed_from: 3,"));
    let report = scene.apply().expect(0).json();
    let results = report["results"].as_array().unwrap();
    let of: Vec<_> = results.iter().filter(|one| one["player"] == 33).map(|one| &one["action"]).collect();
    assert_eq!(of, ["rename", "renew"], "{report}");
    let now = scene.facts().orders.into_iter().find(|one| one.id == order.id).unwrap();
    assert_eq!(now.registration.player.to_string(), "33");
    scene.assert_converged();
}

/// The order of an open attempt was retired meanwhile: what the attempt made is closed, and the player is billed anew.
fn what_a_killed_run_made_for_an_order_that_is_gone_is_closed(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.incident();
    scene.latency(300);
    let apply = scene.tourney(["apply", "--yes", "--player", "1"]).spawn();
    scene.wait_for_creates(1);
    apply.signal("KILL");
    assert_eq!(apply.wait().code(), None);
    wait_until("the session is made", || scene.sessions().len() == 5);
    scene.latency(0);

    scene.block_on(scene.ledger.force_unlock()).unwrap();
    let guard = held(&scene);
    let facts = scene.facts();
    let attempt = facts.attempts.first().unwrap();
    let order = facts.orders.iter().find(|order| order.id == attempt.order).unwrap();
    let (seen, now) = (order.seen(), jiff::Timestamp::now());
    let retire = scene.ledger.retire(&guard, &seen, RetireHow::Cancel, "withdrawn", now);
    assert_eq!(scene.block_on(retire).unwrap(), Written::Done);
    scene.block_on(scene.ledger.unlock(&guard)).unwrap();

    let report = scene.apply().expect(0).json();
    assert_eq!(report["recovered"], 1, "{report}");
    scene.assert_converged();
}

/// What only a person may decide is 3, whatever else was done: it is no failure of the run's.
fn a_session_for_a_person_to_look_at_is_no_failure(on: On) {
    let Some(scene) = on(CUP) else { return };
    let [_, strange, ..] = scene.one_of_each();
    scene.name(&strange, "ord_of_somebody_else");
    let report = scene.apply().expect(3).json();
    assert_eq!(report["remaining"]["attention"], 1, "{report}");
    assert_eq!(report["proof"]["without_order_id"], serde_json::json!([strange.as_str()]), "{report}");
    assert!(report["results"].as_array().unwrap().iter().all(|one| one["outcome"] == "done"), "{report}");
}
