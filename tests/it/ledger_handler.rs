//! What is known of the application's webhook handler, and orders that it has canceled.

use tourney::domain::{OrderStatus, Seen};
use tourney::ledger::{Guard, Handler, Ledger, LedgerError, RetireHow, SqlLedger, Written};

use crate::ledger::{at, billed, on_both, prepared, scope, seen, status};

on_both!(the_last_word_on_the_handler_counts, an_order_that_was_canceled_is_retired_or_paid_as_seen);

async fn the_last_word_on_the_handler_counts(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    assert_eq!(ledger.read(&scope()).await.unwrap().handler, None);
    for (second, cancels) in [(1, true), (2, false), (3, true)] {
        let endpoint = format!("https://club.example/hook{second}");
        let found = Handler { endpoint, found_at: at(second), cancels };
        ledger.record_handler(&guard, &found).await.unwrap();
        let facts = ledger.read(&scope()).await.unwrap();
        assert_eq!((facts.canceling().is_some(), facts.handler), (cancels, Some(found)));
    }
    let lost = Guard { fence: guard.fence - 1, ..guard };
    let late = Handler { endpoint: String::new(), found_at: at(4), cancels: false };
    assert!(matches!(ledger.record_handler(&lost, &late).await, Err(LedgerError::Fenced)));
    assert!(ledger.read(&scope()).await.unwrap().canceling().is_some());
}

async fn an_order_that_was_canceled_is_retired_or_paid_as_seen(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    for (name, how) in [("a1", RetireHow::Cancel), ("a2", RetireHow::Delete)] {
        let order = billed(&ledger, &guard, name, 1).await;
        let pending = seen(&ledger, &order).await;
        let canceled = Seen { status: OrderStatus::Canceled, ..pending.clone() };
        let retire = |seen: Seen| {
            let (ledger, guard) = (&ledger, &guard);
            async move { ledger.retire(guard, &seen, how, "expired-session", at(2)).await.unwrap() }
        };
        assert_eq!(retire(canceled.clone()).await, Written::Moved, "it is pending");
        assert_eq!(retire(pending.clone()).await, Written::Done);
        assert_eq!(retire(canceled).await, Written::Done, "repeated");
    }
    let order = billed(&ledger, &guard, "a3", 1).await;
    let pending = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_paid_elsewhere(&pending).await.unwrap(), Written::Done);
    let paid = seen(&ledger, &order).await;
    let refused = ledger.retire(&guard, &paid, RetireHow::Cancel, "withdrawn", at(3)).await;
    assert!(matches!(refused, Err(LedgerError::Rejected(_))), "a paid order is never retired: {refused:?}");
    let canceled = Seen { status: OrderStatus::Canceled, ..pending };
    let retired = ledger.retire(&guard, &canceled, RetireHow::Cancel, "withdrawn", at(3)).await;
    assert_eq!((retired.unwrap(), status(&ledger, &order).await), (Written::Moved, Some(OrderStatus::Paid)));
}
