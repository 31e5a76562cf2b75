//! One story of the orders database, told on SQLite and on PostgreSQL.

use std::path::Path;

use futures_util::future::join_all;
use jiff::Timestamp;
use tourney::domain::{
    AttemptId, Currency, FeeId, Id, Mode, Money, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, RunId,
    Seen, SessionId, TournamentId,
};
use tourney::ledger::{
    Attempt, AttemptFor, AttemptState, Begun, Event, EventOutcome, Guard, LEASE_SECONDS, Ledger, LedgerError,
    LedgerFacts, Lock, LockHolder, Mapping, Rendered, RetireHow, Run, RunStep, Scope, SqlLedger, StoredEvent, Written,
};

use crate::support::payable;

/// Tells a story on both databases, each empty and never prepared.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() {
                let folder = tempfile::tempdir().unwrap();
                super::$story(crate::ledger::sqlite_in(folder.path()).await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $story() {
                let Some(url) = crate::support::database() else { return };
                let mapping = tourney::ledger::Mapping::own();
                super::$story(tourney::ledger::SqlLedger::open(&url, mapping).await.unwrap()).await;
            })*
        }
    };
}

pub(crate) use on_both;

on_both!(
    an_empty_database_reads_as_empty,
    an_order_lives,
    a_session_is_recorded_once,
    a_payment_is_recorded_once,
    retired_orders_leave_a_trace,
    a_rename_moves_the_order,
    one_claim_for_sixteen,
    the_lock_has_one_holder,
    events_are_stored_once,
    history_is_kept,
);

pub(crate) async fn sqlite_in(folder: &Path) -> SqlLedger {
    let url = format!("sqlite://{}", folder.join("deep/orders.db").display());
    SqlLedger::open(&url, Mapping::own()).await.unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_777_000_000 + second).unwrap()
}

pub(crate) fn cup() -> TournamentId {
    TournamentId(Id::slug("cup").unwrap())
}

pub(crate) fn scope() -> Scope {
    Scope { tournament: cup(), fees: vec![FeeId(Id::Int(5))], currency: usd() }
}

pub(crate) fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

pub(crate) fn player(id: i64) -> Registration {
    Registration { player: PlayerId(Id::Int(id)), fee: FeeId(Id::slug("elite").unwrap()) }
}

fn holder(run: &str) -> LockHolder {
    LockHolder { run: RunId::from(run), who: "ana@host".to_owned(), since: at(0), heartbeat: at(0) }
}

/// Prepares a ledger and takes its lock.
pub(crate) async fn prepared(ledger: &SqlLedger) -> Guard {
    ledger.prepare(7).await.unwrap();
    match ledger.lock(&holder("run-1"), at(0)).await.unwrap() {
        Lock::Acquired(guard) => guard,
        Lock::Held(other) => panic!("held by {other:?}"),
    }
}

pub(crate) fn new(id: i64) -> AttemptFor {
    AttemptFor::New { registration: player(id), amount: Money::new(5500, usd()) }
}

pub(crate) async fn begin(ledger: &SqlLedger, guard: &Guard, attempt: &str, subject: &AttemptFor) -> Begun {
    let render =
        |order: &OrderId| Rendered { body: format!("metadata[order_id]={order}"), expires_at: Some(at(86_400)) };
    ledger.begin_attempt(guard, &cup(), &AttemptId::from(attempt), subject, at(1), &render).await.unwrap()
}

pub(crate) async fn begun(ledger: &SqlLedger, guard: &Guard, attempt: &str, subject: &AttemptFor) -> Attempt {
    match begin(ledger, guard, attempt, subject).await {
        Begun::Begun(attempt) => attempt,
        Begun::Moved => panic!("{attempt} was not begun"),
    }
}

/// A pending order with a recorded session `cs_test_<name>`.
pub(crate) async fn billed(ledger: &SqlLedger, guard: &Guard, name: &str, id: i64) -> OrderId {
    let attempt = begun(ledger, guard, name, &new(id)).await;
    let session = payable(&format!("cs_test_{name}"), Money::new(5500, usd()));
    assert_eq!(ledger.record_session(guard, &attempt.id, &session).await.unwrap(), Written::Done);
    attempt.order
}

pub(crate) async fn seen(ledger: &SqlLedger, id: &OrderId) -> Seen {
    ledger.order(id).await.unwrap().unwrap().seen()
}

pub(crate) async fn status(ledger: &SqlLedger, id: &OrderId) -> Option<OrderStatus> {
    ledger.order(id).await.unwrap().map(|order| order.status)
}

async fn an_empty_database_reads_as_empty(ledger: SqlLedger) {
    let order = OrderId(Id::Int(1));
    assert_eq!(ledger.identity().await.unwrap(), None);
    assert_eq!(ledger.read(&scope()).await.unwrap(), LedgerFacts::default());
    assert_eq!(ledger.order(&order).await.unwrap(), None);
    assert_eq!(ledger.raw_row(&order).await.unwrap(), None);
    assert_eq!(ledger.search("1017").await.unwrap(), []);
    assert_eq!(ledger.attempts_of(&order).await.unwrap(), []);
    assert_eq!(ledger.runs(9).await.unwrap(), []);
    assert_eq!(ledger.unfinished_events(9).await.unwrap(), []);
    assert_eq!(ledger.open_canaries().await.unwrap(), []);
    assert_eq!(ledger.lock_holder().await.unwrap(), None);
    assert_eq!(ledger.force_unlock().await.unwrap(), None);

    let identity = ledger.prepare(7).await.unwrap();
    assert_eq!(ledger.prepare(8).await.unwrap(), identity, "the second preparation changes nothing");
    assert_eq!(identity.ledger.as_str().len(), 36);
    let bound = ledger.bind("acct_1", Mode::Test).await.unwrap();
    assert_eq!((bound.account.as_deref(), bound.mode), (Some("acct_1"), Some(Mode::Test)));
    assert_eq!(ledger.bind("acct_2", Mode::Live).await.unwrap(), bound, "the first binding stands");
    assert_eq!(ledger.identity().await.unwrap(), Some(bound));
}

async fn an_order_lives(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let attempt = begun(&ledger, &guard, "a1", &new(1017)).await;
    assert_eq!(begun(&ledger, &guard, "a1", &new(1017)).await, attempt, "repeated, it is the same attempt");
    assert_eq!(attempt.request, format!("metadata[order_id]={}", attempt.order));
    assert_eq!(begin(&ledger, &guard, "a2", &new(1017)).await, Begun::Moved, "the registration has a live order");
    let standing = AttemptFor::Standing(seen(&ledger, &attempt.order).await);
    assert_eq!(begin(&ledger, &guard, "a2", &standing).await, Begun::Moved, "another attempt is open");
    assert_eq!(ledger.read(&scope()).await.unwrap().attempts, std::slice::from_ref(&attempt));

    assert_eq!(ledger.abandon_attempt(&guard, &attempt.id, "it failed").await.unwrap(), Written::Done);
    assert_eq!(ledger.abandon_attempt(&guard, &attempt.id, "it failed").await.unwrap(), Written::Done);
    let second = begun(&ledger, &guard, "a2", &standing).await;
    assert_eq!((&second.order, &second.registration), (&attempt.order, &player(1017)));
    let states = ledger.attempts_of(&attempt.order).await.unwrap().iter().map(|a| a.state).collect::<Vec<_>>();
    assert_eq!(states, [AttemptState::Abandoned, AttemptState::Open]);

    let order = ledger.order(&attempt.order).await.unwrap().unwrap();
    assert_eq!(
        (order.status, order.amount, order.created_at),
        (OrderStatus::Pending, Money::new(5500, usd()), Some(at(1)))
    );
    assert_eq!(ledger.read(&scope()).await.unwrap().orders, std::slice::from_ref(&order));
    let elsewhere = Scope { tournament: TournamentId(Id::Int(1)), ..scope() };
    assert_eq!(ledger.read(&elsewhere).await.unwrap().orders, []);
    for word in ["1017", &order.id.to_string()] {
        assert_eq!(ledger.search(word).await.unwrap(), std::slice::from_ref(&order), "{word}");
    }
    let raw = ledger.raw_row(&order.id).await.unwrap().unwrap();
    assert_eq!((raw["player_id"].as_str(), raw["amount_cents"].as_str()), ("1017", "5500"));
    assert!(!raw.contains_key("stripe_payment_intent_id"), "NULL is left out");
}

async fn a_session_is_recorded_once(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let attempt = begun(&ledger, &guard, "a1", &new(1)).await;
    let (first, other) = (SessionId::from("cs_test_1"), SessionId::from("cs_test_2"));
    let record_at = async |id: &AttemptId, session: &SessionId, charged: i64| {
        let payable = payable(session.as_str(), Money::new(charged, usd()));
        ledger.record_session(&guard, id, &payable).await.unwrap()
    };
    let record = async |id: &AttemptId, session: &SessionId| record_at(id, session, 5500).await;
    assert_eq!(record(&AttemptId::from("none"), &first).await, Written::Moved);
    assert_eq!(record_at(&attempt.id, &first, 5501).await, Written::Moved, "not what the order owes");
    assert_eq!(record(&attempt.id, &first).await, Written::Done);
    assert_eq!(record(&attempt.id, &first).await, Written::Done, "repeated");
    assert_eq!(record(&attempt.id, &other).await, Written::Moved, "an attempt makes one session");
    let order = ledger.order(&attempt.order).await.unwrap().unwrap();
    assert_eq!((order.session, order.url.as_deref()), (Some(first.clone()), Some("https://pay.example/1")));

    let renewed = begun(&ledger, &guard, "a2", &AttemptFor::Standing(seen(&ledger, &attempt.order).await)).await;
    let pending = seen(&ledger, &attempt.order).await;
    assert_eq!(ledger.mark_paid(&pending, Some(&PaymentIntentId::from("pi_1"))).await.unwrap(), Written::Done);
    assert_eq!(record(&renewed.id, &other).await, Written::Moved, "paid in between");
    let facts = ledger.read(&scope()).await.unwrap();
    assert_eq!(facts.orders[0].session, Some(first.clone()));
    assert_eq!(facts.sessions_made, [(first, attempt.order.clone()), (other, attempt.order.clone())]);
    assert_eq!(facts.attempts[0].state, AttemptState::Open, "its session is still to be expired");
    let stale = AttemptFor::Standing(Seen { amount: Money::new(1, usd()), ..seen(&ledger, &attempt.order).await });
    assert_eq!(begin(&ledger, &guard, "a3", &stale).await, Begun::Moved);
}

async fn a_payment_is_recorded_once(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let order = billed(&ledger, &guard, "a1", 1).await;
    let (first, other) = (PaymentIntentId::from("pi_1"), PaymentIntentId::from("pi_2"));
    let pending = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_refunded(&pending).await.unwrap(), Written::Moved, "nothing was paid");
    let none = Seen { id: OrderId(Id::Int(9)), ..pending.clone() };
    assert_eq!(ledger.mark_paid(&none, None).await.unwrap(), Written::Moved, "no such order");
    let cheaper = Seen { amount: Money::new(5499, usd()), ..pending.clone() };
    assert_eq!(ledger.mark_paid(&cheaper, None).await.unwrap(), Written::Moved, "not as it was seen");

    assert_eq!(ledger.mark_paid(&pending, None).await.unwrap(), Written::Done, "Stripe names no intent");
    assert_eq!(ledger.mark_paid(&pending, None).await.unwrap(), Written::Done, "repeated");
    assert_eq!(ledger.mark_paid(&pending, Some(&first)).await.unwrap(), Written::Done, "the intent is filled in");
    assert_eq!(ledger.mark_paid(&pending, Some(&first)).await.unwrap(), Written::Done, "repeated");
    assert_eq!(ledger.mark_paid(&pending, Some(&other)).await.unwrap(), Written::Moved, "a second payment");
    assert_eq!(ledger.mark_paid(&pending, None).await.unwrap(), Written::Moved);
    let paid = seen(&ledger, &order).await;
    assert_eq!((paid.status, &paid.payment_intent), (OrderStatus::Paid, &Some(first)));

    assert_eq!(ledger.retire(&guard, &pending, RetireHow::Delete, "withdrawn", at(2)).await.unwrap(), Written::Moved);
    let refused = ledger.retire(&guard, &paid, RetireHow::Delete, "withdrawn", at(2)).await;
    assert!(matches!(refused, Err(LedgerError::Rejected(_))), "a paid order is never deleted: {refused:?}");

    let wrong = Seen { payment_intent: Some(other.clone()), ..paid.clone() };
    assert_eq!(ledger.mark_refunded(&wrong).await.unwrap(), Written::Moved);
    let moved = Seen { session: None, ..paid.clone() };
    assert_eq!(ledger.mark_refunded(&moved).await.unwrap(), Written::Moved);
    assert_eq!(ledger.mark_refunded(&paid).await.unwrap(), Written::Done);
    assert_eq!(ledger.mark_refunded(&paid).await.unwrap(), Written::Done, "repeated");
    assert_eq!(ledger.mark_paid(&pending, Some(&other)).await.unwrap(), Written::Moved, "refunded stays refunded");
}

async fn retired_orders_leave_a_trace(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    for (how, id) in [(RetireHow::Cancel, 1), (RetireHow::Delete, 2)] {
        let order = billed(&ledger, &guard, &format!("a{id}"), id).await;
        let now = seen(&ledger, &order).await;
        let stale = Seen { session: None, ..now.clone() };
        assert_eq!(ledger.retire(&guard, &stale, how, "withdrawn", at(2)).await.unwrap(), Written::Moved);
        assert_eq!(ledger.retire(&guard, &now, how, "withdrawn", at(2)).await.unwrap(), Written::Done);
        assert_eq!(ledger.retire(&guard, &now, how, "withdrawn", at(3)).await.unwrap(), Written::Done, "repeated");
        let left = (how == RetireHow::Cancel).then_some(OrderStatus::Canceled);
        assert_eq!(status(&ledger, &order).await, left);
        let facts = ledger.read(&scope()).await.unwrap();
        let retired = facts.retired.iter().find(|retired| retired.order == order).unwrap();
        assert_eq!((retired.session.as_ref(), retired.at), (now.session.as_ref(), at(2)));
        assert_eq!((&retired.registration, retired.reason.as_str()), (&player(id), "withdrawn"));
        let next = begun(&ledger, &guard, &format!("b{id}"), &new(id)).await;
        assert_ne!(next.order, order, "an order id is never used again");
    }
}

async fn a_rename_moves_the_order(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let order = billed(&ledger, &guard, "a1", 1).await;
    billed(&ledger, &guard, "a2", 2).await;
    let before = seen(&ledger, &order).await;
    let to = async |id: i64| ledger.rename(&guard, &before, &PlayerId(Id::Int(id))).await.unwrap();
    assert_eq!(to(2).await, Written::Moved, "there is a live order already");
    assert_eq!(to(3).await, Written::Done);
    assert_eq!(to(3).await, Written::Done, "repeated");
    assert_eq!(to(4).await, Written::Moved);
    assert_eq!(seen(&ledger, &order).await.registration, player(3));
    assert_eq!(begin(&ledger, &guard, "a3", &new(3)).await, Begun::Moved, "the claim moved along");
    assert!(matches!(begin(&ledger, &guard, "a4", &new(1)).await, Begun::Begun(_)), "the old id is free");
}

async fn one_claim_for_sixteen(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let (ledger, guard) = (&ledger, &guard);
    let tries = (0..16).map(|n| async move { begin(ledger, guard, &format!("a{n}"), &new(1)).await });
    let begun = join_all(tries).await.into_iter().filter(|begun| matches!(begun, Begun::Begun(_))).count();
    assert_eq!((begun, ledger.read(&scope()).await.unwrap().orders.len()), (1, 1));
}

async fn the_lock_has_one_holder(ledger: SqlLedger) {
    let first = prepared(&ledger).await;
    assert_eq!(ledger.lock(&holder("run-1"), at(1)).await.unwrap(), Lock::Acquired(first.clone()), "repeated");
    let Lock::Held(other) = ledger.lock(&holder("run-2"), at(LEASE_SECONDS)).await.unwrap() else {
        panic!("two holders")
    };
    assert_eq!((other.run, other.heartbeat), (RunId::from("run-1"), at(1)));
    assert_eq!(ledger.heartbeat(&first, at(30)).await.unwrap(), Written::Done);

    let late = at(31 + LEASE_SECONDS);
    let Lock::Acquired(second) = ledger.lock(&holder("run-2"), late).await.unwrap() else {
        panic!("the lease is over")
    };
    assert!(second.fence > first.fence);
    assert_eq!(ledger.heartbeat(&first, late).await.unwrap(), Written::Moved);
    ledger.unlock(&first).await.unwrap();
    assert_eq!(ledger.lock_holder().await.unwrap().unwrap().run, RunId::from("run-2"), "the first has nothing to give");
    let render = |_: &OrderId| Rendered { body: String::new(), expires_at: None };
    let fenced = ledger.begin_attempt(&first, &cup(), &AttemptId::from("a1"), &new(1), at(1), &render).await;
    assert!(matches!(fenced, Err(LedgerError::Fenced)), "{fenced:?}");
    assert_eq!(ledger.read(&scope()).await.unwrap().orders, []);

    assert_eq!(ledger.force_unlock().await.unwrap().unwrap().run, RunId::from("run-2"));
    assert_eq!(ledger.force_unlock().await.unwrap(), None, "repeated");
    let fenced = ledger.abandon_attempt(&second, &AttemptId::from("a1"), "").await;
    assert!(matches!(fenced, Err(LedgerError::Fenced)), "{fenced:?}");
    let Lock::Acquired(third) = ledger.lock(&holder("run-3"), late).await.unwrap() else { panic!("it is free") };
    ledger.unlock(&third).await.unwrap();
    assert_eq!(ledger.lock_holder().await.unwrap(), None);
}

async fn events_are_stored_once(ledger: SqlLedger) {
    ledger.prepare(7).await.unwrap();
    let event = |id: &str, second| Event {
        id: id.to_owned(),
        kind: "checkout.session.completed".to_owned(),
        session: Some(SessionId::from("cs_test_1")),
        payment_intent: None,
        body: format!("{{\"id\":\"{id}\"}}"),
        received_at: at(second),
        outcome: None,
    };
    let (late, early) = (event("evt_1", 9), event("evt_2", 1));
    assert_eq!(ledger.store_event(&late).await.unwrap(), StoredEvent::New);
    assert_eq!(ledger.store_event(&early).await.unwrap(), StoredEvent::New);
    let again = Event { body: "other".to_owned(), ..late.clone() };
    assert_eq!(ledger.store_event(&again).await.unwrap(), StoredEvent::Unfinished, "its id is known");
    assert_eq!(ledger.unfinished_events(9).await.unwrap(), [early.clone(), late.clone()], "oldest first");
    assert_eq!(ledger.unfinished_events(1).await.unwrap(), std::slice::from_ref(&early));

    ledger.finish_event("evt_2", &EventOutcome::NoEffect("seen before".to_owned())).await.unwrap();
    assert_eq!(ledger.unfinished_events(9).await.unwrap(), std::slice::from_ref(&late));
    assert_eq!(ledger.read(&scope()).await.unwrap().unmatched, []);
    let outcome = EventOutcome::Unmatched("no order".to_owned());
    ledger.finish_event("evt_1", &outcome).await.unwrap();
    assert_eq!(ledger.store_event(&late).await.unwrap(), StoredEvent::Finished);
    assert_eq!(ledger.read(&scope()).await.unwrap().unmatched, [Event { outcome: Some(outcome), ..late }]);
}

async fn history_is_kept(ledger: SqlLedger) {
    ledger.prepare(7).await.unwrap();
    let run = |id: &str, second| Run {
        id: RunId::from(id),
        command: "apply".to_owned(),
        tournament: cup(),
        environment: "test".to_owned(),
        manifest_sha256: "ab".to_owned(),
        who: "ana@host".to_owned(),
        started_at: at(second),
        finished_at: None,
        outcome: None,
        summary: None,
    };
    for run in [run("r1", 1), run("r2", 2), run("r1", 3)] {
        ledger.start_run(&run).await.unwrap();
    }
    let step = |action: &str, registration| RunStep {
        at: at(1),
        registration,
        action: action.to_owned(),
        order: None,
        session: Some(SessionId::from("cs_test_1")),
        outcome: "done".to_owned(),
        detail: None,
    };
    let steps = [step("expire", None), step("create", Some(player(1)))];
    for step in [&steps[0], &steps[1], &steps[1]] {
        ledger.log_step(&RunId::from("r1"), step).await.unwrap();
    }
    ledger.finish_run(&RunId::from("r1"), at(5), "done", "1 created").await.unwrap();
    let done = Run {
        finished_at: Some(at(5)),
        outcome: Some("done".to_owned()),
        summary: Some("1 created".to_owned()),
        ..run("r1", 1)
    };
    assert_eq!(ledger.runs(9).await.unwrap(), [run("r2", 2), done], "newest first, each once");
    assert_eq!(ledger.runs(1).await.unwrap().len(), 1);
    assert_eq!(ledger.steps(&RunId::from("r1")).await.unwrap(), steps);
    assert_eq!(ledger.steps(&RunId::from("r2")).await.unwrap(), []);
}
