//! Lists go on while there is more, hold each object once, and never end early without saying so.

use tourney::domain::{PayableState, PaymentIntentId};
use tourney::stripe::StripeError;

use super::script::{Script, Sent, StillClock, ok, session, stripe};

fn page(ids: &[&str], has_more: bool) -> Sent {
    let data: Vec<String> = ids.iter().map(|id| session(id, "open", "unpaid")).collect();
    ok(&format!(r#"{{"object":"list","data":[{}],"has_more":{has_more}}}"#, data.join(",")))
}

#[tokio::test]
async fn a_list_is_read_to_its_end_while_sessions_are_made() {
    // A page that is not full is not the last; cs_2 moved onto the next page because a newer one was made.
    let wire = Script::new([page(&["cs_3", "cs_2"], true), page(&["cs_2", "cs_1"], true), page(&[], false)]);
    let clock = StillClock::new();
    let since = "2026-04-12T10:00:00Z".parse().unwrap();
    let list = stripe(&wire, &clock).list_sessions(Some(since), Some(PayableState::Open)).await.unwrap();
    assert_eq!(list.iter().map(|payable| payable.id.as_str()).collect::<Vec<_>>(), ["cs_3", "cs_2", "cs_1"]);
    let decoded: Vec<Vec<(String, String)>> = wire
        .requests()
        .iter()
        .map(|request| form_urlencoded::parse(request.query.as_deref().unwrap().as_bytes()).into_owned().collect())
        .collect();
    let has = |at: usize, name: &str, value: &str| decoded[at].contains(&(name.to_owned(), value.to_owned()));
    for at in 0..3 {
        assert!(
            has(at, "created[gte]", "1775988000") && has(at, "limit", "100") && has(at, "status", "open"),
            "{decoded:?}"
        );
    }
    assert!(has(1, "starting_after", "cs_2") && has(2, "starting_after", "cs_1"), "{decoded:?}");
    assert!(wire.lines().iter().all(|line| line.starts_with("GET /v1/checkout/sessions?")));
}

#[tokio::test]
async fn half_a_list_is_an_error() {
    for (name, script) in [
        ("the cursor does not move", vec![page(&["cs_1"], true), page(&["cs_1"], true)]),
        ("more, and an empty page", vec![page(&["cs_1"], true), page(&[], true)]),
        ("more, and nothing at all", vec![page(&[], true)]),
        ("no list", vec![ok(r#"{"object":"list"}"#)]),
        ("an object without an id", vec![ok(r#"{"data":[{"status":"open"}],"has_more":false}"#)]),
        ("a session of another form", vec![ok(r#"{"data":[{"id":"cs_1","created":"today"}],"has_more":false}"#)]),
        ("cut off", vec![ok(r#"{"data":[{"id":"cs_1""#)]),
        ("no JSON", vec![ok("<html>p@example.com</html>")]),
    ] {
        let (wire, clock) = (Script::new(script), StillClock::new());
        let error = stripe(&wire, &clock).list_sessions(None, None).await.unwrap_err();
        assert!(matches!(error, StripeError::Unreadable { .. }), "{name}: {error:?}");
        let said = error.to_string();
        assert!(said.contains("req_ok") && !said.contains("example.com") && !said.contains("today"), "{name}: {said}");
    }
}

#[tokio::test]
async fn plain_lists_page_alike() {
    let refund = |id: &str, status: &str| format!(r#"{{"id":"{id}","amount":500,"status":"{status}","new":1}}"#);
    let first = format!(r#"{{"data":[{}],"has_more":true}}"#, refund("re_2", "succeeded"));
    let second = format!(r#"{{"data":[{}],"has_more":false}}"#, refund("re_1", "failed"));
    let (wire, clock) = (Script::new([ok(&first), ok(&second)]), StillClock::new());
    let refunds = stripe(&wire, &clock).refunds(&PaymentIntentId::from("pi_1")).await.unwrap();
    assert_eq!(refunds.iter().map(tourney::stripe::Refund::has_succeeded).collect::<Vec<_>>(), [true, false]);
    assert_eq!(
        wire.lines(),
        [
            "GET /v1/refunds?payment_intent=pi_1&limit=100",
            "GET /v1/refunds?payment_intent=pi_1&limit=100&starting_after=re_2"
        ]
    );
}

#[tokio::test]
async fn endpoints_and_events_tell_what_doctor_asks() {
    let endpoints = r#"{"data":[{"id":"we_1","url":"https://x.example/hook","status":"enabled",
        "enabled_events":["checkout.session.completed"],"livemode":false}],"has_more":false}"#;
    let events = r#"{"data":[{"id":"evt_1","type":"checkout.session.completed","created":1776074400,"pending_webhooks":2,
        "data":{"object":{"id":"cs_1","object":"checkout.session"}}}],"has_more":false}"#;
    let (wire, clock) = (Script::new([ok(endpoints), ok(events)]), StillClock::new());
    let stripe = stripe(&wire, &clock);
    let endpoint = stripe.webhook_endpoints().await.unwrap().remove(0);
    assert!(endpoint.is_enabled() && endpoint.gets("checkout.session.completed") && !endpoint.gets("charge.refunded"));
    let event = stripe.events(&["checkout.session.completed"], None).await.unwrap().remove(0);
    assert_eq!((event.session.as_ref().map(|id| id.as_str()), event.pending_webhooks), (Some("cs_1"), 2));
    assert_eq!(wire.lines()[1], "GET /v1/events?types%5B%5D=checkout.session.completed&limit=100");
}
