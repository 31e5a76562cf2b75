//! The lock, through the binary: one run at a time, others wait or are told who holds it, and who lost it stops.

use jiff::Timestamp;
use tourney::domain::RunId;
use tourney::ledger::{Guard, Ledger as _, Lock, LockHolder};

use crate::recovery::scene::{CUP, Scene, UTAH};
use crate::support::wait_until;

/// Takes the lock as somebody on another machine.
pub(crate) fn held(scene: &Scene) -> Guard {
    let now = Timestamp::now();
    let who = "ana@elsewhere (process 1, 00000000-1)".to_owned();
    let holder = LockHolder { run: RunId::from("another"), who, since: now, heartbeat: now };
    match scene.block_on(scene.ledger.lock(&holder, now)).unwrap() {
        Lock::Acquired(guard) => guard,
        Lock::Held(other) => panic!("held by {other:?}"),
    }
}

#[test]
fn a_held_lock_refuses_and_says_who_holds_it() {
    let scene = Scene::sqlite(CUP);
    scene.incident();
    held(&scene);
    let error = scene.apply().expect(1).json();
    assert_eq!(error["error"]["code"], "locked", "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("ana@elsewhere"), "{error}");
    assert_eq!(scene.creates(), 0);
}

#[test]
fn a_run_waits_for_the_lock_as_long_as_it_is_told() {
    let scene = Scene::sqlite(CUP);
    scene.incident();
    let guard = held(&scene);
    let waiting = scene.tourney(["apply", "--yes", "--lock-timeout", "60s"]).spawn();
    wait_until("it has looked at the orders", || scene.requests("GET /v1/checkout/sessions") >= 1);
    scene.block_on(scene.ledger.unlock(&guard)).unwrap();
    waiting.wait().expect(0);
    scene.assert_replaced_once();
}

fn eight_at_once(scene: &Scene) {
    scene.incident();
    let apply = || scene.tourney(["apply", "--yes", "--json", "--lock-timeout", "60s"]).spawn();
    let all: Vec<_> = (0..8).map(|_| apply()).collect();
    let mut done = 0;
    for one in all {
        let report = one.wait().expect(0).json();
        done += report["results"].as_array().unwrap().len();
    }
    assert_eq!(done, 21, "each was replaced by one of the eight");
    scene.assert_replaced_once();
}

#[test]
fn eight_at_once_replace_each_order_once_on_sqlite() {
    eight_at_once(&Scene::sqlite(UTAH));
}

#[test]
fn eight_at_once_replace_each_order_once_on_postgres() {
    if let Some(scene) = Scene::postgres(UTAH) {
        eight_at_once(&scene);
    }
}

#[test]
fn two_at_once_without_patience_do_the_work_once() {
    let scene = Scene::sqlite(UTAH);
    scene.incident();
    scene.latency(50);
    let first = scene.tourney(["apply", "--yes"]).spawn();
    scene.wait_for_creates(1);
    let error = scene.apply().expect(1).json();
    assert_eq!(error["error"]["code"], "locked", "{error}");
    first.wait().expect(0);
    scene.latency(0);
    scene.assert_replaced_once();
}

#[test]
fn a_run_that_lost_its_lock_stops() {
    let scene = Scene::sqlite(UTAH);
    scene.incident();
    scene.latency(200);
    let apply = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).spawn();
    scene.wait_for_creates(2);
    assert!(scene.block_on(scene.ledger.force_unlock()).unwrap().is_some());
    let report = apply.wait().expect(1).json();
    let results = report["results"].as_array().unwrap();
    assert_eq!(results[0]["outcome"], "done", "{report}");
    assert_eq!(results[20]["error"]["code"], "lock-lost", "{report}");
    assert!(scene.creates() < 10, "it went on: {}", scene.creates());
    scene.latency(0);
    scene.apply().expect(0);
    scene.assert_replaced_once();
}
