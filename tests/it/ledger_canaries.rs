//! Canaries in the orders database: known from the moment they stand, removed whole, and never taken for another.

use tourney::domain::{OrderStatus, RunId, SessionId};
use tourney::ledger::{Canary, CanaryEnd, Ledger, LedgerError, SqlLedger, Written};

use crate::ledger::{billed, cup, on_both, player, prepared, scope, status};

on_both!(canaries_leave_nothing, a_canary_is_told_by_what_its_attempt_made);

/// A canary's journal entry of a run.
fn canary(run: &str) -> Canary {
    Canary { run: RunId::from(run), tournament: cup(), registration: player(99), order: None, sessions: Vec::new() }
}

async fn canaries_leave_nothing(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let order = billed(&ledger, &guard, "a1", 1).await;
    let before = ledger.read(&scope()).await.unwrap();
    let first = canary("run-1");
    assert_eq!(ledger.begin_canary(&first).await.unwrap(), Written::Done);
    let made = billed(&ledger, &guard, "run-1", 99).await;
    let facts = ledger.read(&scope()).await.unwrap();
    assert_eq!(facts.orders, before.orders, "left out before its order is journalled");
    assert!(facts.canary_orders.contains(&made) && facts.canary_sessions.contains(&SessionId::from("cs_test_run-1")));

    // The crash came before the order's id was journalled: it is found by the attempt that made it.
    let found = Canary { order: Some(made.clone()), ..first.clone() };
    assert_eq!(ledger.open_canaries().await.unwrap(), [found]);
    assert_eq!(ledger.remove_canary(&first).await.unwrap(), CanaryEnd::Removed);
    assert_eq!(ledger.order(&made).await.unwrap(), None);
    assert_eq!(ledger.open_canaries().await.unwrap(), []);
    assert_eq!(ledger.remove_canary(&first).await.unwrap(), CanaryEnd::Removed, "repeated");
    assert_eq!(status(&ledger, &order).await, Some(OrderStatus::Pending), "nobody else's order went");

    let mut second = canary("run-2");
    assert_eq!(ledger.begin_canary(&second).await.unwrap(), Written::Done);
    second.order = Some(billed(&ledger, &guard, "run-2", 99).await);
    second.sessions = vec![SessionId::from("cs_test_elsewhere")];
    ledger.journal_canary(&second).await.unwrap();
    assert_eq!(ledger.open_canaries().await.unwrap(), std::slice::from_ref(&second));
    assert!(ledger.read(&scope()).await.unwrap().canary_sessions.contains(&second.sessions[0]));
    assert_eq!(ledger.remove_canary(&second).await.unwrap(), CanaryEnd::Removed);
    assert_eq!(ledger.read(&scope()).await.unwrap().orders, before.orders);
}

/// An order that merely stands for the same registration is neither hidden nor removed, whatever was journalled.
async fn a_canary_is_told_by_what_its_attempt_made(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    assert_eq!(ledger.begin_canary(&canary("run-1")).await.unwrap(), Written::Done);
    let others = billed(&ledger, &guard, "a1", 99).await;
    let facts = ledger.read(&scope()).await.unwrap();
    assert_eq!(facts.orders.iter().map(|order| &order.id).collect::<Vec<_>>(), [&others]);
    assert_eq!(ledger.begin_canary(&canary("run-2")).await.unwrap(), Written::Moved, "it is somebody's");
    assert_eq!(ledger.open_canaries().await.unwrap(), [canary("run-1")], "and then nothing is journalled");

    assert_eq!(ledger.remove_canary(&canary("run-1")).await.unwrap(), CanaryEnd::Removed);
    assert_eq!(status(&ledger, &others).await, Some(OrderStatus::Pending));
    assert_eq!(ledger.open_canaries().await.unwrap(), []);

    let wrong = Canary { order: Some(others.clone()), registration: player(98), ..canary("run-3") };
    ledger.journal_canary(&wrong).await.unwrap();
    let refused = ledger.remove_canary(&wrong).await;
    assert!(matches!(refused, Err(LedgerError::Rejected(_))), "a row of another registration stays: {refused:?}");
    assert_eq!(status(&ledger, &others).await, Some(OrderStatus::Pending));
}
