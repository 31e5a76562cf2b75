//! The helper: the bytes it renders, and what it refuses to send.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tourney::domain::{
    AttemptId, Currency, Email, FeeId, Id, LedgerId, Metadata, Money, OrderId, PlayerId, Registration, TournamentId,
};
use tourney::stripe::{
    Bill, CheckoutSettings, LIFETIME, PayableRequest, StripeError, create_player_checkout_session, line_name, render,
};

use super::script::{Script, StillClock, answer, lost, ok, session, stripe};

pub(super) fn bill() -> Bill {
    Bill {
        ledger: LedgerId::from("6f1c5b1e-ledger"),
        attempt: AttemptId::from("attempt-1"),
        tournament: TournamentId(Id::slug("utah-invitational-2026").unwrap()),
        tournament_name: "Utah Invitational".to_owned(),
        registration: Registration { player: PlayerId(1017.into()), fee: FeeId(5.into()) },
        fee_name: "17U Elite".to_owned(),
        player_name: "Jordan Example".to_owned(),
        email: Email::parse("parent17@example.com").unwrap(),
        amount: Money::new(5500, Currency::parse("usd").unwrap()),
        checkout: CheckoutSettings {
            success_url: "https://club.example/thanks?s={CHECKOUT_SESSION_ID}".to_owned(),
            cancel_url: Some("https://club.example/".to_owned()),
            metadata: Metadata::from([
                ("source".to_owned(), "tourney".to_owned()),
                ("order_id".to_owned(), "999".to_owned()),
            ]),
        },
        lifetime: LIFETIME,
    }
}

pub(super) fn order() -> OrderId {
    OrderId(42.into())
}

fn now() -> Timestamp {
    "2026-04-13T10:00:00Z".parse().unwrap()
}

pub(super) fn pairs(body: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[test]
fn the_rendered_request() {
    let request = render(&bill(), &order(), now());
    insta::assert_yaml_snapshot!(pairs(&request.body));
    assert_eq!(request.expires_at, Some(now() + SignedDuration::from_mins(24 * 60 - 10)));
    assert!(!format!("{request:?}").contains("example.com"));
}

#[test]
fn the_same_bill_renders_the_same_bytes() {
    let first = render(&bill(), &order(), now());
    for _ in 0..20 {
        assert_eq!(render(&bill(), &order(), now()), first);
    }
}

#[test]
fn the_lifetime_stays_minutes_inside_stripes_bounds() {
    for (asked, minutes) in [(0, 40), (60, 60), (24 * 60, 24 * 60 - 10), (30 * 24 * 60, 24 * 60 - 10)] {
        let bill = Bill { lifetime: std::time::Duration::from_secs(asked * 60), ..bill() };
        assert_eq!(render(&bill, &order(), now()).expires_at, Some(now() + SignedDuration::from_mins(minutes)));
    }
}

#[test]
fn the_line_tells_siblings_apart_and_no_whole_name() {
    assert_eq!(
        line_name("Utah Invitational", "17U Elite", "Jordan Example"),
        "Utah Invitational: 17U Elite, Jordan E."
    );
    assert_eq!(line_name("T", "F", "  Mary  Ann   Öberg "), "T: F, Mary Ö.");
    assert_eq!(line_name("T", "F", "Pelé"), "T: F, Pelé");
    assert_eq!(line_name(&"ü".repeat(300), "F", "A B").chars().count(), 250);
}

/// A form's pairs as the tree that Stripe reads, numbers and booleans where the schema has them.
fn tree(body: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, text) in pairs(body) {
        let path: Vec<String> = name.split(['[', ']']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let value = match path.last().map(String::as_str) {
            Some("unit_amount" | "quantity" | "expires_at" | "limit") => json!(text.parse::<i64>().unwrap()),
            Some("enabled" | "allow_promotion_codes" | "transfer_lookup_key") => json!(text.parse::<bool>().unwrap()),
            _ => json!(text),
        };
        put(&mut root, &path, value);
    }
    root
}

fn put(node: &mut Value, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *node = value;
        return;
    };
    if let Ok(at) = first.parse::<usize>() {
        if !node.is_array() {
            *node = json!([]);
        }
        let items = node.as_array_mut().unwrap();
        items.resize(items.len().max(at + 1), json!({}));
        put(&mut items[at], rest, value);
    } else {
        put(&mut node[first], rest, value);
    }
}

/// Stripe leaves its enums open; what we send must be in them.
fn close_enums(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if let Some(words) = map.remove("x-openEnum") {
                map.insert("enum".to_owned(), words);
            }
            map.values_mut().for_each(close_enums);
        }
        Value::Array(items) => items.iter_mut().for_each(close_enums),
        _ => {}
    }
}

/// What is wrong with a body by Stripe's schema of a POST.
pub(super) fn problems(path: &str) -> impl Fn(&str) -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stripe/openapi-checkout-sdk.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let content = &document["paths"][path]["post"]["requestBody"]["content"];
    let mut schema = content["application/x-www-form-urlencoded"]["schema"].clone();
    assert!(schema.is_object(), "{path}");
    close_enums(&mut schema);
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    move |body| {
        validator
            .iter_errors(&tree(body))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect::<Vec<_>>()
    }
}

#[test]
fn what_is_sent_validates_against_stripes_schema() {
    let problems = problems("/v1/checkout/sessions");
    let without_cancel = CheckoutSettings { cancel_url: None, ..bill().checkout };
    for (code, minor) in [("usd", 5500), ("jpy", 5500), ("eur", 4000), ("chf", 99_999_999)] {
        let amount = Money::new(minor, Currency::parse(code).unwrap());
        let bill = Bill { amount, checkout: without_cancel.clone(), ..bill() };
        assert_eq!(problems(&render(&bill, &order(), now()).body), [""; 0], "{code}");
    }
    assert_eq!(problems(&render(&bill(), &order(), now()).body), [""; 0]);
    assert_ne!(problems("ui_mode=hosted"), [""; 0], "the schema can refuse");
    assert_ne!(problems("payment_method_kinds%5B0%5D=card"), [""; 0], "the schema can refuse");
}

#[tokio::test]
async fn a_request_that_is_not_this_orders_is_never_sent() {
    let (wire, clock) = (Script::new([]), StillClock::new());
    let stripe = stripe(&wire, &clock);
    let good = render(&bill(), &order(), now()).body;
    let without = |name: &str| {
        let mut pairs = pairs(&good);
        pairs.remove(name).unwrap();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    for body in [
        render(&bill(), &OrderId(43.into()), now()).body,
        without("metadata[order_id]"),
        without("payment_intent_data[metadata][order_id]"),
        format!("{good}&metadata%5Border_id%5D=43"),
        format!("metadata%5Border_id%5D=42&{good}"),
        String::new(),
        "\u{0}%%%&&==".to_owned(),
    ] {
        let request = PayableRequest { body, expires_at: None };
        let error = create_player_checkout_session(&stripe, &order(), &request, "key").await.unwrap_err();
        assert!(matches!(&error, StripeError::NotDone { .. }), "{error:?}");
        assert!(error.to_string().contains("order_id 42"), "{error}");
    }
    assert!(wire.requests().is_empty());
}

#[tokio::test]
async fn the_stored_bytes_are_sent_with_their_key_however_often() {
    let (wire, clock) = (Script::new([lost(), ok(&session("cs_test_1", "open", "unpaid"))]), StillClock::new());
    let request = render(&bill(), &order(), now());
    let made = create_player_checkout_session(&stripe(&wire, &clock), &order(), &request, "key-1").await.unwrap();
    assert!(made.is_open());
    let requests = wire.requests();
    assert_eq!(wire.lines(), ["POST /v1/checkout/sessions"; 2]);
    for sent in requests {
        assert_eq!((sent.body.as_ref(), sent.idempotency_key.as_deref()), (Some(&request.body), Some("key-1")));
    }
}

#[tokio::test]
async fn a_replayed_answer_is_old_news() {
    let replayed = answer(200, &[("idempotent-replayed", "true")], &session("cs_test_1", "open", "unpaid"));
    let wire = Script::new([replayed, ok(&session("cs_test_1", "complete", "paid"))]);
    let clock = StillClock::new();
    let request = render(&bill(), &order(), now());
    let made = create_player_checkout_session(&stripe(&wire, &clock), &order(), &request, "key-1").await.unwrap();
    assert!(made.is_paid(), "it was paid since");
    assert_eq!(wire.lines()[1], "GET /v1/checkout/sessions/cs_test_1");
}
