//! A parent pays on the hosted pages in a real browser: headless Chromium, driven over WebDriver.
//!
//! Without chromedriver the test says so; where `CI` is set it fails.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tourney::sandbox::core::{Control, Seed};
use tourney::sandbox::open;

use crate::sandbox_http::{Api, id};

/// The key under which WebDriver names an element (W3C WebDriver, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Nothing here reaches beyond this machine, and nothing is asked on a first start.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--window-size=900,1000",
];

/// Far above what a page needs on a busy machine: only what never comes true reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Browser {
    driver: Child,
    /// Held open: the driver would end at its next word to a closed pipe.
    _said: BufReader<ChildStdout>,
    client: reqwest::Client,
    session: String,
}

impl Browser {
    async fn start() -> Result<Self, String> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("successfully on port") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "chromedriver ended before it listened");
        }
        let port = line.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap().to_owned();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, _said: said, client, session };
        let options = json!({"goog:chromeOptions": {"args": FLAGS}});
        let made = browser.ask("", Some(json!({"capabilities": {"alwaysMatch": options}}))).await;
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        // An element is waited for: a click answers before the page that it leads to has come.
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
        browser.ask("/timeouts", Some(json!({"implicit": patience, "pageLoad": patience}))).await;
        Ok(browser)
    }

    /// The browser, or none where there is none here.
    pub(crate) async fn if_there_is_one() -> Option<Self> {
        match Self::start().await {
            Ok(browser) => Some(browser),
            Err(why) => {
                assert!(std::env::var_os("CI").is_none(), "no browser: {why}");
                eprintln!("SKIPPED, since there is no browser here: {why}");
                None
            }
        }
    }

    pub(crate) async fn ask(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.session);
        let request = match body {
            Some(body) => self.client.post(url).body(body.to_string()),
            None => self.client.get(url),
        };
        let text = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {text}");
        answer["value"].clone()
    }

    pub(crate) async fn element(&self, css: &str) -> String {
        let found = self.ask("/element", Some(json!({"using": "css selector", "value": css}))).await;
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.ask(&format!("{}/text", self.element(css).await), None).await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn type_into(&self, css: &str, text: &str) {
        self.ask(&format!("{}/value", self.element(css).await), Some(json!({"text": text}))).await;
    }

    pub(crate) async fn click(&self, css: &str) {
        self.ask(&format!("{}/click", self.element(css).await), Some(json!({}))).await;
    }

    /// Waits until the browser has arrived at an address.
    pub(crate) async fn arrives_at(&self, url: &str) {
        let began = Instant::now();
        loop {
            let at = self.ask("/url", None).await;
            if at == url {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "at {at}, and never at {url}");
        }
    }

    pub(crate) async fn stop(self) {
        let _ = self.client.delete(&self.session).send().await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[tokio::test]
async fn a_parent_pays_in_a_real_browser() {
    let Some(browser) = Browser::if_there_is_one().await else { return };
    let state = tempfile::tempdir().unwrap();
    let sandbox = open(state.path()).await.unwrap();
    let thanks = format!("{}/_sandbox/health?paid={{CHECKOUT_SESSION_ID}}", sandbox.base_url());
    let seed = json!({"amount": 5500, "name": "Utah Invitational: 17U Elite, Jordan E.", "success_url": thanks});
    let seed: Seed = serde_json::from_value(seed).unwrap();
    let session = sandbox.control(Control::SeedSession(Box::new(seed))).await.unwrap();
    browser.ask("/url", Some(json!({"url": session["url"]}))).await;
    assert_eq!(browser.text(".amount").await, "$55.00");
    browser.type_into("#email", "parent17@example.com").await;
    browser.type_into("#card", "4000 0000 0000 0002").await;
    browser.click("button").await;
    assert!(browser.text("[role=alert]").await.contains("declined"));
    browser.type_into("#email", "parent17@example.com").await;
    browser.type_into("#card", "4242 4242 4242 4242").await;
    browser.click("button").await;
    browser.arrives_at(&thanks.replace("{CHECKOUT_SESSION_ID}", session["id"].as_str().unwrap())).await;
    browser.ask("/url", Some(json!({"url": session["url"]}))).await;
    assert!(browser.text("[role=status]").await.contains("This has been paid"));
    browser.stop().await;
    sandbox.close().await;
}

#[tokio::test]
async fn a_parent_pays_through_a_link_in_a_real_browser() {
    let Some(browser) = Browser::if_there_is_one().await else { return };
    let state = tempfile::tempdir().unwrap();
    let sandbox = open(state.path()).await.unwrap();
    let api = Api::new(&sandbox);
    let thanks = format!("{}/_sandbox/health?paid={{CHECKOUT_SESSION_ID}}", sandbox.base_url());
    let form = [
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "5500"),
        ("line_items[0][price_data][product_data][name]", "Utah Invitational: 17U Elite, Jordan E."),
        ("restrictions[completed_sessions][limit]", "1"),
        ("inactive_message", "Paid, or withdrawn: ask the club."),
        ("after_completion[type]", "redirect"),
        ("after_completion[redirect][url]", thanks.as_str()),
    ];
    let link = api.post("/v1/payment_links", &form).await.json();
    let url = format!("{}?locked_prefilled_email=parent17%40example.com", link["url"].as_str().unwrap());
    browser.ask("/url", Some(json!({"url": url}))).await;
    assert_eq!(browser.text(".amount").await, "$55.00");
    assert_eq!(browser.text("td").await, "Utah Invitational: 17U Elite, Jordan E.");
    let sessions = format!("/v1/checkout/sessions?payment_link={}", id(&link));
    assert_eq!(api.get(&sessions).await.json()["data"], json!([]), "looking makes nothing");
    browser.click("button").await;
    let email = browser.element("#email[readonly]").await;
    assert_eq!(browser.ask(&format!("{email}/property/value"), None).await, "parent17@example.com");
    browser.type_into("#card", "4242 4242 4242 4242").await;
    browser.click("button").await;
    let made = api.get(&sessions).await.json();
    let session = made["data"][0]["id"].as_str().unwrap();
    browser.arrives_at(&thanks.replace("{CHECKOUT_SESSION_ID}", session)).await;
    browser.ask("/url", Some(json!({"url": url}))).await;
    assert_eq!(browser.text("[role=status]").await, "Paid, or withdrawn: ask the club.");
    assert_eq!(api.get(&sessions).await.json()["data"].as_array().unwrap().len(), 1);
    browser.stop().await;
    sandbox.close().await;
}
