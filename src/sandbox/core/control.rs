//! What a test, the hosted page and `tourney sandbox` ask of the sandbox beside Stripe's API.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{CheckoutView, LinkView, Put};
use super::error::ApiError;
use super::fault::{self, What, When};
use super::link::{self, Prefill};
use super::session::{self, Seed};
use super::shelf::Kind;
use super::{Core, dispute, refund, rights};

/// How a payer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestCard {
    /// The card 4242 4242 4242 4242: paid at once.
    #[serde(alias = "4242424242424242")]
    Success,
    /// The card 4000 0000 0000 0002: declined, the session stays open.
    #[serde(alias = "4000000000000002")]
    Decline,
    /// A bank debit (test account 000123456789): complete and unpaid now, paid in three days.
    #[serde(alias = "000123456789")]
    DelayedSuccess,
    /// A bank debit (test account 000111111116): complete and unpaid now, failed in three days.
    #[serde(alias = "000111111116")]
    DelayedFailure,
}

impl TestCard {
    /// The card or account of a number as typed, blanks and dashes allowed.
    #[must_use]
    pub fn from_number(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        serde_json::from_value(json!(digits)).ok()
    }
}

/// How webhooks are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// At once.
    #[default]
    Normal,
    /// Never.
    Drop,
    /// After so many seconds on the sandbox's clock.
    Delay(i64),
    /// Twice.
    Duplicate,
    /// Later ones overtake earlier ones.
    Reorder,
}

/// A command; as JSON `{"command": "pay", "session": "cs_test_…", "card": "success"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Control {
    /// Pays an open session, as the hosted page does.
    Pay {
        /// The session's id.
        session: String,
        /// How.
        card: TestCard,
        /// The payer's address where the session prefills none.
        #[serde(default)]
        email: Option<String>,
    },
    /// Visits a payment link as a person does, which makes a session; gives the session.
    Visit {
        /// The link's id or its address, with or without a query.
        link: String,
        /// What the address brings along; wins over its query.
        #[serde(flatten)]
        prefill: Prefill,
    },
    /// Ends a delayed payment now.
    SettleDelayed {
        /// The session's id.
        session: String,
        /// Whether the money comes.
        succeed: bool,
    },
    /// Expires an open session, as time does.
    Expire {
        /// The session's id.
        session: String,
    },
    /// Moves the sandbox's clock forward.
    Advance {
        /// By so many seconds.
        seconds: i64,
    },
    /// Makes a session of the past, without events.
    SeedSession(Box<Seed>),
    /// Adds a fault.
    Fault {
        /// Only this method; absent: any.
        #[serde(default)]
        method: Option<String>,
        /// Only paths that begin so; absent: any.
        #[serde(default)]
        path_prefix: String,
        /// Before the request is executed, or after.
        when: When,
        /// What happens.
        what: What,
        /// How many times, at least once.
        #[serde(default = "once")]
        times: u32,
        /// How many matching requests pass first.
        #[serde(default)]
        skip: u32,
    },
    /// Removes all faults.
    ClearFaults,
    /// Sets how long the HTTP layer waits before it answers.
    Latency {
        /// In milliseconds.
        ms: u64,
    },
    /// Sets how many requests a second are served before 429; absent: all.
    Rate {
        /// Requests a second.
        #[serde(default)]
        per_second: Option<u32>,
    },
    /// Restricts a key to permissions, for example `checkout_session_write`; absent: it may do everything again.
    Restrict {
        /// The key, `rk_test_…` or `rk_live_…`.
        key: String,
        /// Stripe's names of what it may do.
        #[serde(default)]
        permissions: Option<Vec<String>>,
    },
    /// Sets how webhooks are delivered from now on.
    Deliveries {
        /// How.
        mode: DeliveryMode,
    },
    /// Refunds a payment, of a session or a payment intent.
    Refund {
        /// The session's id.
        #[serde(default)]
        session: Option<String>,
        /// The payment intent's id.
        #[serde(default)]
        payment_intent: Option<String>,
        /// Minor units; absent: all that is left.
        #[serde(default)]
        amount: Option<i64>,
    },
    /// Disputes a payment.
    Dispute {
        /// The payment intent's id.
        payment_intent: String,
    },
    /// Counts of requests.
    Stats,
    /// The latest requests, oldest first.
    RequestLog,
    /// Forgets counts and log.
    ResetStats,
    /// Removes every object, idempotency key, fault and delivery; account, clock, settings and ids go on.
    Reset,
}

const fn once() -> u32 {
    1
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such object.
    #[error("the sandbox has no {what} {id}")]
    Unknown {
        /// What was looked for.
        what: String,
        /// Its id.
        id: String,
    },
    /// The object's state does not allow it.
    #[error("not done: {0}")]
    State(String),
}

impl ControlError {
    pub(super) fn unknown(what: &str, id: &str) -> Self {
        Self::Unknown { what: what.to_owned(), id: id.to_owned() }
    }

    pub(super) const fn state(message: String) -> Self {
        Self::State(message)
    }
}

impl From<ApiError> for ControlError {
    fn from(error: ApiError) -> Self {
        Self::State(error.message)
    }
}

impl Core {
    /// Does a command; the puts are committed before it is answered.
    ///
    /// # Errors
    /// [`ControlError`] where the object is unknown or its state does not allow it: then nothing was done.
    pub fn control(&mut self, now: i64, command: Control) -> Result<(Value, Vec<Put>), ControlError> {
        let clock = self.clock(now);
        self.pass_time(clock);
        let value = self.command(clock, command)?;
        Ok((value, self.drain()))
    }

    fn command(&mut self, now: i64, command: Control) -> Result<Value, ControlError> {
        match command {
            Control::Pay { session, card, email } => {
                session::pay(self, now, &session, card, email.as_deref())?;
                self.session_value(&session)
            }
            Control::Visit { link, prefill } => {
                let session = link::visit(self, now, &link, prefill)?;
                self.session_value(&session)
            }
            Control::SettleDelayed { session, succeed } => {
                if !session::settle(self, &session, succeed, now) {
                    return Err(ControlError::state(format!("the session {session} has no delayed payment under way")));
                }
                self.session_value(&session)
            }
            Control::Expire { session } => {
                if self.session_value(&session)?["status"] != "open" {
                    return Err(ControlError::state(format!("the session {session} is not open")));
                }
                session::end(self, &session, now);
                self.session_value(&session)
            }
            Control::Advance { seconds } => self.advance(now, seconds),
            Control::SeedSession(seed) => {
                let id = session::seed(self, now, &seed);
                self.session_value(&id)
            }
            Control::Refund { session, payment_intent, amount } => self.refund(now, session, payment_intent, amount),
            Control::Dispute { payment_intent } => {
                self.known(Kind::PaymentIntent, "payment intent", &payment_intent)?;
                let id = dispute::make(self, now, &payment_intent)?;
                Ok(self.known(Kind::Dispute, "dispute", &id)?.clone())
            }
            Control::Restrict { key, permissions } => {
                rights::restrict(&mut self.settings, &key, permissions)?;
                Ok(json!({"done": true}))
            }
            other => Ok(self.configure(now, other)),
        }
    }

    /// The commands that cannot fail.
    fn configure(&mut self, now: i64, command: Control) -> Value {
        match command {
            Control::Fault { method, path_prefix, when, what, times, skip } => {
                let object = json!({"method": method, "path_prefix": path_prefix, "when": when, "what": what,
                    "times": times, "skip": skip});
                fault::add(self, now, object);
            }
            Control::ClearFaults => self.shelf.clear(Kind::Fault),
            Control::Latency { ms } => self.settings.latency_ms = ms,
            Control::Rate { per_second } => self.settings.rate_per_second = per_second,
            Control::Deliveries { mode } => self.settings.deliveries = mode,
            Control::Stats => return self.stats.counts(),
            Control::RequestLog => return self.stats.log(),
            Control::ResetStats => self.stats.reset(),
            Control::Reset => {
                for kind in Kind::ALL {
                    self.shelf.clear(kind);
                }
                self.stats.reset();
            }
            _ => {}
        }
        json!({"done": true})
    }

    fn advance(&mut self, now: i64, seconds: i64) -> Result<Value, ControlError> {
        if seconds < 0 {
            return Err(ControlError::state("the clock moves forward only".to_owned()));
        }
        self.settings.offset += seconds;
        self.pass_time(now + seconds);
        Ok(json!({"now": now + seconds, "offset": self.settings.offset}))
    }

    fn refund(
        &mut self,
        now: i64,
        session: Option<String>,
        intent: Option<String>,
        amount: Option<i64>,
    ) -> Result<Value, ControlError> {
        let intent = match (session, intent) {
            (Some(session), None) => {
                let object = self.known(Kind::Session, "session", &session)?;
                let paid = object["payment_intent"].as_str().map(str::to_owned);
                paid.ok_or_else(|| ControlError::state(format!("the session {session} has no payment")))?
            }
            (None, Some(intent)) => intent,
            _ => return Err(ControlError::state("a refund names a session or a payment intent".to_owned())),
        };
        self.known(Kind::PaymentIntent, "payment intent", &intent)?;
        let charge = refund::charge_of(self, &intent)?;
        let id = refund::make(self, now, &charge, amount, &Value::Null, json!({}))?;
        Ok(self.known(Kind::Refund, "refund", &id)?.clone())
    }

    fn known(&self, kind: Kind, what: &str, id: &str) -> Result<&Value, ControlError> {
        self.shelf.get(kind, id).map(|record| &record.object).ok_or_else(|| ControlError::unknown(what, id))
    }

    fn session_value(&self, id: &str) -> Result<Value, ControlError> {
        let record = self.shelf.get(Kind::Session, id).ok_or_else(|| ControlError::unknown("session", id))?;
        Ok(self.render(Kind::Session, record))
    }

    /// What the hosted page shows of a session.
    #[must_use]
    pub fn checkout(&self, session: &str) -> Option<CheckoutView> {
        session::view(self, session)
    }

    /// What the page of a payment link shows; `short` is the last part of the link's `url`.
    #[must_use]
    pub fn payment_link(&self, short: &str) -> Option<LinkView> {
        link::view(self, short)
    }
}
