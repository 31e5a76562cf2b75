//! Commands, drawn so that they collide: few players, fees, tournaments, sessions and ids, whose order differs where a database
//! sorts as people do.

use jiff::Timestamp;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use proptest::{collection, option, prop_oneof};
use tourney::domain::{
    AttemptId, Currency, FeeId, Id, Mode, Money, OrderStatus, Payable, PayableKind, PaymentIntentId, PlayerId,
    Registration, RunId, SessionId, TournamentId,
};
use tourney::ledger::{Canary, Event, EventOutcome, Handler, LockHolder, RetireHow, Run, RunStep, Scope, SeedOrder};

use crate::ledger::{at, usd};
use crate::support::payable;

use super::call::{Bird, Call, Command, Other, Twist};

pub(crate) const RUNS: [&str; 4] = ["run-1", "Run_2", "run.3", "b"];
const ATTEMPTS: [&str; 9] =
    ["a-1", "A_2", "a.3", "a-4", "B5", "run-1", "Run_2", "run.3", "00000000000000000000000000000002"];
const SESSIONS: [&str; 6] = ["cs_test_a", "cs_test_B", "cs_test_c", "plink_a", "plink_B", "plink_c"];
const INTENTS: [&str; 2] = ["pi_a", "pi_B"];
const EVENTS: [&str; 4] = ["evt_a", "evt_B", "evt_c", "evt_D"];

fn slug(text: &str) -> Id {
    Id::slug(text).unwrap()
}

pub(crate) fn players() -> Vec<PlayerId> {
    [Id::Int(7), slug("B-2"), slug("a_1")].map(PlayerId).to_vec()
}

pub(crate) fn tournaments() -> Vec<TournamentId> {
    [slug("cup"), Id::Int(12)].map(TournamentId).to_vec()
}

/// Every word that finds something.
pub(crate) fn words() -> Vec<String> {
    let players = players().into_iter().map(|player| player.to_string());
    players.chain(SESSIONS.iter().chain(&INTENTS).map(|word| (*word).to_owned())).collect()
}

pub(crate) fn scope(tournament: TournamentId) -> Scope {
    Scope { tournament, fees: vec![FeeId(slug("elite"))], currency: usd() }
}

fn player() -> impl Strategy<Value = PlayerId> + Clone {
    select(players())
}

fn fee() -> impl Strategy<Value = FeeId> {
    prop_oneof![4 => Just(FeeId(slug("elite"))), 1 => Just(FeeId(Id::Int(5)))]
}

fn registration() -> impl Strategy<Value = Registration> {
    (player(), fee()).prop_map(|(player, fee)| Registration { player, fee })
}

fn tournament() -> impl Strategy<Value = TournamentId> + Clone {
    let [cup, twelve] = [slug("cup"), Id::Int(12)].map(TournamentId);
    prop_oneof![6 => Just(cup), 1 => Just(twelve)]
}

/// Moments within a few leases, not all of them whole seconds.
fn moment() -> impl Strategy<Value = Timestamp> + Clone {
    let millis = prop_oneof![4 => Just(0i64), 1 => select(vec![250i64, 999])];
    (0i64..200, millis)
        .prop_map(|(second, millis)| at(second).checked_add(jiff::SignedDuration::from_millis(millis)).unwrap())
}

fn money() -> impl Strategy<Value = Money> {
    let usd = |minor| Just(Money::new(minor, usd()));
    let euros = Money::new(5500, Currency::parse("eur").unwrap());
    prop_oneof![12 => usd(5500), 2 => usd(6000), 1 => usd(0), 1 => Just(euros)]
}

fn id<T: for<'a> From<&'a str> + std::fmt::Debug + Clone + 'static, const N: usize>(
    of: [&'static str; N],
) -> impl Strategy<Value = T> + Clone {
    select(of.to_vec()).prop_map(T::from)
}

fn session() -> impl Strategy<Value = SessionId> + Clone {
    id(SESSIONS)
}

/// What an application may write into its column for sessions.
fn column_session() -> impl Strategy<Value = Option<SessionId>> {
    option::of(id(["cs_test_a", "cs_test_B", "cs_test_c"]))
}

fn intent() -> impl Strategy<Value = Option<PaymentIntentId>> + Clone {
    option::weighted(0.7, id(INTENTS))
}

fn status() -> impl Strategy<Value = OrderStatus> {
    select(OrderStatus::ALL.to_vec())
}

fn run_id() -> impl Strategy<Value = RunId> + Clone {
    id(RUNS)
}

fn attempt_id() -> impl Strategy<Value = AttemptId> {
    id(ATTEMPTS)
}

fn holder() -> impl Strategy<Value = LockHolder> {
    (run_id(), moment()).prop_map(|(run, since)| LockHolder {
        run,
        who: "ana@host".to_owned(),
        since,
        heartbeat: since,
    })
}

/// A payable as Stripe shows it; mostly of the amount that is owed mostly.
fn made() -> impl Strategy<Value = Payable> {
    let amount = prop_oneof![8 => Just(Some(5500i64)), 1 => Just(Some(6000)), 2 => Just(None)];
    let url = option::weighted(0.8, select(vec!["https://pay.example/1", "https://pay.example/2"]));
    (session(), amount, url, option::of(moment())).prop_map(|(id, amount, url, expires_at)| Payable {
        kind: PayableKind::of(&id),
        amount,
        url: url.map(str::to_owned),
        expires_at,
        ..payable(id.as_str(), Money::new(5500, usd()))
    })
}

fn outcome() -> impl Strategy<Value = EventOutcome> {
    prop_oneof![
        Just(EventOutcome::Recorded("ord_1".to_owned())),
        Just(EventOutcome::NoEffect("nothing to do".to_owned())),
        Just(EventOutcome::Unmatched("no such order".to_owned())),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let parts = (select(EVENTS.to_vec()), option::of(session()), intent(), moment(), option::weighted(0.2, outcome()));
    parts.prop_map(|(id, session, payment_intent, received_at, outcome)| Event {
        id: id.to_owned(),
        kind: "checkout.session.completed".to_owned(),
        session,
        payment_intent,
        body: format!("{{\"id\": \"{id}\", \"at\": \"{received_at}\"}}"),
        received_at,
        outcome,
    })
}

fn run() -> impl Strategy<Value = Run> {
    (run_id(), tournament(), moment(), option::weighted(0.2, moment())).prop_map(
        |(id, tournament, started_at, finished_at)| Run {
            id,
            command: "apply".to_owned(),
            tournament,
            environment: "test".to_owned(),
            manifest_sha256: "00ff".to_owned(),
            who: "ana@host".to_owned(),
            started_at,
            outcome: finished_at.map(|_| "done".to_owned()),
            summary: None,
            finished_at,
        },
    )
}

fn step() -> impl Strategy<Value = RunStep> {
    let at = select(vec![at(3), at(4), at(4) + jiff::SignedDuration::from_millis(1)]);
    (at, option::of(registration()), option::of(session())).prop_map(|(at, registration, session)| RunStep {
        at,
        registration,
        action: "create".to_owned(),
        order: None,
        detail: session.as_ref().map(|id| format!("made {id}")),
        session,
        outcome: "done".to_owned(),
    })
}

fn bird() -> impl Strategy<Value = Bird> {
    let sessions = collection::vec(session(), 0..3);
    let parts = (run_id(), tournament(), registration(), sessions, any::<bool>(), any::<bool>());
    parts.prop_map(|(run, tournament, registration, sessions, names_order, as_journalled)| Bird {
        canary: Canary { run, tournament, registration, order: None, sessions },
        names_order: names_order && !as_journalled,
        as_journalled,
    })
}

fn handler() -> impl Strategy<Value = Handler> {
    (moment(), any::<bool>()).prop_map(|(found_at, cancels)| Handler {
        endpoint: "https://club.example/hook".to_owned(),
        found_at,
        cancels,
    })
}

fn twist() -> impl Strategy<Value = Twist> {
    prop_oneof![
        4 => status().prop_map(Twist::Status),
        1 => option::of(session()).prop_map(Twist::Session),
        1 => intent().prop_map(Twist::Intent),
        1 => money().prop_map(Twist::Amount),
        1 => player().prop_map(Twist::Player),
    ]
}

fn other() -> impl Strategy<Value = Other> {
    let seed = (tournament(), registration(), money(), column_session(), moment(), 1u128..4);
    let seed = seed.prop_map(|(tournament, registration, amount, session, created_at, random)| {
        let session = session.unwrap_or_else(|| SessionId::from("cs_test_c"));
        Other::Seed(SeedOrder { tournament, registration, amount, session, created_at }, random)
    });
    prop_oneof![
        4 => status().prop_map(Other::Status),
        2 => column_session().prop_map(Other::Session),
        2 => intent().prop_map(Other::Intent),
        1 => select(vec![5500, 6000]).prop_map(Other::Amount),
        2 => player().prop_map(Other::Player),
        1 => fee().prop_map(Other::Fee),
        1 => select(tournaments()).prop_map(Other::Tournament),
        1 => Just(Other::Delete),
        3 => seed,
    ]
}

fn limit() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..4, Just(u32::MAX)]
}

fn orders() -> BoxedStrategy<Call> {
    let new = (tournament(), attempt_id(), registration(), money(), moment(), any::<bool>());
    let new = new.prop_map(|(tournament, attempt, whose, amount, at, link)| Call::BeginNew {
        tournament,
        attempt,
        whose,
        // Less than nothing is owed by none.
        amount: if at.as_second() % 50 == 49 { Money::new(-1, amount.currency) } else { amount },
        at,
        link,
    });
    let standing = (tournament(), attempt_id(), moment(), any::<bool>());
    let standing =
        standing.prop_map(|(tournament, attempt, at, link)| Call::BeginStanding { tournament, attempt, at, link });
    let how = select(vec![RetireHow::Cancel, RetireHow::Delete]);
    prop_oneof![
        6 => new,
        5 => standing,
        8 => made().prop_map(|payable| Call::RecordSession(Box::new(payable))),
        3 => select(vec!["it failed", "it expired"]).prop_map(Call::AbandonAttempt),
        4 => (how, select(vec!["withdrawn", "waived"]), moment()).prop_map(|(how, why, at)| Call::Retire(how, why, at)),
        4 => player().prop_map(Call::Rename),
        4 => intent().prop_map(Call::MarkPaid),
        2 => Just(Call::MarkPaidElsewhere),
        2 => Just(Call::MarkRefunded),
    ]
    .boxed()
}

fn locking() -> BoxedStrategy<Call> {
    prop_oneof![
        4 => (holder(), moment()).prop_map(|(holder, now)| Call::Lock(holder, now)),
        2 => (holder(), run_id(), moment()).prop_map(|(holder, dead, now)| Call::TakeOver(holder, dead, now)),
        2 => moment().prop_map(Call::Heartbeat),
        1 => Just(Call::Unlock),
        1 => Just(Call::ForceUnlock),
        1 => Just(Call::LockHolder),
    ]
    .boxed()
}

fn journals() -> BoxedStrategy<Call> {
    let name = select(vec!["Spring Cup", "Zoë's Cup"]);
    prop_oneof![
        3 => event().prop_map(|event| Call::StoreEvent(Box::new(event))),
        2 => (select(EVENTS.to_vec()), outcome()).prop_map(|(id, outcome)| Call::FinishEvent(id.to_owned(), outcome)),
        1 => (tournament(), name, moment()).prop_map(|(tournament, name, at)| Call::RecordName(tournament, name, at)),
        1 => run().prop_map(|run| Call::StartRun(Box::new(run))),
        1 => (run_id(), step()).prop_map(|(run, step)| Call::LogStep(run, Box::new(step))),
        1 => (run_id(), moment(), select(vec!["done", "failed"])).prop_map(|(run, at, how)| Call::FinishRun(run, at, how)),
        3 => bird().prop_map(Call::BeginCanary),
        2 => bird().prop_map(Call::JournalCanary),
        3 => bird().prop_map(Call::RemoveCanary),
        1 => handler().prop_map(Call::RecordHandler),
        1 => any::<u128>().prop_map(Call::Prepare),
        1 => select(vec![("acct_1", Mode::Test), ("acct_2", Mode::Live)]).prop_map(|(account, mode)| Call::Bind(account, mode)),
    ]
    .boxed()
}

fn readings() -> BoxedStrategy<Call> {
    prop_oneof![
        Just(Call::Identity),
        select(tournaments()).prop_map(|tournament| Call::Read(scope(tournament))),
        Just(Call::Order),
        limit().prop_map(Call::UnfinishedEvents),
        limit().prop_map(Call::Runs),
        run_id().prop_map(Call::Steps),
        Just(Call::Canaries),
        Just(Call::OpenCanaries),
        Just(Call::RawRow),
        select(words()).prop_map(Call::Search),
        Just(Call::AttemptsOf),
    ]
    .boxed()
}

fn command() -> impl Strategy<Value = Command> {
    let call = prop_oneof![
        40 => orders(),
        8 => locking(),
        16 => journals(),
        12 => readings(),
        8 => other().prop_map(Call::Another),
        1 => Just(Call::Compare),
    ];
    let mostly_newest = |others: std::ops::Range<usize>| prop_oneof![5 => Just(0), 1 => others];
    let which = || prop_oneof![2 => Just(0), 3 => 0usize..6];
    (call, mostly_newest(1..4), which(), mostly_newest(1..4), option::weighted(0.12, twist()), which())
        .prop_map(|(call, guard, order, age, twist, attempt)| Command { call, guard, order, age, twist, attempt })
}

/// Whole sequences.
pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    collection::vec(command(), 20..60)
}
