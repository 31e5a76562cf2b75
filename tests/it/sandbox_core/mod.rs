//! The sandbox's core: shapes against Stripe's own schemas, and behaviour against what is known of Stripe.

mod catalogue;
mod link_machine;
mod links;
mod machine;
mod payments;
mod requests;
mod rights;
mod schema;
mod sessions;
mod shapes;
mod visits;
mod webhooks;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tourney::sandbox::core::{Answer, Begun, Call, Control, Core, Put};

/// A Monday in April 2026.
pub(crate) const NOON: i64 = 1_776_081_600;
const KEY: &str = "Bearer sk_test_51Sandbox";
const CREATE: &str = "/v1/checkout/sessions";
const FORM: &str = "mode=payment&success_url=https%3A%2F%2Fclub.example%2Fthanks&line_items[0][quantity]=1\
    &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=5500\
    &line_items[0][price_data][product_data][name]=17U%20Elite";

const LINKS: &str = "/v1/payment_links";
/// The lines of a payment link; a session's [`FORM`] holds the same.
const LINE: &str = "line_items[0][quantity]=1&line_items[0][price_data][currency]=usd\
    &line_items[0][price_data][unit_amount]=5500&line_items[0][price_data][product_data][name]=17U%20Elite";

/// One answered request, as the shapes are checked.
struct Seen {
    operation: String,
    status: u16,
    body: Value,
}

/// A core with its store and a clock that stands still.
struct Sandbox {
    core: Core,
    store: BTreeMap<(String, String), Value>,
    now: i64,
    seen: Vec<Seen>,
}

impl Sandbox {
    fn new() -> Self {
        let mut core = Core::new(7);
        core.set_base_url("http://127.0.0.1:4242");
        let mut sandbox = Self { store: BTreeMap::new(), now: NOON, seen: Vec::new(), core };
        let puts = sandbox.core.birth();
        sandbox.commit(puts);
        sandbox
    }

    fn commit(&mut self, puts: Vec<Put>) {
        for put in puts {
            match put.document {
                Some(document) => self.store.insert((put.kind, put.id), document),
                None => self.store.remove(&(put.kind, put.id)),
            };
        }
    }

    /// What a restart does.
    fn reload(&mut self) {
        let puts = self.store.clone().into_iter();
        let puts = puts.map(|((kind, id), document)| Put { kind, id, document: Some(document) });
        self.core = Core::load(puts).unwrap();
        self.core.set_base_url("http://127.0.0.1:4242");
    }

    fn send(&mut self, call: Call) -> Answer {
        let (method, path) = (call.method.clone(), call.path.clone());
        let (answer, puts) = match self.core.begin(self.now, call) {
            Begun::Answered(answer, puts) => (answer, puts),
            Begun::Working(ticket) => self.core.finish(self.now, ticket),
        };
        self.commit(puts);
        let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        self.seen.push(Seen { operation: format!("{method} {path}"), status: answer.status, body });
        answer
    }

    fn get(&mut self, path: &str, query: &str) -> (u16, Value) {
        parsed(&self.send(call("GET", path, query, "", None)))
    }

    fn post(&mut self, path: &str, form: &str) -> (u16, Value) {
        parsed(&self.send(call("POST", path, "", form, None)))
    }

    /// A new open session's id.
    fn session(&mut self, more: &str) -> String {
        let (status, session) = self.post(CREATE, &format!("{FORM}&{more}"));
        assert_eq!(status, 200, "{session}");
        session["id"].as_str().unwrap().to_owned()
    }

    fn read(&mut self, session: &str) -> Value {
        let (status, session) = self.get(&format!("{CREATE}/{session}"), "");
        assert_eq!(status, 200);
        session
    }

    /// A new active payment link's id.
    fn link(&mut self, more: &str) -> String {
        let (status, link) = self.post(LINKS, &format!("{LINE}&{more}"));
        assert_eq!(status, 200, "{link}");
        link["id"].as_str().unwrap().to_owned()
    }

    fn read_link(&mut self, link: &str) -> Value {
        let (status, link) = self.get(&format!("{LINKS}/{link}"), "");
        assert_eq!(status, 200);
        link
    }

    fn update_link(&mut self, link: &str, form: &str) -> Value {
        let (status, link) = self.post(&format!("{LINKS}/{link}"), form);
        assert_eq!(status, 200, "{link}");
        link
    }

    /// The id of the session that a visit makes.
    fn visit(&mut self, link: &str) -> String {
        let session = self.control(json!({"command": "visit", "link": link}));
        session["id"].as_str().unwrap().to_owned()
    }

    fn control(&mut self, command: Value) -> Value {
        self.try_control(command).unwrap()
    }

    fn try_control(&mut self, command: Value) -> Result<Value, String> {
        let command: Control = serde_json::from_value(command).unwrap();
        let (value, puts) = self.core.control(self.now, command).map_err(|error| error.to_string())?;
        self.commit(puts);
        Ok(value)
    }

    fn pay(&mut self, session: &str, card: &str) -> Value {
        self.control(json!({"command": "pay", "session": session, "card": card}))
    }

    /// The types of all events, oldest first.
    fn events(&mut self) -> Vec<String> {
        let (_, list) = self.get("/v1/events", "limit=100");
        let types = list["data"].as_array().unwrap().iter().rev().map(|e| e["type"].as_str().unwrap().to_owned());
        types.collect()
    }
}

fn call(method: &str, path: &str, query: &str, form: &str, key: Option<&str>) -> Call {
    let mut headers = vec![("authorization".to_owned(), KEY.to_owned())];
    headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
    Call { method: method.into(), path: path.into(), query: query.into(), body: form.into(), headers }
}

fn parsed(answer: &Answer) -> (u16, Value) {
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().unwrap()
}
