//! The client above the wire: rate limit, retries with one key, decoding, Stripe's clock.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::StripeError;
use super::pace::Pace;
use crate::domain::Mode;
use crate::world::{Clock, Method, Wire, WireAnswer, WireError, WireRequest};

/// How fast and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second, at most.
    pub per_second: NonZeroU32,
    /// How often one request is sent at most, refusals for being too fast (429) not counted.
    pub tries: u32,
    /// How often one request may be refused for being too fast.
    pub throttled: u32,
    /// The first pause; each next is twice as long.
    pub first_pause: Duration,
    /// The longest pause, also where `Retry-After` asks for a longer one.
    pub longest_pause: Duration,
}

impl Limits {
    /// Four fifths of what Stripe allows an account in this mode (25/s and 100/s: stripe/facts.md), for others use it too.
    #[must_use]
    pub const fn of(mode: Mode) -> Self {
        Self::per_second(if mode.is_live() { 80 } else { 20 })
    }

    /// For the embedded sandbox, which is ours alone.
    #[must_use]
    pub const fn local() -> Self {
        Self::per_second(2_000)
    }

    const fn per_second(rate: u32) -> Self {
        Self {
            per_second: match NonZeroU32::new(rate) {
                Some(rate) => rate,
                None => NonZeroU32::MIN,
            },
            tries: 5,
            throttled: 12,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// An answer with a success status.
#[derive(Debug)]
pub struct Answer {
    what: String,
    body: Vec<u8>,
    request_id: Option<Box<str>>,
    /// Whether it is the stored answer to an earlier request with the same key (`Idempotent-Replayed`): old news.
    pub replayed: bool,
}

impl Answer {
    /// Reads the body.
    ///
    /// # Errors
    /// [`StripeError::Unreadable`], which says where, never what stood there.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, StripeError> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_read(&error))
    }

    /// Reads the body as plain JSON.
    ///
    /// # Errors
    /// As [`Answer::decode`].
    pub(super) fn json(&self) -> Result<Value, StripeError> {
        let text = std::str::from_utf8(&self.body).map_err(|_| self.unreadable("it is not UTF-8"))?;
        text.parse().map_err(|error| self.not_read(&error))
    }

    fn not_read(&self, error: &serde_json::Error) -> StripeError {
        let why = match error.classify() {
            serde_json::error::Category::Data => "a field is missing or of another type",
            serde_json::error::Category::Eof => "it ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
        };
        self.unreadable(&format!("{why} (line {}, column {})", error.line(), error.column()))
    }

    pub(super) fn unreadable(&self, why: &str) -> StripeError {
        StripeError::Unreadable { what: self.what.clone(), why: why.to_owned(), request_id: self.request_id.clone() }
    }
}

/// Stripe's API: everything but the sending of bytes, which is its wire's.
pub struct Stripe<W, C: Clock> {
    wire: W,
    clock: Arc<C>,
    limits: Limits,
    pace: Pace<C>,
    /// Stripe's clock less ours, from the `Date` of the last answer.
    ahead: Mutex<Option<SignedDuration>>,
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// A client over this wire.
    pub fn new(wire: W, clock: C, limits: Limits) -> Self {
        let clock = Arc::new(clock);
        let pace = Pace::new(Arc::clone(&clock), limits.per_second);
        Self { wire, clock, limits, pace, ahead: Mutex::new(None) }
    }

    /// The wire beneath.
    pub const fn wire(&self) -> &W {
        &self.wire
    }

    /// Stripe's clock less ours, as the `Date` of the last answer tells it; none before the first.
    #[must_use]
    pub fn ahead(&self) -> Option<SignedDuration> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now on Stripe's clock, as the `Date` of the last answer tells it; none before the first.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.now().checked_add(self.ahead()?).ok()
    }

    /// Now on Stripe's clock; asks for the account where nothing has been asked yet. A server that sends no `Date` is
    /// taken to have our time.
    ///
    /// # Errors
    /// As any request.
    pub async fn time(&self) -> Result<Timestamp, StripeError> {
        if self.now().is_none() {
            self.account().await?;
        }
        Ok(self.now().unwrap_or_else(|| self.clock.now()))
    }

    /// Sends a request under the rate limit and repeats it, with the same idempotency key, where that is safe and of
    /// use. A POST without a key is given one, which stays over the tries.
    ///
    /// # Errors
    /// [`StripeError`], after the last try.
    pub async fn call(&self, mut request: WireRequest) -> Result<Answer, StripeError> {
        if request.method == Method::Post && request.idempotency_key.is_none() {
            request.idempotency_key = Some(format!("tourney-{:032x}", self.clock.random()));
        }
        let mut course = Course::new(&request);
        loop {
            self.pace.wait().await;
            let sent = self.wire.send(request.clone()).await;
            self.note(&course, &sent);
            match sent {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(course.done(answer)),
                sent => {
                    let pause = course.failed(sent, &self.limits, self.clock.random())?;
                    self.clock.sleep(pause).await;
                }
            }
        }
    }

    /// What every answer teaches: Stripe's time, the pace, and a line for the log without any body.
    fn note(&self, course: &Course, sent: &Result<WireAnswer, WireError>) {
        match sent {
            Ok(answer) => {
                let request_id = answer.header("request-id").unwrap_or_default();
                tracing::debug!(request = course.what, status = answer.status, request_id, "Stripe answered");
                if answer.status == 429 && !is_lock_timeout(answer) {
                    self.pace.slow_down();
                }
                let date = answer.header("date").and_then(http_date);
                if let Some(date) = date {
                    let ahead = date.duration_since(self.clock.now());
                    *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
                }
            }
            Err(error) => tracing::debug!(request = course.what, %error, "no answer from Stripe"),
        }
    }
}

/// The tries of one request.
struct Course {
    what: String,
    is_read: bool,
    tries: u32,
    throttled: u32,
    /// Whether a try may have had its effect.
    may_be_done: bool,
}

impl Course {
    fn new(request: &WireRequest) -> Self {
        let what = format!("{} {}", request.method.as_str(), request.path);
        Self { what, is_read: request.method == Method::Get, tries: 0, throttled: 0, may_be_done: false }
    }

    fn done(self, answer: WireAnswer) -> Answer {
        Answer {
            request_id: answer.header("request-id").map(Box::from),
            replayed: is_replayed(&answer),
            what: self.what,
            body: answer.body,
        }
    }

    /// How long to pause before the next try.
    fn failed(
        &mut self,
        sent: Result<WireAnswer, WireError>,
        limits: &Limits,
        chance: u128,
    ) -> Result<Duration, StripeError> {
        let throttled = matches!(&sent, Ok(answer) if answer.status == 429);
        if throttled {
            self.throttled += 1;
        } else {
            self.tries += 1;
        }
        self.may_be_done |= match &sent {
            Ok(answer) => answer.status == 409 || answer.status >= 500,
            Err(WireError::Lost(_)) => true,
            Err(WireError::NotSent(_)) => false,
        };
        let left = self.tries < limits.tries && self.throttled < limits.throttled;
        if !left || !is_worth_another_try(&sent) {
            return Err(self.given_up(sent));
        }
        let count = if throttled { self.throttled } else { self.tries };
        let asked = sent.ok().as_ref().and_then(retry_after);
        Ok(pause(limits, count, chance).max(asked.unwrap_or_default()).min(limits.longest_pause))
    }

    fn given_up(&self, sent: Result<WireAnswer, WireError>) -> StripeError {
        let stored = matches!(&sent, Ok(answer) if is_replayed(answer));
        let busy = matches!(&sent, Ok(answer) if answer.status == 429);
        let (why, request_id) = match sent {
            // A key that is refused now tells nothing about an earlier try that may have had its effect.
            Ok(answer) if matches!(answer.status, 401 | 403) && self.may_be_done && !self.is_read => {
                (StripeError::refusal(&answer).to_string(), answer.header("request-id").map(Box::from))
            }
            Ok(answer) if answer.status != 409 && answer.status != 429 && answer.status < 500 => {
                return StripeError::refusal(&answer);
            }
            Ok(answer) => (
                format!("it answered {}{}", answer.status, if stored { ", a failure it has stored" } else { "" }),
                answer.header("request-id").map(Box::from),
            ),
            Err(error) => (error.to_string(), None),
        };
        let what = self.what.clone();
        let times = self.tries + self.throttled;
        let why = if times > 1 { format!("{why} (tried {times} times)") } else { why };
        if self.may_be_done && !self.is_read {
            StripeError::Unknown { what, why, stored, request_id }
        } else if busy {
            StripeError::Busy { what, why }
        } else {
            StripeError::NotDone { what, why }
        }
    }
}

/// `Stripe-Should-Retry` wins; else connection errors, 409, 429 and 5xx (stripe/facts.md, Errors). A failure that Stripe
/// has stored under our key is replayed for ever.
fn is_worth_another_try(sent: &Result<WireAnswer, WireError>) -> bool {
    let Ok(answer) = sent else { return true };
    if is_replayed(answer) {
        return false;
    }
    match answer.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => answer.status == 409 || answer.status == 429 || answer.status >= 500,
    }
}

fn is_replayed(answer: &WireAnswer) -> bool {
    answer.header("idempotent-replayed").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Half of the pause is fixed and half is chance, so that parallel requests spread.
fn pause(limits: &Limits, count: u32, chance: u128) -> Duration {
    let whole = limits.first_pause.saturating_mul(1 << count.saturating_sub(1).min(16)).min(limits.longest_pause);
    #[allow(clippy::cast_possible_truncation, reason = "the remainder is below 1000")]
    let thousandths = (chance % 1_000) as u32;
    whole / 2 + whole / 2 * thousandths / 1_000
}

/// Stripe's `Retry-After`, in whole seconds.
fn retry_after(answer: &WireAnswer) -> Option<Duration> {
    answer.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

/// A lock on one object, not a rate: slowing everything down would not help.
fn is_lock_timeout(answer: &WireAnswer) -> bool {
    matches!(StripeError::refusal(answer), StripeError::Rejected { code: Some(code), .. } if &*code == "lock_timeout")
}

/// The time in a `Date` header (RFC 9110: always GMT, whole seconds).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}
