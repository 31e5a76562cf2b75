//! Prices by what they say: the same line always means the same price.

use tourney::domain::{Currency, Money};
use tourney::stripe::PriceId;

use super::helper::{pairs, problems};
use super::script::{Script, Sent, StillClock, lost, ok, stripe};

const LINE: &str = "Utah Invitational: 17U Elite, Jordan E.";

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("usd").unwrap())
}

fn price(amount: i64, active: bool, name: &str, product_active: bool) -> String {
    format!(
        r#"{{"id":"price_1","object":"price","active":{active},"currency":"usd","unit_amount":{amount},
        "product":{{"id":"prod_1","object":"product","active":{product_active},"name":"{name}"}}}}"#
    )
}

fn list(prices: &[String]) -> Sent {
    ok(&format!(r#"{{"object":"list","data":[{}],"has_more":false}}"#, prices.join(",")))
}

fn made() -> Sent {
    ok(r#"{"id":"price_2","object":"price","active":true,"currency":"usd","unit_amount":5500,"product":"prod_2"}"#)
}

#[tokio::test]
async fn a_price_that_says_the_same_is_taken_again() {
    let (wire, clock) = (Script::new([list(&[price(5500, true, LINE, true)])]), StillClock::new());
    let found = stripe(&wire, &clock).price(LINE, usd(5500), "key-1").await.unwrap();
    assert_eq!(found, PriceId("price_1".to_owned()));
    let lines = wire.lines();
    assert!(lines.len() == 1 && lines[0].starts_with("GET /v1/prices?"), "nothing is made: {lines:?}");
}

/// Somebody has changed it or its product since: its key moves on to a new one.
#[tokio::test]
async fn what_says_something_else_is_not_taken() {
    for other in [
        price(5400, true, LINE, true),
        price(5500, false, LINE, true),
        price(5500, true, "Utah Invitational: 17U Elite, Kim E.", true),
        price(5500, true, LINE, false),
        price(5500, true, LINE, true).replace("usd", "eur"),
        price(5500, true, LINE, true).replacen('{', r#"{"recurring":{"interval":"month"},"#, 1),
        r#"{"id":"price_1","active":true,"currency":"usd","unit_amount":5500,"product":"prod_1"}"#.to_owned(),
    ] {
        let (wire, clock) = (Script::new([list(std::slice::from_ref(&other)), made()]), StillClock::new());
        let new = stripe(&wire, &clock).price(LINE, usd(5500), "key-1").await.unwrap();
        assert_eq!(new, PriceId("price_2".to_owned()), "{other}");
        let create = &wire.requests()[1];
        let sent = pairs(create.body.as_deref().unwrap());
        assert_eq!((&*sent["transfer_lookup_key"], &*sent["product_data[name]"]), ("true", LINE));
    }
}

#[tokio::test]
async fn the_same_line_has_the_same_key_and_bytes_and_another_line_another_key() {
    let asked = async |line: &str, amount: Money| {
        let (wire, clock) = (Script::new([list(&[]), lost(), made()]), StillClock::new());
        stripe(&wire, &clock).price(line, amount, "key-1").await.unwrap();
        let requests = wire.requests();
        assert_eq!((&requests[1].body, &requests[1].idempotency_key), (&requests[2].body, &Some("key-1".to_owned())));
        assert_eq!(requests[1].idempotency_key, requests[2].idempotency_key, "a lost answer makes no second price");
        let body = requests[1].body.clone().unwrap();
        assert_eq!(problems("/v1/prices")(&body), [""; 0]);
        let key = pairs(&body)["lookup_key"].clone();
        assert!(key.len() <= 200 && requests[0].query.as_deref().unwrap().contains(&key), "{key}");
        (key, body)
    };
    let first = asked(LINE, usd(5500)).await;
    assert_eq!(asked(LINE, usd(5500)).await, first);
    let others = [
        asked("Utah Invitational: 17U Elite, Kim E.", usd(5500)).await,
        asked(LINE, usd(5501)).await,
        asked(LINE, Money::new(5500, Currency::parse("eur").unwrap())).await,
    ];
    assert!(others.iter().all(|(key, _)| *key != first.0), "{others:?}");
}
