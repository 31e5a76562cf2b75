//! Payment links over real HTTP: their page, their webhooks, and their state on a real disk.

use serde_json::{Value, json};
use tourney::sandbox::core::{Control, Prefill, TestCard};
use tourney::verify::open_by_itself;

use crate::sandbox_http::{Api, id, opened, pay};
use crate::support::Endpoint;

const LINK: [(&str, &str); 8] = [
    ("line_items[0][quantity]", "1"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "5500"),
    ("line_items[0][price_data][product_data][name]", "Utah Invitational: 17U Elite, Jordan E."),
    ("metadata[order_id]", "41"),
    ("payment_intent_data[metadata][order_id]", "41"),
    ("restrictions[completed_sessions][limit]", "1"),
    ("inactive_message", "This has been paid, or it was withdrawn. <Ask> the club."),
];

async fn link(api: &Api, more: &[(&str, &str)]) -> Value {
    let reply = api.post("/v1/payment_links", &[&LINK[..], more].concat()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn visit(link: &Value) -> Control {
    Control::Visit { link: id(link), prefill: Prefill::default() }
}

async fn sessions(api: &Api) -> usize {
    api.get("/v1/checkout/sessions?limit=100").await.json()["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_bot_makes_nothing_and_a_person_pays() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let thanks = [
        ("after_completion[type]", "redirect"),
        ("after_completion[redirect][url]", "https://club.example/thanks?session={CHECKOUT_SESSION_ID}"),
    ];
    let link = link(&api, &thanks).await;
    let url = format!("{}?locked_prefilled_email=parent17%40example.com", link["url"].as_str().unwrap());
    assert!(url.starts_with(&format!("{}/b/test_", sandbox.base_url())), "{url}");
    for method in ["GET", "HEAD", "GET"] {
        let shown = api.send(method, &url, &[], None).await.unwrap();
        assert_eq!(shown.status, 200, "{method}");
    }
    let shown = api.get(&url).await;
    for part in ["Utah Invitational: 17U Elite, Jordan E.", "$55.00", "<form method=\"post\"", "Continue to payment"] {
        assert!(shown.text.contains(part), "{part} is missing in {}", shown.text);
    }
    assert_eq!(sessions(&api).await, 0, "who only looks leaves nothing behind");
    assert_eq!(api.get(&format!("/v1/payment_links/{}", id(&link))).await.json(), link);

    let gone_on = api.post(&url, &[]).await;
    let page = gone_on.location.unwrap();
    assert_eq!(gone_on.status, 303);
    let session = page.strip_prefix("/c/pay/").unwrap().to_owned();
    let checkout = api.get(&page).await;
    assert!(checkout.text.contains("value=\"parent17@example.com\" readonly"), "{}", checkout.text);
    assert_eq!(api.post(&page, &[("card", "4000000000000002"), ("email", "x@example.com")]).await.status, 402);
    let paid = api.post(&page, &[("card", "4242 4242 4242 4242"), ("email", "x@example.com")]).await;
    assert_eq!(paid.location, Some(format!("https://club.example/thanks?session={session}")));
    let session = api.session(&session).await;
    assert_eq!((&session["payment_status"], &session["payment_link"]), (&json!("paid"), &link["id"]));
    assert_eq!(session["customer_details"]["email"], "parent17@example.com");
    assert_eq!(api.get(&format!("/v1/payment_links/{}", id(&link))).await.json()["active"], false);
    sandbox.close().await;
}

#[tokio::test]
async fn a_program_opens_a_link_or_says_that_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let link = link(&api, &[]).await;
    assert!(open_by_itself(link["url"].as_str().unwrap()).await);
    assert_eq!(sessions(&api).await, 1);
    assert!(!open_by_itself(&format!("{}/b/test_nothing", sandbox.base_url())).await);
    sandbox.close().await;
    assert!(!open_by_itself(link["url"].as_str().unwrap()).await, "nobody answers");
}

#[tokio::test]
async fn an_inactive_link_says_so_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let link = link(&api, &[]).await;
    let (path, url) = (format!("/v1/payment_links/{}", id(&link)), link["url"].as_str().unwrap());
    assert_eq!(api.post(&path, &[("active", "false")]).await.status, 200);
    let shown = api.get(url).await;
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("or it was withdrawn. &lt;Ask&gt; the club."), "{}", shown.text);
    assert!(!shown.text.contains("<form"), "{}", shown.text);
    let pushed = api.post(url, &[]).await;
    assert!(pushed.status == 409 && pushed.text.contains("or it was withdrawn"), "{pushed:?}");
    api.post(&path, &[("inactive_message", "")]).await;
    assert!(api.get(url).await.text.contains("This link is no longer active."));
    let refused = sandbox.control(visit(&link)).await.unwrap_err().to_string();
    assert!(refused.contains("is not active"), "{refused}");
    assert_eq!(sessions(&api).await, 0);
    for method in ["GET", "POST"] {
        let unknown = api.send(method, "/b/test_none", &[], None).await.unwrap();
        assert!(unknown.status == 404 && unknown.text.contains("nothing to pay here"), "{unknown:?}");
    }
    sandbox.close().await;
}

#[tokio::test]
async fn a_page_without_a_redirect_says_thanks_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let words = [
        ("after_completion[type]", "hosted_confirmation"),
        ("after_completion[hosted_confirmation][custom_message]", "See you in Utah!"),
    ];
    let link = link(&api, &words).await;
    let session = sandbox.control(visit(&link)).await.unwrap();
    let page = session["url"].as_str().unwrap();
    let open = api.get(page).await;
    assert!(!open.text.contains("See you in Utah!") && !open.text.contains("stripe.com"), "{}", open.text);
    let paid = api.post(page, &[("card", "4242424242424242"), ("email", "parent17@example.com")]).await;
    assert_eq!((paid.status, &paid.location), (200, &None));
    assert!(paid.text.contains("This has been paid") && paid.text.contains("See you in Utah!"), "{}", paid.text);
    sandbox.close().await;
}

#[tokio::test]
async fn what_becomes_of_a_link_is_told_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let mut listener = Endpoint::start().await;
    let secret = api.endpoint(&listener).await;
    let link = link(&api, &[]).await;
    let created = listener.next_of("payment_link.created", &secret).await;
    assert_eq!(created["data"]["object"], link);
    let session = sandbox.control(visit(&link)).await.unwrap();
    sandbox.control(pay(&session, TestCard::Success)).await.unwrap();
    let completed = listener.next_of("checkout.session.completed", &secret).await;
    let told = &completed["data"]["object"];
    assert_eq!((&told["id"], &told["payment_link"]), (&session["id"], &link["id"]));
    assert_eq!(told["metadata"], json!({"order_id": "41"}));
    let updated = listener.next_of("payment_link.updated", &secret).await;
    assert_eq!(updated["data"]["object"]["active"], false);
    assert_eq!(updated["data"]["previous_attributes"]["active"], true);
    sandbox.close().await;
}

#[tokio::test]
async fn a_restart_keeps_links_and_their_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let link = link(&api, &[]).await;
    let session = sandbox.control(visit(&link)).await.unwrap();
    sandbox.close().await;
    let (sandbox, api) = opened(folder.path()).await;
    assert_eq!(api.get(&format!("/v1/payment_links/{}", id(&link))).await.json(), link, "its address, too");
    assert_eq!(api.get(link["url"].as_str().unwrap()).await.status, 200);
    sandbox.control(pay(&session, TestCard::Success)).await.unwrap();
    let closed = api.get(&format!("/v1/payment_links/{}", id(&link))).await.json();
    assert_eq!((&closed["active"], &closed["url"]), (&json!(false), &link["url"]));
    sandbox.close().await;
}

#[tokio::test]
async fn visits_by_the_control_interface() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let control = async |path: &str, body: Value| {
        let url = format!("{}/_sandbox/{path}", api.base);
        let answer = api.client.post(url).body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let link = link(&api, &[]).await;
    let (status, session) = control(&format!("visit/{}", id(&link)), json!({"client_reference_id": "o-41"})).await;
    assert_eq!((status, &session["payment_link"], &session["client_reference_id"]), (200, &link["id"], &json!("o-41")));
    let url = format!("{}?client_reference_id=o-42", link["url"].as_str().unwrap());
    let (status, session) = control("visit", json!({"link": url})).await;
    assert_eq!((status, &session["client_reference_id"]), (200, &json!("o-42")));
    let (status, _) = control("control", json!({"command": "visit", "link": id(&link)})).await;
    assert_eq!((status, sessions(&api).await), (200, 3));
    assert_eq!(control("visit/plink_none", json!({})).await.0, 404);
    api.post(&format!("/v1/payment_links/{}", id(&link)), &[("active", "false")]).await;
    assert_eq!(control(&format!("visit/{}", id(&link)), json!({})).await.0, 409);
    let stats = api.get("/_sandbox/stats").await.json();
    assert_eq!(stats["counts"]["POST /v1/payment_links"], 1, "{stats}");
    assert_eq!(stats["counts"].get("POST /v1/checkout/sessions"), None, "a visit asks nothing of the API: {stats}");
    sandbox.close().await;
}
