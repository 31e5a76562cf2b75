//! The signed webhook round trip: negatives first, then the good event, then the same again, then nothing is left.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

use crate::apply::{Hands, StepError, Stop};
use crate::domain::{
    Email, Id, Metadata, Order, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, SessionId,
};
use crate::ledger::{Canary, CanaryEnd, Ledger, LedgerError, Scope};
use crate::stripe::StripeError;
use crate::world::{Clock, Wire};

use super::Check;
use super::canary::Bird;
use super::endpoint::Endpoint;
use super::event::{Events, Signed, signed};

/// How long the order may take to turn paid after the event was accepted.
const PAID_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// How often the order is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Older than any tolerance.
const STALE: SignedDuration = SignedDuration::from_hours(1);

/// Why a round trip could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The orders database did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Stripe did not answer.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The canary could not be made.
    #[error("the canary could not be made: {0}")]
    Step(#[source] StepError),
    /// The manifest has no fee that a canary could owe.
    #[error("no fee of the manifest costs anything: there is nothing a canary could pay")]
    NoFee,
    /// Somebody else changed the canary's order.
    #[error("the canary's order changed under our hands")]
    CanaryMoved,
}

/// What a round trip needs besides the hands.
pub struct Trip<'a> {
    /// The endpoint under test.
    pub endpoint: &'a Endpoint,
    /// The rows that must be as before.
    pub scope: &'a Scope,
    /// The canary's player, fee and address where the environment names them.
    pub canary: Option<(Registration, Email)>,
    /// Tells tourney's own receiver, where it is the endpoint, which session to show as paid.
    pub show_paid: &'a (dyn Fn(&SessionId, &PaymentIntentId) + Sync),
    /// Waits for a person to pay at this link instead of sending the good event; none where nobody is asked.
    pub ask_to_pay: Option<&'a (dyn Fn(&str) + Sync)>,
    /// How long a person may take.
    pub pay_within: SignedDuration,
    /// The wish to stop: no further event is sent, and the canary is removed.
    pub stop: &'a Stop,
}

/// Makes the round trip under a lock that is held. The canary is removed whatever happens.
///
/// # Errors
/// [`VerifyError`] where the canary could not be made or looked at; what an endpoint does wrong is a failed check.
pub(crate) async fn round_trip<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    trip: &Trip<'_>,
) -> Result<Vec<Check>, VerifyError> {
    let mut checks = remove_left_over(hands).await?;
    let before = hands.ledger.read(trip.scope).await?.orders;
    let bird = bird(hands, trip)?;
    let mut canary = Canary {
        run: hands.guard.run.clone(),
        tournament: hands.manifest.tournament.id.clone(),
        registration: bird.registration.clone(),
        order: None,
        sessions: Vec::new(),
    };
    hands.ledger.journal_canary(&canary).await?;
    let flown = fly(hands, trip, &bird, &mut canary, &mut checks).await;
    checks.push(clean_up(hands, &canary).await);
    flown?;
    let after = hands.ledger.read(trip.scope).await?.orders;
    checks.push(others_as_before(&before, &after));
    Ok(checks)
}

/// Canaries of a run that never came to its end.
async fn remove_left_over<L: Ledger, W: Wire, C: Clock>(hands: &Hands<'_, L, W, C>) -> Result<Vec<Check>, VerifyError> {
    let mut checks = Vec::new();
    for canary in hands.ledger.open_canaries().await? {
        let end = hands.remove(&canary).await.map_err(VerifyError::Step)?;
        checks.push(Check::new("left-over-canary", true, format!("of an earlier run: {}", end_word(end))));
    }
    Ok(checks)
}

fn end_word(end: CanaryEnd) -> &'static str {
    match end {
        CanaryEnd::Removed => "its session is expired and its row removed",
        CanaryEnd::Canceled => "its session is expired; its row could not be deleted and is cancelled",
    }
}

/// Who the canary is: the environment's, else a player of its own on the first fee that costs something.
fn bird<L, W, C: Clock>(hands: &Hands<'_, L, W, C>, trip: &Trip<'_>) -> Result<Bird, VerifyError> {
    let manifest = hands.manifest;
    let own = trip.canary.as_ref().and_then(|(registration, _)| manifest.fee(&registration.fee));
    let fee = own.or_else(|| manifest.fees.iter().find(|fee| fee.amount.minor > 0));
    let fee = fee.filter(|fee| fee.amount.minor > 0).ok_or(VerifyError::NoFee)?;
    let (registration, email) = match trip.canary.clone() {
        Some(named) => named,
        None => {
            let player = PlayerId(Id::Slug("tourney-canary".to_owned()));
            let email = Email::parse("canary@example.com").map_err(|_| VerifyError::CanaryMoved)?;
            (Registration { player, fee: fee.id.clone() }, email)
        }
    };
    Ok(Bird { registration, fee_name: fee.name.clone(), email, amount: fee.amount })
}

/// Everything between the journal's first line and the clean-up.
async fn fly<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    trip: &Trip<'_>,
    bird: &Bird,
    canary: &mut Canary,
    checks: &mut Vec<Check>,
) -> Result<(), VerifyError> {
    let (order, predecessor) = hands.hatch(bird, None).await?;
    canary.order = Some(order.clone());
    canary.sessions.push(predecessor.clone());
    hands.ledger.journal_canary(canary).await?;
    hands.stripe.close(&predecessor).await?;
    let standing = hands.canary_order(&order).await?.seen();
    let (_, session) = hands.hatch(bird, Some(standing)).await?;
    canary.sessions.push(session.clone());
    hands.ledger.journal_canary(canary).await?;
    let flight = Flight::prepare(hands, trip, order, &predecessor, &session).await?;
    checks.push(Check::new(
        "canary",
        true,
        format!("order {} with session {session}, through the helper", flight.order),
    ));
    flight.negatives(checks).await?;
    if trip.stop.is_asked() {
        return Ok(());
    }
    if trip.ask_to_pay.is_some() {
        return flight.person_pays(checks).await;
    }
    (trip.show_paid)(&session, &flight.intent);
    flight.good_event(checks).await
}

/// A canary in the air, with the events about it.
struct Flight<'a, L, W, C: Clock> {
    hands: &'a Hands<'a, L, W, C>,
    trip: &'a Trip<'a>,
    order: OrderId,
    object: Value,
    expired: Value,
    intent: PaymentIntentId,
    tag: String,
    now: Timestamp,
}

impl<'a, L: Ledger, W: Wire, C: Clock> Flight<'a, L, W, C> {
    async fn prepare(
        hands: &'a Hands<'a, L, W, C>,
        trip: &'a Trip<'a>,
        order: OrderId,
        predecessor: &SessionId,
        session: &SessionId,
    ) -> Result<Self, VerifyError> {
        let object = hands.stripe.session_object(session).await?.ok_or(VerifyError::CanaryMoved)?;
        let expired = hands.stripe.session_object(predecessor).await?.ok_or(VerifyError::CanaryMoved)?;
        let tag = hands.uuid().replace('-', "");
        let intent = PaymentIntentId(format!("pi_canary{tag}"));
        // Receivers compare with their own clock, not with Stripe's.
        let now = hands.clock.now();
        Ok(Self { hands, trip, order, object, expired, intent, tag, now })
    }

    fn events<'b>(&'b self, version: &'b str) -> Events<'b> {
        Events { session: &self.object, intent: self.intent.as_str(), api_version: version, now: self.now.as_second() }
    }

    fn id(&self, word: &str) -> String {
        format!("evt_{word}{}", self.tag)
    }

    async fn row(&self) -> Result<Metadata, VerifyError> {
        self.hands.ledger.raw_row(&self.order).await?.ok_or(VerifyError::CanaryMoved)
    }

    /// Each on the still pending canary, comparing the whole row before and after.
    async fn negatives(&self, checks: &mut Vec<Check>) -> Result<(), VerifyError> {
        let version = crate::stripe::api_version();
        let events = self.events(&version);
        let secret = self.trip.endpoint.secret();
        let good = |word: &str| signed(events.completed(&self.id(word)), secret, self.now);
        let mut tampered = good("tampered");
        tampered.body = tampered.body.replacen("\"paid\"", "\"paid\" ", 1);
        let wrong = SecretString::from("whsec_this_is_not_the_secret");
        let wrong = signed(events.completed(&self.id("wrongsecret")), &wrong, self.now);
        let stale = signed(events.completed(&self.id("stale")), secret, self.now - STALE);
        for (name, event) in [("tampered-body", &tampered), ("wrong-secret", &wrong), ("stale-timestamp", &stale)] {
            checks.push(self.refused(name, event).await?);
        }
        let unknown = signed(events.unknown(&self.id("unknown")), secret, self.now);
        checks.push(self.no_effect("unknown-event-type", &unknown).await?);
        let expired = signed(events.expired(&self.id("expired"), &self.expired), secret, self.now);
        checks.push(self.no_effect("expired-predecessor", &expired).await?);
        Ok(())
    }

    /// An event that must be refused, and must change nothing.
    async fn refused(&self, name: &str, event: &Signed) -> Result<Check, VerifyError> {
        let before = self.row().await?;
        let status = self.trip.endpoint.post(event).await;
        let unchanged = self.row().await? == before;
        Ok(match status {
            _ if !unchanged => Check::new(name, false, "the order changed: THE ENDPOINT DOES NOT VERIFY SIGNATURES"),
            Ok(status @ 400..=499) if status != 404 => {
                Check::new(name, true, format!("refused with {status}, the order untouched"))
            }
            Ok(status @ 200..=299) => {
                Check::new(name, false, format!("accepted with {status}: the endpoint does not verify signatures"))
            }
            Ok(status) => Check::new(name, false, format!("answered {status}: {}", likely(status))),
            Err(why) => Check::new(name, false, format!("no answer: {why}")),
        })
    }

    /// An event that must be accepted, and must change nothing.
    async fn no_effect(&self, name: &str, event: &Signed) -> Result<Check, VerifyError> {
        let before = self.row().await?;
        let status = self.trip.endpoint.post(event).await;
        let unchanged = self.row().await? == before;
        Ok(match status {
            _ if !unchanged => Check::new(name, false, "the order changed"),
            Ok(status @ 200..=299) => Check::new(name, true, format!("accepted with {status}, no effect")),
            Ok(status) => Check::new(name, false, format!("answered {status}: {}", likely(status))),
            Err(why) => Check::new(name, false, format!("no answer: {why}")),
        })
    }

    /// The order must go from pending to paid with its payment intent; the same again must change nothing.
    async fn good_event(&self, checks: &mut Vec<Check>) -> Result<(), VerifyError> {
        let version = crate::stripe::api_version();
        let secret = self.trip.endpoint.secret();
        let event = signed(self.events(&version).completed(&self.id("completed")), secret, self.now);
        match self.trip.endpoint.post(&event).await {
            Ok(status @ 200..=299) => {
                checks.push(Check::new(
                    "signed-event",
                    true,
                    format!("checkout.session.completed accepted with {status}"),
                ));
                self.turned_paid(checks, PAID_WITHIN).await?;
            }
            Ok(status) => {
                let detail = format!("the good event was answered with {status}: {}", likely(status));
                checks.push(Check::new("signed-event", false, detail));
                return Ok(());
            }
            Err(why) => {
                checks.push(Check::new("signed-event", false, format!("no answer: {why}")));
                return Ok(());
            }
        }
        checks.push(self.no_effect("duplicate-event", &event).await?);
        Ok(())
    }

    /// A person pays with a test card; Stripe itself delivers the event.
    async fn person_pays(&self, checks: &mut Vec<Check>) -> Result<(), VerifyError> {
        if let (Some(ask), Some(url)) = (self.trip.ask_to_pay, self.object["url"].as_str()) {
            ask(url);
        }
        self.turned_paid(checks, self.trip.pay_within).await
    }

    /// Waits for the order to turn paid, and says what is likely wrong where it does not.
    async fn turned_paid(&self, checks: &mut Vec<Check>, within: SignedDuration) -> Result<(), VerifyError> {
        let begun = self.hands.clock.now();
        let order = loop {
            let order = self.hands.canary_order(&self.order).await?;
            let waited = self.hands.clock.now().duration_since(begun) >= within || self.trip.stop.is_asked();
            if order.status != OrderStatus::Pending || waited {
                break order;
            }
            self.hands.clock.sleep(LOOK_EVERY).await;
        };
        let paid = order.status == OrderStatus::Paid;
        let detail = if paid {
            format!("order {} went from pending to paid", self.order)
        } else {
            format!(
                "order {} is still {}: the handler looks for another field than order_id, fetches the session itself (use --pay), or serves another database",
                self.order, order.status
            )
        };
        checks.push(Check::new("order-paid", paid, detail));
        let expected = self.trip.ask_to_pay.is_some() || order.payment_intent.as_ref() == Some(&self.intent);
        let filled = order.payment_intent.is_some() && expected;
        let detail =
            order.payment_intent.map_or("stripe_payment_intent_id is empty".to_owned(), |intent| intent.to_string());
        checks.push(Check::new("payment-intent", filled, detail));
        Ok(())
    }
}

/// What an unexpected status most likely means.
fn likely(status: u16) -> &'static str {
    match status {
        404 | 405 => "no such route; is the path right?",
        400 | 401 | 403 => "the endpoint refuses our signature; is it another secret than the endpoint's?",
        300..=399 => "a redirect; Stripe does not follow it",
        500..=599 => "the handler failed; look into its log",
        _ => "Stripe counts only 2xx as delivered",
    }
}

/// Removes the canary; what could not be done is a failed check, and the next run tries again.
async fn clean_up<L: Ledger, W: Wire, C: Clock>(hands: &Hands<'_, L, W, C>, canary: &Canary) -> Check {
    match hands.remove(canary).await {
        Ok(end) => Check::new("clean-up", true, end_word(end)),
        Err(error) => Check::new("clean-up", false, format!("{error}; the next run removes the canary")),
    }
}

fn others_as_before(before: &[Order], after: &[Order]) -> Check {
    let fine = before == after;
    let detail =
        if fine { format!("{} orders as before", before.len()) } else { "other orders changed meanwhile".to_owned() };
    Check::new("other-orders", fine, detail)
}
