//! A parent pays on the hosted page in a real browser: headless Chromium, driven over WebDriver.
//!
//! Without chromedriver the test says so; where `CI` is set it fails.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tourney::sandbox::core::{Control, Seed};
use tourney::sandbox::open;

/// The key under which WebDriver names an element (W3C WebDriver, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

struct Browser {
    driver: Child,
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
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let started = lines.map_while(Result::ok).find(|line| line.contains("successfully on port"));
        let port = started.unwrap().trim_end_matches('.').rsplit(' ').next().unwrap().to_owned();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut browser = Self { driver, client, session: format!("http://127.0.0.1:{port}/session") };
        let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=900,1000", "--no-proxy-server"];
        let options = json!({"goog:chromeOptions": {"args": flags}});
        let made = browser.ask("", Some(json!({"capabilities": {"alwaysMatch": options}}))).await;
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        Ok(browser)
    }

    async fn ask(&self, path: &str, body: Option<Value>) -> Value {
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

    async fn element(&self, css: &str) -> String {
        let found = self.ask("/element", Some(json!({"using": "css selector", "value": css}))).await;
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    async fn text(&self, css: &str) -> String {
        self.ask(&format!("{}/text", self.element(css).await), None).await.as_str().unwrap().to_owned()
    }

    async fn type_into(&self, css: &str, text: &str) {
        self.ask(&format!("{}/value", self.element(css).await), Some(json!({"text": text}))).await;
    }

    async fn click(&self, css: &str) {
        self.ask(&format!("{}/click", self.element(css).await), Some(json!({}))).await;
    }

    async fn stop(self) {
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
    let browser = match Browser::start().await {
        Ok(browser) => browser,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "no browser: {why}");
            eprintln!("SKIPPED, since there is no browser here: {why}");
            return;
        }
    };
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
    let arrived = browser.ask("/url", None).await;
    assert_eq!(arrived, thanks.replace("{CHECKOUT_SESSION_ID}", session["id"].as_str().unwrap()));
    browser.ask("/url", Some(json!({"url": session["url"]}))).await;
    assert!(browser.text("[role=status]").await.contains("This has been paid"));
    browser.stop().await;
    sandbox.close().await;
}
