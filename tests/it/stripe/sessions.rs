//! Reading, closing and repairing a session, and the payment behind it.

use tourney::domain::{Metadata, PaymentIntentId, PaymentState, SessionId};
use tourney::stripe::{Closed, StripeError};

use super::script::{Script, Sent, StillClock, lost, not_sent, ok, refused, session, stripe};

const ID: &str = "cs_test_1";

fn intent(status: &str, charge: &str) -> Sent {
    ok(&format!(r#"{{"id":"pi_1","status":"{status}","latest_charge":{charge}}}"#))
}

async fn close(script: Vec<Sent>) -> (Result<Closed, StripeError>, Vec<String>) {
    let (wire, clock) = (Script::new(script), StillClock::new());
    let closed = stripe(&wire, &clock).close(&SessionId::from(ID)).await;
    (closed, wire.lines())
}

#[tokio::test]
async fn closing_expires_or_says_what_is_true() {
    let not_open = || refused(400, "");
    let (closed, lines) = close(vec![ok(&session(ID, "expired", "unpaid"))]).await;
    assert_eq!(closed, Ok(Closed::Expired));
    assert_eq!(lines, ["POST /v1/checkout/sessions/cs_test_1/expire"]);

    let (closed, lines) = close(vec![not_open(), ok(&session(ID, "expired", "unpaid"))]).await;
    assert_eq!(closed, Ok(Closed::Expired));
    assert_eq!(lines[1], "GET /v1/checkout/sessions/cs_test_1");

    let (closed, _) = close(vec![not_open(), ok(&session(ID, "complete", "paid"))]).await;
    assert!(matches!(closed, Ok(Closed::Paid(_))), "{closed:?}");

    let complete = || ok(&session(ID, "complete", "unpaid"));
    let (closed, _) = close(vec![not_open(), complete(), intent("processing", "null")]).await;
    assert!(matches!(closed, Ok(Closed::Processing(_))), "{closed:?}");

    let (closed, _) = close(vec![not_open(), complete(), intent("requires_payment_method", "null")]).await;
    assert!(matches!(closed, Ok(Closed::Complete(_))), "{closed:?}");

    let (closed, _) = close(vec![refused(404, "resource_missing"), refused(404, "resource_missing")]).await;
    assert_eq!(closed, Ok(Closed::Unknown));
}

#[tokio::test]
async fn what_is_still_open_was_not_closed() {
    let (closed, _) = close(vec![refused(400, "odd"), ok(&session(ID, "open", "unpaid"))]).await;
    assert!(matches!(closed, Err(StripeError::Rejected { status: 400, .. })), "{closed:?}");
    let gone = [lost(), lost(), lost(), lost()];
    let (closed, _) = close(gone.into_iter().chain([ok(&session(ID, "expired", "unpaid"))]).collect()).await;
    assert_eq!(closed, Ok(Closed::Expired), "the answer was lost, the effect stands");
    let (closed, _) = close(vec![not_sent(); 8]).await;
    assert!(matches!(closed, Err(StripeError::NotDone { .. })), "{closed:?}");
}

#[tokio::test]
async fn an_unknown_session_is_none_and_an_odd_id_is_never_asked() {
    let (wire, clock) = (Script::new([refused(404, "resource_missing"), refused(401, "")]), StillClock::new());
    let stripe = stripe(&wire, &clock);
    assert_eq!(stripe.session(&SessionId::from(ID)).await, Ok(None));
    for odd in ["", "../account", "cs_1/expire"] {
        assert_eq!(stripe.session(&SessionId::from(odd)).await, Ok(None));
        assert!(stripe.expire_session(&SessionId::from(odd)).await.unwrap_err().is_not_found());
    }
    assert!(stripe.session(&SessionId::from(ID)).await.is_err(), "a refused key is not an unknown session");
    assert_eq!(wire.lines().len(), 2);
}

#[tokio::test]
async fn metadata_is_merged_in_place() {
    let (wire, clock) = (Script::new([ok(&session(ID, "open", "unpaid"))]), StillClock::new());
    let metadata = Metadata::from([("order_id".to_owned(), "7 & 8".to_owned())]);
    let payable = stripe(&wire, &clock).update_metadata(&SessionId::from(ID), &metadata).await.unwrap();
    assert!(payable.is_open());
    let request = wire.requests().remove(0);
    assert_eq!(request.path, "/v1/checkout/sessions/cs_test_1");
    let pairs: Vec<_> = form_urlencoded::parse(request.body.as_deref().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(pairs, [("metadata[order_id]".to_owned(), "7 & 8".to_owned())]);
    assert!(request.idempotency_key.is_some());
}

#[tokio::test]
async fn a_payment_tells_refunds_and_disputes() {
    let disputes = |status: &str| ok(&format!(r#"{{"data":[{{"id":"du_1","status":"{status}"}}],"has_more":false}}"#));
    let charge = |refunded: i64, disputed: bool| {
        intent("succeeded", &format!(r#"{{"id":"ch_1","amount_refunded":{refunded},"disputed":{disputed}}}"#))
    };
    let refunds = ok(r#"{"data":[{"id":"re_1","amount":300,"status":"succeeded"},
        {"id":"re_2","amount":200,"status":"failed"}],"has_more":false}"#);
    let none = || ok(r#"{"data":[],"has_more":false}"#);
    // The newest event tells how a dispute stands; another payment's is none of ours.
    let disputed = |status: &str| {
        let event = |id: &str, intent: &str, status: &str| {
            format!(
                r#"{{"id":"{id}","data":{{"object":{{"id":"du_1","payment_intent":"{intent}","status":"{status}"}}}}}}"#
            )
        };
        let (other, newest, first) =
            (event("evt_3", "pi_2", "lost"), event("evt_2", "pi_1", status), event("evt_1", "pi_1", "needs_response"));
        ok(&format!(r#"{{"data":[{other},{newest},{first}],"has_more":false}}"#))
    };
    for (name, script, refunded, is_disputed) in [
        ("plain", vec![charge(0, false)], 0, false),
        ("refunded in part", vec![charge(500, false), refunds.clone()], 300, false),
        ("a dispute", vec![charge(0, true), disputes("needs_response")], 0, true),
        ("a dispute that was won", vec![charge(0, true), disputes("won")], 0, false),
        ("a dispute of a new kind", vec![charge(0, true), disputes("pondered")], 0, true),
        ("disputes that may not be read", vec![charge(0, true), refused(403, "")], 0, true),
        ("no expansion", vec![intent("succeeded", r#""ch_1""#), disputes("lost"), refunds.clone()], 300, true),
        ("nor disputes", vec![intent("succeeded", r#""ch_1""#), refused(404, ""), none(), refunds.clone()], 300, false),
        ("by events", vec![intent("succeeded", r#""ch_1""#), refused(404, ""), disputed("lost"), none()], 0, true),
        ("won, by events", vec![intent("succeeded", r#""ch_1""#), refused(404, ""), disputed("won"), none()], 0, false),
        (
            "arrived, without a charge",
            vec![intent("succeeded", "null"), disputes("needs_response"), refunds],
            300,
            true,
        ),
        ("no charge yet", vec![intent("processing", "null")], 0, false),
    ] {
        let (wire, clock) = (Script::new(script), StillClock::new());
        let payment = stripe(&wire, &clock).payment(&PaymentIntentId::from("pi_1")).await.unwrap().unwrap();
        assert_eq!((payment.refunded, payment.disputed), (refunded, is_disputed), "{name}");
        assert_eq!(payment.state == PaymentState::Processing, name == "no charge yet", "{name}");
        assert_eq!(wire.lines()[0], "GET /v1/payment_intents/pi_1?expand%5B%5D=latest_charge");
    }
    let (wire, clock) = (Script::new([refused(404, "resource_missing")]), StillClock::new());
    assert_eq!(stripe(&wire, &clock).payment(&PaymentIntentId::from("pi_1")).await, Ok(None));
}
