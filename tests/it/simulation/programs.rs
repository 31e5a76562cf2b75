//! The programs that run at once, each of them the real one: `apply`, and the receiver with one delivery.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::FutureExt as _;
use jiff::SignedDuration;
use secrecy::SecretString;
use tourney::apply::{ApplyError, ChangeResult, Confirmed, Job, Report, Stop, Watch, converge};
use tourney::domain::{Metadata, Mode};
use tourney::ledger::LockHolder;
use tourney::manifest::Manifest;
use tourney::plan::Options;
use tourney::stripe::{CheckoutSettings, Limits, Stripe};
use tourney::webhook::{Receiver, accept};
use tourney::world::faulty::Faults;
use tourney::world::sim::{MemoryLedger, SimClock};

use super::manifests::scope;
use super::wire::TurnWire;

/// How a program ended.
pub(crate) enum Ended {
    Applied(Box<Result<Report, ApplyError>>),
    Answered(u16),
}

/// A program that runs, and whether it wants to go on.
pub(crate) struct Program {
    pub(crate) faults: Faults,
    future: Pin<Box<dyn Future<Output = Ended>>>,
    awake: Arc<Awake>,
}

struct Awake(AtomicBool);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Program {
    pub(crate) fn new(faults: Faults, future: impl Future<Output = Ended> + 'static) -> Self {
        Self { faults, future: Box::pin(future), awake: Arc::new(Awake(AtomicBool::new(true))) }
    }

    pub(crate) fn is_awake(&self) -> bool {
        self.awake.0.load(Ordering::Relaxed)
    }

    /// Goes as far as it can without another turn.
    pub(crate) fn go_on(&mut self) -> Option<Ended> {
        while self.awake.0.swap(false, Ordering::Relaxed) {
            let waker = Waker::from(Arc::clone(&self.awake));
            if let Poll::Ready(ended) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(ended);
            }
        }
        None
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.faults.crashed().now_or_never().is_some()
    }
}

thread_local! {
    /// The runs that crashed: on their own machine that is known.
    static GONE: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// A new world: nobody has crashed.
pub(crate) fn nobody_is_gone() {
    GONE.with_borrow_mut(BTreeSet::clear);
}

pub(crate) fn is_gone_now(who: &str) {
    GONE.with_borrow_mut(|gone| gone.insert(who.to_owned()));
}

fn is_gone(holder: &LockHolder) -> bool {
    GONE.with_borrow(|gone| gone.contains(&holder.who))
}

fn nobody(_: &LockHolder) -> bool {
    false
}

/// What a program works with.
pub(crate) struct Machine {
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) wire: TurnWire,
    pub(crate) clock: SimClock,
    pub(crate) faults: Faults,
    pub(crate) account: String,
}

/// How often a request is tried, and how fast: fewer turns are wasted on trying again than in real life.
pub(crate) const LIMITS: Limits = Limits { tries: 3, throttled: 3, ..Limits::local() };

pub(crate) fn options() -> Options {
    Options { environment: "simulated".to_owned(), players: None, allow_mass_retire: true }
}

/// One run of `apply`. Where it runs on the machine of a run that crashed, it knows that.
pub(crate) fn apply(
    machine: Machine,
    manifest: &'static Manifest,
    who: String,
    side_by_side: bool,
    knows: bool,
) -> Program {
    let faults = machine.faults.clone();
    Program::new(faults, async move {
        let ledger = machine.faults.around(machine.ledger);
        let clock = machine.faults.around(machine.clock);
        let stripe = Stripe::new(machine.faults.around(machine.wire), &clock, LIMITS);
        let checkout = CheckoutSettings {
            success_url: "https://club.example/thanks".to_owned(),
            cancel_url: None,
            metadata: Metadata::new(),
        };
        let job = Job {
            manifest,
            scope: scope(),
            checkout: &checkout,
            account: &machine.account,
            mode: Mode::Test,
            options: options(),
            confirmed: Confirmed::Anything,
            parallelism: if side_by_side { 2 } else { 1 },
            who,
            is_gone: if knows { is_gone } else { nobody },
            lock_timeout: SignedDuration::from_secs(1),
        };
        let (stop, clock) = (Stop::default(), &clock);
        Ended::Applied(Box::new(Box::pin(converge(&ledger, &stripe, &clock, &job, &stop, &Nobody)).await))
    })
}

/// Nobody watches.
struct Nobody;

impl Watch for Nobody {
    fn begins(&self, _: usize) {}
    fn finished(&self, _: &ChangeResult) {}
    fn says(&self, _: &str) {}
}

/// The receiver, with one delivery.
pub(crate) fn receive(machine: Machine, secret: &str, signature: String, body: Arc<str>) -> Program {
    let faults = machine.faults.clone();
    let secrets = vec![SecretString::from(secret)];
    Program::new(faults, async move {
        let clock = machine.faults.around(machine.clock);
        let receiver = Receiver {
            sessions: Stripe::new(machine.faults.around(machine.wire), &clock, LIMITS),
            ledger: machine.faults.around(machine.ledger),
            clock: &clock,
            secrets,
            mode: Mode::Test,
            path: tourney::webhook::DEFAULT_PATH.to_owned(),
        };
        let answer = Box::pin(accept(&receiver, Some(&signature), body.as_bytes())).await;
        Ended::Answered(answer.map_or_else(|(status, _)| status, |_| 200))
    })
}
