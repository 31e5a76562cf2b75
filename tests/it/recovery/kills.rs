//! `kill -9` in the middle of an apply, and the rerun.

use tourney::sandbox::core::Control;

use super::scene::{Scene, UTAH};
use crate::support::{Folder, wait_until};

/// Kills an apply once so many sessions were asked for, and the rerun two later; then nothing stands in the way.
fn killed_after(scene: &Scene, posts: u64) {
    scene.incident();
    scene.latency(100);
    for posts in [posts, posts + 2] {
        let apply = scene.tourney(["apply", "--yes"]).spawn();
        scene.wait_for_creates(posts);
        apply.signal("KILL");
        assert_eq!(apply.wait().code(), None);
    }
    scene.latency(0);
    let last = scene.apply().expect(0);
    assert!(last.stderr.contains("The lock is taken over from "), "{}", last.stderr);
    let report = last.json();
    assert!(report["recovered"].as_u64() > Some(0), "{report}");
    assert_eq!(report["proof"]["live"], 21);
    scene.assert_replaced_once();
}

#[test]
fn an_apply_killed_at_any_point_is_finished_by_the_next_on_sqlite() {
    for posts in [1, 5, 13] {
        killed_after(&Scene::sqlite(UTAH), posts);
    }
}

#[test]
fn an_apply_killed_at_any_point_is_finished_by_the_next_on_postgres() {
    for posts in [1, 5, 13] {
        let Some(scene) = Scene::postgres(UTAH) else { return };
        killed_after(&scene, posts);
    }
}

#[test]
fn an_apply_killed_at_its_last_session_is_finished_by_the_next() {
    let scene = Scene::sqlite(UTAH);
    scene.incident();
    scene.latency(100);
    let apply = scene.tourney(["apply", "--yes", "--parallelism", "1"]).spawn();
    scene.wait_for_creates(17);
    scene.latency(1_000);
    scene.wait_for_creates(21);
    apply.signal("KILL");
    assert_eq!(apply.wait().code(), None);
    scene.latency(0);
    scene.apply().expect(0);
    scene.assert_replaced_once();
}

/// Stripe may take longer over a request than we care to wait. As long as it is under way nothing else is begun for its
/// registration, however often apply runs.
#[test]
fn a_request_that_is_still_under_way_at_stripe_gets_no_second_one_beside_it() {
    let scene = Scene::sqlite(UTAH);
    scene.incident();
    scene.latency(30);
    let apply = scene.tourney(["apply", "--yes", "--parallelism", "1"]).spawn();
    scene.wait_for_creates(5);
    scene.latency(15_000);
    scene.wait_for_creates(scene.creates() + 1);
    apply.signal("KILL");
    assert_eq!(apply.wait().code(), None);
    scene.latency(0);
    let report = scene.apply().expect(1).json();
    let failed: Vec<_> =
        report["results"].as_array().unwrap().iter().filter(|one| one["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{report}");
    assert_eq!(failed[0]["error"]["code"], "stripe");
    wait_until("the slow request is through", || scene.sessions().len() == 42);
    scene.apply().expect(0);
    scene.assert_replaced_once();
}

/// Killed together with the sandbox that it serves itself.
#[test]
fn an_apply_that_owned_the_embedded_sandbox_is_finished_by_the_next() {
    let folder = Folder::new().with("tournament.yaml", UTAH);
    folder.tourney(["sandbox", "seed", "incident", "tournament.yaml"]).run().expect(0);
    slow_down(&folder, 40);
    for done in [1, 6] {
        let apply = folder.tourney(["apply", "--yes"]).spawn();
        wait_until("some are done", || apply.stderr().matches(": replace done").count() >= done);
        apply.signal("KILL");
        assert_eq!(apply.wait().code(), None);
    }
    slow_down(&folder, 0);
    let report = folder.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    assert_eq!((&report["proof"]["live"], &report["remaining"]["unchanged"]), (&21.into(), &21.into()), "{report}");
    let status = folder.tourney(["status", "--json"]).run().expect(0).json();
    let mut sessions: Vec<_> =
        status["registrations"].as_array().unwrap().iter().map(|one| one["session_id"].to_string()).collect();
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 21, "{status}");
    folder.tourney(["plan", "--detailed-exitcode"]).run().expect(0);
}

/// Sets the latency of the sandbox whose state lies in the folder: it outlives whoever serves it.
fn slow_down(folder: &Folder, ms: u64) {
    tourney::stripe::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sandbox = tourney::sandbox::open(&folder.path(".tourney")).await.unwrap();
        sandbox.control(Control::Latency { ms }).await.unwrap();
        sandbox.close().await;
    });
}
