//! What becomes of real payments, in whatever order their events come.

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tourney::domain::{Mode, OrderId, OrderStatus, SessionId, key};
use tourney::ledger::EventOutcome;
use tourney::sandbox::core::{Control, TestCard, What, When};
use tourney::settle::{Settled, settle};
use tourney::webhook::process_unfinished;

use super::club::{Club, SECRET, completed, event};

/// A paid session at Stripe that `apply` did not make.
fn paid_session(club: &Club, amount: i64, currency: &str, metadata: &[(&str, String)]) -> SessionId {
    let metadata: Map<String, Value> = metadata.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    let seed = json!({"command": "seed_session", "amount": amount, "currency": currency, "metadata": metadata});
    let made = club.account.control(serde_json::from_value(seed).unwrap());
    let id = made["id"].as_str().or_else(|| made["session"].as_str()).or_else(|| made.as_str());
    let session = SessionId::from(id.unwrap_or_else(|| panic!("{made}")));
    club.pay(&session, TestCard::Success);
    session
}

fn order_id(order: &OrderId) -> (&'static str, String) {
    (key::ORDER, order.to_string())
}

#[tokio::test]
async fn the_sandboxs_own_delivery_turns_an_order_paid() {
    let club = Club::new().await;
    let secret = register(&club, "https://club.example/hook").await;
    let receiver = club.receiver(&secret).await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::Success);
    let due = club.account.due();
    let delivery = due.iter().find(|delivery| delivery.body.contains("checkout.session.completed")).unwrap();
    let (status, said) = club.post(Some(&delivery.signature), delivery.body.clone()).await;
    assert_eq!(status, 400, "the receiver with another secret: {said}");
    assert_eq!(receiver.post(&delivery.signature, &delivery.body).await, 200);
    assert_eq!(club.status(&order).await, OrderStatus::Paid);
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_not_acknowledged() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::Success);
    let elsewhere = tempfile::tempdir().unwrap();
    let nothing = format!("sqlite://{}", elsewhere.path().join("never-prepared.db").display());
    let receiver = club.receiver_on(&nothing, SECRET).await;
    let event = completed("evt_1", &session);
    assert_eq!(receiver.post(&club.sign(event.as_bytes()), &event).await, 500);
    assert_eq!(club.status(&order).await, OrderStatus::Pending);
}

/// Registers an endpoint; its secret.
async fn register(club: &Club, url: &str) -> String {
    use tourney::world::{Method, WireRequest};
    let pairs = [("url", url), ("enabled_events[]", "*")];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = WireRequest {
        method: Method::Post,
        path: "/v1/webhook_endpoints".to_owned(),
        query: None,
        body: Some(body),
        idempotency_key: None,
    };
    let answer: Value = club.stripe.call(request).await.unwrap().decode().unwrap();
    answer["secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_delayed_payment_counts_when_it_arrives() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::DelayedSuccess);
    assert_eq!(club.send(&completed("evt_1", &session)).await.0, 200);
    assert_eq!(club.status(&order).await, OrderStatus::Pending, "complete, and not paid");

    club.account.control(Control::SettleDelayed { session: session.0.clone(), succeed: true });
    let arrived = event("evt_2", "checkout.session.async_payment_succeeded", session.as_str()).to_string();
    assert_eq!(club.send(&arrived).await.0, 200);
    let paid = club.order(&order).await;
    assert_eq!(paid.status, OrderStatus::Paid);
    assert!(paid.payment_intent.is_some());

    // The events in the wrong order, and one that contradicts.
    assert_eq!(club.send(&completed("evt_3", &session)).await.0, 200);
    let failed = event("evt_4", "checkout.session.async_payment_failed", session.as_str()).to_string();
    assert_eq!(club.send(&failed).await.0, 200);
    assert_eq!(club.order(&order).await, paid);
}

#[tokio::test]
async fn a_delayed_payment_that_fails_leaves_the_order_pending() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::DelayedFailure);
    club.account.control(Control::SettleDelayed { session: session.0.clone(), succeed: false });
    let before = club.order(&order).await;
    for (id, kind) in [
        ("evt_1", "checkout.session.async_payment_failed"),
        ("evt_2", "checkout.session.completed"),
        ("evt_3", "checkout.session.async_payment_succeeded"),
        ("evt_4", "checkout.session.expired"),
    ] {
        assert_eq!(club.send(&event(id, kind, session.as_str()).to_string()).await.0, 200, "{kind}");
    }
    assert_eq!(club.order(&order).await, before);
}

#[tokio::test]
async fn duplicates_at_once_record_one_payment() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::Success);
    let same = completed("evt_1", &session);
    let other = event("evt_2", "checkout.session.async_payment_succeeded", session.as_str()).to_string();
    let answers = join_all((0..12).map(|n| club.send(if n % 3 == 0 { &other } else { &same }))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    let paid = club.order(&order).await;
    assert_eq!(paid.status, OrderStatus::Paid);

    assert_eq!(club.send(&same).await, (200, "known".to_owned()));
    assert_eq!(club.order(&order).await, paid);
    assert!(club.unmatched().await.is_empty());
}

#[tokio::test]
async fn a_payment_that_settles_no_order_is_kept_for_a_person() {
    let club = Club::new().await;
    let (pending, recorded) = club.bill(1).await;
    let (canceled, _) = club.bill(2).await;
    club.retire(&canceled).await;
    let (paid, session) = club.bill(3).await;
    club.pay(&session, TestCard::Success);
    assert_eq!(club.send(&completed("evt_paid", &session)).await.0, 200);
    let before = club.order(&paid).await;

    let nobody = (key::ORDER, "31337".to_owned());
    for (name, amount, currency, metadata, why) in [
        ("less", 5400, "usd", vec![order_id(&pending)], "owes"),
        ("more", 5600, "usd", vec![order_id(&pending)], "owes"),
        ("another currency", 5500, "eur", vec![order_id(&pending)], "owes"),
        ("a canceled order", 5500, "usd", vec![order_id(&canceled)], "canceled"),
        ("a second payment", 5500, "usd", vec![order_id(&paid)], "second"),
        ("an order that never was", 5500, "usd", vec![nobody], "does not exist"),
        ("no order", 5500, "usd", vec![], "no order_id"),
    ] {
        let session = paid_session(&club, amount, currency, &metadata);
        assert_eq!(club.send(&completed(&format!("evt_{name}"), &session)).await.0, 200, "{name}");
        let unmatched = club.unmatched().await;
        let kept = unmatched.iter().find(|event| event.session.as_ref() == Some(&session)).expect(name);
        assert!(
            matches!(&kept.outcome, Some(EventOutcome::Unmatched(said)) if said.contains(why)),
            "{name}: {:?}",
            kept.outcome
        );
    }
    assert_eq!(club.status(&pending).await, OrderStatus::Pending);
    assert_eq!(club.status(&canceled).await, OrderStatus::Canceled);
    assert_eq!(club.order(&paid).await, before, "paid never regresses, nor changes its payment");

    club.pay(&recorded, TestCard::Success);
    assert_eq!(club.send(&completed("evt_at_last", &recorded)).await.0, 200);
    assert_eq!(club.status(&pending).await, OrderStatus::Paid);
}

#[tokio::test]
async fn another_databases_payment_is_none_of_ours() {
    let club = Club::new().await;
    let (order, _) = club.bill(1).await;
    let theirs = [order_id(&order), (key::LEDGER, "another".to_owned())];
    let session = paid_session(&club, 5500, "usd", &theirs);
    assert_eq!(club.send(&completed("evt_1", &session)).await.0, 200);
    assert_eq!(club.status(&order).await, OrderStatus::Pending);
    assert!(club.unmatched().await.is_empty());
}

#[tokio::test]
async fn a_renewed_orders_earlier_session_still_pays_it() {
    let club = Club::new().await;
    let (order, _) = club.bill(1).await;
    let earlier = paid_session(&club, 5500, "usd", &[order_id(&order)]);
    assert_eq!(club.send(&completed("evt_1", &earlier)).await.0, 200);
    assert_eq!(club.status(&order).await, OrderStatus::Paid);
}

#[tokio::test]
async fn while_stripe_is_down_the_event_is_kept_and_asked_for_again() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::Success);
    let down = Control::Fault {
        method: None,
        path_prefix: "/v1/checkout/sessions".to_owned(),
        when: When::Before,
        what: What::Status(503),
        times: 1_000,
        skip: 0,
    };
    club.account.control(down.clone());
    let event = completed("evt_1", &session);
    let (status, said) = club.send(&event).await;
    assert_eq!(status, 500, "{said}");
    assert!(!said.contains("503") && !said.contains("cs_"), "a stranger learns nothing: {said}");
    assert_eq!(club.send(&event).await.0, 500, "a duplicate of what is unfinished is tried again");
    assert_eq!(club.status(&order).await, OrderStatus::Pending);

    club.account.control(Control::ClearFaults);
    assert_eq!(club.send(&event).await, (200, "ok".to_owned()));
    assert_eq!(club.status(&order).await, OrderStatus::Paid);
    assert_eq!(club.send(&event).await, (200, "known".to_owned()));
}

#[tokio::test]
async fn apply_works_off_what_the_receiver_could_not() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    club.pay(&session, TestCard::Success);
    let down = Control::Fault {
        method: None,
        path_prefix: String::new(),
        when: When::Before,
        what: What::Status(500),
        times: 1_000,
        skip: 0,
    };
    club.account.control(down);
    assert_eq!(club.send(&completed("evt_1", &session)).await.0, 500);
    assert!(process_unfinished(&club.stripe, &club.ledger, Mode::Test).await.is_err());
    club.account.control(Control::ClearFaults);
    let done = process_unfinished(&club.stripe, &club.ledger, Mode::Test).await.unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].1, EventOutcome::Recorded(order.to_string()));
    assert_eq!(process_unfinished(&club.stripe, &club.ledger, Mode::Test).await.unwrap(), []);
    assert_eq!(club.status(&order).await, OrderStatus::Paid);
}

#[tokio::test]
async fn settling_twice_and_at_once_is_settling_once() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    assert!(matches!(settle(&club.stripe, &club.ledger, &session).await.unwrap(), Settled::NotPaid(_)));
    club.pay(&session, TestCard::Success);
    let all = join_all((0..6).map(|_| settle(&club.stripe, &club.ledger, &session))).await;
    for settled in all {
        let settled = settled.unwrap();
        assert!(
            settled == Settled::Recorded { order: order.clone() }
                || settled == Settled::AlreadyRecorded { order: order.clone() },
            "{settled:?}"
        );
    }
    let again = settle(&club.stripe, &club.ledger, &session).await.unwrap();
    assert_eq!(again, Settled::AlreadyRecorded { order });
}
