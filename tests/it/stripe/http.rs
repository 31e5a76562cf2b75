//! The wire over real HTTP: what is sent, and what becomes of what comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;

use secrecy::SecretString;
use tourney::domain::SessionId;
use tourney::stripe::{API_BASE, HttpWire, Limits, Stripe, StripeError, api_version};
use tourney::world::{LiveClock, Method, Wire, WireError, WireRequest};

use crate::support::{Answer, Listener};

const KEY: &str = "sk_test_wire";

fn wire(base: &str) -> HttpWire {
    HttpWire::new(base, &SecretString::from(KEY)).unwrap()
}

fn get() -> WireRequest {
    WireRequest { method: Method::Get, path: "/v1/account".to_owned(), query: None, body: None, idempotency_key: None }
}

#[tokio::test]
async fn a_request_carries_key_version_agent_and_its_exact_body() {
    let listener = Listener::start(|_| Answer::new(200, "{}").header("Request-Id", "req_1"));
    let body = "metadata%5Border_id%5D=7&name=Zo%C3%AB".to_owned();
    let request = WireRequest {
        method: Method::Post,
        path: "/v1/checkout/sessions".to_owned(),
        query: Some("expand%5B%5D=x".to_owned()),
        body: Some(body.clone()),
        idempotency_key: Some("key-1".to_owned()),
    };
    let answer = wire(&listener.url("/")).send(request).await.unwrap();
    assert_eq!((answer.status, answer.header("request-id")), (200, Some("req_1")));

    let received = listener.received().remove(0);
    let header = |name: &str| received.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(received.uri.to_string(), "/v1/checkout/sessions?expand%5B%5D=x");
    assert_eq!(&received.body[..], body.as_bytes());
    assert_eq!(header("authorization").as_deref(), Some("Bearer sk_test_wire"));
    assert_eq!(header("stripe-version").as_deref(), Some("2026-09-30.endive"));
    assert_eq!(header("stripe-version").unwrap(), api_version());
    assert_eq!(header("idempotency-key").as_deref(), Some("key-1"));
    assert_eq!(header("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert!(header("user-agent").unwrap().starts_with("tourney/"));
}

#[tokio::test]
async fn redirects_are_never_followed() {
    let elsewhere = Listener::start(|_| Answer::new(200, r#"{"id":"acct_evil"}"#));
    let target = elsewhere.url("/v1/account");
    let listener = Listener::start(move |_| Answer::new(307, "").header("Location", target.clone()));
    let stripe = Stripe::new(wire(&listener.url("")), LiveClock, Limits::local());
    let error = stripe.account().await.unwrap_err();
    assert!(matches!(error, StripeError::Rejected { status: 307, .. }), "{error:?}");
    assert!(error.to_string().contains("api_base"), "{error}");
    assert!(elsewhere.received().is_empty(), "the key never goes elsewhere");
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = wire(&base).send(get()).await.unwrap_err();
    assert!(matches!(&error, WireError::NotSent(why) if why.contains("refused")), "{error:?}");
}

/// A server that reads a request and answers with these bytes, then cuts the connection.
fn cut_after(bytes: &'static [u8]) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4_096];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    });
    (base, server)
}

#[tokio::test]
async fn a_cut_connection_leaves_the_answer_lost() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\""] {
        let (base, server) = cut_after(bytes);
        let error = wire(&base).send(get()).await.unwrap_err();
        assert!(matches!(error, WireError::Lost(_)), "{error:?}");
        server.join().unwrap();
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_and_cannot_be_read() {
    let listener = Listener::start(|_| Answer::new(200, format!(r#"{{"id":"{}"}}"#, "a".repeat(5 << 20))));
    let answer = wire(&listener.url("")).send(get()).await.unwrap();
    assert_eq!(answer.body.len(), 4 << 20);
    let stripe = Stripe::new(wire(&listener.url("")), LiveClock, Limits::local());
    assert!(matches!(stripe.account().await, Err(StripeError::Unreadable { .. })));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_with_the_same_key() {
    let listener = Listener::start(|request| match request.headers["idempotency-key"].to_str().unwrap().len() {
        0 => Answer::new(400, "{}"),
        _ => Answer::new(503, "{}").header("Stripe-Should-Retry", "true"),
    });
    let limits = Limits { tries: 3, first_pause: std::time::Duration::from_millis(1), ..Limits::local() };
    let stripe = Stripe::new(wire(&listener.url("")), LiveClock, limits);
    let error = stripe.expire_session(&SessionId::from("cs_test_1")).await.unwrap_err();
    assert!(matches!(error, StripeError::Unknown { .. }), "{error:?}");
    let keys: Vec<_> = listener.received().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[test]
fn what_is_no_api_base_or_no_key_is_refused_without_showing_the_key() {
    for (base, key) in [
        ("", KEY),
        ("api.stripe.com", KEY),
        ("ftp://127.0.0.1", KEY),
        ("http://user:pass@127.0.0.1", KEY),
        ("http://127.0.0.1/?x=1", KEY),
        (API_BASE, "sk_test_with\nnewline"),
        ("http://127.0.0.1:1", "sk_live_abc"),
        ("https://api.stripe.com.example", "rk_live_abc"),
        ("https://api.stripe.com:8443", "sk_live_abc"),
    ] {
        let error = HttpWire::new(base, &SecretString::from(key)).unwrap_err();
        assert!(matches!(error, StripeError::NotDone { .. }), "{base}");
        assert!(!format!("{error:?}").contains(key), "{error:?}");
    }
    assert!(!format!("{:?}", wire("http://127.0.0.1:1")).contains(KEY));
}
