//! A wire that answers from a script and keeps what it was sent, and a clock that moves only by sleeping.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tourney::stripe::{Limits, Stripe};
use tourney::world::{Clock, Wire, WireAnswer, WireError, WireRequest};

pub(crate) type Sent = Result<WireAnswer, WireError>;

/// An answer with these headers.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Sent {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(WireAnswer { status, headers, body: body.as_bytes().to_vec() })
}

pub(crate) fn ok(body: &str) -> Sent {
    answer(200, &[("request-id", "req_ok")], body)
}

pub(crate) fn refused(status: u16, code: &str) -> Sent {
    answer(status, &[("request-id", "req_no")], &format!(r#"{{"error":{{"code":"{code}","message":"No."}}}}"#))
}

pub(crate) fn lost() -> Sent {
    Err(WireError::Lost("connection reset".to_owned()))
}

pub(crate) fn not_sent() -> Sent {
    Err(WireError::NotSent("connection refused".to_owned()))
}

/// A session as Stripe shows it.
pub(crate) fn session(id: &str, status: &str, payment_status: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"checkout.session","status":"{status}","payment_status":"{payment_status}",
        "amount_total":5500,"currency":"usd","livemode":false,"metadata":{{"order_id":"7"}},
        "payment_intent":{},"created":1776074400}}"#,
        if status == "complete" { r#""pi_1""# } else { "null" }
    )
}

/// The script: each request takes the next answer.
pub(crate) struct Script {
    answers: Mutex<VecDeque<Sent>>,
    requests: Mutex<Vec<WireRequest>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Sent>) -> Self {
        Self { answers: Mutex::new(answers.into_iter().collect()), requests: Mutex::default() }
    }

    /// What was sent so far.
    pub(crate) fn requests(&self) -> Vec<WireRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// `METHOD path?query` of what was sent so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: WireRequest| {
            let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method.as_str(), request.path)
        };
        self.requests().into_iter().map(line).collect()
    }
}

impl Wire for Script {
    async fn send(&self, request: WireRequest) -> Sent {
        self.requests.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().expect("the script has an answer left")
    }
}

/// A clock that moves only by sleeping, and remembers its sleeps.
pub(crate) struct StillClock {
    now: Mutex<Timestamp>,
    slept: Mutex<Vec<Duration>>,
}

impl StillClock {
    pub(crate) fn new() -> Self {
        Self { now: Mutex::new("2026-04-13T10:00:00Z".parse().unwrap()), slept: Mutex::default() }
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn random(&self) -> u128 {
        0x5eed
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(SignedDuration::try_from(duration).unwrap()).unwrap();
    }
}

pub(crate) const LIMITS: Limits = Limits {
    per_second: NonZeroU32::new(100).unwrap(),
    tries: 4,
    throttled: 6,
    first_pause: Duration::from_millis(400),
    longest_pause: Duration::from_secs(10),
};

/// A client over a script.
pub(crate) fn stripe<'a>(wire: &'a Script, clock: &'a StillClock) -> Stripe<&'a Script, &'a StillClock> {
    Stripe::new(wire, clock, LIMITS)
}
