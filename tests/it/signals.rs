//! SIGINT and SIGTERM: what is in flight is finished, nothing new is begun, and the report says what is left. Whatever has
//! nothing to finish ends at once.

use crate::lock::held;
use crate::recovery::scene::{CUP, Scene, UTAH};
use crate::support::{Folder, applied_camp, camp, wait_until};

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
    assert_eq!(
        named("order-paid").unwrap()["passed"],
        serde_json::Value::Null,
        "nothing is said of the handler: {checks}"
    );
    assert!(named("order-paid").unwrap()["detail"].as_str().unwrap().contains("nobody had paid"), "{checks}");
    folder.tourney(["verify"]).run().expect(0);
}

/// Every command that asks Stripe, with what makes it one document on stdout.
const ASKING: [&str; 8] =
    ["plan", "apply --yes", "verify", "verify --audit-only", "status", "links", "show 1", "plan --out saved.plan"];

#[test]
fn a_command_that_only_looks_ends_at_once_and_says_so() {
    let scene = Scene::sqlite(CUP);
    scene.incident();
    // Far longer than any test waits.
    scene.latency(3_600_000);
    for (n, line) in ASKING.iter().enumerate() {
        for json in ["--json", ""] {
            let asked = scene.requests("GET /v1/account");
            let command =
                scene.in_environment(scene.folder.tourney(line.split(' ').chain((!json.is_empty()).then_some(json))));
            let asking = command.spawn();
            wait_until("it has asked", || scene.requests("GET /v1/account") > asked);
            asking.signal(if n % 2 == 0 { "TERM" } else { "INT" });
            let outcome = asking.wait().expect(130);
            if json.is_empty() {
                assert!(outcome.stdout.is_empty() && outcome.stderr.contains("interrupted"), "{line}: {outcome:?}");
            } else {
                assert_eq!(outcome.json()["error"]["code"], "interrupted", "{line}");
                assert!(outcome.json()["error"]["hint"].is_string(), "{line}");
            }
        }
    }
    assert!(!scene.folder.path("saved.plan").exists());
    assert_eq!(scene.creates(), 0);
}

#[test]
fn a_question_can_be_answered_with_a_signal() {
    let folder = camp();
    // `script` gives it a terminal; nothing is typed there as long as the pipe is open.
    let line = "mkfifo keys; exec 3<>keys; exec script -qec 'echo $$ >pid; exec tourney apply --json' /dev/null <&3";
    let asking = folder.sh(line).spawn();
    wait_until("it asks", || asking.stdout().contains("Type yes to go on"));
    folder.sh("kill -INT $(cat pid)").run().expect(0);
    let outcome = asking.wait().expect(130);
    assert!(outcome.stdout.contains("\"code\": \"interrupted\""), "{}", outcome.stdout);
    folder.tourney(["plan", "--detailed-exitcode"]).run().expect(2);
}

/// Stuck where no future can be dropped: in a write that nobody reads.
#[test]
fn a_command_that_is_stuck_in_a_write_ends_too() {
    let folder = applied_camp();
    let many = "tournament.yaml ".repeat(4_000);
    let script = format!(
        "mkfifo pipe; exec 3<>pipe; tourney validate {many} >pipe 2>said & echo $! >pid; head -c 1 <&3; \
         kill -TERM $!; code=0; wait $! || code=$?; exit $code"
    );
    folder.sh(&script).run().expect(130);
    assert!(folder.read("said").contains("interrupted"), "{}", folder.read("said"));
}

#[test]
fn a_sandbox_that_is_served_is_ended_and_not_interrupted() {
    for signal in ["INT", "TERM"] {
        let folder = Folder::new();
        let serving = folder.tourney(["sandbox", "--listen", "127.0.0.1:0"]).spawn();
        wait_until("it is served", || serving.stdout().contains("Ctrl-C ends it"));
        serving.signal(signal);
        let outcome = serving.wait().expect(0);
        assert!(!outcome.stderr.contains("interrupted"), "{}", outcome.stderr);
    }
}

#[test]
fn a_story_can_be_broken_off() {
    let folder = Folder::new();
    let telling = folder.tourney(["demo"]).env("TMPDIR", folder.path("")).spawn();
    wait_until("it is told", || telling.stdout().contains("$ tourney plan"));
    telling.signal("TERM");
    let outcome = telling.wait().expect(130);
    assert!(outcome.stderr.contains("interrupted"), "{}", outcome.stderr);
}
