//! A command of a generated sequence: one method of the ledger with its arguments, or what another program does.

use std::fmt;

use jiff::Timestamp;
use tourney::domain::{
    AttemptId, FeeId, Mode, Money, OrderId, OrderStatus, Payable, PaymentIntentId, PlayerId, Registration, RunId, Seen,
    SessionId, TournamentId,
};
use tourney::ledger::{
    Canary, Event, EventOutcome, Guard, Handler, LockHolder, RetireHow, Run, RunStep, Scope, SeedOrder,
};

/// A call, and which of what is known by then it is about.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) call: Call,
    /// 0 is the guard that was given last; the last numbers are guards that nobody was given.
    pub(crate) guard: usize,
    /// Which order: 0 is the one that was made last.
    pub(crate) order: usize,
    /// How often it has changed since it was seen.
    pub(crate) age: usize,
    /// What is wrong about what was seen.
    pub(crate) twist: Option<Twist>,
    /// Which attempt: 0 is the one that was begun last.
    pub(crate) attempt: usize,
}

/// What a command comes to at its turn.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) guard: Guard,
    pub(crate) seen: Seen,
    pub(crate) attempt: AttemptId,
    /// The canary of the journal that the call names, if there is one.
    pub(crate) journalled: Option<Canary>,
}

/// A change to what was seen.
#[derive(Clone, Debug)]
pub(crate) enum Twist {
    Status(OrderStatus),
    Session(Option<SessionId>),
    Intent(Option<PaymentIntentId>),
    Amount(Money),
    Player(PlayerId),
}

/// A canary as it is told: its order is the picked one, where it names one.
#[derive(Clone, Debug)]
pub(crate) struct Bird {
    pub(crate) canary: Canary,
    pub(crate) names_order: bool,
    /// As the journal has it, where the journal has it.
    pub(crate) as_journalled: bool,
}

/// What another program writes into the orders table.
#[derive(Clone, Debug)]
pub(crate) enum Other {
    Status(OrderStatus),
    Session(Option<SessionId>),
    Intent(Option<PaymentIntentId>),
    Amount(i64),
    Player(PlayerId),
    Fee(FeeId),
    Tournament(TournamentId),
    Delete,
    Seed(SeedOrder, u128),
}

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Identity,
    Read(Scope),
    Order,
    Prepare(u128),
    Bind(&'static str, Mode),
    Lock(LockHolder, Timestamp),
    TakeOver(LockHolder, RunId, Timestamp),
    Heartbeat(Timestamp),
    Unlock,
    LockHolder,
    ForceUnlock,
    BeginNew {
        tournament: TournamentId,
        attempt: AttemptId,
        whose: Registration,
        amount: Money,
        at: Timestamp,
        link: bool,
    },
    BeginStanding {
        tournament: TournamentId,
        attempt: AttemptId,
        at: Timestamp,
        link: bool,
    },
    RecordSession(Box<Payable>),
    AbandonAttempt(&'static str),
    Retire(RetireHow, &'static str, Timestamp),
    Rename(PlayerId),
    MarkPaid(Option<PaymentIntentId>),
    MarkPaidElsewhere,
    MarkRefunded,
    StoreEvent(Box<Event>),
    FinishEvent(String, EventOutcome),
    UnfinishedEvents(u32),
    RecordName(TournamentId, &'static str, Timestamp),
    StartRun(Box<Run>),
    LogStep(RunId, Box<RunStep>),
    FinishRun(RunId, Timestamp, &'static str),
    Runs(u32),
    Steps(RunId),
    BeginCanary(Bird),
    JournalCanary(Bird),
    Canaries,
    OpenCanaries,
    RemoveCanary(Bird),
    RecordHandler(Handler),
    RawRow,
    Search(String),
    AttemptsOf,
    Another(Other),
    /// Everything that can be read, and every row.
    Compare,
}

impl Call {
    /// The trait's name for it; none for what is no method of the ledger.
    pub(crate) fn method(&self) -> Option<&'static str> {
        Some(match self {
            Self::Identity => "identity",
            Self::Read(_) => "read",
            Self::Order => "order",
            Self::Prepare(_) => "prepare",
            Self::Bind(..) => "bind",
            Self::Lock(..) => "lock",
            Self::TakeOver(..) => "take_over",
            Self::Heartbeat(_) => "heartbeat",
            Self::Unlock => "unlock",
            Self::LockHolder => "lock_holder",
            Self::ForceUnlock => "force_unlock",
            Self::BeginNew { .. } | Self::BeginStanding { .. } => "begin_attempt",
            Self::RecordSession(_) => "record_session",
            Self::AbandonAttempt(_) => "abandon_attempt",
            Self::Retire(..) => "retire",
            Self::Rename(_) => "rename",
            Self::MarkPaid(_) => "mark_paid",
            Self::MarkPaidElsewhere => "mark_paid_elsewhere",
            Self::MarkRefunded => "mark_refunded",
            Self::StoreEvent(_) => "store_event",
            Self::FinishEvent(..) => "finish_event",
            Self::UnfinishedEvents(_) => "unfinished_events",
            Self::RecordName(..) => "record_name",
            Self::StartRun(_) => "start_run",
            Self::LogStep(..) => "log_step",
            Self::FinishRun(..) => "finish_run",
            Self::Runs(_) => "runs",
            Self::Steps(_) => "steps",
            Self::BeginCanary(_) => "begin_canary",
            Self::JournalCanary(_) => "journal_canary",
            Self::Canaries => "canaries",
            Self::OpenCanaries => "open_canaries",
            Self::RemoveCanary(_) => "remove_canary",
            Self::RecordHandler(_) => "record_handler",
            Self::RawRow => "raw_row",
            Self::Search(_) => "search",
            Self::AttemptsOf => "attempts_of",
            Self::Another(_) | Self::Compare => return None,
        })
    }

    /// The canary's run, where it is about one.
    pub(crate) fn bird(&self) -> Option<&Bird> {
        match self {
            Self::BeginCanary(bird) | Self::JournalCanary(bird) | Self::RemoveCanary(bird) => Some(bird),
            _ => None,
        }
    }
}

/// A call with what it came to, as a line of a story.
pub(crate) struct Told<'a>(pub(crate) &'a Call, pub(crate) &'a Given);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(call, Given { guard, seen, attempt, journalled }) = self;
        f.write_str(&unwrapped(&format!("{call:?}")))?;
        match call {
            Call::Heartbeat(_) | Call::Unlock | Call::RecordHandler(_) => {}
            Call::RecordSession(_) | Call::AbandonAttempt(_) => write!(f, " of attempt {attempt}")?,
            Call::BeginStanding { .. } | Call::Retire(..) | Call::Rename(_) => write!(f, " seen {}", Short(seen))?,
            Call::MarkPaid(_) | Call::MarkPaidElsewhere | Call::MarkRefunded => {
                return write!(f, " seen {}", Short(seen));
            }
            Call::Order | Call::RawRow | Call::AttemptsOf => return write!(f, " {}", seen.id),
            Call::Another(_) | Call::LogStep(..) => return write!(f, " on {}", seen.id),
            Call::BeginCanary(_) | Call::JournalCanary(_) | Call::RemoveCanary(_) => {
                let journalled = unwrapped(&format!("{journalled:?}"));
                return write!(f, " of order {}, journalled: {journalled}", seen.id);
            }
            Call::BeginNew { .. } => {}
            _ => return Ok(()),
        }
        write!(f, " under {} with fence {}", guard.run, guard.fence)
    }
}

/// A text of `Debug`, each newtype as what is in it.
pub(crate) fn unwrapped(text: &str) -> String {
    const WRAPS: [&str; 12] = [
        "PlayerId(",
        "FeeId(",
        "TournamentId(",
        "OrderId(",
        "RunId(",
        "AttemptId(",
        "SessionId(",
        "PaymentIntentId(",
        "LedgerId(",
        "Int(",
        "Slug(",
        "Some(",
    ];
    let (mut short, mut rest, mut open) = (String::new(), text, Vec::new());
    while let Some(next) = rest.chars().next() {
        if let Some(wrap) = WRAPS.iter().find(|wrap| rest.starts_with(**wrap)) {
            open.push(false);
            rest = &rest[wrap.len()..];
            continue;
        }
        let shown = match next {
            '(' => {
                open.push(true);
                true
            }
            ')' => open.pop().unwrap_or(true),
            _ => true,
        };
        if shown {
            short.push(next);
        }
        rest = &rest[next.len_utf8()..];
    }
    short.replace("Money { minor: ", "{ ").replace(", currency:", "").replace("Registration { player: ", "{ ")
}

struct Short<'a>(&'a Seen);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { id, registration, amount, status, session, payment_intent } = self.0;
        let session = session.as_ref().map_or("no session", SessionId::as_str);
        let intent = payment_intent.as_ref().map_or("no intent", PaymentIntentId::as_str);
        write!(f, "{id} of {registration}: {status}, {amount}, {session}, {intent}")
    }
}

/// The order's id in a canary, or none.
pub(crate) fn canary(bird: &Bird, given: &Given) -> Canary {
    match &given.journalled {
        Some(journalled) if bird.as_journalled => journalled.clone(),
        _ => Canary { order: bird.names_order.then(|| given.seen.id.clone()), ..bird.canary.clone() },
    }
}

/// A step names the order where it names a session.
pub(crate) fn step(step: &RunStep, given: &Given) -> RunStep {
    RunStep { order: step.session.as_ref().map(|_| given.seen.id.clone()), ..step.clone() }
}

/// What another program's new orders are, or whether they were refused.
pub(crate) type Seeded = Result<Vec<OrderId>, bool>;
