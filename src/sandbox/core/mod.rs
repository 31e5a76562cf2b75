//! A pure, Stripe-compatible state machine: no I/O, no clock, no randomness of its own.
//!
//! [`Core::begin`] takes a request as it came, [`Core::finish`] ends what began; what must be remembered comes out as
//! [`Put`]s, which a store commits before the answer is sent. Times are unix seconds in UTC; the core adds what
//! [`Control::Advance`] has added up. Behaviour follows Stripe's API reference at version [`API_VERSION`].

mod account;
mod answer;
mod auth;
mod call;
mod catalogue;
mod control;
mod currency;
mod delivery;
mod dispute;
mod echo;
mod endpoint;
mod error;
mod event;
mod expand;
mod fault;
mod form;
mod idempotency;
mod ids;
mod lines;
mod link;
mod list;
mod params;
mod payment;
mod refund;
mod rights;
mod route;
mod session;
mod shelf;
mod stats;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::call::Work;
use self::error::ApiError;
use self::fault::{What as FaultWhat, When as FaultWhen};
use self::route::Request;
use self::shelf::{Kind, Record, Shelf};

pub use self::call::{Answer, Begun, Call, CheckoutView, Delivery, LinkView, Put, Ticket};
pub(super) use self::currency::show as show_amount;

pub use self::control::{Control, ControlError, DeliveryMode, TestCard};
pub use self::fault::{What, When};
pub use self::link::Prefill;
pub use self::session::Seed;

/// The version of Stripe's API that answers where a request names none.
pub const API_VERSION: &str = "2026-09-30.endive";

/// What the core keeps beside its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    seed: u64,
    /// The number of the last id or record.
    counter: u64,
    account: String,
    /// What the sandbox's clock is ahead of the host's, in seconds.
    offset: i64,
    latency_ms: u64,
    rate_per_second: Option<u32>,
    deliveries: DeliveryMode,
    /// What each restricted key may do; any other key may do everything.
    #[serde(default)]
    restricted: BTreeMap<String, BTreeSet<String>>,
}

/// Why events are made: the request at hand.
#[derive(Clone, Debug, Default)]
struct Cause {
    request: Option<String>,
    key: Option<String>,
}

/// The sandbox's whole state. A clone goes on by itself, from the same ids on.
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    saved: Option<Settings>,
    shelf: Shelf,
    base_url: String,
    cause: Cause,
    /// Idempotency keys being executed: their path and fingerprint.
    in_flight: BTreeMap<String, (String, String)>,
    /// Deliveries handed out and not yet reported.
    handed_out: BTreeSet<String>,
    stats: stats::Stats,
    /// Requests of the host's current second.
    window: (i64, u32),
}

impl Core {
    /// A new sandbox: the same seed and requests give the same ids.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(Settings {
            seed,
            counter: 0,
            account: format!("acct_{}", ids::draw(seed, 0, "acct_", 16)),
            offset: 0,
            latency_ms: 0,
            rate_per_second: None,
            deliveries: DeliveryMode::Normal,
            restricted: BTreeMap::new(),
        })
    }

    fn with(settings: Settings) -> Self {
        Self {
            settings,
            saved: None,
            shelf: Shelf::default(),
            base_url: "https://checkout.stripe.invalid".to_owned(),
            cause: Cause::default(),
            in_flight: BTreeMap::new(),
            handed_out: BTreeSet::new(),
            stats: stats::Stats::default(),
            window: (0, 0),
        }
    }

    /// What a store must remember of a new sandbox before its first request.
    pub fn birth(&mut self) -> Vec<Put> {
        self.drain()
    }

    /// The sandbox that a store remembers; `None` where the store is empty.
    pub fn load(puts: impl IntoIterator<Item = Put>) -> Option<Self> {
        let mut shelf = Shelf::default();
        let mut settings: Option<Settings> = None;
        for put in puts {
            if put.kind == "settings" {
                settings = put.document.and_then(|document| serde_json::from_value(document).ok());
            } else {
                shelf.load(put);
            }
        }
        let settings = settings?;
        let saved = Some(settings.clone());
        Some(Self { shelf, saved, ..Self::with(settings) })
    }

    /// Sets where the hosted pages are served, without a slash at the end: a session's `url` is
    /// `{base}/c/pay/{session}`, a payment link's `{base}/b/{short}`.
    pub fn set_base_url(&mut self, base: &str) {
        base.trim_end_matches('/').clone_into(&mut self.base_url);
    }

    /// The account's id (`acct_…`).
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.settings.account
    }

    /// The sandbox's own time for the host's `now`.
    #[must_use]
    pub const fn clock(&self, now: i64) -> i64 {
        now + self.settings.offset
    }

    /// How long the HTTP layer waits before it answers, in milliseconds.
    #[must_use]
    pub const fn latency_ms(&self) -> u64 {
        self.settings.latency_ms
    }

    /// Begins a request: key, rate, faults, idempotency and parameters are checked; a replay is answered.
    pub fn begin(&mut self, now: i64, call: Call) -> Begun {
        let host = now;
        let now = self.clock(host);
        self.pass_time(now);
        // The counter stands in it because the number of requests starts again with the process.
        let purpose = format!("req/{now}/{}", self.settings.counter);
        let id = format!("req_{}", ids::draw(self.settings.seed, self.stats.next_request(), &purpose, 14));
        self.stats.arrived(&call, &id);
        match self.admit(host, &call, &id) {
            Ok(Admitted::Work(work)) => {
                if let Some(key) = &work.request.key {
                    let scope = idempotency::scope(work.request.live, key);
                    self.in_flight.insert(scope, (work.request.path.clone(), work.request.fingerprint.clone()));
                }
                Begun::Working(Ticket(Box::new(work)))
            }
            Ok(Admitted::Replay { status, body, original, cut }) => {
                let mut answer = self.answer(now, &call, &id, status, body);
                answer.headers.push(("Idempotent-Replayed".to_owned(), "true".to_owned()));
                answer.headers.push(("Original-Request".to_owned(), original));
                answer.cut = cut;
                self.stats.answered(&id, status);
                Begun::Answered(answer, self.drain())
            }
            Ok(Admitted::Cut) => {
                let mut answer = self.answer(now, &call, &id, 500, String::new());
                answer.cut = true;
                self.stats.answered(&id, 0);
                Begun::Answered(answer, self.drain())
            }
            Err(error) => {
                let body = self.error_body(&error, &id, false);
                let answer = self.answer(now, &call, &id, error.status, body);
                self.stats.answered(&id, error.status);
                Begun::Answered(answer, self.drain())
            }
        }
    }

    /// Executes what began, at `now`; the puts are committed before the answer is sent.
    pub fn finish(&mut self, now: i64, ticket: Ticket) -> (Answer, Vec<Put>) {
        let Work { request, after } = *ticket.0;
        let now = self.clock(now);
        self.pass_time(now);
        self.cause = Cause { request: Some(request.id.clone()), key: request.key.clone() };
        let mut result = (request.route.handler)(self, &request.at(now));
        self.cause = Cause::default();
        if let Some(FaultWhat::Status(status)) = after {
            result = result.and(Err(ApiError::server(status)));
        }
        let executed = result.as_ref().err().is_none_or(|error| error.executed);
        let (status, body) = match result {
            Ok(value) => (200, pretty(&value)),
            Err(error) => (error.status, self.error_body(&error, &request.id, request.live)),
        };
        if let Some(key) = &request.key {
            self.in_flight.remove(&idempotency::scope(request.live, key));
        }
        if executed {
            idempotency::remember(self, &request, status, &body, now);
        }
        let mut answer = self.answer_to(now, &request, status, body);
        answer.cut = after == Some(FaultWhat::Cut);
        self.stats.answered(&request.id, status);
        (answer, self.drain())
    }

    /// What time brings by itself: sessions expire, delayed payments settle, keys are forgotten.
    pub fn tick(&mut self, now: i64) -> Vec<Put> {
        let now = self.clock(now);
        self.pass_time(now);
        self.drain()
    }

    fn pass_time(&mut self, now: i64) {
        for id in self.shelf.due(Kind::Session, now) {
            session::fall_due(self, &id);
        }
        for id in self.shelf.due(Kind::Key, now) {
            self.shelf.remove(Kind::Key, &id);
        }
    }

    /// Everything that stands before execution.
    fn admit(&mut self, host: i64, call: &Call, id: &str) -> Result<Admitted, ApiError> {
        let (route, ids) = route::find(&call.method, &call.path)?;
        self.stats.routed(route);
        let live = auth::mode(call)?;
        let version = answer::version(call)?;
        self.throttle(host)?;
        match fault::strike(self, call, FaultWhen::Before) {
            Some(FaultWhat::Cut) => return Ok(Admitted::Cut),
            Some(FaultWhat::RateLimited) => return Err(ApiError::rate_limited()),
            Some(FaultWhat::Status(status)) => return Err(ApiError::server(status)),
            None => {}
        }
        let form = answer::form(call)?;
        rights::check(self, call, &form)?;
        let key = call.header("idempotency-key").filter(|key| call.method == "POST" && !key.is_empty());
        let mut request = Request {
            route,
            path: call.path.clone(),
            ids,
            params: Value::Null,
            live,
            id: id.to_owned(),
            key: key.map(str::to_owned),
            fingerprint: answer::fingerprint(&form),
            version,
            now: 0,
        };
        if let idempotency::Known::Answered(status, body, original) = idempotency::look_up(self, &request)? {
            let cut = fault::strike(self, call, FaultWhen::After) == Some(FaultWhat::Cut);
            return Ok(Admitted::Replay { status, body, original, cut });
        }
        request.params = params::check(&route.name(), &form)?;
        let after = fault::strike(self, call, FaultWhen::After);
        Ok(Admitted::Work(Work { request, after }))
    }

    fn throttle(&mut self, host: i64) -> Result<(), ApiError> {
        if self.window.0 != host {
            self.window = (host, 0);
        }
        self.window.1 += 1;
        let limit = self.settings.rate_per_second;
        if limit.is_some_and(|limit| self.window.1 > limit) { Err(ApiError::rate_limited()) } else { Ok(()) }
    }

    /// The next number of the sandbox's one sequence.
    fn next_number(&mut self) -> u64 {
        self.settings.counter += 1;
        self.settings.counter
    }

    /// A new id: a prefix and `length` characters.
    fn new_id(&mut self, prefix: &str, length: usize) -> String {
        let number = self.next_number();
        format!("{prefix}{}", ids::draw(self.settings.seed, number, prefix, length))
    }

    /// Puts a new record on the shelf.
    fn insert(&mut self, kind: Kind, live: bool, object: Value, hidden: Value) {
        let serial = self.next_number();
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        self.shelf.put(kind, &id, Record { serial, live, object, hidden });
    }

    /// The record of an id in the request's mode.
    ///
    /// # Errors
    /// 404 `resource_missing`, saying where the id is one of the other mode.
    fn find(&self, request: &Request, kind: Kind, id: &str, param: &str) -> Result<&Record, ApiError> {
        match self.shelf.get(kind, id) {
            Some(record) if record.live == request.live => Ok(record),
            Some(_) => {
                let (theirs, ours) = if request.live { ("test", "live") } else { ("live", "test") };
                let mut error = ApiError::no_such(kind.spoken(), id, param);
                error.message.push_str(&format!(
                    "; a similar object exists in {theirs} mode, but a {ours} mode key was used to make this request."
                ));
                Err(error)
            }
            None => Err(ApiError::no_such(kind.spoken(), id, param)),
        }
    }

    /// Finds, renders and expands one object: what every retrieve does.
    fn retrieve(&self, request: &Request, kind: Kind, param: &str) -> Result<Value, ApiError> {
        let record = self.find(request, kind, request.subject(), param)?;
        expand::expand(self, request, self.render(kind, record))
    }

    /// Renders and expands the object of an id: what every write answers.
    fn show(&self, request: &Request, kind: Kind, id: &str) -> Result<Value, ApiError> {
        let value = self.shelf.get(kind, id).map(|record| self.render(kind, record)).unwrap_or_default();
        expand::expand(self, request, value)
    }

    /// A record as Stripe shows it.
    fn render(&self, kind: Kind, record: &Record) -> Value {
        let mut object = record.object.clone();
        if kind == Kind::Session && record.text("status") == "open" {
            object["url"] = json!(format!("{}/c/pay/{}", self.base_url, record.text("id")));
        }
        if kind == Kind::Link {
            object["url"] = json!(format!("{}/b/{}", self.base_url, link::short(record)));
        }
        object
    }

    fn drain(&mut self) -> Vec<Put> {
        let mut puts = self.shelf.take_journal();
        if self.saved.as_ref() != Some(&self.settings) {
            self.saved = Some(self.settings.clone());
            let document = serde_json::to_value(&self.settings).ok();
            puts.push(Put { kind: "settings".to_owned(), id: "core".to_owned(), document });
        }
        puts
    }
}

/// What the gates before execution let through.
enum Admitted {
    Work(Work),
    Replay { status: u16, body: String, original: String, cut: bool },
    Cut,
}

/// JSON as Stripe prints it.
fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
