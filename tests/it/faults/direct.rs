//! Every method of a ledger, struck in every mode: it is done or not, it says which, and to repeat it is harmless.

use std::pin::Pin;

use tourney::domain::{
    AttemptId, Id, Mode as Money, OrderId, OrderStatus, PlayerId, Registration, RunId, Seen, SessionId,
};
use tourney::ledger::{
    AttemptFor, Canary, Event, EventOutcome, Guard, Handler, Ledger, LedgerError, Lock, LockHolder, Rendered,
    RetireHow, Run, RunStep,
};
use tourney::manifest::Manifest;
use tourney::world::Clock as _;
use tourney::world::faulty::{Fault, Faults, Faulty, LEDGER_OPERATIONS, Mode, Side, Site};
use tourney::world::sim::SimClock;

use super::books::Books;
use super::drive::drive;
use super::world::{World, scope};
use super::worlds::Scene;

type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, LedgerError>> + 'a>>;

/// What the calls are made with: parts of a world that stands.
struct Standing {
    manifest: Manifest,
    guard: Guard,
    holder: LockHolder,
    pending: Seen,
    paid: Seen,
    attempt: tourney::ledger::Attempt,
    payable: tourney::domain::Payable,
    canary: Canary,
    event: Event,
    run: Run,
    now: jiff::Timestamp,
}

impl Standing {
    /// Takes the lock, and looks around.
    async fn of<B: Books>(world: &World<B>, manifest: &Manifest) -> Self {
        let now = world.clock.now();
        let books = &world.books;
        let holder =
            LockHolder { run: RunId("run-1".to_owned()), who: "somebody".to_owned(), since: now, heartbeat: now };
        let dead = books.lock_holder().await.unwrap().unwrap();
        let Lock::Acquired(guard) = books.take_over(&holder, &dead.run, now).await.unwrap() else { panic!("{dead:?}") };
        let observed = world.observe(manifest).await;
        let seen = |status| {
            let mut orders = observed.facts.orders.iter();
            orders.find(|order| order.status == status && order.session.is_some()).unwrap().seen()
        };
        let attempt = observed.facts.attempts.first().unwrap().clone();
        let payable =
            observed.payables.iter().find(|one| one.metadata.get("tourney_attempt") == Some(&attempt.id.to_string()));
        Self {
            pending: seen(OrderStatus::Pending),
            paid: seen(OrderStatus::Paid),
            payable: payable.unwrap().clone(),
            canary: books.open_canaries().await.unwrap().remove(0),
            event: books.unfinished_events(1).await.unwrap().remove(0),
            run: books.runs(1).await.unwrap().remove(0),
            manifest: manifest.clone(),
            attempt,
            guard,
            holder,
            now,
        }
    }

    /// Calls the method of this name, in a way that changes something where it can.
    fn call<'a, L: Ledger>(&'a self, ledger: &'a L, operation: &str) -> Answer<'a> {
        macro_rules! answers {
            ($call:expr) => {
                Box::pin(async move { $call.await.map(|answer| format!("{answer:?}")) })
            };
        }
        let Self { guard, holder, now, .. } = self;
        let (now, tournament) = (*now, &self.manifest.tournament.id);
        match operation {
            "identity" => answers!(ledger.identity()),
            "read" => answers!(ledger.read(&scope(&self.manifest))),
            "order" => answers!(ledger.order(&self.pending.id)),
            "prepare" => answers!(ledger.prepare(77)),
            "bind" => answers!(ledger.bind("acct_other", Money::Live)),
            "lock" => answers!(ledger.lock(holder, now)),
            "take_over" => answers!(ledger.take_over(
                &LockHolder { run: RunId("run-2".to_owned()), ..holder.clone() },
                &holder.run,
                now
            )),
            "heartbeat" => answers!(ledger.heartbeat(guard, now + std::time::Duration::from_secs(9))),
            "unlock" => answers!(ledger.unlock(guard)),
            "lock_holder" => answers!(ledger.lock_holder()),
            "force_unlock" => answers!(ledger.force_unlock()),
            "begin_attempt" => answers!(ledger.begin_attempt(
                guard,
                tournament,
                &AttemptId("attempt-1".to_owned()),
                &AttemptFor::New { registration: self.nobody(), amount: self.pending.amount },
                now,
                &|order: &OrderId| Rendered { body: format!("for {order}"), expires_at: Some(now) }
            )),
            "record_session" => answers!(ledger.record_session(guard, &self.attempt.id, &self.payable)),
            "abandon_attempt" => answers!(ledger.abandon_attempt(guard, &self.attempt.id, "why")),
            "retire" => answers!(ledger.retire(guard, &self.pending, RetireHow::Delete, "withdrawn", now)),
            "rename" => answers!(ledger.rename(guard, &self.pending, &self.nobody().player)),
            "mark_paid" => answers!(ledger.mark_paid(&self.pending, Some(&"pi_1".into()))),
            "mark_paid_elsewhere" => answers!(ledger.mark_paid_elsewhere(&self.pending)),
            "mark_refunded" => answers!(ledger.mark_refunded(&self.paid)),
            "store_event" => answers!(ledger.store_event(&Event { id: "evt_new".to_owned(), ..self.event.clone() })),
            "finish_event" => answers!(ledger.finish_event(&self.event.id, &EventOutcome::Unmatched("why".to_owned()))),
            "unfinished_events" => answers!(ledger.unfinished_events(9)),
            "record_name" => answers!(ledger.record_name(tournament, "Another name", now)),
            "start_run" => answers!(ledger.start_run(&Run { id: RunId("run-3".to_owned()), ..self.run.clone() })),
            "log_step" => answers!(ledger.log_step(&self.run.id, &self.step())),
            "finish_run" => answers!(ledger.finish_run(&self.run.id, now, "failed", "summary")),
            "runs" => answers!(ledger.runs(9)),
            "steps" => answers!(ledger.steps(&self.run.id)),
            "begin_canary" => answers!(ledger.begin_canary(&Canary {
                run: RunId("run-4".to_owned()),
                registration: self.nobody(),
                ..self.canary.clone()
            })),
            "journal_canary" => answers!(
                ledger.journal_canary(&Canary { sessions: vec![SessionId::from("cs_test_1")], ..self.canary.clone() })
            ),
            "canaries" => answers!(ledger.canaries()),
            "open_canaries" => answers!(ledger.open_canaries()),
            "remove_canary" => answers!(ledger.remove_canary(&self.canary)),
            "record_handler" => answers!(ledger.record_handler(guard, &self.handler())),
            "raw_row" => answers!(ledger.raw_row(&self.pending.id)),
            "search" => answers!(ledger.search("3")),
            "attempts_of" => answers!(ledger.attempts_of(&self.pending.id)),
            other => panic!("nobody calls {other}"),
        }
    }

    fn nobody(&self) -> Registration {
        Registration { player: PlayerId(Id::Slug("nobody".to_owned())), fee: self.pending.registration.fee.clone() }
    }

    fn handler(&self) -> Handler {
        Handler { endpoint: "https://club.example/hook".to_owned(), found_at: self.now, cancels: true }
    }

    fn step(&self) -> RunStep {
        RunStep {
            at: self.now,
            registration: Some(self.nobody()),
            action: "create".to_owned(),
            order: None,
            session: None,
            outcome: "done".to_owned(),
            detail: None,
        }
    }
}

/// All that can be read of a ledger.
async fn state<L: Ledger>(ledger: &L, standing: &Standing) -> String {
    let facts = ledger.read(&scope(&standing.manifest)).await.unwrap();
    let mut all = vec![format!("{:?} {:?}", ledger.identity().await, ledger.lock_holder().await)];
    let touched = [&standing.pending.id, &standing.paid.id, &standing.attempt.order];
    for order in facts.orders.iter().filter(|order| touched.contains(&&order.id)) {
        let mut row = ledger.raw_row(&order.id).await.unwrap().unwrap();
        // When a row was last written is of the machine's clock.
        row.remove("updated_at");
        all.push(format!("{row:?} {:?}", ledger.attempts_of(&order.id).await));
    }
    for run in ledger.runs(9).await.unwrap() {
        all.push(format!("{run:?} {:?}", ledger.steps(&run.id).await));
    }
    all.push(format!("{:?} {:?}", ledger.canaries().await, ledger.open_canaries().await));
    all.push(format!("{:?} {facts:?}", ledger.unfinished_events(99).await));
    all.join("\n")
}

/// What tells by its answer that it is the second time.
const TELLS: [&str; 2] = ["store_event", "force_unlock"];
/// What writes its line again: history is for people.
const AGAIN: [&str; 1] = ["log_step"];
/// What writes nothing here: it reads, or what it would write stands already.
const STANDS: [&str; 15] = [
    "identity",
    "read",
    "order",
    "prepare",
    "bind",
    "lock",
    "lock_holder",
    "unfinished_events",
    "runs",
    "steps",
    "canaries",
    "open_canaries",
    "raw_row",
    "search",
    "attempts_of",
];

impl<B: Books> Scene<B> {
    /// Strikes every method in every mode; gives what is wrong.
    pub(crate) async fn every_method(&self) -> Vec<String> {
        let world = self.world.copy().await;
        let standing = Standing::of(&world, &self.manifest).await;
        let mut wrong = Vec::new();
        for operation in LEDGER_OPERATIONS {
            let clean = self.struck(&world, &standing, operation, None).await;
            if STANDS.contains(operation) != (clean.before == clean.after) {
                wrong.push(format!("{operation} is to write, or not to, and does otherwise"));
            }
            for mode in Mode::ALL {
                let came = self.struck(&world, &standing, operation, Some(*mode)).await;
                wrong.extend(came.unlike(&clean, operation, *mode));
            }
        }
        wrong
    }

    async fn struck(&self, world: &World<B>, standing: &Standing, operation: &str, mode: Option<Mode>) -> Struck {
        let books = world.books.copy().await;
        let before = state(&books, standing).await;
        let site = Site { side: Side::Ledger, operation: operation.to_owned(), nth: 1 };
        let faults = Faults::new(mode.map(|mode| Fault::once(site, mode)).into_iter().collect());
        let (ledger, clock) = (faults.around(&books), SimClock::new(standing.now, 0));
        let first = ask(standing, &ledger, operation, &clock, &faults).await;
        let after = state(&books, standing).await;
        let again = standing.call(&books, operation).await.map_err(|error| error.to_string());
        let repeated = state(&books, standing).await;
        Struck { before, first, after, again, repeated }
    }
}

async fn ask<L: Ledger>(
    standing: &Standing,
    ledger: &Faulty<L>,
    operation: &str,
    clock: &SimClock,
    faults: &Faults,
) -> Option<Result<String, String>> {
    let answer = drive(standing.call(ledger, operation), clock, faults).await;
    answer.map(|answer| answer.map_err(|error| error.to_string()))
}

/// A call and its repetition, and what could be read before, between and after.
struct Struck {
    before: String,
    /// None where it crashed.
    first: Option<Result<String, String>>,
    after: String,
    again: Result<String, String>,
    repeated: String,
}

impl Struck {
    /// Where a call that was struck differs from what its mode says, by a call that was not.
    fn unlike(&self, clean: &Self, operation: &str, mode: Mode) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |is: bool, what: &str| {
            if !is {
                wrong.push(format!("{} at {operation}: {what}", mode.word()));
            }
        };
        let said = |what: &str| format!("{what}: a fault at ledger {operation} #1");
        let error = match mode {
            Mode::FailBefore => Some(Err(said("the orders database did nothing"))),
            Mode::LoseAnswer => Some(Err(said("the answer of the orders database was lost"))),
            Mode::CrashBefore | Mode::CrashAfter => None,
        };
        let done = matches!(mode, Mode::LoseAnswer | Mode::CrashAfter);
        let expected = if done { &clean.after } else { &self.before };
        expect(self.before == clean.before, "the calls begin alike");
        expect(self.first == error, &format!("it says {:?}", self.first));
        expect(self.after == *expected, "what is written is not what its mode says");
        let writes = clean.before != clean.after;
        expect(done || !writes || self.after != clean.after, "it was done");
        if !AGAIN.contains(&operation) {
            expect(self.repeated == clean.after, "to repeat it is not harmless");
        }
        let first = clean.first.clone().unwrap_or_else(|| Err("crashed".to_owned()));
        if !done || !TELLS.contains(&operation) {
            expect(self.again == first, &format!("repeated it answers {:?}", self.again));
        }
        wrong
    }
}
