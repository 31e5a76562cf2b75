//! What is sent again, with which key, after how long; and what is said when nothing helps.

use std::num::NonZeroU32;
use std::time::Duration;

use tourney::stripe::{Answer, Limits, Stripe, StripeError};
use tourney::world::{Clock, Method, WireRequest};

use super::script::{LIMITS, Script, Sent, StillClock, answer, lost, not_sent, ok, refused, stripe};

fn post(key: Option<&str>) -> WireRequest {
    WireRequest {
        method: Method::Post,
        path: "/v1/things".to_owned(),
        query: None,
        body: Some("a=1".to_owned()),
        idempotency_key: key.map(str::to_owned),
    }
}

fn get() -> WireRequest {
    WireRequest { method: Method::Get, body: None, ..post(None) }
}

/// Sends one request over the script: the result, how often it was sent, and the pauses.
async fn call(request: WireRequest, script: Vec<Sent>) -> (Result<Answer, StripeError>, usize, Vec<Duration>) {
    let (wire, clock) = (Script::new(script), StillClock::new());
    let result = stripe(&wire, &clock).call(request).await;
    (result, wire.requests().len(), clock.slept())
}

#[tokio::test]
async fn what_may_pass_is_sent_again_and_what_is_final_is_not() {
    let should = |status, retry| answer(status, &[("stripe-should-retry", retry)], "{}");
    let cases: Vec<(&str, Sent, bool)> = vec![
        ("not sent", not_sent(), true),
        ("lost", lost(), true),
        ("409", refused(409, "idempotency_key_in_use"), true),
        ("429", refused(429, "rate_limit"), true),
        ("429 lock", refused(429, "lock_timeout"), true),
        ("500", refused(500, "api_error"), true),
        ("503", answer(503, &[], "<html>busy</html>"), true),
        ("500 that will not pass", should(500, "false"), false),
        ("409 that will not pass", should(409, "false"), false),
        ("429 that will not pass", should(429, "false"), false),
        ("400 that may pass", should(400, "true"), true),
        ("500 with another word", should(500, "maybe"), true),
        ("400", refused(400, "parameter_missing"), false),
        ("401", refused(401, "api_key_expired"), false),
        ("402", refused(402, "card_declined"), false),
        ("403", refused(403, "more_permissions_required"), false),
        ("404", refused(404, "resource_missing"), false),
        ("302", answer(302, &[("location", "https://elsewhere.example")], ""), false),
        ("a stored 500", answer(500, &[("idempotent-replayed", "true")], "{}"), false),
    ];
    for (name, first, again) in cases {
        for request in [get(), post(None)] {
            let (result, sent, _) = call(request, vec![first.clone(), ok("{}")]).await;
            assert_eq!((result.is_ok(), sent), (again, if again { 2 } else { 1 }), "{name}: {result:?}");
        }
    }
}

#[tokio::test]
async fn every_try_carries_the_same_key_and_bytes() {
    for key in [None, Some("order-7-attempt-1")] {
        let (wire, clock) = (Script::new([lost(), refused(500, "x"), not_sent(), ok("{}")]), StillClock::new());
        stripe(&wire, &clock).call(post(key)).await.unwrap();
        let requests = wire.requests();
        assert_eq!(requests.len(), 4);
        assert!(requests.iter().all(|request| *request == requests[0]), "{requests:?}");
        let sent = requests[0].idempotency_key.as_deref().unwrap();
        assert!(key.map_or(sent.starts_with("tourney-") && sent.len() == 40, |key| key == sent), "{sent}");
    }
    let (wire, clock) = (Script::new([ok("{}")]), StillClock::new());
    stripe(&wire, &clock).call(get()).await.unwrap();
    assert_eq!(wire.requests()[0].idempotency_key, None, "a read needs no key");
}

#[tokio::test]
async fn pauses_double_with_chance_in_them_and_obey_retry_after() {
    let (_, sent, slept) = call(get(), vec![lost(), lost(), lost(), lost()]).await;
    assert_eq!((sent, slept.len()), (4, 3));
    for (pause, whole) in slept.iter().zip([400, 800, 1_600]) {
        let whole = Duration::from_millis(whole);
        assert!(*pause >= whole / 2 && *pause <= whole, "{pause:?} of {whole:?}");
    }
    let after = |seconds| answer(503, &[("retry-after", seconds)], "{}");
    for (asked, slept_for) in [("3", 3), ("9999", 10)] {
        let (_, _, slept) = call(get(), vec![after(asked), ok("{}")]).await;
        assert_eq!(slept, [Duration::from_secs(slept_for)], "Retry-After: {asked}");
    }
    let (result, _, slept) = call(get(), vec![after("Fri, 31 Dec 1999 23:59:59 GMT"), ok("{}")]).await;
    assert!(result.is_ok() && slept[0] <= Duration::from_millis(400), "{slept:?}");
}

#[tokio::test]
async fn tries_are_bounded_and_the_error_says_what_is_known() {
    let (result, sent, _) = call(post(None), vec![not_sent(); 4]).await;
    assert_eq!(sent, 4);
    assert!(matches!(result, Err(StripeError::NotDone { .. })), "{result:?}");

    let (result, sent, _) = call(post(None), vec![refused(429, "rate_limit"); 6]).await;
    assert_eq!(sent, 6, "refusals for being too fast have a bound of their own");
    assert!(matches!(result, Err(StripeError::Busy { .. })), "{result:?}");

    // Once a try may have had its effect, later ones that did not leave change nothing about that.
    for first in [lost(), refused(500, "api_error"), refused(409, "idempotency_key_in_use")] {
        let (result, ..) = call(post(None), vec![first, not_sent(), not_sent(), not_sent()]).await;
        let error = result.unwrap_err();
        assert!(matches!(error, StripeError::Unknown { .. }) && error.may_be_done(), "{error:?}");
        assert!(error.to_string().contains("tried 4 times"), "{error}");
    }

    // A read has no effect that could stand.
    let (result, ..) = call(get(), vec![lost(), lost(), lost(), lost()]).await;
    assert!(matches!(result, Err(StripeError::NotDone { .. })), "{result:?}");

    let stored = answer(500, &[("idempotent-replayed", "true"), ("request-id", "req_5")], r#"{"secret":"body"}"#);
    let error = call(post(Some("k")), vec![stored]).await.0.unwrap_err();
    assert!(matches!(&error, StripeError::Unknown { request_id: Some(id), .. } if &**id == "req_5"), "{error:?}");
    assert!(error.to_string().contains("stored") && !error.to_string().contains("body"), "{error}");
}

#[tokio::test]
async fn a_429_halves_the_pace_and_quiet_brings_it_back() {
    let limits = Limits { per_second: NonZeroU32::new(16).unwrap(), ..LIMITS };
    let took = |script: Vec<Sent>, requests: usize| async move {
        let (wire, clock) = (Script::new(script), StillClock::new());
        let stripe = Stripe::new(&wire, &clock, limits);
        let began = clock.now();
        for _ in 0..requests {
            stripe.call(get()).await.unwrap();
        }
        clock.now().duration_since(began).as_millis()
    };
    let free = took(vec![ok("{}"); 65], 65).await;
    assert!((3_700..4_100).contains(&free), "16 a second: {free} ms for 65");

    let mut throttled = vec![ok("{}"); 65];
    throttled.insert(0, refused(429, "rate_limit"));
    let slowed = took(throttled, 65).await;
    assert!(slowed > free + 1_000 && slowed < 2 * free, "{slowed} ms against {free} ms");

    let mut locked = vec![ok("{}"); 65];
    locked.insert(0, refused(429, "lock_timeout"));
    let locked = took(locked, 65).await;
    assert!(locked < free + 500, "a lock on one object does not slow the rest: {locked} ms");
}

#[tokio::test]
async fn stripes_clock_is_read_from_its_date() {
    let dated = answer(200, &[("date", "Mon, 13 Apr 2026 11:30:00 GMT")], r#"{"id":"acct_1"}"#);
    let (wire, clock) = (Script::new([dated]), StillClock::new());
    let stripe = stripe(&wire, &clock);
    assert_eq!(stripe.now(), None);
    assert_eq!(stripe.time().await.unwrap().to_string(), "2026-04-13T11:30:00Z");
    clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(stripe.now().unwrap().to_string(), "2026-04-13T11:31:00Z");
    assert_eq!(wire.lines(), ["GET /v1/account"]);

    let (wire, clock) = (Script::new([answer(200, &[("date", "garbage")], r#"{"id":"acct_1"}"#)]), StillClock::new());
    assert_eq!(super::script::stripe(&wire, &clock).time().await.unwrap(), clock.now());
}
