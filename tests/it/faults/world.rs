//! A simulated world: one Stripe, one database, one time; and what a run of `apply` does in it.

use std::cell::Cell;
use std::sync::Mutex;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use tourney::apply::{ApplyError, ChangeResult, Confirmed, Job, Report, Stop, Watch, converge};
use tourney::domain::{Metadata, Mode, Order, OrderStatus, Payable, PayableKind, SessionId};
use tourney::invariants::{Violation, at_rest, check};
use tourney::ledger::Scope;
use tourney::manifest::Manifest;
use tourney::observe::{Observation, observe};
use tourney::plan::{Options, Plan, plan};
use tourney::sandbox::SECRET_KEY;
use tourney::sandbox::core::{Control, Core, Prefill, TestCard};
use tourney::settle::settle;
use tourney::stripe::{CheckoutSettings, Limits, Stripe};
use tourney::world::Clock as _;
use tourney::world::faulty::Faults;
use tourney::world::sim::{SimClock, SimStripe, SimWire};

use super::books::Books;
use super::drive::drive_while;

/// The day of the incident.
const NOW: &str = "2026-04-13T10:00:00Z";

pub(crate) struct World<B> {
    pub(crate) clock: SimClock,
    pub(crate) stripe: SimStripe,
    pub(crate) books: B,
    account: String,
    /// How fast a run may ask Stripe.
    pub(crate) limits: Limits,
    /// Whoever runs next draws from this seed.
    next: Cell<u64>,
}

/// How a run ended.
pub(crate) enum Ended {
    Crashed,
    Refused(ApplyError),
    Reported(Box<Report>, Vec<String>),
}

impl Ended {
    /// Whether everything went through, and was seen to.
    pub(crate) fn is_clean(&self) -> bool {
        match self {
            Self::Reported(report, _) => {
                report.unproved.is_none() && report.results.iter().all(|result| result.error.is_none())
            }
            Self::Crashed | Self::Refused(_) => false,
        }
    }

    /// Everything that is said about what went wrong.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Crashed => "crashed".to_owned(),
            Self::Refused(error) => error.to_string(),
            Self::Reported(report, says) => {
                let failed = report.results.iter().filter_map(|result| result.error.as_ref());
                let failed = failed.map(|error| error.message.as_str()).chain(report.unproved.as_deref());
                failed.chain(says.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

impl<B: Books> World<B> {
    pub(crate) async fn new() -> Self {
        let clock = SimClock::new(NOW.parse().unwrap(), 0);
        let stripe = SimStripe::new(Core::new(1), clock.clone());
        let books = B::empty().await;
        let mut world =
            Self { clock, stripe, books, account: String::new(), limits: Limits::local(), next: Cell::new(1) };
        world.account = world.client().account().await.unwrap().id;
        world
    }

    /// The same world, which goes on by itself.
    pub(crate) async fn copy(&self) -> Self {
        let clock = SimClock::new(self.clock.now(), 0);
        Self {
            stripe: SimStripe::new(self.stripe.with_core(|core, _| core.clone()), clock.clone()),
            books: self.books.copy().await,
            clock,
            account: self.account.clone(),
            limits: self.limits,
            next: self.next.clone(),
        }
    }

    /// Time passes.
    pub(crate) fn pass(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A client without faults.
    pub(crate) fn client(&self) -> Stripe<SimWire, SimClock> {
        Stripe::new(self.wire(), self.clock.clone(), Limits::local())
    }

    fn wire(&self) -> SimWire {
        self.stripe.wire(SecretString::from(SECRET_KEY))
    }

    /// One run of `apply`, on a machine of its own.
    pub(crate) async fn apply(&self, manifest: &Manifest, faults: &Faults) -> Ended {
        self.apply_while(manifest, faults, std::future::ready(())).await
    }

    /// The same, and something happens when it is held at a site.
    pub(crate) async fn apply_while(
        &self,
        manifest: &Manifest,
        faults: &Faults,
        meanwhile: impl Future<Output = ()>,
    ) -> Ended {
        let machine = self.clock.beside(self.next.replace(self.next.get() + 1), SignedDuration::ZERO);
        let (ledger, clock) = (faults.around(&self.books), faults.around(machine));
        let stripe = Stripe::new(faults.around(self.wire()), &clock, self.limits);
        let checkout = CheckoutSettings {
            success_url: "https://club.example/thanks".to_owned(),
            cancel_url: None,
            metadata: Metadata::new(),
        };
        let job = Job {
            manifest,
            scope: scope(manifest),
            checkout: &checkout,
            account: &self.account,
            mode: Mode::Test,
            options: options(),
            confirmed: Confirmed::Anything,
            // One after the other: a site means the same effect in every run.
            parallelism: 1,
            who: "operator".to_owned(),
            // A run that crashed is known to be gone.
            is_gone: |_| true,
            lock_timeout: SignedDuration::from_secs(5),
        };
        let told = Told::default();
        let (stop, clock) = (Stop::default(), &clock);
        let run = Box::pin(converge(&ledger, &stripe, &clock, &job, &stop, &told));
        match drive_while(run, &self.clock, faults, meanwhile).await {
            None => Ended::Crashed,
            Some(Err(error)) => Ended::Refused(error),
            Some(Ok(report)) => Ended::Reported(Box::new(report), told.0.into_inner().unwrap()),
        }
    }

    /// An apply in which nothing goes wrong.
    pub(crate) async fn applied(&self, manifest: &Manifest) -> Report {
        let ended = self.apply(manifest, &Faults::default()).await;
        assert!(ended.is_clean(), "{}", ended.told());
        let Ended::Reported(report, _) = ended else { panic!("{}", ended.told()) };
        *report
    }

    /// What both sides hold now.
    pub(crate) async fn observe(&self, manifest: &Manifest) -> Observation {
        observe(&self.books, &self.client(), &scope(manifest), &self.account, Mode::Test).await.unwrap()
    }

    /// The order of a player; the live one where there are several.
    pub(crate) async fn order(&self, manifest: &Manifest, player: i64) -> Order {
        let orders = self.observe(manifest).await.facts.orders.into_iter();
        let mut its: Vec<Order> =
            orders.filter(|order| order.registration.player.to_string() == player.to_string()).collect();
        its.sort_by_key(|order| !order.status.is_live());
        its.into_iter().next().unwrap_or_else(|| panic!("player {player} has no order"))
    }

    pub(crate) fn control(&self, command: Control) -> serde_json::Value {
        self.stripe.control(command).unwrap()
    }

    /// A parent pays: at the session, or at one that a visit of the link makes. Gives that session.
    pub(crate) fn pay(&self, payable: &SessionId) -> SessionId {
        self.pay_with(TestCard::Success, payable)
    }

    pub(crate) fn pay_with(&self, card: TestCard, payable: &SessionId) -> SessionId {
        let session = match PayableKind::of(payable) {
            PayableKind::Session => payable.clone(),
            PayableKind::PaymentLink => self.visit(payable),
        };
        let email = Some("parent@example.com".to_owned());
        self.control(Control::Pay { session: session.to_string(), card, email });
        session
    }

    /// Every parent pays at whatever they can pay at. Where it is heard, the receiver is told of that, and of every payment
    /// before. Gives how many paid.
    pub(crate) async fn everybody_pays(&self, manifest: &Manifest, heard: bool) -> usize {
        let observed = self.observe(manifest).await;
        let open = observed.payables.iter().filter(|payable| payable.is_open() && payable.link.is_none());
        let paid: Vec<SessionId> = open.map(|payable| self.pay(&payable.id)).collect();
        if heard {
            // The newest first: of two for one order, the receiver hears of the later one.
            let before = observed.payables.iter().filter(|payable| payable.is_paid()).map(|payable| &payable.id);
            for session in paid.iter().chain(before) {
                settle(&self.client(), &self.books, session).await.unwrap();
            }
        }
        paid.len()
    }

    /// A parent opens a link and looks.
    pub(crate) fn visit(&self, link: &SessionId) -> SessionId {
        let visit = self.control(Control::Visit { link: link.to_string(), prefill: Prefill::default() });
        SessionId::from(visit["id"].as_str().unwrap())
    }
}

/// What a run says beside its report.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Watch for Told {
    fn begins(&self, _: usize) {}

    fn finished(&self, _: &ChangeResult) {}

    fn says(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

pub(crate) fn scope(manifest: &Manifest) -> Scope {
    Scope {
        tournament: manifest.tournament.id.clone(),
        fees: manifest.fees.iter().map(|fee| fee.id.clone()).collect(),
        currency: manifest.tournament.currency,
    }
}

pub(crate) fn options() -> Options {
    Options { environment: "simulated".to_owned(), players: None, allow_mass_retire: true }
}

pub(crate) fn planned(manifest: &Manifest, observed: &Observation) -> Plan {
    plan(manifest, observed, &options())
}

/// What is broken at any moment, and must not be.
pub(crate) fn broken(manifest: &Manifest, observed: &Observation) -> Vec<Violation> {
    let mut found = check(&manifest.tournament.id, observed);
    found.retain(|one| one.rule.holds() == tourney::invariants::Holds::Always);
    found
}

/// What is broken, or left to do, when all is said to be done.
pub(crate) fn unrested(manifest: &Manifest, observed: &Observation) -> Vec<Violation> {
    at_rest(&manifest.tournament.id, observed, &planned(manifest, observed))
}

/// What a world has come to, without the ids that differ from run to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Each order with what stands behind it, sorted.
    orders: Vec<String>,
    /// Payables that can be paid.
    open: usize,
    /// Payables that were ever made: none is made twice.
    made: usize,
    /// What waits for a person.
    waiting: Vec<String>,
}

impl Picture {
    /// Where it differs from what is wanted.
    pub(crate) fn unlike(&self, wanted: &Self) -> String {
        let besides = |these: &[String], those: &[String]| {
            these.iter().filter(|one| !those.contains(one)).cloned().collect::<Vec<_>>()
        };
        let (here, there) = (besides(&self.orders, &wanted.orders), besides(&wanted.orders, &self.orders));
        format!(
            "{here:?} for {there:?} ({} orders for {}, {} open for {}, {} made for {}, {:?} for {:?})",
            self.orders.len(),
            wanted.orders.len(),
            self.open,
            wanted.open,
            self.made,
            wanted.made,
            self.waiting,
            wanted.waiting
        )
    }
}

pub(crate) fn picture(manifest: &Manifest, observed: &Observation) -> Picture {
    let behind = |order: &Order| {
        let payable = observed.payables.iter().find(|payable| order.session.as_ref() == Some(&payable.id));
        payable.map_or_else(String::new, |payable| format!("{} {}", payable.kind.word(), payable.state.word()))
    };
    let mut orders: Vec<String> = observed
        .facts
        .orders
        .iter()
        .map(|order| {
            let paid = if order.payment_intent.is_some() { "by card" } else { "" };
            let behind = if order.status == OrderStatus::Pending { behind(order) } else { String::new() };
            format!("{} {} {} {paid}{behind}", order.registration, order.amount, order.status)
        })
        .collect();
    orders.sort();
    let plan = planned(manifest, observed);
    let waiting = plan.changes.iter().map(|change| format!("{:?} {:?}", change.action, change.findings));
    Picture {
        orders,
        open: observed.payables.iter().filter(|payable| payable.is_open()).count(),
        made: observed.payables.iter().filter(|payable: &&Payable| payable.link.is_none()).count(),
        waiting: waiting.collect(),
    }
}
