//! The embedded sandbox over real HTTP, with its state on a real disk.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tourney::sandbox::core::{Control, DeliveryMode, TestCard, What, When};
use tourney::sandbox::{Sandbox, SandboxError, open, open_at};

use crate::support::Endpoint;

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// Stripe's API as a program that knows only its base URL and key sees it.
pub(crate) struct Api {
    pub(crate) client: reqwest::Client,
    pub(crate) base: String,
}

impl Api {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, base: sandbox.base_url().to_owned() }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
        key: Option<&str>,
    ) -> reqwest::Result<Reply> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self
            .client
            .request(method.parse().unwrap(), url)
            .header("Authorization", format!("Bearer {}", tourney::sandbox::SECRET_KEY));
        if method == "POST" {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await?;
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        Ok(Reply { status: answer.status().as_u16(), location, text: answer.text().await? })
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send("POST", path, form, None).await.unwrap()
    }

    async fn create(&self) -> Value {
        let reply = self.post("/v1/checkout/sessions", &SESSION).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    pub(crate) async fn session(&self, id: &str) -> Value {
        self.get(&format!("/v1/checkout/sessions/{id}")).await.json()
    }

    pub(crate) async fn endpoint(&self, listener: &Endpoint) -> String {
        let form = [("url", listener.url()), ("enabled_events[0]", "*")];
        let reply = self.post("/v1/webhook_endpoints", &form).await;
        reply.json()["secret"].as_str().unwrap_or_else(|| panic!("{}", reply.text)).to_owned()
    }
}

const SESSION: [(&str, &str); 8] = [
    ("mode", "payment"),
    ("success_url", "https://club.example/thanks?session={CHECKOUT_SESSION_ID}"),
    ("customer_email", "parent17@example.com"),
    ("line_items[0][quantity]", "1"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "5500"),
    ("line_items[0][price_data][product_data][name]", "Utah Invitational: 17U Elite, Jordan E."),
    ("metadata[order_id]", "41"),
];

pub(crate) fn id(session: &Value) -> String {
    session["id"].as_str().unwrap().to_owned()
}

pub(crate) fn pay(session: &Value, card: TestCard) -> Control {
    Control::Pay { session: id(session), card, email: None }
}

pub(crate) async fn opened(state: &Path) -> (Sandbox, Api) {
    let sandbox = open(state).await.unwrap();
    let api = Api::new(&sandbox);
    (sandbox, api)
}

#[tokio::test]
async fn the_life_of_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let session = api.create().await;
    assert_eq!(session["status"], "open");
    assert_eq!(session["url"], format!("{}/c/pay/{}", sandbox.base_url(), id(&session)));
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let updated = api.post(&path, &[("metadata[order_id]", "42"), ("metadata[seen]", "yes")]).await.json();
    assert_eq!(updated["metadata"], json!({"order_id": "42", "seen": "yes"}));
    sandbox.control(pay(&session, TestCard::Success)).await.unwrap();
    let paid = api.session(&id(&session)).await;
    assert_eq!((&paid["status"], &paid["payment_status"]), (&json!("complete"), &json!("paid")));
    let refused = api.post(&format!("{path}/expire"), &[]).await;
    assert_eq!(refused.status, 400);
    let unknown = api.get("/v1/checkout/sessions/cs_test_none").await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!("resource_missing")));
    let no_key = api.client.get(format!("{}/v1/account", api.base)).send().await.unwrap();
    assert_eq!(no_key.status(), 401);
    assert!(no_key.headers().contains_key("request-id"));
    sandbox.close().await;
}

#[tokio::test]
async fn a_restart_keeps_the_state_and_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let session = api.create().await;
    let account = api.get("/v1/account").await.json()["id"].clone();
    let url = sandbox.base_url().to_owned();
    sandbox.close().await;
    assert!(api.send("GET", "/v1/account", &[], None).await.is_err(), "a closed sandbox does not answer");
    let (sandbox, api) = opened(folder.path()).await;
    assert_eq!(sandbox.base_url(), url, "recorded links stay good");
    assert_eq!(api.session(&id(&session)).await, session);
    assert_eq!(api.get("/v1/account").await.json()["id"], account);
    sandbox.close().await;
}

#[tokio::test]
async fn openers_share_one_state_and_one_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let all = futures_util::future::join_all((0..12).map(|_| open(folder.path()))).await;
    let (owners, guests): (Vec<_>, Vec<_>) = all.into_iter().map(Result::unwrap).partition(Sandbox::is_owner);
    assert_eq!((owners.len(), guests.len()), (1, 11));
    let session = Api::new(&guests[0]).create().await;
    assert_eq!(id(&Api::new(&owners[0]).session(&id(&session)).await), id(&session));
    let refused = open_at(folder.path(), "127.0.0.1:0".parse().unwrap()).await;
    assert!(matches!(refused, Err(SandboxError::AlreadyServed(url)) if url == owners[0].base_url()));
    for owner in owners {
        owner.close().await;
    }
    let orphan = guests[0].control(Control::Stats).await;
    assert!(matches!(orphan, Err(SandboxError::Unreachable { .. })), "{orphan:?}");
    let again = futures_util::future::join_all((0..4).map(|_| open(folder.path()))).await;
    let again: Vec<Sandbox> = again.into_iter().map(Result::unwrap).collect();
    assert_eq!(again.iter().filter(|sandbox| sandbox.is_owner()).count(), 1);
    assert_eq!(Api::new(&again[3]).session(&id(&session)).await["status"], "open");
    for sandbox in again {
        sandbox.close().await;
    }
}

#[tokio::test]
async fn an_address_that_another_server_has_got_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (other, _) = opened(elsewhere.path()).await;
    let stale = json!({"url": other.base_url(), "instance": "of-an-owner-that-is-gone"}).to_string();
    std::fs::write(folder.path().join("sandbox.addr"), stale).unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    assert!(sandbox.is_owner());
    assert_ne!(sandbox.base_url(), other.base_url());
    api.create().await;
    assert_eq!(Api::new(&other).get("/v1/checkout/sessions").await.json()["data"], json!([]));
    sandbox.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_lost_answer_was_done_and_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let fault = Control::Fault {
        method: Some("POST".to_owned()),
        path_prefix: "/v1/checkout/sessions".to_owned(),
        when: When::After,
        what: What::Cut,
        times: 1,
        skip: 0,
    };
    sandbox.control(fault).await.unwrap();
    let create = || api.send("POST", "/v1/checkout/sessions", &SESSION, Some("attempt-1"));
    assert!(create().await.is_err(), "the connection ends without an answer");
    let all = api.get("/v1/checkout/sessions").await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 1, "it was done");
    let replayed = create().await.unwrap();
    assert_eq!(replayed.json()["id"], all["data"][0]["id"]);
    sandbox.close().await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_no_key_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    sandbox.control(Control::Latency { ms: 300 }).await.unwrap();
    let create = || api.send("POST", "/v1/checkout/sessions", &SESSION, Some("attempt-1"));
    assert!(tokio::time::timeout(Duration::from_millis(100), create()).await.is_err());
    assert_eq!(create().await.unwrap().status, 409, "the first is still under way");
    let finished = async { while create().await.unwrap().status != 200 {} };
    tokio::time::timeout(PATIENCE, finished).await.expect("the first is finished");
    let all = api.get("/v1/checkout/sessions").await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    sandbox.close().await;
}

#[tokio::test]
async fn webhooks_arrive_signed_and_misbehave_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let mut listener = Endpoint::start().await;
    let secret = api.endpoint(&listener).await;
    let session = api.create().await;
    sandbox.control(pay(&session, TestCard::Success)).await.unwrap();
    let event = listener.next_of("checkout.session.completed", &secret).await;
    assert_eq!(event["data"]["object"]["id"], session["id"]);
    assert_eq!(event["data"]["object"]["payment_status"], "paid");

    let mode = |mode| sandbox.control(Control::Deliveries { mode });
    mode(DeliveryMode::Duplicate).await.unwrap();
    sandbox.control(pay(&api.create().await, TestCard::Success)).await.unwrap();
    let first = listener.next_of("checkout.session.completed", &secret).await;
    assert_eq!(listener.next_of("checkout.session.completed", &secret).await["id"], first["id"]);

    mode(DeliveryMode::Drop).await.unwrap();
    let dropped = api.create().await;
    sandbox.control(pay(&dropped, TestCard::Success)).await.unwrap();
    mode(DeliveryMode::Delay(3600)).await.unwrap();
    let delayed = api.create().await;
    sandbox.control(pay(&delayed, TestCard::Success)).await.unwrap();
    mode(DeliveryMode::Normal).await.unwrap();
    let prompt = api.create().await;
    sandbox.control(pay(&prompt, TestCard::Success)).await.unwrap();
    let next = listener.next_of("checkout.session.completed", &secret).await;
    assert_eq!(next["data"]["object"]["id"], prompt["id"], "neither the dropped nor the delayed one");
    sandbox.control(Control::Advance { seconds: 3601 }).await.unwrap();
    let late = listener.next_of("checkout.session.completed", &secret).await;
    assert_eq!(late["data"]["object"]["id"], delayed["id"]);
    sandbox.close().await;
}

#[tokio::test]
async fn a_sandbox_that_closes_at_once_still_delivers() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let mut listener = Endpoint::start().await;
    let secret = api.endpoint(&listener).await;
    let session = api.create().await;
    sandbox.control(pay(&session, TestCard::Success)).await.unwrap();
    sandbox.close().await;
    let event = listener.next_of("checkout.session.completed", &secret).await;
    assert_eq!(event["data"]["object"]["id"], session["id"]);
}

#[tokio::test]
async fn the_hosted_page_shows_declines_and_is_paid() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let session = api.create().await;
    let url = session["url"].as_str().unwrap();
    let shown = api.get(url).await;
    for part in ["Utah Invitational: 17U Elite, Jordan E.", "parent17@example.com", "4242 4242 4242 4242", "<form"] {
        assert!(shown.text.contains(part), "{part} is missing in {}", shown.text);
    }
    assert_eq!(api.session(&id(&session)).await, session, "looking makes nothing");
    let nonsense = api.post(url, &[("card", "1234")]).await;
    assert_eq!(nonsense.status, 422);
    let declined = api.post(url, &[("card", "4000 0000 0000 0002")]).await;
    assert!(declined.status == 402 && declined.text.contains("Your card was declined"), "{declined:?}");
    let paid = api.post(url, &[("card", "4242424242424242")]).await;
    let thanks = format!("https://club.example/thanks?session={}", id(&session));
    assert_eq!((paid.status, paid.location), (303, Some(thanks)));
    assert_eq!(api.session(&id(&session)).await["payment_status"], "paid");
    assert!(api.get(url).await.text.contains("This has been paid"));
    assert_eq!(api.post(url, &[("card", "4242424242424242")]).await.status, 409, "nobody pays twice");
    sandbox.close().await;
}

#[tokio::test]
async fn the_hosted_page_of_a_delayed_and_of_an_expired_session() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let delayed = api.create().await;
    let url = delayed["url"].as_str().unwrap();
    assert_eq!(api.post(url, &[("card", "000123456789")]).await.status, 303);
    assert!(api.get(url).await.text.contains("being processed"));
    assert_eq!(api.session(&id(&delayed)).await["payment_status"], "unpaid");
    let expired = api.create().await;
    sandbox.control(Control::Advance { seconds: 25 * 3600 }).await.unwrap();
    let url = expired["url"].as_str().unwrap();
    assert!(api.get(url).await.text.contains("This link has expired"));
    assert_eq!(api.post(url, &[("card", "4242424242424242")]).await.status, 409);
    assert_eq!(api.get(&format!("{}/c/pay/cs_test_none", sandbox.base_url())).await.status, 404);
    sandbox.close().await;
}

#[tokio::test]
async fn the_control_interface_by_its_friendly_routes() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, api) = opened(folder.path()).await;
    let control = async |path: &str, body: &str| {
        let answer = api.client.post(format!("{}/_sandbox/{path}", api.base)).body(body.to_owned()).send().await;
        let answer = answer.unwrap();
        (answer.status().as_u16(), serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let session = api.create().await;
    let (status, paid) = control(&format!("pay/{}", id(&session)), "").await;
    assert_eq!((status, &paid["payment_status"]), (200, &json!("paid")));
    // What the body leaves out is as without one; what it says holds.
    for (body, payment_status) in
        [("{}", "paid"), (r#"{"email": "a@example.com"}"#, "paid"), (r#"{"card": "decline"}"#, "unpaid")]
    {
        let (status, paid) = control(&format!("pay/{}", id(&api.create().await)), body).await;
        assert_eq!((status, &paid["payment_status"]), (200, &json!(payment_status)), "{body}: {paid}");
    }
    assert_eq!(control(&format!("expire/{}", id(&session)), "").await.0, 409);
    assert_eq!(control("expire/cs_test_none", "").await.0, 404);
    let (status, seeded) = control("seed", r#"{"amount": 5500, "expired_seconds_ago": 60}"#).await;
    assert_eq!((status, &seeded["status"]), (200, &json!("expired")), "{seeded}");
    for (path, body) in [
        ("advance", r#"{"seconds": 60}"#),
        ("latency", r#"{"ms": 1}"#),
        ("rate", r#"{"per_second": 1000}"#),
        ("deliveries", r#"{"mode": "drop"}"#),
        ("faults", r#"{"when": "before", "what": {"status": 503}}"#),
    ] {
        let (status, answer) = control(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
    assert_eq!(api.get("/v1/account").await.status, 503, "the fault strikes once");
    assert_eq!(api.get("/v1/account").await.status, 200);
    let stats = api.get("/_sandbox/stats").await.json();
    assert_eq!(stats["counts"]["GET /v1/account"], 2, "{stats}");
    assert!(api.get("/_sandbox/requests").await.text.contains("/v1/checkout/sessions"));
    assert_eq!(control("nonsense", "").await.0, 400);
    assert_eq!(control("pay", "[").await.0, 400);
    let foreign = api.client.post(format!("{}/_sandbox/reset", api.base)).header("Origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    sandbox.close().await;
}
