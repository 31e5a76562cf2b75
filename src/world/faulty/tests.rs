//! What the decorator does at a site, seen by a program over a wire and a clock that only count.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::*;
use crate::world::sim::SimClock;
use crate::world::{Clock, Method, Wire, WireAnswer, WireError, WireRequest};

/// Counts what reaches it.
#[derive(Default)]
struct Counts(AtomicU32);

impl Wire for &Counts {
    async fn send(&self, _: WireRequest) -> Result<WireAnswer, WireError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(WireAnswer { status: 200, headers: Vec::new(), body: Vec::new() })
    }
}

fn request(path: &str) -> WireRequest {
    WireRequest { method: Method::Get, path: path.to_owned(), query: None, body: None, idempotency_key: None }
}

fn site(side: Side, operation: &str, nth: u32) -> Site {
    Site { side, operation: operation.to_owned(), nth }
}

fn second(mode: Mode) -> Faults {
    Faults::new(vec![Fault::once(site(Side::Wire, "GET /v1/account", 2), mode)])
}

/// Three requests of one operation; how each of them came out, and how many were done. None: it never ended.
fn three(faults: &Faults) -> (Vec<Option<bool>>, u32) {
    let counts = Counts::default();
    let wire = faults.around(&counts);
    let outcomes = (0..3).map(|_| wire.send(request("/v1/account")).now_or_never().map(|sent| sent.is_ok()));
    (outcomes.collect(), counts.0.load(Ordering::Relaxed))
}

#[test]
fn a_fault_strikes_where_it_is_meant_and_nowhere_else() {
    assert_eq!(three(&Faults::default()), (vec![Some(true); 3], 3));
    let (failed, ended) = (vec![Some(true), Some(false), Some(true)], vec![Some(true), None, None]);
    assert_eq!(three(&second(Mode::FailBefore)), (failed.clone(), 2));
    assert_eq!(three(&second(Mode::LoseAnswer)), (failed, 3));
    assert_eq!(three(&second(Mode::CrashBefore)), (ended.clone(), 1));
    assert_eq!(three(&second(Mode::CrashAfter)), (ended, 2));
    let elsewhere = Fault::once(site(Side::Wire, "GET /v1/accounts", 2), Mode::FailBefore);
    assert_eq!(three(&Faults::new(vec![elsewhere])), (vec![Some(true); 3], 3));
}

#[test]
fn a_fault_that_lasts_strikes_every_try() {
    let faults =
        Faults::new(vec![Fault { times: 2, ..Fault::once(site(Side::Wire, "GET /v1/account", 2), Mode::LoseAnswer) }]);
    assert_eq!(three(&faults), (vec![Some(true), Some(false), Some(false)], 3));
    assert_eq!(faults.struck().len(), 2);
}

#[test]
fn what_was_passed_and_struck_is_told() {
    let faults = second(Mode::CrashBefore);
    assert!(faults.crashed().now_or_never().is_none());
    three(&faults);
    assert!(faults.crashed().now_or_never().is_some());
    let met: Vec<String> = faults.trace().iter().map(Site::to_string).collect();
    assert_eq!(met, ["wire GET /v1/account #1", "wire GET /v1/account #2"], "the trace ends where it crashed");
    assert_eq!(faults.struck(), [(site(Side::Wire, "GET /v1/account", 2), Mode::CrashBefore)]);
}

#[test]
fn an_error_names_its_site() {
    let counts = Counts::default();
    for (mode, wanted) in [(Mode::FailBefore, "not sent"), (Mode::LoseAnswer, "the answer was lost")] {
        let faults = Faults::new(vec![Fault::once(site(Side::Wire, "GET /v1/refunds/{id}", 1), mode)]);
        let error = faults.around(&counts).send(request("/v1/refunds/re_1")).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.to_string(), format!("{wanted}: a fault at wire GET /v1/refunds/{{id}} #1"));
    }
}

#[test]
fn whoever_waits_for_a_crash_is_woken() {
    let (faults, counts) = (second(Mode::CrashAfter), Counts::default());
    let wire = faults.around(&counts);
    let program = async {
        for _ in 0..3 {
            let _ = wire.send(request("/v1/account")).await;
        }
    };
    let both = futures_util::future::select(Box::pin(program), Box::pin(faults.crashed()));
    assert!(matches!(both.now_or_never(), Some(futures_util::future::Either::Right(_))));
}

#[test]
fn a_program_waits_where_it_is_held() {
    let (faults, counts) = (Faults::default(), Counts::default());
    faults.hold_at(site(Side::Wire, "GET /v1/account", 2));
    let wire = faults.around(&counts);
    let mut program = Box::pin(async {
        for _ in 0..3 {
            wire.send(request("/v1/account")).await.unwrap();
        }
    });
    assert!((&mut program).now_or_never().is_none() && faults.is_held());
    assert_eq!((counts.0.load(Ordering::Relaxed), faults.trace().len()), (1, 2), "it waits before its effect");
    faults.go_on();
    assert!((&mut program).now_or_never().is_some() && !faults.is_held());
    assert_eq!(counts.0.load(Ordering::Relaxed), 3);
}

#[test]
fn where_somebody_directs_each_effect_waits_for_its_turn_and_fails_as_is_said() {
    let (faults, counts) = (Faults::directed(), Counts::default());
    let wire = faults.around(&counts);
    let mut two =
        Box::pin(futures_util::future::join(wire.send(request("/v1/account")), wire.send(request("/v1/refunds/re_1"))));
    assert!((&mut two).now_or_never().is_none());
    let waiting = faults.waiting();
    let sites: Vec<String> = waiting.iter().map(|(_, site)| site.to_string()).collect();
    assert_eq!(sites, ["wire GET /v1/account #1", "wire GET /v1/refunds/{id} #1"]);
    faults.let_go(waiting[1].0, Some(Mode::LoseAnswer));
    assert!((&mut two).now_or_never().is_none());
    assert_eq!((counts.0.load(Ordering::Relaxed), faults.waiting().len()), (1, 1));
    faults.let_go(waiting[0].0, None);
    let (first, second) = (&mut two).now_or_never().unwrap();
    assert!(first.is_ok() && matches!(second, Err(WireError::Lost(_))));
    assert_eq!(faults.struck(), [(waiting[1].1.clone(), Mode::LoseAnswer)]);
    let clock = faults.around(SimClock::new(Timestamp::UNIX_EPOCH, 1));
    assert!(clock.sleep(Duration::ZERO).now_or_never().is_some(), "to begin a sleep is no effect");
}

#[test]
fn who_is_gone_waits_for_no_turn() {
    let (faults, counts) = (Faults::directed(), Counts::default());
    let wire = faults.around(&counts);
    let mut gone = Box::pin(wire.send(request("/v1/account")));
    assert!((&mut gone).now_or_never().is_none() && faults.waiting().len() == 1);
    drop(gone);
    assert!(faults.waiting().is_empty());
    let mut turn = Box::pin(faults.turn(site(Side::Wire, "the answer", 1)));
    assert!((&mut turn).now_or_never().is_none());
    faults.let_go(faults.waiting()[0].0, Some(Mode::LoseAnswer));
    assert_eq!((turn.now_or_never(), faults.trace().len()), (Some(Some(Mode::LoseAnswer)), 1));
}

#[test]
fn at_a_clock_a_program_only_crashes() {
    let run = |operation: &str, mode| {
        let faults = Faults::new(vec![Fault::once(site(Side::Clock, operation, 1), mode)]);
        let (clock, counts) = (faults.around(SimClock::new(Timestamp::UNIX_EPOCH, 1)), Counts::default());
        let _ = (clock.now(), clock.random());
        let slept = clock.sleep(Duration::ZERO).now_or_never().is_some();
        let went_on = faults.around(&counts).send(request("/v1/account")).now_or_never().is_some();
        (slept, went_on, faults.struck().len())
    };
    for mode in [Mode::CrashBefore, Mode::CrashAfter] {
        for operation in ["now", "random", "sleep"] {
            assert_eq!(run(operation, mode), (false, false, 1), "{mode:?} at {operation}");
        }
    }
    for mode in [Mode::FailBefore, Mode::LoseAnswer] {
        assert_eq!(run("sleep", mode), (true, true, 0), "time does not fail");
    }
}

#[test]
fn what_is_under_way_is_counted_also_where_it_is_dropped() {
    struct Never;
    impl Wire for Never {
        async fn send(&self, _: WireRequest) -> Result<WireAnswer, WireError> {
            std::future::pending().await
        }
    }
    let faults = Faults::default();
    let wire = faults.around(Never);
    let mut sent = Box::pin(wire.send(request("/v1/account")));
    assert!((&mut sent).now_or_never().is_none());
    assert_eq!((faults.under_way(Side::Wire), faults.under_way(Side::Ledger)), (1, 0));
    drop(sent);
    assert_eq!(faults.under_way(Side::Wire), 0);
}

/// A method that were passed on without a site would be a fault that nobody can inject.
#[test]
fn every_method_of_the_ledger_is_a_site_of_its_own() {
    let text = include_str!("../../ledger/mod.rs");
    let (_, text) = text.split_once("pub trait Ledger").unwrap();
    let (text, _) = text.split_once("\n}").unwrap();
    let methods: Vec<&str> = text.split("    fn ").skip(1).filter_map(|method| method.split('(').next()).collect();
    assert_eq!(methods, LEDGER_OPERATIONS);
}
