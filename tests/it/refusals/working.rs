//! Refused or stopped because of what there is to do, or who else does it.

use serde_json::json;

use crate::story::club::Club;
use crate::story::on_both;
use crate::support::wait_until;

use super::{is_refusal, refused};

on_both!(
    the_lock_has_one_holder_and_shows_whom,
    a_dead_holders_lock_ends_by_itself,
    a_run_that_has_lost_its_lock_writes_no_more,
    an_endpoint_that_does_not_answer_fails_and_leaves_nothing,
    a_mass_retirement_needs_a_word,
    an_emptied_manifest_needs_a_word,
    a_plan_that_cannot_be_saved_is_told,
    changes_come_before_attention,
    a_failure_comes_before_attention,
    an_interrupted_run_is_safe_to_run_again,
    runs_are_listed_newest_first,
);

/// Another run holds the lock; its last sign of life was so many seconds ago.
fn hold_the_lock(club: &Club, age: i64) {
    let beat = jiff::Timestamp::now().as_second() - age;
    club.sql(&format!(
        "UPDATE tourney_lock SET run_id = 'run-1', who = 'ana@club', since = {beat}, heartbeat = {beat}"
    ));
}

fn the_lock_has_one_holder_and_shows_whom(club: &Club) {
    club.bill();
    club.expire(club.order("1001").session());
    hold_the_lock(club, 0);
    let error = refused(club, ["apply", "--yes", "--json"], 1, "locked");
    assert!(error["message"].as_str().unwrap().contains("ana@club"), "{error:#}");
    refused(club, ["verify", "--json"], 1, "locked");
    refused(club, ["apply", "--yes", "--json", "--lock-timeout", "1s"], 1, "locked");

    let waiting = club.tourney(["apply", "--yes", "--lock-timeout", "1m"]).spawn();
    wait_until("it says where it is", || waiting.stderr().contains("test mode"));
    club.sql("UPDATE tourney_lock SET run_id = NULL, who = NULL, since = NULL, heartbeat = NULL");
    waiting.wait().expect(0);
    club.plans(&[]);
}

fn a_dead_holders_lock_ends_by_itself(club: &Club) {
    club.bill();
    club.expire(club.order("1001").session());
    hold_the_lock(club, 120);
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
}

fn a_run_that_has_lost_its_lock_writes_no_more(club: &Club) {
    club.control(json!({"command": "latency", "ms": 300}));
    club.control(json!({"command": "reset_stats"}));
    let running = club.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).spawn();
    wait_until("the first bill is sent", || club.requests().iter().any(|request| request["method"] == "POST"));
    club.tourney(["unlock", "--force"]).run().expect(0);
    let orders = club.orders().len();
    running.wait().expect(1);
    assert!(club.orders().len() <= orders + 1, "at most what was under way");
    club.control(json!({"command": "latency", "ms": 0}));
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    assert_eq!(club.sessions().iter().filter(|session| session["status"] == "open").count(), 3);
}

fn an_endpoint_that_does_not_answer_fails_and_leaves_nothing(club: &Club) {
    club.bill();
    let before = club.orders();
    let nobody = "http://127.0.0.1:1/webhooks/stripe";
    refused(club, ["verify", "--json", "--endpoint", nobody], 1, "no-webhook-secret");
    let verify = |url| club.tourney(["verify", "--json", "--endpoint", url]).env("STRIPE_WEBHOOK_SECRET", "whsec_1a2b");
    is_refusal(club.untouched(|| verify("not a url").run()), 1, "bad-endpoint");
    let verdict = verify(nobody).run().expect(1).json();
    assert_eq!(verdict["passed"], false, "{verdict:#}");
    assert_eq!(club.orders(), before);
    assert_eq!(club.sessions().iter().filter(|session| session["status"] == "open").count(), 3, "no canary is left");
    club.plans(&[]);
}

/// Ten players, billed; four of them leave.
fn four_of_ten_leave(club: &Club) {
    let more: String = (1004..1011)
        .map(|id| format!("  - {{id: {id}, name: Drew Dogwood, email: parent@example.com, fee: 5}}\n"))
        .collect();
    let text = club.folder.read("tournament.yaml");
    club.folder.write("tournament.yaml", &format!("{text}{more}"));
    club.bill();
    for player in ["1001", "1003", "1005", "1007"] {
        club.remove_player(player);
    }
}

fn a_mass_retirement_needs_a_word(club: &Club) {
    four_of_ten_leave(club);
    for args in [["plan", "--json", "-q"], ["apply", "--json", "-y"]] {
        let error = refused(club, args, 1, "mass-retire");
        assert!(error["message"].as_str().unwrap().contains("4 of 10 live orders"), "{error:#}");
    }
    club.untouched(|| club.tourney(["plan", "--detailed-exitcode", "--allow-mass-retire"]).run().expect(2));
    club.tourney(["apply", "--yes", "--allow-mass-retire"]).run().expect(0);
    club.plans(&[]);
    assert_eq!(club.orders().iter().filter(|order| order.status == "pending").count(), 6);
}

fn an_emptied_manifest_needs_a_word(club: &Club) {
    club.bill();
    for player in ["1001", "1002", "1003"] {
        club.remove_player(player);
    }
    club.edit("players:\n", "players: []\n");
    for args in [["plan", "--json", "-q"], ["apply", "--json", "-y"]] {
        let error = refused(club, args, 1, "mass-retire");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("no players at all") && !message.contains('%'), "{error:#}");
    }
    club.tourney(["apply", "--yes", "--allow-mass-retire"]).run().expect(0);
    assert!(club.orders().iter().all(|order| order.status == "canceled"));
}

fn a_plan_that_cannot_be_saved_is_told(club: &Club) {
    club.bill();
    let outcome = club.untouched(|| club.tourney(["plan", "--out", "no/such/folder.plan"]).run()).expect(1);
    assert!(outcome.stderr.contains("no/such/folder.plan"), "{}", outcome.stderr);
}

/// Player 1001's payment needs a person; player 1003's session has expired.
fn attention_and_a_change(club: &Club) {
    club.bill();
    club.pay(club.order("1001").session());
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.remove_player("1001");
    club.expire(club.order("1003").session());
}

fn changes_come_before_attention(club: &Club) {
    attention_and_a_change(club);
    let plan = |code| club.untouched(|| club.tourney(["plan", "--detailed-exitcode"]).run().expect(code));
    plan(2);
    club.untouched(|| club.tourney(["plan"]).run().expect(0));
    club.tourney(["apply", "--yes"]).run().expect(3);
    plan(3);
    club.untouched(|| club.tourney(["apply", "--yes"]).run().expect(3));
    club.untouched(|| club.tourney(["verify", "--audit-only"]).run().expect(3));
}

fn a_failure_comes_before_attention(club: &Club) {
    attention_and_a_change(club);
    club.control(json!({"command": "fault", "method": "POST", "path_prefix": "/v1/checkout/sessions",
        "when": "before", "what": {"status": 400}, "times": 1}));
    let applied = club.tourney(["apply", "--yes", "--json"]).run().expect(1).json();
    let result = &applied["results"][0];
    assert_eq!((&result["player"], &result["outcome"]), (&json!(1003), &json!("failed")), "{applied:#}");
    assert_eq!(result["error"]["code"], "stripe", "{applied:#}");
    // What went wrong has passed: running it again is all there is to do.
    club.tourney(["apply", "--yes"]).run().expect(3);
    club.plans(&["1001/5 attention paid-withdrawn"]);
}

fn an_interrupted_run_is_safe_to_run_again(club: &Club) {
    for signal in ["INT", "TERM"] {
        club.control(json!({"command": "latency", "ms": 300}));
        club.control(json!({"command": "reset_stats"}));
        let running = club.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).spawn();
        let posts = || club.requests().iter().filter(|request| request["method"] == "POST").count();
        wait_until("the first bill is sent", || posts() > 0);
        running.signal(signal);
        let applied = running.wait().expect(130).json();
        assert_eq!(applied["interrupted"], true, "{applied:#}");
        club.control(json!({"command": "latency", "ms": 0}));
    }
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    assert_eq!(club.sessions().len(), 3, "nothing was made twice");
}

fn runs_are_listed_newest_first(club: &Club) {
    club.bill();
    let newest = || {
        let listed = club.tourney(["history", "--json", "--limit", "1"]).run().expect(0).json();
        listed["runs"][0]["id"].as_str().unwrap().to_owned()
    };
    let mut ids = vec![newest()];
    for _ in 0..4 {
        club.tourney(["verify"]).run().expect(0);
        // As where they all began within one second, which is as fine as the column is.
        club.sql("UPDATE tourney_runs SET started_at = 1776074400");
        ids.insert(0, newest());
    }
    let listed = club.tourney(["history", "--json"]).run().expect(0).json();
    let shown: Vec<&str> = listed["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert_eq!(shown, ids);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "{ids:?}");
}
