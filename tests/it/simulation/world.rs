//! A world: one Stripe, one orders database, one time, and the programs and people in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tourney::domain::{Mode as Money, SessionId};
use tourney::invariants::{Holds, Violation, beyond, check, since};
use tourney::ledger::Ledger as _;
use tourney::manifest::Manifest;
use tourney::observe::{Observation, observe};
use tourney::sandbox::SECRET_KEY;
use tourney::sandbox::core::{Control, ControlError, Core};
use tourney::stripe::Stripe;
use tourney::world::Clock as _;
use tourney::world::faulty::Faults;
use tourney::world::sim::{MemoryLedger, SimClock, SimStripe, State};

use super::bases::{Base, ledger_of, stripe_of};
use super::figures::Figures;
use super::manifests::scope;
use super::programs::{self, Ended, LIMITS, Machine, Program};
use super::story::Story;
use super::wire::{Shared, TurnWire};

/// Something is wrong: of which kind, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) kind: String,
    pub(crate) said: String,
}

impl Wrong {
    pub(crate) fn new(kind: impl Into<String>, said: impl Into<String>) -> Self {
        Self { kind: kind.into(), said: said.into() }
    }
}

impl From<&Violation> for Wrong {
    fn from(violation: &Violation) -> Self {
        Self::new(format!("{:?}", violation.rule), violation.to_string())
    }
}

/// Somebody who applies a manifest, on a machine of their own.
pub(crate) struct Operator {
    pub(crate) name: &'static str,
    pub(crate) manifest: usize,
    /// By how much their clock is wrong.
    pub(crate) ahead: SignedDuration,
    pub(crate) side_by_side: bool,
    /// How often they may yet begin.
    pub(crate) left: u32,
}

/// What a program is.
pub(crate) enum Kind {
    Operator { which: usize, who: String },
    Delivery { letter: Letter, known: bool },
}

/// A program that runs.
pub(crate) struct Actor {
    pub(crate) kind: Kind,
    pub(crate) program: Program,
}

impl Actor {
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            Kind::Operator { who, .. } => who.clone(),
            Kind::Delivery { letter, .. } => format!("receiver of {}", letter.event),
        }
    }
}

/// A delivery that Stripe has handed out.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) delivery: String,
    pub(crate) event: String,
    pub(crate) kind: String,
    /// Where its session is paid: the order that it names, the session, and the payment.
    pub(crate) pays: Option<(String, String, String)>,
    pub(crate) body: Arc<str>,
    pub(crate) signature: String,
}

/// A payment that somebody made.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) session: SessionId,
    pub(crate) delayed: bool,
}

pub(crate) struct World {
    pub(crate) clock: SimClock,
    pub(crate) shared: Shared,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) account: String,
    pub(crate) secret: String,
    pub(crate) operators: Vec<Operator>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) letters: Vec<Letter>,
    /// Every payable that anybody may have got, in the order in which they came.
    pub(crate) known: Vec<SessionId>,
    pub(crate) paid: Vec<Paid>,
    pub(crate) seen: Observation,
    broken: Vec<Violation>,
    pub(crate) wrong: Option<Wrong>,
    pub(crate) figures: Figures,
    /// Whoever runs next draws from this seed.
    pub(crate) next: u64,
}

impl World {
    pub(crate) fn of(base: &Base, told: bool) -> Self {
        programs::nobody_is_gone();
        let clock = SimClock::new(base.now, 0);
        let mut world = Self {
            shared: Shared::new(stripe_of(base, &clock), Story::new(told)),
            ledger: ledger_of(base),
            clock,
            account: base.account.clone(),
            secret: base.secret.clone(),
            operators: Vec::new(),
            actors: Vec::new(),
            letters: Vec::new(),
            known: Vec::new(),
            paid: Vec::new(),
            seen: base.observed.clone(),
            broken: base.broken.clone(),
            wrong: None,
            figures: Figures::default(),
            next: 1,
        };
        world.remember();
        world
    }

    pub(crate) fn is_wrong(&mut self, wrong: Wrong) {
        self.shared.story.tell(|| format!("!!! {}", wrong.said));
        self.wrong.get_or_insert(wrong);
    }

    /// A machine for one program, whose clock is wrong by so much.
    pub(crate) fn machine(&mut self, who: &str, ahead: SignedDuration) -> Machine {
        self.next += 1;
        let faults = Faults::directed();
        Machine {
            ledger: Arc::clone(&self.ledger),
            wire: TurnWire::new(&self.shared, &faults, who),
            clock: self.clock.beside(self.next, ahead),
            faults,
            account: self.account.clone(),
        }
    }

    /// A run beside which nothing happens.
    pub(crate) fn apply_alone(&mut self, manifest: &'static Manifest) {
        let machine = self.machine("nobody", SignedDuration::ZERO);
        let mut program = programs::apply(machine, manifest, "nobody".to_owned(), false, true);
        loop {
            match program.go_on() {
                Some(Ended::Applied(result)) => {
                    let report = result.unwrap();
                    assert!(report.results.iter().all(|result| result.error.is_none()), "{:?}", report.results);
                    break;
                }
                Some(Ended::Answered(_)) => unreachable!("an apply answers nobody"),
                None => match program.faults.waiting().first() {
                    Some((turn, _)) => program.faults.let_go(*turn, None),
                    None => assert!(self.clock.advance_to_next(), "nothing goes on"),
                },
            }
        }
        self.look_around();
    }

    /// Something may have changed: what both sides hold now is judged. At Stripe only what was touched is read again.
    pub(crate) fn look(&mut self) {
        self.figures.checks += 1;
        let touched = self.shared.touched();
        let now = if touched.others { self.observed() } else { self.observed_again(&touched.payables) };
        self.shared.story.tell_change(&self.seen, &now);
        let tournament = scope().tournament;
        let always = check(&tournament, &now).into_iter().filter(|one| one.rule.holds() == Holds::Always).collect();
        let mut found = beyond(&self.broken, always);
        found.extend(since(&tournament, &self.seen, &now));
        self.seen = now;
        self.remember();
        if let Some(first) = found.first() {
            self.is_wrong(first.into());
        }
    }

    /// The same, and everything is read again.
    pub(crate) fn look_around(&mut self) {
        self.shared.touch_others();
        self.look();
    }

    fn observed(&self) -> Observation {
        let core = self.shared.stripe.with_core(|core, now| {
            core.tick(now);
            core.clone()
        });
        observe_now(core, self.ledger.snapshot(), self.clock.now(), &self.account)
    }

    /// What was seen before, with these payables and the ledger as they are now.
    fn observed_again(&self, touched: &BTreeSet<SessionId>) -> Observation {
        let mut payables = self.seen.payables.clone();
        let client = Stripe::new(self.shared.stripe.wire(SecretString::from(SECRET_KEY)), self.clock.clone(), LIMITS);
        for id in touched {
            let now = Box::pin(client.payable(id)).now_or_never();
            let Some(now) = now.expect("looking waits for nobody").unwrap() else { continue };
            match payables.iter_mut().find(|payable| payable.id == *id) {
                Some(payable) => *payable = now,
                None => payables.insert(0, now),
            }
        }
        let (scope, books) = (scope(), &*self.ledger);
        let facts = books.read(&scope).now_or_never().expect("looking waits for nobody").unwrap();
        let ledger = books.identity().now_or_never().expect("looking waits for nobody").unwrap();
        Observation { at: self.clock.now(), payables, facts, ledger: ledger.map(|one| one.ledger), ..self.seen.clone() }
    }

    /// The payables that are new.
    fn remember(&mut self) {
        // Newest first, as they were listed.
        let new: Vec<SessionId> =
            self.seen.payables.iter().map(|one| one.id.clone()).filter(|id| !self.known.contains(id)).collect();
        self.known.extend(new.into_iter().rev());
    }

    /// A payer's or a person's command at Stripe.
    pub(crate) fn control(&self, command: Control) -> Result<serde_json::Value, ControlError> {
        self.shared.stripe.control(command)
    }

    pub(crate) fn pass(&mut self, by: Duration) {
        self.clock.advance(by);
        // Sessions may have expired.
        self.shared.touch_others();
        self.shared.stripe.with_core(|core, now| drop(core.tick(now)));
    }
}

/// What both sides hold at a moment; nothing is disturbed by looking.
pub(crate) fn observe_now(core: Core, ledger: State, now: Timestamp, account: &str) -> Observation {
    let clock = SimClock::new(now, 0);
    let stripe = SimStripe::new(core, clock.clone());
    stripe.control(Control::ClearFaults).unwrap();
    stripe.control(Control::Rate { per_second: None }).unwrap();
    let client = Stripe::new(stripe.wire(SecretString::from(SECRET_KEY)), clock, LIMITS);
    let books = MemoryLedger::from(ledger);
    let observed = Box::pin(observe(&books, &client, &scope(), account, Money::Test)).now_or_never();
    observed.expect("looking waits for nobody").unwrap()
}
