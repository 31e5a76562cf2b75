//! The helper's sibling: the bytes it renders, and what it refuses to send. Closing and repairing links.

use tourney::domain::{Metadata, OrderId, SessionId};
use tourney::stripe::{
    CheckoutSettings, Closed, PayableRequest, PriceId, StripeError, create_player_payment_link, render_payment_link,
};

use super::helper::{bill, order, pairs, problems};
use super::script::{Script, Sent, StillClock, answer, lost, ok, session, stripe};

const PATH: &str = "/v1/payment_links";

fn price() -> PriceId {
    PriceId("price_1".to_owned())
}

fn link(active: bool) -> Sent {
    ok(&shown(active))
}

fn shown(active: bool) -> String {
    format!(
        r#"{{"id":"plink_1","object":"payment_link","active":{active},"url":"https://pay.example/b/1","currency":"usd",
        "livemode":false,"metadata":{{"order_id":"42"}},"line_items":{{"data":[{{"amount_total":5500,"currency":"usd"}}],
        "has_more":false}}}}"#
    )
}

fn visits(sessions: &[String]) -> Sent {
    ok(&format!(r#"{{"object":"list","data":[{}],"has_more":false}}"#, sessions.join(",")))
}

#[test]
fn the_rendered_request() {
    let request = render_payment_link(&bill(), &order(), &price());
    insta::assert_yaml_snapshot!(pairs(&request.body));
    assert_eq!(request.expires_at, None, "nothing ends it but a payment or us");
    assert!(!request.body.contains("example.com"), "a link knows no payer");
}

#[test]
fn the_same_bill_renders_the_same_bytes() {
    let first = render_payment_link(&bill(), &order(), &price());
    for _ in 0..20 {
        assert_eq!(render_payment_link(&bill(), &order(), &price()), first);
    }
}

#[test]
fn what_is_sent_validates_against_stripes_schema() {
    let problems = problems(PATH);
    let long = bill().tournament_name.repeat(80);
    for bill in [bill(), tourney::stripe::Bill { tournament_name: long, ..bill() }] {
        let body = render_payment_link(&bill, &order(), &price()).body;
        assert_eq!(problems(&body), [""; 0]);
        assert!(pairs(&body)["inactive_message"].chars().count() <= 500, "Stripe's limit");
    }
    assert_ne!(problems("restrictions%5Bcompleted_sessions%5D%5Blimits%5D=1"), [""; 0], "the schema can refuse");
}

/// The operator's own metadata never takes the place of ours, in the link or in its payments.
#[test]
fn the_operators_metadata_overrides_nothing() {
    let metadata = Metadata::from([("order_id".to_owned(), "999".to_owned()), ("team".to_owned(), "A".to_owned())]);
    let bill = tourney::stripe::Bill { checkout: CheckoutSettings { metadata, ..bill().checkout }, ..bill() };
    let sent = pairs(&render_payment_link(&bill, &order(), &price()).body);
    for place in ["metadata", "payment_intent_data[metadata]"] {
        assert_eq!((&*sent[&format!("{place}[order_id]")], &*sent[&format!("{place}[team]")]), ("42", "A"));
    }
}

#[tokio::test]
async fn a_request_that_is_not_this_orders_is_never_sent() {
    let (wire, clock) = (Script::new([]), StillClock::new());
    let stripe = stripe(&wire, &clock);
    let good = render_payment_link(&bill(), &order(), &price()).body;
    let without = |name: &str| {
        let mut pairs = pairs(&good);
        pairs.remove(name).unwrap();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    for body in [
        render_payment_link(&bill(), &OrderId(43.into()), &price()).body,
        without("metadata[order_id]"),
        without("payment_intent_data[metadata][order_id]"),
        format!("{good}&metadata%5Border_id%5D=43"),
        String::new(),
    ] {
        let request = PayableRequest { body, expires_at: None };
        let error = create_player_payment_link(&stripe, &order(), &request, "key").await.unwrap_err();
        assert!(matches!(error, StripeError::NotDone { .. }), "{error:?}");
    }
    assert_eq!(wire.lines(), [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_with_the_same_bytes_and_key() {
    let (wire, clock) = (Script::new([lost(), link(true)]), StillClock::new());
    let request = render_payment_link(&bill(), &order(), &price());
    let made = create_player_payment_link(&stripe(&wire, &clock), &order(), &request, "key-1").await.unwrap();
    assert!(made.is_open() && made.money().is_some_and(|money| money.minor == 5500), "{made:?}");
    assert_eq!(wire.lines(), ["POST /v1/payment_links"; 2]);
    for sent in wire.requests() {
        assert_eq!((sent.body.as_ref(), sent.idempotency_key.as_deref()), (Some(&request.body), Some("key-1")));
    }
}

#[tokio::test]
async fn a_replayed_answer_is_old_news() {
    let replayed = answer(200, &[("idempotent-replayed", "true")], &shown(true));
    let (wire, clock) = (Script::new([replayed, link(false)]), StillClock::new());
    let request = render_payment_link(&bill(), &order(), &price());
    let made = create_player_payment_link(&stripe(&wire, &clock), &order(), &request, "key-1").await.unwrap();
    assert!(!made.is_open(), "it was paid since");
    assert!(wire.lines()[1].starts_with("GET /v1/payment_links/plink_1"), "{:?}", wire.lines());
}

#[tokio::test]
async fn closing_a_link_closes_it_first_and_then_its_visits() {
    let ended = [session("cs_1", "open", "unpaid"), session("cs_2", "expired", "unpaid")];
    let wire = Script::new([link(false), visits(&ended), ok(&session("cs_1", "expired", "unpaid"))]);
    let clock = StillClock::new();
    let closed = stripe(&wire, &clock).close(&SessionId::from("plink_1")).await.unwrap();
    assert_eq!(closed, Closed::Expired);
    let lines = wire.lines();
    assert_eq!(lines[0], "POST /v1/payment_links/plink_1");
    assert_eq!(wire.requests()[0].body.as_deref(), Some("active=false"));
    assert!(
        lines[1].starts_with("GET /v1/checkout/sessions?") && lines[1].contains("payment_link=plink_1"),
        "{lines:?}"
    );
    assert_eq!(lines[2], "POST /v1/checkout/sessions/cs_1/expire");
}

/// Money comes first, whatever else a link's visits came to.
#[tokio::test]
async fn of_a_links_visits_the_one_that_was_paid_is_told() {
    let ended = [session("cs_1", "expired", "unpaid"), session("cs_2", "complete", "paid")];
    let (wire, clock) = (Script::new([link(false), visits(&ended)]), StillClock::new());
    let closed = stripe(&wire, &clock).close(&SessionId::from("plink_1")).await.unwrap();
    assert!(matches!(&closed, Closed::Paid(paid) if paid.id.as_str() == "cs_2"), "{closed:?}");
}

/// What a server does not show is not known; `null`, where it shows it, says that there is nothing.
#[tokio::test]
async fn what_payments_at_a_link_will_carry_is_read() {
    let told = async |fields: &str| {
        let body = shown(true).replacen("\"active\":true", &format!("\"active\":true{fields}"), 1);
        let (wire, clock) = (Script::new([ok(&body)]), StillClock::new());
        let link = stripe(&wire, &clock).payment_link(&SessionId::from("plink_1")).await.unwrap().unwrap();
        (link.order_of_payments().map(ToOwned::to_owned), link.terms.paid_once)
    };
    let order = |id: &str| Some(id.to_owned());
    assert_eq!(told("").await, (None, None));
    assert_eq!(told(r#","payment_intent_data":{"setup_future_usage":null}"#).await, (None, None));
    assert_eq!(told(r#","payment_intent_data":null,"restrictions":null"#).await, (order(""), Some(false)));
    let said = r#","payment_intent_data":{"metadata":{"order_id":"42"}},"restrictions":{"completed_sessions":{"count":0,"limit":1}}"#;
    assert_eq!(told(said).await, (order("42"), Some(true)));
    let said = r#","payment_intent_data":{"metadata":{}},"restrictions":{"completed_sessions":{"count":0,"limit":2}}"#;
    assert_eq!(told(said).await, (order(""), Some(false)));
}

/// An update of `payment_intent_data` replaces all of it: both get everything.
#[tokio::test]
async fn repairing_a_link_repairs_its_payments_too() {
    let (wire, clock) = (Script::new([link(true)]), StillClock::new());
    let metadata =
        Metadata::from([("order_id".to_owned(), "42".to_owned()), ("tourney_fee".to_owned(), "5".to_owned())]);
    stripe(&wire, &clock).update_metadata(&SessionId::from("plink_1"), &metadata).await.unwrap();
    let sent = pairs(wire.requests()[0].body.as_deref().unwrap());
    for place in ["metadata", "payment_intent_data[metadata]"] {
        assert_eq!(sent[&format!("{place}[order_id]")], "42");
        assert_eq!(sent[&format!("{place}[tourney_fee]")], "5");
    }
    assert_eq!(sent["restrictions[completed_sessions][limit]"], "1", "whatever was made of it meanwhile");
    assert_eq!(sent.len(), 5, "{sent:?}");
}
