//! The connection to PostgreSQL is cut in the middle of a retirement, of transaction A and of transaction B: at each of their
//! statements, before it is heard and before it is answered, once and for good.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::course::{Course, Place};
use super::shop::Shop;
use crate::story::club::{run_sql, text};
use crate::support::{Relay, Then, assert_valid};

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    By(Then),
    /// Somebody ends the server's process.
    Terminated,
}

const BEFORE: Cut = Cut::By(Then::CutBefore);
const AFTER: Cut = Cut::By(Then::CutAfter);
const CRASH: Cut = Cut::By(Then::CrashAfter);

const TERMINATE: &str = "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity \
                         WHERE application_name = 'tourney' AND datname = current_database()";

/// Where a change is cut: at a statement of a stage, or where that stage commits, however it comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Step(usize, usize),
    Commit(usize),
}

impl At {
    /// None outside of the stages.
    fn of(place: Place, sql: &str) -> Option<Self> {
        Some(if sql == "COMMIT" { Self::Commit(place.stage) } else { Self::Step(place.stage, place.step?) })
    }

    fn stage(self) -> usize {
        let (Self::Step(stage, _) | Self::Commit(stage)) = self;
        stage
    }
}

/// Every statement by which one order is replaced: its retirement, transaction A, transaction B.
fn statements() -> Option<Vec<At>> {
    let shop = Shop::with(1)?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut course = Course::default();
    let relay = Relay::start(shop.club.database(), {
        let seen = Arc::clone(&seen);
        move |sql| {
            let place = course.at(sql);
            let stands = At::of(place, sql).filter(|_| place.change == 0 && place.step.is_some());
            seen.lock().unwrap().extend(stands.map(|at| (at, sql.to_owned())));
            Then::Pass
        }
    });
    shop.go_stale(&shop.players);
    shop.apply_through(&relay).run().expect(0);
    let seen = seen.lock().unwrap().clone();
    for (stage, writes) in [(0, "tourney_retired"), (1, "INTO tourney_attempts"), (2, "UPDATE tourney_attempts")] {
        assert!(seen.iter().any(|(at, sql)| at.stage() == stage && sql.contains(writes)), "{seen:#?}");
    }
    Some(seen.into_iter().map(|(at, _)| at).collect())
}

/// A shop with a stale order for each of some cuts, and a relay that makes them, each once or every time.
struct Cutting {
    shop: Shop,
    relay: Relay,
    /// How many there were, for each.
    made: Arc<Mutex<Vec<usize>>>,
}

fn cutting(cuts: &[(At, Cut)], for_good: bool) -> Option<Cutting> {
    let shop = Shop::with(cuts.len())?;
    shop.go_stale(&shop.players);
    let made = Arc::new(Mutex::new(vec![0; cuts.len()]));
    let (mut course, database) = (Course::default(), shop.club.database().to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let relay = Relay::start(shop.club.database(), {
        let (cuts, made) = (cuts.to_vec(), Arc::clone(&made));
        move |sql| {
            let place = course.at(sql);
            let Some((at, cut)) = cuts.get(place.change) else { return Then::Pass };
            let made = &mut made.lock().unwrap()[place.change];
            if place.step.is_none() || At::of(place, sql) != Some(*at) || (*made > 0 && !for_good) {
                return Then::Pass;
            }
            *made += 1;
            course.broke_off(place);
            match cut {
                Cut::By(then) => *then,
                Cut::Terminated => {
                    runtime.block_on(run_sql(&database, TERMINATE));
                    Then::Pass
                }
            }
        }
    });
    Some(Cutting { shop, relay, made })
}

/// How many bytes PostgreSQL answers to a COMMIT: that it was done, and that it is ready for more.
const ANSWER: usize = 18;

/// Each at another order: a byte of the answer to the COMMIT of a retirement, of transaction A, of transaction B.
#[test]
fn a_commit_whose_answer_is_cut_at_any_byte_is_overcome() {
    let bytes = |stage| (0..=ANSWER).map(move |bytes| (At::Commit(stage), Cut::By(Then::CutWithin(bytes))));
    let cuts: Vec<_> = (0..3).flat_map(bytes).collect();
    let Some(Cutting { shop, relay, made }) = cutting(&cuts, false) else { return };

    let report = shop.apply_through(&relay).run().expect(0).json();

    assert_eq!(*made.lock().unwrap(), vec![1; cuts.len()]);
    assert_eq!(relay.lengths(), vec![ANSWER; cuts.len()]);
    assert_eq!(report["proof"]["live"], cuts.len(), "{report:#}");
    shop.is_settled(&[]);
    shop.is_replaced_once();
    assert_eq!(shop.creates(), cuts.len() as u64);
}

#[test]
fn a_connection_that_is_cut_anywhere_is_overcome() {
    let Some(statements) = statements() else { return };
    let cuts = [BEFORE, AFTER, Cut::Terminated];
    let cuts: Vec<_> = statements.into_iter().flat_map(|at| cuts.map(|cut| (at, cut))).collect();
    let Some(Cutting { shop, relay, made }) = cutting(&cuts, false) else { return };

    let report = shop.apply_through(&relay).run().expect(0).json();

    assert_eq!(*made.lock().unwrap(), vec![1; cuts.len()]);
    assert_eq!(report["proof"]["live"], cuts.len(), "{report:#}");
    shop.is_settled(&[]);
    shop.is_replaced_once();
    assert_eq!(shop.creates(), cuts.len() as u64);
}

/// How the end of a connection is told, before COMMIT and at it.
const NOTHING: &str = "the orders database did nothing: the connection broke off";
const LOST: [&str; 3] = [
    "the answer of the orders database was lost: the connection broke off",
    "the answer of the orders database was lost: terminating connection because of crash of another server process",
    "the answer of the orders database was lost: terminating connection due to administrator command",
];

/// A run that was cut for good, and the next.
struct Finished {
    shop: Shop,
    cuts: usize,
    report: Value,
    again: Value,
}

/// Cuts a stage for good at each of its statements, and behind its COMMIT. The report must say of each change how far it came,
/// in the words `before` and `after` how the connection ended. The next run does the rest.
fn stays_cut(stage: usize, before: &str, after: &str) -> Option<Finished> {
    let steps = statements()?.into_iter().filter(|at| at.stage() == stage).map(|at| (at, BEFORE));
    let cuts: Vec<_> = steps.chain([AFTER, CRASH, Cut::Terminated].map(|cut| (At::Commit(stage), cut))).collect();
    let Cutting { shop, relay, made } = cutting(&cuts, true)?;

    let report = shop.apply_through(&relay).run().expect(1).json();

    assert_valid("apply", &report);
    assert!(made.lock().unwrap().iter().all(|made| *made > 0), "{made:?}");
    for (result, (at, cut)) in report["results"].as_array().unwrap().iter().zip(&cuts) {
        // A transaction B that was committed is only looked at by the next try, which is not cut.
        if *at == At::Commit(2) && matches!(*cut, AFTER | CRASH) {
            assert_eq!(result["outcome"], "done", "{result:#}");
            continue;
        }
        assert_eq!(
            (&result["outcome"], &result["error"]["code"]),
            (&"failed".into(), &"database".into()),
            "{result:#}"
        );
        let said = text(&result["error"]["message"]).replace(&result["order_id"].to_string(), "#");
        let end = said.strip_prefix(before).and_then(|said| said.strip_suffix(after)).unwrap_or(&said);
        let right = if matches!(at, At::Commit(_)) { LOST.contains(&end) } else { end == NOTHING };
        assert!(right, "{at:?} {cut:?}: {said}");
    }
    shop.is_sound();
    let again = shop.club.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    shop.is_settled(&[]);
    shop.is_replaced_once();
    Some(Finished { shop, cuts: cuts.len(), report, again })
}

#[test]
fn a_retirement_that_stays_cut_is_done_by_the_next_run() {
    let (before, after) = ("retiring the order failed: ", " (nothing was done before; safe to run again)");
    let Some(Finished { again, .. }) = stays_cut(0, before, after) else { return };
    assert_eq!(again["recovered"], 0, "{again:#}");
}

#[test]
fn a_transaction_a_that_stays_cut_is_done_or_found_by_the_next_run() {
    let before = "making the order and its link failed: ";
    let after = " (done before: retiring the order; safe to run again)";
    let Some(Finished { again, .. }) = stays_cut(1, before, after) else { return };
    assert_eq!(again["recovered"], 2, "those whose COMMIT was carried out: {again:#}");
}

#[test]
fn a_transaction_b_that_stays_cut_is_told_with_its_session_and_done_by_the_next_run() {
    let before = "making the order and its link failed: the session of order # is made and not recorded yet: ";
    let after = " (done before: retiring the order; safe to run again)";
    let Some(Finished { shop, cuts, report, again }) = stays_cut(2, before, after) else { return };
    assert_eq!(again["recovered"], cuts - 2, "{again:#}");
    for (result, player) in report["results"].as_array().unwrap().iter().zip(&shop.players) {
        let [order, status, session, _] = shop.orders_of(*player).pop().unwrap();
        assert_eq!((result["order_id"].to_string(), status.as_str()), (order, "pending"));
        assert_eq!(result["session_id"], session.as_str(), "the session that was told is the one that is recorded");
    }
}
