//! The three traits for effects, statically dispatched: [`Wire`] (Stripe), `Ledger` (the orders
//! database) and [`Clock`]. Rate limit, retries, pagination and decoding stand above [`Wire`] and so run unchanged in
//! simulation.

pub mod faulty;
mod live;
pub mod sim;

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

pub use live::LiveClock;

/// An HTTP method that Stripe's API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, updates, acts.
    Post,
    /// Deletes.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One request to Stripe, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The path with its leading slash, for example `/v1/checkout/sessions`.
    pub path: String,
    /// The encoded query, without its question mark.
    pub query: Option<String>,
    /// The form-encoded body.
    pub body: Option<String>,
    /// The `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// One answer of Stripe, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl WireAnswer {
    /// The first header of this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The request never left: nothing was done (connection refused, no route, no TLS).
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have been done: the answer was lost (time-out, connection cut).
    #[error("the answer was lost: {0}")]
    Lost(String),
}

/// One Stripe request in, one answer out.
pub trait Wire: Send + Sync {
    /// Sends one request once: no retry, no rate limit.
    ///
    /// # Errors
    /// [`WireError`] where no answer came; an answer with an error status is an `Ok`.
    fn send(&self, request: WireRequest) -> impl Future<Output = Result<WireAnswer, WireError>> + Send;
}

/// Time and chance.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
    /// 128 random bits.
    fn random(&self) -> u128;
    /// Sleeps.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

impl<T: Wire> Wire for &T {
    fn send(&self, request: WireRequest) -> impl Future<Output = Result<WireAnswer, WireError>> + Send {
        (**self).send(request)
    }
}

impl<T: Clock> Clock for &T {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
    fn random(&self) -> u128 {
        (**self).random()
    }
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        (**self).sleep(duration)
    }
}
