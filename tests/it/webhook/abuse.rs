//! What a receiver is sent by those who are not Stripe, or not well. The order under attack has a session that *is* paid
//! at Stripe while its event was lost: whatever is wrongly taken for an event would turn it paid.

use axum::http::{HeaderValue, Method};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tourney::domain::{OrderStatus, SessionId};
use tourney::ledger::{EventOutcome, Ledger};
use tourney::sandbox::core::TestCard;
use tourney::stripe::signature;
use tourney::webhook::process_unfinished;

use super::club::{Club, NOW, OLD_SECRET, SECRET, completed, event};

fn signed(secret: &str, second: i64, body: &[u8]) -> String {
    signature::sign(&SecretString::from(secret), Timestamp::from_second(second).unwrap(), body)
}

/// The hexadecimal signature alone.
fn v1(secret: &str, second: i64, body: &[u8]) -> String {
    signed(secret, second, body).split_once("v1=").unwrap().1.to_owned()
}

/// Headers under which the very event that would pay the order must be refused.
fn bad_headers(body: &str) -> Vec<(&'static str, String)> {
    let body = body.as_bytes();
    let good = v1(SECRET, NOW, body);
    let wrong = "0".repeat(64);
    let elsewhere = completed("evt_other", &SessionId::from("cs_test_other"));
    let spaced = format!("{}\n", String::from_utf8_lossy(body));
    let sorted = serde_json::to_string_pretty(&serde_json::from_slice::<Value>(body).unwrap()).unwrap();
    let with = |t: &str, rest: &str| format!("t={t},{rest}");
    let now = NOW.to_string();
    vec![
        ("nothing", String::new()),
        ("garbage", "garbage".to_owned()),
        ("separators", ",,==,=,".to_owned()),
        ("json", r#"{"t":1,"v1":"x"}"#.to_owned()),
        ("no time", format!("v1={good}")),
        ("an empty time", with("", &format!("v1={good}"))),
        ("a time in words", with("now", &format!("v1={good}"))),
        ("a huge time", with("99999999999999999999", &format!("v1={good}"))),
        ("the smallest time", with("-9223372036854775808", &format!("v1={good}"))),
        ("a fraction", with(&format!("{now}.5"), &format!("v1={good}"))),
        ("milliseconds", with(&format!("{now}000"), &format!("v1={good}"))),
        ("the time alone", format!("t={now}")),
        ("an empty v1", with(&now, "v1=")),
        ("v0 alone", with(&now, &format!("v0={good}"))),
        ("v2 alone", with(&now, &format!("v2={good}"))),
        ("V1 in capitals", with(&now, &format!("V1={good}"))),
        ("the scheme left out", with(&now, &good)),
        ("half a signature", with(&now, &format!("v1={}", &good[..32]))),
        ("all but its last byte", with(&now, &format!("v1={}", &good[..62]))),
        ("an odd number of digits", with(&now, &format!("v1={}", &good[..63]))),
        ("a byte too many", with(&now, &format!("v1={good}00"))),
        (
            "its last digit changed",
            with(&now, &format!("v1={}{}", &good[..63], if good.ends_with('0') { '1' } else { '0' })),
        ),
        ("reversed", with(&now, &format!("v1={}", good.chars().rev().collect::<String>()))),
        ("not hexadecimal", with(&now, &format!("v1={}", "z".repeat(64)))),
        ("zeros", with(&now, &format!("v1={wrong}"))),
        ("many wrong ones", with(&now, &format!("v1={wrong},").repeat(12))),
        ("a wrong v1 and a good v0", with(&now, &format!("v1={wrong},v0={good}"))),
        ("another secret", signed("whsec_nobody", NOW, body)),
        ("the secret without its prefix", signed("club", NOW, body)),
        ("the secret cut", signed(&SECRET[..9], NOW, body)),
        ("the secret in capitals", signed(&SECRET.to_uppercase(), NOW, body)),
        ("an API key as the secret", signed("sk_test_club", NOW, body)),
        ("a space for a secret", signed(" ", NOW, body)),
        ("a signature of another event", signed(SECRET, NOW, elsewhere.as_bytes())),
        ("of the body with a newline", signed(SECRET, NOW, spaced.as_bytes())),
        ("of the body written anew", signed(SECRET, NOW, sorted.as_bytes())),
        ("of no body", signed(SECRET, NOW, b"")),
        ("another time than was signed", with(&(NOW + 1).to_string(), &format!("v1={good}"))),
        ("two times, the wrong one first", format!("t={},t={now},v1={good}", NOW - 1)),
        ("301 seconds old", signed(SECRET, NOW - 301, body)),
        ("a day old", signed(SECRET, NOW - 86_400, body)),
        ("of 1970", signed(SECRET, 0, body)),
        ("301 seconds ahead", signed(SECRET, NOW + 301, body)),
        ("a year ahead", signed(SECRET, NOW + 31_536_000, body)),
        ("old, under the old secret", signed(OLD_SECRET, NOW - 301, body)),
    ]
}

/// Bodies that are signed rightly, and are no events.
fn bad_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let mut broken = text(r#"{"id":"evt_x","type":"checkout.session.completed","note":""#);
    broken.extend([0xff, 0xfe, b'"', b'}']);
    let overlong = vec![b'{', b'"', 0xc0, 0xaf, b'"', b':', b'1', b'}'];
    vec![
        ("nothing", vec![]),
        ("a space", text(" ")),
        ("broken UTF-8", broken),
        ("overlong UTF-8", overlong),
        ("zeros", vec![0; 64]),
        ("a word", text("hello")),
        ("a form", text("id=evt_x&type=checkout.session.completed")),
        ("half an object", text(r#"{"id":"evt_x","type":"chec"#)),
        ("a comma too many", text(r#"{"id":"evt_x","type":"x",}"#)),
        ("two objects", text(r#"{"id":"evt_x","type":"x"}{"id":"evt_y","type":"x"}"#)),
        ("null", text("null")),
        ("a number", text("5")),
        ("an array", text(r#"[["evt_x","x"]]"#)),
        ("no id", text(r#"{"type":"checkout.session.completed"}"#)),
        ("no type", text(r#"{"id":"evt_x"}"#)),
        ("an empty id", text(r#"{"id":"","type":"x"}"#)),
        ("an empty type", text(r#"{"id":"evt_x","type":""}"#)),
        ("a number for an id", text(r#"{"id":5,"type":"x"}"#)),
        ("null for a type", text(r#"{"id":"evt_x","type":null}"#)),
        ("two ids", text(r#"{"id":"evt_x","id":"evt_y","type":"x"}"#)),
        ("an endless id", text(&format!(r#"{{"id":"{}","type":"x"}}"#, "e".repeat(300)))),
    ]
}

/// Events that are Stripe's, and must have no effect on the order whose session is given.
fn idle_events(session: &str, unpaid: &str) -> Vec<(&'static str, Value)> {
    let kind = "checkout.session.completed";
    let about =
        |name: &str, object: Value| json!({"id": format!("evt_{name}"), "type": kind, "data": {"object": object}});
    let typed = |name: &str, kind: &str| event(&format!("evt_{name}"), kind, session);
    let mut live = event("evt_live", kind, session);
    live["livemode"] = json!(true);
    vec![
        ("an unknown type", typed("unknown", "checkout.session.pondered")),
        ("a type in capitals", typed("capitals", "Checkout.Session.Completed")),
        ("a type with a blank", typed("blank", "checkout.session.completed ")),
        ("another object's type", typed("charge", "charge.refunded")),
        ("the wrong mode", live),
        ("expired, of a session that is paid", typed("expired", "checkout.session.expired")),
        ("failed, of a session that is paid", typed("failed", "checkout.session.async_payment_failed")),
        ("no data", json!({"id": "evt_nodata", "type": kind})),
        ("null for data", json!({"id": "evt_null", "type": kind, "data": null})),
        ("text for data", json!({"id": "evt_text", "type": kind, "data": "cs_test_1"})),
        ("no object", json!({"id": "evt_noobject", "type": kind, "data": {}})),
        ("an object of another kind", about("kind", json!({"id": session, "object": "payment_intent"}))),
        ("an object of no kind", about("nokind", json!({"id": session}))),
        ("a session without an id", about("noid", json!({"object": "checkout.session"}))),
        ("an empty session id", about("emptyid", json!({"id": "", "object": "checkout.session"}))),
        ("a number for a session id", about("number", json!({"id": 7, "object": "checkout.session"}))),
        ("a session Stripe does not know", about("gone", json!({"id": "cs_test_gone", "object": "checkout.session"}))),
        ("a path for a session id", about("path", json!({"id": "../account", "object": "checkout.session"}))),
        (
            "a session id with a query",
            about("query", json!({"id": format!("{session}?x=1"), "object": "checkout.session"})),
        ),
        ("paid by its own word alone", event("evt_word", kind, unpaid)),
        ("arrived by its own word alone", event("evt_arrived", "checkout.session.async_payment_succeeded", unpaid)),
    ]
}

#[tokio::test]
async fn nothing_but_a_signed_event_about_it_pays_an_order() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    let (unpaid_order, unpaid) = club.bill(2).await;
    club.pay(&session, TestCard::Success);
    let before = (club.ledger.raw_row(&order).await.unwrap(), club.ledger.raw_row(&unpaid_order).await.unwrap());
    let good = completed("evt_good", &session);

    let mut cases = 0;
    for (name, header) in bad_headers(&good) {
        let (status, said) = club.post(Some(&header), good.clone()).await;
        assert_eq!(status, 400, "{name}: {said}");
        assert!(!said.is_empty() && !said.contains("whsec_"), "{name}: {said}");
        cases += 1;
    }
    let (status, said) = club.post(None, good.clone()).await;
    assert_eq!((status, said.as_str()), (400, "no Stripe-Signature header"));
    for (name, body) in bad_bodies() {
        let header = club.sign(&body);
        let (status, said) = club.post(Some(&header), body).await;
        assert_eq!(status, 400, "{name}: {said}");
        cases += 1;
    }
    assert!(cases >= 60, "{cases}");

    let nothing_stored = process_unfinished(&club.stripe, &club.ledger, tourney::domain::Mode::Test).await.unwrap();
    assert_eq!(nothing_stored, [], "what was refused is not stored");
    for (name, event) in idle_events(session.as_str(), unpaid.as_str()) {
        let (status, said) = club.send(&event.to_string()).await;
        assert_eq!(status, 200, "{name}: {said}");
    }
    let after = (club.ledger.raw_row(&order).await.unwrap(), club.ledger.raw_row(&unpaid_order).await.unwrap());
    assert_eq!(before, after);
    assert!(club.unmatched().await.is_empty());

    assert_eq!(club.send(&good).await.0, 200);
    let paid = club.order(&order).await;
    assert_eq!(paid.status, OrderStatus::Paid, "the session under attack could be paid all along");
    assert!(paid.payment_intent.is_some());
}

#[tokio::test]
async fn headers_that_stripe_may_send_are_taken() {
    let club = Club::new().await;
    for (at, (name, header)) in [
        ("the old secret", (|body: &[u8]| signed(OLD_SECRET, NOW, body)) as fn(&[u8]) -> String),
        ("300 seconds old", |body| signed(SECRET, NOW - 300, body)),
        ("300 seconds ahead", |body| signed(SECRET, NOW + 300, body)),
        ("a wrong v1 before", |body| format!("t={NOW},v1={},v1={}", "0".repeat(64), v1(SECRET, NOW, body))),
        ("both secrets", |body| format!("t={NOW},v1={},v1={}", v1("whsec_next", NOW, body), v1(SECRET, NOW, body))),
        ("a v0 besides", |body| format!("t={NOW},v1={},v0=abc", v1(SECRET, NOW, body))),
        ("blanks", |body| format!("t={NOW}, v1={} ", v1(SECRET, NOW, body))),
    ]
    .into_iter()
    .enumerate()
    {
        let (order, session) = club.bill(i64::try_from(at).unwrap()).await;
        club.pay(&session, TestCard::Success);
        let event = completed(&format!("evt_{at}"), &session);
        let (status, said) = club.post(Some(&header(event.as_bytes())), event.clone()).await;
        assert_eq!((status, club.status(&order).await), (200, OrderStatus::Paid), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_its_length_is_told_or_not() {
    let club = Club::new().await;
    for length in [256 * 1024 + 1, 1024 * 1024] {
        let body = format!("{}{}", completed("evt_big", &SessionId::from("cs_test_1")), " ".repeat(length));
        assert_eq!(club.send(&body).await.0, 413, "{length}");
    }
    let fits = completed("evt_fits", &SessionId::from("cs_test_1"));
    let fits = format!("{fits}{}", " ".repeat(256 * 1024 - fits.len()));
    assert_eq!(club.send(&fits).await.0, 200);
}

#[tokio::test]
async fn only_post_on_its_path_is_answered() {
    let club = Club::new().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(club.request(method.clone(), &club.url).send().await.unwrap().status(), 405, "{method}");
    }
    for path in ["/", "x", "/../stripe/", "%2f"] {
        let url = format!("{}{path}", club.url);
        assert_eq!(club.request(Method::POST, &url).body("{}").send().await.unwrap().status(), 404, "{url}");
    }
    let odd = HeaderValue::from_bytes(b"t=1,v1=\xff\xfe").unwrap();
    let request = club.request(Method::POST, &club.url).header(signature::HEADER, odd).body("{}");
    assert_eq!(request.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let club = Club::new().await;
    let authority = club.url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&authority).await.unwrap();
    club.hands.impatient.send_replace(true);
    let head = format!("POST /webhooks/stripe HTTP/1.1\r\nhost: {authority}\r\ncontent-length: 10\r\n\r\n{{\"id\"");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn an_outcome_is_kept_for_people() {
    let club = Club::new().await;
    let (order, session) = club.bill(1).await;
    let said = |kind: &'static str| {
        let (club, session) = (&club, session.clone());
        async move {
            let stored = tourney::webhook::Envelope::parse(&event(kind, kind, session.as_str()).to_string()).unwrap();
            club.ledger
                .store_event(
                    &stored.to_event(&event(kind, kind, session.as_str()).to_string(), club.stripe.now().unwrap()),
                )
                .await
                .unwrap();
            let done = process_unfinished(&club.stripe, &club.ledger, tourney::domain::Mode::Test).await.unwrap();
            done.into_iter().next().unwrap().1
        }
    };
    let none = |why: String| EventOutcome::NoEffect(why);
    assert_eq!(
        said("checkout.session.expired").await,
        none(format!("the current session of order {order} expired; the order stays pending"))
    );
    assert_eq!(said("checkout.session.completed").await, none("the session is open and unpaid".to_owned()));
    club.pay(&session, TestCard::Success);
    assert_eq!(said("checkout.session.async_payment_succeeded").await, EventOutcome::Recorded(order.to_string()));
}
