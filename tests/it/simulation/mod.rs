//! The simulation: one seed is one schedule of everything that can happen, and the same seed gives the same bytes.
//!
//! Two or three operators apply edited manifests at once, parents pay at any link they ever got, webhooks are lost, doubled,
//! late and out of order, Stripe fails, clocks are wrong, keys are forgotten, and programs crash anywhere. Real are the
//! planner, `apply`, the receiver, `settle` and the client of Stripe; the sandbox's core and the ledger in memory stand for
//! the two sides. Whatever happens, the invariants hold at every moment, and in the end one apply puts everything right.

mod bases;
mod course;
mod figures;
mod manifests;
mod moves;
mod people;
mod post;
mod programs;
mod schedule;
mod story;
mod wire;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use course::{Course, told_course};
use figures::Figures;

/// So many schedules are run each time.
const SCHEDULES: u64 = 10_000;
const THREADS: u64 = 2;

fn variable(name: &str, else_: u64) -> u64 {
    std::env::var(name).map_or(else_, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Unoptimised futures need more room than a test's thread has.
fn in_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap()
}

/// Runs so many schedules from a seed on. The first that fails ends it, told by what it needs alone.
pub(crate) fn simulate(seed: u64, schedules: u64) -> (Figures, Option<String>) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let bad: &'static Mutex<Option<u64>> = Box::leak(Box::new(Mutex::new(None)));
    NEXT.store(seed, Ordering::Relaxed);
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            in_a_thread(move || {
                let mut figures = Figures::default();
                loop {
                    let mine = NEXT.fetch_add(1, Ordering::Relaxed);
                    if mine >= seed + schedules || bad.lock().unwrap().is_some() {
                        return figures;
                    }
                    let course = Course::of_seed(mine);
                    figures.add(&course.figures);
                    if course.wrong.is_some() {
                        let mut bad = bad.lock().unwrap();
                        *bad = Some(bad.map_or(mine, |other| other.min(mine)));
                    }
                }
            })
        })
        .collect();
    let mut figures = Figures { seed, ..Figures::default() };
    for thread in threads {
        figures.add(&thread.join().unwrap());
    }
    let bad = *bad.lock().unwrap();
    (figures, bad.map(|seed| in_a_thread(move || told_course(seed)).join().unwrap()))
}

#[test]
fn whatever_happens_nothing_is_lost_and_nothing_is_made_twice() {
    let (figures, story) = simulate(variable("TOURNEY_SEED", 1), variable("TOURNEY_SCHEDULES", SCHEDULES));
    eprintln!("{}", serde_json::to_string(&figures).unwrap());
    crate::support::figures::write("simulated schedules", &figures.told());
    if let Some(story) = story {
        panic!("{story}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let told = |seed| in_a_thread(move || Course::told(seed)).join().unwrap();
    for seed in 1..=12 {
        let (one, two) = (told(seed), told(seed));
        assert!(one.len() > 1_000, "{one}");
        assert_eq!(one, two, "seed {seed}");
    }
}
