//! What was seen of an order, a write finds again or writes nothing: also the link, which stands in no column, and the status.

use tourney::domain::{Money, Order, OrderId, OrderStatus, PaymentIntentId, PlayerId, RunId, Seen, SessionId};
use tourney::ledger::{AttemptFor, Begun, Canary, Guard, Ledger, Rendered, RetireHow, SqlLedger, Written};

use crate::ledger::{at, begin, begun, billed, cup, new, on_both, player, prepared, scope, seen, usd};
use crate::support::payable;

on_both!(
    a_link_that_came_since_is_a_change,
    a_payment_is_recorded_on_a_pending_order_only,
    an_order_that_comes_back_to_a_player_keeps_its_claim,
    what_a_canary_made_is_told_in_one_order,
);

/// Gives an order a link, by an attempt of its own.
async fn link(ledger: &SqlLedger, guard: &Guard, attempt: &str, subject: &AttemptFor) -> OrderId {
    let render = |order: &OrderId| Rendered { body: format!("metadata[order_id]={order}"), expires_at: None };
    let made = ledger.begin_attempt(guard, &cup(), &attempt.into(), subject, at(1), &render).await.unwrap();
    let Begun::Begun(made) = made else { panic!("{attempt} was not begun") };
    let link = payable(&format!("plink_{attempt}"), Money::new(5500, usd()));
    assert_eq!(ledger.record_session(guard, &made.id, &link).await.unwrap(), Written::Done);
    made.order
}

/// What every write that is conditional on what was seen comes to.
async fn writes(ledger: &SqlLedger, guard: &Guard, seen: &Seen) -> Vec<Written> {
    let [cancel, delete] = [RetireHow::Cancel, RetireHow::Delete];
    let again = AttemptFor::Standing(seen.clone());
    let begun = begin(ledger, guard, "again", &again).await;
    vec![
        if begun == Begun::Moved { Written::Moved } else { Written::Done },
        ledger.rename(guard, seen, &PlayerId(77.into())).await.unwrap(),
        ledger.retire(guard, seen, cancel, "withdrawn", at(2)).await.unwrap(),
        ledger.retire(guard, seen, delete, "withdrawn", at(2)).await.unwrap(),
        ledger.mark_paid(seen, None).await.unwrap(),
        ledger.mark_paid_elsewhere(seen).await.unwrap(),
        ledger.mark_refunded(&Seen { status: OrderStatus::Paid, ..seen.clone() }).await.unwrap(),
    ]
}

async fn a_link_that_came_since_is_a_change(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let attempt = begun(&ledger, &guard, "a1", &new(1)).await;
    ledger.abandon_attempt(&guard, &attempt.id, "it failed").await.unwrap();
    let bare = seen(&ledger, &attempt.order).await;
    let order = link(&ledger, &guard, "a2", &AttemptFor::Standing(bare.clone())).await;
    let first = seen(&ledger, &order).await;
    assert_eq!((&bare.session, &first.session), (&None, &Some(SessionId::from("plink_a2"))));
    assert_eq!(writes(&ledger, &guard, &bare).await, [Written::Moved; 7], "a link can be paid that nobody saw");

    link(&ledger, &guard, "a3", &AttemptFor::Standing(first.clone())).await;
    assert_eq!(writes(&ledger, &guard, &first).await, [Written::Moved; 7], "another link can be paid by now");
    let second = seen(&ledger, &order).await;
    assert_eq!((&second.session, second.status), (&Some(SessionId::from("plink_a3")), OrderStatus::Pending));
    assert_eq!(ledger.rename(&guard, &second, &PlayerId(2.into())).await.unwrap(), Written::Done);

    let renamed = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_paid_elsewhere(&renamed).await.unwrap(), Written::Done);
    assert_eq!(ledger.mark_paid_elsewhere(&renamed).await.unwrap(), Written::Done, "repeated");
    let other = Seen { session: Some(SessionId::from("plink_a2")), ..seen(&ledger, &order).await };
    assert_eq!(ledger.mark_refunded(&other).await.unwrap(), Written::Moved);
    assert_eq!(ledger.mark_refunded(&seen(&ledger, &order).await).await.unwrap(), Written::Done);
}

async fn a_payment_is_recorded_on_a_pending_order_only(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let order = billed(&ledger, &guard, "a1", 1).await;
    let intents = ["pi_1", "pi_2"].map(PaymentIntentId::from);
    let state = async || {
        let Order { status, payment_intent, .. } = ledger.order(&order).await.unwrap().unwrap();
        (status, payment_intent)
    };
    let pending = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_paid(&pending, Some(&intents[0])).await.unwrap(), Written::Done);
    let paid = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_paid(&paid, Some(&intents[1])).await.unwrap(), Written::Moved, "a second payment");
    assert_eq!(state().await, (OrderStatus::Paid, Some(intents[0].clone())));

    let unpaid = Seen { status: OrderStatus::Pending, ..paid.clone() };
    assert_eq!(ledger.mark_refunded(&unpaid).await.unwrap(), Written::Moved, "it was not seen paid");
    assert_eq!(ledger.mark_refunded(&paid).await.unwrap(), Written::Done);
    let refunded = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_paid(&refunded, Some(&intents[0])).await.unwrap(), Written::Moved);
    assert_eq!(ledger.mark_paid_elsewhere(&refunded).await.unwrap(), Written::Moved);
    assert_eq!(state().await, (OrderStatus::Refunded, Some(intents[0].clone())), "refunded stays refunded");

    let order = billed(&ledger, &guard, "a2", 2).await;
    let pending = seen(&ledger, &order).await;
    ledger.retire(&guard, &pending, RetireHow::Cancel, "withdrawn", at(2)).await.unwrap();
    let canceled = seen(&ledger, &order).await;
    assert_eq!(ledger.mark_paid(&canceled, Some(&intents[1])).await.unwrap(), Written::Moved);
    assert_eq!(seen(&ledger, &order).await, canceled, "a payment for it is for a person");
}

async fn an_order_that_comes_back_to_a_player_keeps_its_claim(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let order = billed(&ledger, &guard, "a1", 1).await;
    let to = async |id: i64| {
        let seen = seen(&ledger, &order).await;
        ledger.rename(&guard, &seen, &PlayerId(id.into())).await.unwrap()
    };
    assert_eq!((to(2).await, to(1).await), (Written::Done, Written::Done));
    assert_eq!(begin(&ledger, &guard, "a2", &new(1)).await, Begun::Moved);
    assert!(matches!(begin(&ledger, &guard, "a3", &new(2)).await, Begun::Begun(_)));
}

async fn what_a_canary_made_is_told_in_one_order(ledger: SqlLedger) {
    let guard = prepared(&ledger).await;
    let canary = Canary {
        run: RunId::from("run-1"),
        tournament: cup(),
        registration: player(99),
        order: None,
        sessions: vec![],
    };
    assert_eq!(ledger.begin_canary(&canary).await.unwrap(), Written::Done);
    let order = billed(&ledger, &guard, "run-1", 99).await;
    // Each of them is written once more than the next, and so stands elsewhere in a table that keeps what it wrote last.
    for attempt in ["c", "b", "a"] {
        let standing = AttemptFor::Standing(seen(&ledger, &order).await);
        link(&ledger, &guard, attempt, &standing).await;
    }
    ledger.remove_canary(&canary).await.unwrap();
    let made = ["cs_test_run-1", "plink_a", "plink_b", "plink_c"].map(SessionId::from);
    assert_eq!(ledger.canaries().await.unwrap()[0].sessions, made);
    assert!(ledger.read(&scope()).await.unwrap().orders.is_empty());
}
