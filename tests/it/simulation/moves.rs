//! What may happen next, and one draw that chooses.

use std::time::Duration;

use jiff::SignedDuration;
use tourney::sandbox::core::{What, When};
use tourney::world::faulty::{Mode, Side, Site};

use super::manifests::{self, manifest};
use super::programs;
use super::wire::{ANSWER, Armed};
use super::world::{Actor, Kind, Operator, World};

/// What may happen, and how likely it is: of so many draws of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// The plainest: an effect takes its turn; where none waits, time passes until somebody wakes; where nobody runs, the next
    /// operator begins.
    GoOn,
    Fault,
    Pay,
    Visit,
    SettleDelayed,
    Deliver,
    Lose,
    Double,
    ApplicationHears,
    AdminCancels,
    Begin,
    Crash,
    ForceUnlock,
    Wake,
    Wait,
    Late,
    Break,
}

const MOVES: [(u32, Move); 17] = [
    (650, Move::GoOn),
    (50, Move::Fault),
    (40, Move::Pay),
    (6, Move::Visit),
    (6, Move::SettleDelayed),
    (60, Move::Deliver),
    (8, Move::Lose),
    (10, Move::Double),
    (10, Move::ApplicationHears),
    (3, Move::AdminCancels),
    (50, Move::Begin),
    (14, Move::Crash),
    (10, Move::ForceUnlock),
    (43, Move::Wake),
    (14, Move::Wait),
    (25, Move::Late),
    (25, Move::Break),
];
const ALL: u32 = 1_024;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// How far time jumps.
const JUMPS: [u64; 8] = [61, 61, 20 * MINUTE, 6 * HOUR, 12 * HOUR, 23 * HOUR + 20 * MINUTE, 25 * HOUR, 73 * HOUR];

/// A draw, part by part.
pub(super) struct Draw(u32);

impl Draw {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let part = self.0 as usize % bound;
        self.0 /= u32::try_from(bound).unwrap();
        part
    }
}

impl World {
    /// Something happens; false where nothing is left to happen.
    pub(crate) fn step(&mut self, draw: u32) -> bool {
        self.figures.steps += 1;
        let (mut rest, mut kind) = (Draw(draw / ALL), draw % ALL);
        let chosen = MOVES.iter().find(|(share, _)| {
            let here = kind < *share;
            kind = kind.saturating_sub(*share);
            here
        });
        let chosen = chosen.map_or(Move::GoOn, |(_, chosen)| *chosen);
        let done = match chosen {
            Move::GoOn => false,
            Move::Fault => self.fault(&mut rest),
            Move::Pay => self.pay(&mut rest),
            Move::Visit => self.visit(&mut rest),
            Move::SettleDelayed => self.settle_delayed(&mut rest),
            Move::Deliver | Move::Lose | Move::Double => self.post(chosen, &mut rest),
            Move::ApplicationHears => self.application_hears(&mut rest),
            Move::AdminCancels => self.admin_cancels(&mut rest),
            Move::Begin => self.begin(&mut rest),
            Move::Crash => self.crash(&mut rest),
            Move::ForceUnlock => self.force_unlock(),
            Move::Wake => !self.actors.is_empty() && self.clock.advance_to_next(),
            Move::Wait => self.wait(&mut rest),
            Move::Late => self.finish_late_and_look(),
            Move::Break => self.break_stripe(&mut rest),
        };
        let done = done || self.go_on(&mut rest);
        self.settle_down();
        done
    }

    fn go_on(&mut self, rest: &mut Draw) -> bool {
        let waiting = self.waiting();
        if !waiting.is_empty() {
            let (actor, turn, site) = waiting[rest.below(waiting.len())].clone();
            self.let_go(actor, turn, &site, None);
            return true;
        }
        if !self.actors.is_empty() && self.clock.advance_to_next() {
            return true;
        }
        if !self.actors.is_empty() {
            // Nobody waits for a turn or a moment: only for a crash.
            self.end(0, "stands still for ever");
            return true;
        }
        let Some(next) = self.operators.iter().position(|operator| operator.left > 0) else { return false };
        self.start(next);
        true
    }

    /// Every effect that waits: whose, its turn, its site.
    fn waiting(&self) -> Vec<(usize, u64, Site)> {
        let of = |(index, actor): (usize, &Actor)| {
            actor.program.faults.waiting().into_iter().map(move |(turn, site)| (index, turn, site))
        };
        self.actors.iter().enumerate().flat_map(of).collect()
    }

    pub(crate) fn let_go(&mut self, actor: usize, turn: u64, site: &Site, mode: Option<Mode>) {
        self.figures.effects += 1;
        let name = self.actors[actor].name();
        if let Some(mode) = mode {
            self.figures.fault(mode.word());
            self.shared.story.tell(|| format!("{name}: {} — {}", site.operation, mode.word()));
        } else if site.side == Side::Ledger {
            self.shared.story.tell(|| format!("{name}: {}", site.operation));
        }
        let faults = self.actors[actor].program.faults.clone();
        faults.let_go(turn, mode);
        self.settle_down();
        if changes(site) {
            self.look();
        }
    }

    fn fault(&mut self, rest: &mut Draw) -> bool {
        let waiting = self.waiting();
        if waiting.is_empty() {
            return false;
        }
        let mode = Mode::ALL[rest.below(Mode::ALL.len())];
        let (actor, turn, site) = waiting[rest.below(waiting.len())].clone();
        // An answer can only be lost.
        let mode = if site.operation.starts_with(ANSWER) { Mode::LoseAnswer } else { mode };
        self.let_go(actor, turn, &site, Some(mode));
        true
    }

    fn post(&mut self, how: Move, rest: &mut Draw) -> bool {
        let letters = self.letters_now();
        if letters == 0 {
            return false;
        }
        let (which, chance) = (rest.below(letters), rest.below(16));
        match how {
            Move::Lose => self.lose(which, chance % 2 == 0),
            // Now and then the receiver's clock is wrong.
            _ => {
                let ahead = SignedDuration::from_hours(if chance == 0 { 3 } else { 0 });
                self.deliver(which, how == Move::Double, ahead);
            }
        }
        true
    }

    fn application_hears(&mut self, rest: &mut Draw) -> bool {
        let letters = self.letters_now();
        letters > 0 && self.hears(rest.below(letters), rest.below(2) == 0)
    }

    fn begin(&mut self, rest: &mut Draw) -> bool {
        let ready: Vec<usize> = (0..self.operators.len()).filter(|index| self.operators[*index].left > 0).collect();
        if ready.is_empty() {
            return false;
        }
        self.start(ready[rest.below(ready.len())]);
        true
    }

    pub(crate) fn start(&mut self, which: usize) {
        let Operator { name, manifest: number, ahead, side_by_side, left } = &mut self.operators[which];
        *left -= 1;
        let who = format!("{name}{}", self.figures.applies + 1);
        let (number, ahead, side_by_side) = (*number, *ahead, *side_by_side);
        self.figures.applies += 1;
        self.shared.story.tell(|| format!("{who} begins to apply: {}", manifests::told(number)));
        let machine = self.machine(&who, ahead);
        let program = programs::apply(machine, manifest(number), who.clone(), side_by_side, true);
        self.actors.push(Actor { kind: Kind::Operator { which, who }, program });
        self.settle_down();
    }

    fn crash(&mut self, rest: &mut Draw) -> bool {
        if self.actors.is_empty() {
            return false;
        }
        let which = rest.below(self.actors.len());
        self.figures.fault("killed");
        self.end(which, "is killed");
        true
    }

    fn force_unlock(&mut self) -> bool {
        use futures_util::FutureExt as _;
        use tourney::ledger::Ledger as _;
        let freed = self.ledger.force_unlock().now_or_never().and_then(Result::ok).flatten();
        if let Some(holder) = &freed {
            self.figures.fault("forced unlock");
            self.shared.story.tell(|| format!("somebody takes the lock from {}", holder.who));
        }
        freed.is_some()
    }

    /// A person sees to the lock.
    pub(crate) fn free_lock(&mut self) {
        self.force_unlock();
    }

    fn wait(&mut self, rest: &mut Draw) -> bool {
        let jump = JUMPS[rest.below(JUMPS.len())];
        let answers = self.waiting().into_iter().any(|(_, _, site)| site.operation.starts_with(ANSWER));
        if jump > 5 * MINUTE {
            // Nothing is under way at Stripe for so long.
            if answers {
                return false;
            }
            self.shared.finish_late();
        }
        self.figures.jumps += 1;
        self.shared.story.tell(|| format!("{}:{:02}:{:02} hours pass", jump / HOUR, jump / MINUTE % 60, jump % 60));
        self.pass(Duration::from_secs(jump));
        true
    }

    fn finish_late_and_look(&mut self) -> bool {
        let any = self.shared.finish_late();
        if any {
            self.look();
        }
        any
    }

    /// Stripe is about to fail.
    fn break_stripe(&mut self, rest: &mut Draw) -> bool {
        let (what, when, word) = match rest.below(7) {
            0 => (What::RateLimited, When::Before, "429"),
            1 => (What::Status(409), When::Before, "409"),
            2 => (What::Status(500), When::Before, "500"),
            3 => (What::Status(500), When::After, "500, stored"),
            4 => (What::Status(503), When::After, "503, stored"),
            5 => (What::Cut, When::Before, "cut before"),
            _ => (What::Cut, When::After, "cut after"),
        };
        // Once, or as often as is tried.
        let (reads, times) = (rest.below(3) == 0, if rest.below(3) == 0 { LIMITS_TRIES } else { 1 });
        self.figures.fault(word);
        self.shared.story.tell(|| format!("Stripe will fail {times} times: {word}"));
        self.shared.arm(Armed { what, when, times, reads });
        true
    }

    /// A program ends where it stands.
    pub(crate) fn end(&mut self, which: usize, how: &str) {
        let actor = self.actors.remove(which);
        self.figures.crashes += 1;
        let name = actor.name();
        self.shared.story.tell(|| format!("{name} {how}"));
        match actor.kind {
            Kind::Operator { who, which } => {
                programs::is_gone_now(&who);
                // Whoever crashed may begin again.
                self.operators[which].left += u32::from(self.operators[which].left == 0 && self.figures.crashes < 3);
            }
            Kind::Delivery { letter, .. } => {
                self.shared.stripe.with_core(|core, now| drop(core.delivered(now, &letter.delivery, None)));
            }
        }
    }
}

const LIMITS_TRIES: u32 = programs::LIMITS.tries;

/// Whether an effect can change what the invariants are about.
fn changes(site: &Site) -> bool {
    match site.side {
        Side::Clock => false,
        Side::Wire => {
            site.operation.contains("POST")
                && ["checkout/sessions", "payment_links"].iter().any(|one| site.operation.contains(one))
        }
        Side::Ledger => matches!(
            site.operation.as_str(),
            "begin_attempt"
                | "record_session"
                | "abandon_attempt"
                | "retire"
                | "rename"
                | "mark_paid"
                | "mark_paid_elsewhere"
                | "mark_refunded"
        ),
    }
}
