//! Stripe in the simulated world: the sandbox's core behind a [`Wire`], without HTTP.
//!
//! A request begins and finishes at two moments, between which it is under way. Whoever wants both at once sends it through
//! a [`SimWire`], which lets the sandbox's latency pass between them; a driver that interleaves calls [`SimStripe::begin`] and
//! [`UnderWay::finish`] itself. A client that goes away does not stop what it asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use crate::sandbox::core::{Answer, Begun, Call, Control, ControlError, Core, Ticket};
use crate::stripe::{common_headers, request_headers};
use crate::world::{Clock, Wire, WireAnswer, WireError, WireRequest};

use super::SimClock;

/// One simulated Stripe. Clones are the same one.
#[derive(Clone, Debug)]
pub struct SimStripe {
    server: Arc<Mutex<Server>>,
    clock: SimClock,
}

#[derive(Debug)]
struct Server {
    core: Core,
    /// What nobody waits for any more: it is done before anything else is looked at.
    abandoned: Vec<Ticket>,
}

impl SimStripe {
    /// A Stripe whose time is `clock`'s.
    #[must_use]
    pub fn new(core: Core, clock: SimClock) -> Self {
        Self { server: Arc::new(Mutex::new(Server { core, abandoned: Vec::new() })), clock }
    }

    /// A client's wire to it, with this secret key.
    #[must_use]
    pub fn wire(&self, key: SecretString) -> SimWire {
        SimWire { stripe: self.clone(), key }
    }

    /// A request arrives.
    #[must_use = "dropped, it is executed and nobody hears of it"]
    pub fn begin(&self, call: Call) -> UnderWay {
        let at = match self.with_core(|core, now| core.begin(now, call)) {
            Begun::Answered(answer, _) => At::Answered(answer),
            Begun::Working(ticket) => At::Working(ticket),
        };
        UnderWay { stripe: self.clone(), at: Some(at) }
    }

    /// Does a command of the sandbox: a payer pays, time passes, something breaks.
    ///
    /// # Errors
    /// [`ControlError`]; then nothing was done.
    pub fn control(&self, command: Control) -> Result<Value, ControlError> {
        self.with_core(|core, now| core.control(now, command)).map(|(value, _)| value)
    }

    /// The core and its time in unix seconds, once all is done that nobody waits for.
    pub fn with_core<T>(&self, work: impl FnOnce(&mut Core, i64) -> T) -> T {
        let now = self.clock.now().as_second();
        let mut server = self.server();
        for ticket in std::mem::take(&mut server.abandoned) {
            server.core.finish(now, ticket);
        }
        work(&mut server.core, now)
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub struct UnderWay {
    stripe: SimStripe,
    /// None once it is finished.
    at: Option<At>,
}

#[derive(Debug)]
enum At {
    Answered(Answer),
    Working(Ticket),
}

impl UnderWay {
    /// It is executed now, where it was not refused or replayed at once, and answered.
    ///
    /// # Errors
    /// [`WireError::Lost`] where the sandbox cuts the connection instead.
    pub fn finish(mut self) -> Result<WireAnswer, WireError> {
        let answer = match self.at.take() {
            Some(At::Answered(answer)) => answer,
            Some(At::Working(ticket)) => self.stripe.with_core(|core, now| core.finish(now, ticket)).0,
            None => return Err(WireError::Lost("it was finished before".to_owned())),
        };
        if answer.cut {
            return Err(WireError::Lost("the connection was cut".to_owned()));
        }
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        Ok(WireAnswer { status: answer.status, headers: headers.collect(), body: answer.body.into_bytes() })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(At::Working(ticket)) = self.at.take() {
            self.stripe.server().abandoned.push(ticket);
        }
    }
}

/// A client's wire to a simulated Stripe.
#[derive(Clone)]
pub struct SimWire {
    stripe: SimStripe,
    key: SecretString,
}

impl SimWire {
    /// The request as it arrives, with all that is said of it besides.
    #[must_use]
    pub fn call(&self, request: WireRequest) -> Call {
        let said = common_headers(&self.key).into_iter().chain(request_headers(&request));
        Call {
            headers: said.map(|(name, value)| (name.to_owned(), value)).collect(),
            method: request.method.as_str().to_owned(),
            path: request.path,
            query: request.query.unwrap_or_default(),
            body: request.body.unwrap_or_default().into_bytes(),
        }
    }
}

impl Wire for SimWire {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        let under_way = self.stripe.begin(self.call(request));
        let latency = self.stripe.with_core(|core, _| core.latency_ms());
        self.stripe.clock.sleep(Duration::from_millis(latency)).await;
        under_way.finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use jiff::Timestamp;

    use super::*;
    use crate::sandbox::SECRET_KEY;
    use crate::world::Method;

    fn world() -> (SimClock, SimStripe, SimWire) {
        let clock = SimClock::new(Timestamp::from_second(1_776_074_400).unwrap(), 1);
        let stripe = SimStripe::new(Core::new(1), clock.clone());
        let wire = stripe.wire(SecretString::from(SECRET_KEY));
        (clock, stripe, wire)
    }

    fn create(key: &str) -> WireRequest {
        let body = "mode=payment&success_url=https%3A%2F%2Fclub.example%2Fthanks&line_items[0][quantity]=1\
                    &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=5500\
                    &line_items[0][price_data][product_data][name]=Fee";
        WireRequest {
            method: Method::Post,
            path: "/v1/checkout/sessions".to_owned(),
            query: None,
            body: Some(body.to_owned()),
            idempotency_key: Some(key.to_owned()),
        }
    }

    fn sessions(stripe: &SimStripe) -> u64 {
        stripe.control(Control::Stats).unwrap()["counts"]["POST /v1/checkout/sessions"].as_u64().unwrap_or_default()
    }

    fn id(answer: &WireAnswer) -> String {
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    #[test]
    fn a_request_carries_what_it_carries_over_http() {
        let (_, stripe, wire) = world();
        let call = wire.call(create("k"));
        for (name, value) in [
            ("authorization", format!("Bearer {SECRET_KEY}")),
            ("stripe-version", crate::stripe::api_version()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("idempotency-key", "k".to_owned()),
        ] {
            assert_eq!(call.header(name), Some(value.as_str()), "{name}");
        }
        let answer = wire.send(create("k")).now_or_never().unwrap().unwrap();
        assert_eq!((answer.status, answer.header("idempotency-key")), (200, Some("k")));
        assert!(answer.header("date").is_some() && answer.header("request-id").is_some());
        let again = wire.send(create("k")).now_or_never().unwrap().unwrap();
        assert_eq!((id(&again), again.header("idempotent-replayed")), (id(&answer), Some("true")));
        assert_eq!(sessions(&stripe), 2);
        let stranger = stripe.wire(SecretString::from("no-key")).send(create("k")).now_or_never().unwrap().unwrap();
        assert_eq!(stranger.status, 401);
    }

    #[test]
    fn a_key_is_in_flight_until_its_request_is_through() {
        let (clock, stripe, wire) = world();
        stripe.control(Control::Latency { ms: 300 }).unwrap();
        let mut first = Box::pin(wire.send(create("k")));
        assert!((&mut first).now_or_never().is_none());
        let second = stripe.begin(wire.call(create("k"))).finish().unwrap();
        assert_eq!(second.status, 409);
        assert!(clock.advance_to_next());
        assert_eq!(first.now_or_never().unwrap().unwrap().status, 200);
    }

    #[test]
    fn what_a_client_asked_for_is_done_although_it_goes_away() {
        let (_, stripe, wire) = world();
        drop(stripe.begin(wire.call(create("k"))));
        let replayed = wire.send(create("k")).now_or_never().unwrap().unwrap();
        assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    }

    #[test]
    fn a_cut_connection_loses_the_answer() {
        use crate::sandbox::core::{What, When};
        let (_, stripe, wire) = world();
        let (path_prefix, method) = ("/v1/checkout".to_owned(), None);
        let cut = Control::Fault { method, path_prefix, when: When::After, what: What::Cut, times: 1, skip: 0 };
        stripe.control(cut).unwrap();
        assert!(matches!(wire.send(create("k")).now_or_never().unwrap(), Err(WireError::Lost(_))));
        let replayed = wire.send(create("k")).now_or_never().unwrap().unwrap();
        assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    }
}
