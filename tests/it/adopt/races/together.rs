//! Two runs at once on one adopted table.

use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::Value;

use super::course::Course;
use super::shop::Shop;
use crate::adopt::app::error;
use crate::support::{Relay, Running, Then, wait_until};

/// A run that stands still in the middle of its second change: its order is made, its session is not recorded yet.
struct Standing {
    run: Running,
    go_on: Sender<()>,
    _relay: Relay,
}

impl Standing {
    fn of(shop: &Shop) -> Self {
        let (says, stands): (_, Receiver<()>) = channel();
        let (go_on, waits) = channel();
        let mut course = Course::default();
        let relay = Relay::start(shop.club.database(), move |sql| {
            let place = course.at(sql);
            if (place.change, place.stage, place.step) == (1, 2, Some(0)) {
                says.send(()).unwrap();
                waits.recv().unwrap();
            }
            Then::Pass
        });
        let run = shop.apply_through(&relay).spawn();
        wait_until("the first run is in the middle", || stands.try_recv().is_ok());
        Self { run, go_on, _relay: relay }
    }

    /// It goes on to its end.
    fn ends(self) -> Value {
        self.go_on.send(()).unwrap();
        self.run.wait().expect(0).json()
    }
}

fn stale(players: usize) -> Option<Shop> {
    let shop = Shop::with(players)?;
    shop.go_stale(&shop.players);
    Some(shop)
}

/// The runs in the history, the newest first: outcome, summary and how many steps each took.
fn history(shop: &Shop) -> Vec<(String, String, usize)> {
    let runs = shop.club.tourney(["history", "--json"]).run().expect(0).json()["runs"].clone();
    let told = |run: &Value| {
        let id = run["id"].as_str().unwrap();
        let shown = shop.club.tourney(["history", "--json", id]).run().expect(0).json();
        let steps = shown["steps"].as_array().unwrap().len();
        (run["outcome"].as_str().unwrap().to_owned(), run["summary"].as_str().unwrap().to_owned(), steps)
    };
    runs.as_array().unwrap().iter().map(told).collect()
}

fn done(steps: usize) -> (String, String, usize) {
    ("done".to_owned(), format!("{steps} done, 0 skipped, 0 failed"), steps)
}

#[test]
fn a_second_run_is_refused_with_who_is_at_work() {
    let Some(shop) = stale(21) else { return };
    let first = Standing::of(&shop);

    let refused = shop.club.tourney(["apply", "--yes", "--json"]).run().expect(1);
    let refusal = error(&refused, "locked");
    let holder = shop.club.sql("SELECT who FROM tourney_lock")[0][0].clone().unwrap();
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains(&holder) && message.contains("nothing was done"), "{refusal:#} {holder}");
    assert!(refusal["hint"].as_str().unwrap().contains("--lock-timeout"), "{refusal:#}");
    let shown = shop.club.tourney(["unlock"]).run().expect(0);
    assert!(shown.stdout.contains(&holder), "{shown:?}");

    assert_eq!(first.ends()["proof"]["live"], 21);
    shop.is_settled(&[]);
    shop.is_replaced_once();
    assert_eq!((shop.creates(), history(&shop)), (21, vec![done(21)]), "the refused run has done nothing");
}

#[test]
fn a_second_run_that_waits_finds_nothing_left_to_do() {
    let Some(shop) = stale(21) else { return };
    let first = Standing::of(&shop);

    let second = shop.club.tourney(["apply", "--yes", "--json", "--lock-timeout", "30s"]).spawn();
    let holder = shop.club.sql("SELECT who FROM tourney_lock")[0][0].clone().unwrap();
    let waits = format!("Waiting for the lock: {holder} has held it since ");
    wait_until("the second run waits", || second.stderr().contains(&waits));

    assert_eq!(first.ends()["proof"]["live"], 21);
    let report = second.wait().expect(0).json();
    assert_eq!((&report["results"], &report["recovered"]), (&Value::Array(Vec::new()), &0.into()), "{report:#}");
    shop.is_settled(&[]);
    shop.is_replaced_once();
    assert_eq!((shop.creates(), history(&shop)), (21, vec![done(0), done(21)]));
}

/// Not even tourney's own tables stand.
#[test]
fn four_first_runs_at_once_replace_each_order_once() {
    let Some(shop) = stale(21) else { return };
    let apply = || shop.club.tourney(["apply", "--yes", "--json", "--lock-timeout", "30s"]).spawn();
    let runs: Vec<_> = (0..4).map(|_| apply()).collect();
    let reports = runs.into_iter().map(|run| run.wait().expect(0).json());
    let done: usize = reports.map(|report| report["results"].as_array().unwrap().len()).sum();
    assert_eq!((done, shop.creates()), (21, 21));
    shop.is_settled(&[]);
    shop.is_replaced_once();
}

/// Whoever takes the lock from a run that stands still settles what that one has begun; it writes no more when it wakes.
#[test]
fn a_run_that_wakes_after_its_lock_was_taken_writes_no_more() {
    let Some(shop) = stale(21) else { return };
    let first = Standing::of(&shop);
    shop.club.tourney(["unlock", "--force"]).run().expect(0);

    let report = shop.club.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    assert_eq!((&report["recovered"], &report["proof"]["live"]), (&1.into(), &21.into()), "{report:#}");
    first.go_on.send(()).unwrap();
    let woken = first.run.wait().expect(1).json();
    let results = woken["results"].as_array().unwrap();
    assert_eq!(results[0]["outcome"], "done", "{woken:#}");
    assert!(results[1..].iter().all(|one| one["error"]["code"] == "lock-lost"), "{woken:#}");
    shop.is_settled(&[]);
    shop.is_replaced_once();
}
