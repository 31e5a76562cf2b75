//! One schedule from its beginning to its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::SignedDuration;
use tourney::domain::{OrderStatus, SessionId};
use tourney::invariants::at_rest;
use tourney::plan::plan;

use super::bases::bases;
use super::figures::Figures;
use super::manifests::{MANIFESTS, manifest, scope};
use super::programs::options;
use super::schedule::{Schedule, shrunk};
use super::story::readable;
use super::world::{Kind, Operator, World, Wrong};

/// What happens between the beginning and the end: so many things at most.
const STEPS: usize = 120;
/// When faults have ceased, everything is right after so many runs.
const LAST_RUNS: usize = 3;
/// A run of the last ones takes fewer turns.
const LAST_STEPS: usize = 600;

/// What came of a schedule.
pub(crate) struct Course {
    pub(crate) figures: Figures,
    pub(crate) wrong: Option<Wrong>,
    draws: Vec<u32>,
    lines: Vec<String>,
}

impl Course {
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self::run(Schedule::seeded(seed), false)
    }

    /// Everything that happens, and in the end everything that both sides hold.
    pub(crate) fn told(seed: u64) -> String {
        let course = Self::run(Schedule::seeded(seed), true);
        format!("{}\n{:?}\n{:?}", course.lines.join("\n"), course.wrong, course.figures)
    }

    fn run(mut schedule: Schedule, told: bool) -> Self {
        let mut world = World::of(&bases()[0], told);
        let run = catch_unwind(AssertUnwindSafe(|| {
            world = begin(&mut schedule, told);
            go(&mut world, &mut schedule);
            if world.wrong.is_none() {
                finish(&mut world);
            }
            if world.shared.story.is_told() {
                let state = (world.ledger.snapshot(), &world.seen);
                world.shared.story.tell(|| format!("in the end: {} bytes", format!("{state:?}").len()));
            }
        }));
        if let Err(panic) = run {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned())).unwrap_or_default();
            world.is_wrong(Wrong::new("panic", said));
        }
        world.figures.schedules = 1;
        world.figures.violations = u64::from(world.wrong.is_some());
        Self { figures: world.figures, wrong: world.wrong, draws: schedule.drawn(), lines: world.shared.story.lines() }
    }
}

/// The story of a seed that fails, as short as it gets.
pub(crate) fn told_course(seed: u64) -> String {
    let first = Course::of_seed(seed);
    let Some(wrong) = first.wrong else { return format!("seed {seed} fails, and not when it is run again") };
    let alike = |draws: &[u32]| {
        Course::run(Schedule::replayed(draws), false).wrong.is_some_and(|other| other.kind == wrong.kind)
    };
    let draws = shrunk(first.draws, alike);
    let course = Course::run(Schedule::replayed(&draws), true);
    format!(
        "seed {seed}: {}\nshortened to {} draws: {}\n{}\nagain: TOURNEY_SEED={seed} TOURNEY_SCHEDULES=1 cargo test --test it \
         simulation::whatever",
        wrong.said,
        draws.len(),
        course.wrong.map_or_else(String::new, |wrong| wrong.said),
        readable(&course.lines)
    )
}

/// A world and its operators.
fn begin(schedule: &mut Schedule, told: bool) -> World {
    let base = &bases()[schedule.below(bases().len())];
    let mut world = World::of(base, told);
    world.shared.story.tell(|| base.name.to_owned());
    let first = schedule.below(MANIFESTS);
    for (index, name) in ["A", "B", "C"].into_iter().enumerate().take(2 + schedule.below(2)) {
        // Most edit one thing; some come with another file altogether.
        let draw = schedule.draw() as usize;
        let manifest = match draw % 4 {
            _ if index == 0 => first,
            0 => draw / 4 % MANIFESTS,
            1 => first / 10 * 10 + draw / 4 % 10,
            2 => (draw / 4 % 8) * 10 + first % 10,
            _ => first,
        };
        let clock = schedule.draw() as usize;
        let ahead = [0, 0, 0, 0, 120, -120, 3 * 3_600, -3 * 3_600, 26 * 3_600][clock % 9];
        world.operators.push(Operator {
            name,
            manifest,
            ahead: SignedDuration::from_secs(ahead),
            side_by_side: clock / 9 % 2 == 1,
            left: 1,
        });
    }
    world
}

fn go(world: &mut World, schedule: &mut Schedule) {
    for _ in 0..STEPS {
        if world.wrong.is_some() || !world.step(schedule.draw()) {
            return;
        }
        // Where a shortened schedule is used up, what is under way goes on to its end and nothing more begins.
        if schedule.is_over() && world.actors.is_empty() {
            return;
        }
    }
}

/// All faults cease, and one operator applies the last manifest until nothing is left to do.
fn finish(world: &mut World) {
    world.shared.story.tell(|| "from here on nothing goes wrong".to_owned());
    while !world.actors.is_empty() {
        world.end(0, "is killed");
    }
    world.shared.finish_late();
    world.shared.disarm();
    world.pass(Duration::from_secs(61));
    world.look_around();
    let Some(last) = world.operators.iter().map(|operator| operator.manifest).next_back() else { return };
    world.operators = vec![Operator {
        name: "last",
        manifest: last,
        ahead: SignedDuration::ZERO,
        side_by_side: false,
        left: u32::try_from(LAST_RUNS).unwrap(),
    }];
    for run in 1..=LAST_RUNS {
        world.free_lock();
        world.start(0);
        for _ in 0..LAST_STEPS {
            if world.actors.is_empty() || world.wrong.is_some() {
                break;
            }
            world.step(0);
        }
        world.look_around();
        let left = left(world, last);
        if world.wrong.is_some() {
            return;
        }
        if left.is_none() {
            world.figures.reruns[run] += 1;
            break;
        }
        if run == LAST_RUNS {
            let left = left.unwrap_or_default();
            world.is_wrong(Wrong::new(format!("not at rest {}", left.split(':').next().unwrap_or_default()), left));
            return;
        }
        world.pass(Duration::from_secs(61));
    }
    if let Some(wrong) = uncounted(world, last) {
        world.is_wrong(wrong);
    }
    hear_all(world, last);
}

/// What is left to do, if anything is.
fn left(world: &World, last: usize) -> Option<String> {
    let planned = plan(manifest(last), &world.seen, &options());
    at_rest(&scope().tournament, &world.seen, &planned).first().map(ToString::to_string)
}

/// Every payment is recorded once, or is told of.
fn uncounted(world: &World, last: usize) -> Option<Wrong> {
    let planned = plan(manifest(last), &world.seen, &options());
    let told = |session: &SessionId| {
        let changes = planned.changes.iter().map(|change| &change.subject);
        let notes = planned.notes.iter().map(|note| &note.subject);
        changes.chain(notes).any(|subject| subject.session.as_ref().is_some_and(|one| one.id == *session))
    };
    for paid in &world.paid {
        let Some(payable) = world.seen.payables.iter().find(|payable| payable.id == paid.session) else {
            return Some(Wrong::new("payment unseen", format!("{} was paid, and is not seen any more", paid.session)));
        };
        if !payable.is_paid() {
            continue;
        }
        let records = world.seen.facts.orders.iter().filter(|order| order.status == OrderStatus::Paid).filter(
            |order| match &order.payment_intent {
                Some(intent) => payable.payment_intent.as_ref() == Some(intent),
                None => {
                    order.session.as_ref().is_some_and(|one| *one == payable.id || Some(one) == payable.link.as_ref())
                }
            },
        );
        let records = records.count();
        if records > 1 || (records == 0 && !told(&payable.id)) {
            let said = format!("I3: {} was paid, {records} orders record it, and nobody is told", payable.id);
            return Some(Wrong::new("payment uncounted", said));
        }
    }
    None
}

/// What was not heard of yet is heard now, and changes nothing.
fn hear_all(world: &mut World, last: usize) {
    if world.wrong.is_some() {
        return;
    }
    let before = world.seen.facts.orders.clone();
    for _ in 0..4 {
        while world.letters_now() > 0 {
            world.deliver(0, false, SignedDuration::ZERO);
            for _ in 0..LAST_STEPS {
                if world.actors.is_empty() {
                    break;
                }
                world.step(0);
            }
        }
        world.pass(Duration::from_secs(61));
    }
    let delivering = world.actors.iter().any(|actor| matches!(actor.kind, Kind::Delivery { .. }));
    world.look_around();
    if delivering || world.seen.facts.orders != before {
        world.is_wrong(Wrong::new("late webhook", "what was heard of late has changed an order, or hangs"));
    }
    if let Some(left) = left(world, last).filter(|_| world.wrong.is_none()) {
        // Time has passed: a link may have died, and nothing else.
        if !left.starts_with("I6") {
            world.is_wrong(Wrong::new("late webhook", left));
        }
    }
}
