//! SIGINT and SIGTERM: what is in flight is finished, nothing new is begun, and the report says what is left.

use crate::lock::held;
use crate::recovery::scene::{CUP, Scene, UTAH};
use crate::support::{applied_camp, wait_until};

fn interrupted(signal: &str) {
    let scene = Scene::sqlite(UTAH);
    scene.incident();
    scene.latency(150);
    let apply = scene.tourney(["apply", "--yes", "--json", "--parallelism", "2"]).spawn();
    scene.wait_for_creates(3);
    apply.signal(signal);
    let outcome = apply.wait().expect(130);
    assert!(outcome.stderr.contains("Stopping: what is in flight is finished first."), "{}", outcome.stderr);
    let report = outcome.json();
    let results = report["results"].as_array().unwrap();
    let done = results.iter().filter(|one| one["outcome"] == "done").count();
    let left: Vec<_> = results.iter().filter(|one| one["outcome"] == "skipped").collect();
    assert!((2..21).contains(&done) && done + left.len() == 21, "none failed: {report}");
    assert!(left.iter().all(|one| one["detail"] == "interrupted before it began"), "{report}");
    assert_eq!((&report["interrupted"], &report["remaining"]["replace"]), (&true.into(), &left.len().into()));
    assert_eq!(scene.facts().attempts, [], "what was in flight is finished");
    scene.latency(0);
    scene.apply().expect(0);
    scene.assert_replaced_once();
}

#[test]
fn sigint_finishes_what_is_in_flight_and_says_what_is_left() {
    interrupted("INT");
}

#[test]
fn sigterm_finishes_what_is_in_flight_and_says_what_is_left() {
    interrupted("TERM");
}

#[test]
fn a_second_signal_ends_a_run_at_once_and_the_next_settles_what_was_begun() {
    let scene = Scene::sqlite(CUP);
    scene.incident();
    scene.latency(150);
    let apply = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).spawn();
    scene.wait_for_creates(1);
    // Far longer than any test waits: whoever waited for the next answer would be killed by the harness.
    scene.latency(3_600_000);
    apply.signal("INT");
    wait_until("it has heard", || apply.stderr().contains("Once more ends it at once"));
    apply.signal("TERM");
    let error = apply.wait().expect(130).json();
    assert_eq!(error["error"]["code"], "interrupted", "{error}");
    scene.latency(0);
    scene.apply().expect(0);
    scene.assert_replaced_once();
}

#[test]
fn a_run_that_waits_for_the_lock_can_be_interrupted() {
    let scene = Scene::sqlite(CUP);
    scene.incident();
    held(&scene);
    let waiting = scene.tourney(["apply", "--yes", "--json", "--lock-timeout", "10m"]).spawn();
    wait_until("it says that it waits", || waiting.stderr().contains("Waiting for the lock"));
    waiting.signal("INT");
    let error = waiting.wait().expect(130).json();
    assert_eq!(error["error"]["code"], "interrupted", "{error}");
    assert_eq!(scene.creates(), 0);
}

#[test]
fn a_verify_that_waits_for_a_person_can_be_interrupted_and_removes_its_canary() {
    let folder = applied_camp();
    let verify = folder.tourney(["verify", "--pay", "--json"]).spawn();
    wait_until("a person is asked to pay", || verify.stderr().contains("Pay the canary with a test card"));
    verify.signal("INT");
    let checks = verify.wait().expect(130).json()["checks"].clone();
    let named = |name: &str| checks.as_array().unwrap().iter().find(|check| check["name"] == name).cloned();
    assert_eq!(named("clean-up").unwrap()["passed"], true, "{checks}");
    folder.tourney(["verify"]).run().expect(0);
}
