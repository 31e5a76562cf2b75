//! `tourney history` and `tourney unlock`: what the database alone can tell.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tourney::domain::RunId;
use tourney::ledger::{Ledger, Lock, LockHolder, Mapping, SqlLedger};

use crate::support::{Folder, applied_camp, camp};

/// Somebody takes the lock, last heard of so many seconds ago.
fn hold(folder: &Folder, seconds_ago: i64) {
    let url = format!("sqlite://{}", folder.path(".tourney/orders.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let ledger = SqlLedger::open(&url, Mapping::own()).await.unwrap();
        ledger.prepare(1).await.unwrap();
        let then = Timestamp::now() - SignedDuration::from_secs(seconds_ago);
        let holder =
            LockHolder { run: RunId::from("run-7"), who: "coach@club".to_owned(), since: then, heartbeat: then };
        assert!(matches!(ledger.lock(&holder, then).await.unwrap(), Lock::Acquired(_)));
    });
}

#[test]
fn before_the_first_apply_there_is_nothing_yet() {
    let folder = camp();
    let outcome = folder.tourney(["history"]).run().expect(0);
    assert!(outcome.stdout.starts_with("Nothing yet") && outcome.stderr.starts_with("sandbox · sqlite"), "{outcome:?}");
    assert_eq!(folder.tourney(["history", "--json"]).run().expect(0).json()["runs"], json!([]));
    assert_eq!(folder.tourney(["unlock"]).run().expect(0).stdout, "Nobody holds the lock.\n");
    assert!(!folder.path(".tourney/orders.db").exists(), "looking made a database");
}

#[test]
fn a_run_is_listed_and_found_by_the_beginning_of_its_id() {
    let folder = applied_camp();
    folder.write("tournament.yaml", &folder.read("tournament.yaml").replace("fees: [camp, 7]", "fee: camp"));
    folder.tourney(["apply", "--yes"]).run().expect(0);
    let listed = folder.tourney(["history", "--json"]).run().expect(0).json();
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| &run["outcome"]).collect::<Vec<_>>(), ["done", "done"]);
    assert!(runs.iter().all(|run| run["who"].as_str().unwrap().contains(" (process ")), "{listed:#}");
    let shown = folder.tourney(["history"]).run().expect(0).stdout;
    assert!(shown.contains("someone@") && !shown.contains("(process"), "{shown}");
    assert_eq!((&runs[0]["command"], &runs[0]["tournament"]), (&json!("apply"), &json!("spring-camp")));
    let one = folder.tourney(["history", "--limit", "1", "--json"]).run().expect(0).json();
    assert_eq!(one["runs"].as_array().unwrap().len(), 1);

    let first = runs.iter().find(|run| run["summary"].as_str().unwrap().starts_with("3 done")).unwrap();
    let id = first["id"].as_str().unwrap();
    let run = folder.tourney(["history", &id[..13], "--json"]).run().expect(0).json();
    assert_eq!(&run["run"], first);
    let steps = run["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    assert!(steps.iter().all(|step| step["action"] == "create" && step["outcome"] == "done"), "{steps:#?}");
    let text = folder.tourney(["history", id]).run().expect(0).stdout;
    assert!(text.contains(id) && text.contains("player kim fee camp"), "{text}");
    assert!(folder.tourney(["history"]).run().expect(0).stdout.contains(&id[..8]));
}

#[test]
fn a_run_that_is_not_there_is_said_so() {
    let folder = applied_camp();
    let missing = folder.tourney(["history", "zzz", "--json"]).run().expect(1).json();
    assert_eq!(missing["error"]["code"], "not-found");
    folder.tourney(["history", ""]).run().expect(64);
    folder.tourney(["history", "--limit", "0"]).run().expect(64);
    folder.tourney(["history", "abc", "--limit", "3"]).run().expect(64);
}

#[test]
fn a_held_lock_is_shown_and_released_only_by_force() {
    let folder = applied_camp();
    hold(&folder, 20);
    let shown = folder.tourney(["unlock"]).run().expect(0).stdout;
    assert!(shown.contains("Held by coach@club since 20") && shown.contains("less than a minute ago"), "{shown}");
    folder.write("tournament.yaml", &folder.read("tournament.yaml").replace("fees: [camp, 7]", "fee: camp"));
    let locked = folder.tourney(["apply", "--yes", "--json"]).run().expect(1).json();
    assert_eq!(locked["error"]["code"], "locked");
    let shown = folder.tourney(["unlock", "--json"]).run().expect(0).json();
    assert_eq!(
        (&shown["holder"]["run"], &shown["holder"]["lapsed"], &shown["released"]),
        (&json!("run-7"), &json!(false), &json!(false))
    );

    folder.tourney(["unlock", "--yes"]).run().expect(64);
    let released = folder.tourney(["unlock", "--force"]).run().expect(0).stdout;
    assert_eq!(released, "Released: coach@club held the lock and can write nothing any more.\n");
    folder.tourney(["apply", "--yes"]).run().expect(0);
    let free = folder.tourney(["unlock", "--force", "--yes", "--json"]).run().expect(0).json();
    assert_eq!((&free["holder"], &free["released"]), (&Value::Null, &json!(false)));
}

#[test]
fn a_holder_without_a_sign_of_life_is_called_lapsed() {
    let folder = applied_camp();
    hold(&folder, 300);
    let shown = folder.tourney(["unlock"]).run().expect(0).stdout;
    assert!(shown.contains("5 min ago") && shown.contains("takes the lock by itself"), "{shown}");
}
