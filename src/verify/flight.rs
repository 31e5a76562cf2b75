//! A canary in the air: what must be refused first, then the good event, then the same again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

use crate::apply::Hands;
use crate::domain::{Metadata, Order, OrderId, OrderStatus, Payable, PaymentIntentId, SessionId};
use crate::ledger::{Handler, Ledger};
use crate::world::{Clock, Wire};

use super::event::{Events, Signed, signed};
use super::logbook::Logbook;
use super::roundtrip::{Trip, VerifyError};
use super::{Check, words};

/// How long the order may take to turn paid after the event was accepted.
const PAID_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// How long an event that should have been refused, and was accepted, is given to show its effect.
const EFFECT_WITHIN: SignedDuration = SignedDuration::from_secs(2);
/// How often the order is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Older than any tolerance.
const STALE: SignedDuration = SignedDuration::from_hours(1);

/// The check whether an order survives the end of a session that it no longer holds.
const EXPIRED: &str = "expired-predecessor";

/// A canary in the air, with the events about it.
pub(super) struct Flight<'a, L, W, C: Clock> {
    hands: &'a Hands<'a, L, W, C>,
    trip: &'a Trip<'a>,
    pub(super) order: OrderId,
    session: SessionId,
    predecessor: SessionId,
    object: Value,
    pub(super) intent: PaymentIntentId,
    tag: String,
    now: Timestamp,
}

impl<'a, L: Ledger, W: Wire, C: Clock> Flight<'a, L, W, C> {
    pub(super) async fn prepare(
        hands: &'a Hands<'a, L, W, C>,
        trip: &'a Trip<'a>,
        order: OrderId,
        predecessor: SessionId,
        session: SessionId,
    ) -> Result<Self, VerifyError> {
        let object = hands.stripe.session_object(&session).await?.ok_or(VerifyError::CanaryMoved)?;
        let tag = hands.uuid().replace('-', "");
        let intent = PaymentIntentId::canary(&tag);
        // Receivers compare with their own clock, not with Stripe's.
        let now = hands.clock.now();
        Ok(Self { hands, trip, order, session, predecessor, object, intent, tag, now })
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

    /// Each on the still pending canary, comparing the whole row before and after. One that has moved the canary is the
    /// last: whatever came after it would prove nothing.
    pub(super) async fn negatives(&self, log: &mut Logbook) -> Result<(), VerifyError> {
        let version = crate::stripe::api_version();
        let events = self.events(&version);
        let secret = self.trip.endpoint.secret();
        let good = |word: &str| signed(events.completed(&self.id(word)), secret, self.now);
        let mut tampered = good("tampered");
        tampered.body = tampered.body.replacen("\"paid\"", "\"paid\" ", 1);
        let wrong = SecretString::from("whsec_this_is_not_the_secret");
        let wrong = signed(events.completed(&self.id("wrongsecret")), &wrong, self.now);
        let stale = signed(events.completed(&self.id("stale")), secret, self.now - STALE);
        let unknown = signed(events.unknown(&self.id("unknown")), secret, self.now);
        for (name, event) in [("tampered-body", &tampered), ("wrong-secret", &wrong), ("stale-timestamp", &stale)] {
            if !self.goes_on(log) {
                return Ok(());
            }
            log.note(self.refused(name, event).await?);
            self.ends_if_touched(name, log).await?;
        }
        if self.goes_on(log) {
            log.note(self.no_effect("unknown-event-type", &unknown).await?);
            self.ends_if_touched("unknown-event-type", log).await?;
        }
        if self.goes_on(log) {
            log.note(self.expired_predecessor(&events).await?);
            self.ends_if_touched(EXPIRED, log).await?;
        }
        Ok(())
    }

    async fn ends_if_touched(&self, name: &str, log: &mut Logbook) -> Result<(), VerifyError> {
        if !self.is_untouched().await? {
            log.ends(format!("the event of {name} has changed the canary, which is no longer pending"));
        }
        Ok(())
    }

    /// An expired event of the session that the order held before must be accepted, and change nothing. Stripe tells it too,
    /// where the endpoint is registered there. What an application's handler does is remembered: it decides whether an
    /// order may be renewed.
    async fn expired_predecessor(&self, events: &Events<'_>) -> Result<Check, VerifyError> {
        let before = self.row().await?;
        self.hands.stripe.close(&self.predecessor).await?;
        let object = self.hands.stripe.session_object(&self.predecessor).await?.ok_or(VerifyError::CanaryMoved)?;
        let event = signed(events.expired(&self.id("expired"), &object), self.trip.endpoint.secret(), self.now);
        let status = self.trip.endpoint.post(&event).await;
        let accepted = matches!(status, Ok(200..=299));
        // What was accepted may be worked off a moment later.
        let patient = accepted && !self.trip.is_own_receiver;
        let changed = self.changes(&before, if patient { EFFECT_WITHIN } else { SignedDuration::ZERO }).await?;
        // One that did not take the event has shown nothing; nor has one whom somebody else interrupted.
        let shown = changed || (accepted && !self.trip.stop.is_asked());
        if shown {
            self.remember(changed).await?;
        }
        Ok(if changed { Check::new(EXPIRED, false, words::CANCELS) } else { without_effect(EXPIRED, status) })
    }

    /// Writes down what the application's handler does; of tourney's own receiver nothing is to be remembered.
    async fn remember(&self, cancels: bool) -> Result<(), VerifyError> {
        if self.trip.is_own_receiver {
            return Ok(());
        }
        let handler = Handler { endpoint: self.trip.endpoint.place(), found_at: self.hands.clock.now(), cancels };
        Ok(self.hands.ledger.record_handler(&self.hands.guard, &handler).await?)
    }

    /// The canary has become canceled after all: the handler came to the end of its first session later than it was given
    /// time for, since nothing else that it heard can have done this.
    async fn was_canceled_late(&self, order: &Order, log: &mut Logbook) -> Result<bool, VerifyError> {
        if order.status != OrderStatus::Canceled {
            return Ok(false);
        }
        self.remember(true).await?;
        log.note(Check::new(EXPIRED, false, words::CANCELS));
        log.ends("the event of expired-predecessor has canceled the canary, a while after it was accepted");
        Ok(true)
    }

    /// Whether a further event may be sent.
    fn goes_on(&self, log: &mut Logbook) -> bool {
        if self.trip.stop.is_asked() {
            log.stops("interrupted");
        }
        !log.is_over()
    }

    /// Pending, and without a payment: only such a canary proves anything.
    async fn is_untouched(&self) -> Result<bool, VerifyError> {
        let order = self.hands.canary_order(&self.order).await?;
        Ok(order.status == OrderStatus::Pending && order.payment_intent.is_none())
    }

    /// An event that must be refused, and must change nothing.
    async fn refused(&self, name: &str, event: &Signed) -> Result<Check, VerifyError> {
        let before = self.row().await?;
        let status = self.trip.endpoint.post(event).await;
        let accepted = matches!(status, Ok(200..=299));
        // What was accepted may be worked off a moment later.
        let changed = self.changes(&before, if accepted { EFFECT_WITHIN } else { SignedDuration::ZERO }).await?;
        Ok(match status {
            _ if changed => Check::new(name, false, format!("the order changed: {}", words::unverified(name))),
            Ok(status @ 400..=499) if status != 404 => {
                Check::new(name, true, format!("refused with {status}, the order untouched"))
            }
            Ok(status @ 200..=299) => {
                Check::new(name, false, format!("accepted with {status}: {}", words::unverified(name)))
            }
            Ok(status) => Check::new(name, false, format!("answered {status}: {}", words::likely(status))),
            Err(why) => Check::new(name, false, format!("no answer: {why}")),
        })
    }

    /// Whether the row becomes another within a time.
    async fn changes(&self, before: &Metadata, within: SignedDuration) -> Result<bool, VerifyError> {
        let begun = self.hands.clock.now();
        loop {
            if self.row().await? != *before {
                return Ok(true);
            }
            if self.hands.clock.now().duration_since(begun) >= within || self.trip.stop.is_asked() {
                return Ok(false);
            }
            self.hands.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// An event that must be accepted, and must change nothing.
    async fn no_effect(&self, name: &str, event: &Signed) -> Result<Check, VerifyError> {
        let before = self.row().await?;
        let status = self.trip.endpoint.post(event).await;
        let unchanged = self.row().await? == before;
        Ok(if unchanged { without_effect(name, status) } else { Check::new(name, false, "the order changed") })
    }

    /// The order must go from pending to paid with its payment intent; the same again must change nothing.
    pub(super) async fn good_event(&self, log: &mut Logbook) -> Result<(), VerifyError> {
        if !self.goes_on(log) {
            return Ok(());
        }
        let version = crate::stripe::api_version();
        let secret = self.trip.endpoint.secret();
        let event = signed(self.events(&version).completed(&self.id("completed")), secret, self.now);
        let refusal = match self.trip.endpoint.post(&event).await {
            Ok(status @ 200..=299) => {
                let detail = format!("checkout.session.completed accepted with {status}");
                log.note(Check::new("signed-event", true, detail));
                None
            }
            Ok(status) => Some(format!("the good event was answered with {status}: {}", words::likely(status))),
            Err(why) => Some(format!("no answer: {why}")),
        };
        if let Some(detail) = refusal {
            log.note(Check::new("signed-event", false, detail));
            log.ends("the endpoint did not accept the good event");
            return Ok(());
        }
        let order = self.settles(PAID_WITHIN).await?;
        if !self.was_canceled_late(&order, log).await? {
            self.judge_sent(&order, log);
        }
        if self.goes_on(log) {
            log.note(self.no_effect("duplicate-event", &event).await?);
        }
        Ok(())
    }

    /// Waits until the order is no longer pending, the time is over, or somebody asks to stop.
    async fn settles(&self, within: SignedDuration) -> Result<Order, VerifyError> {
        let begun = self.hands.clock.now();
        loop {
            let order = self.hands.canary_order(&self.order).await?;
            let over = self.hands.clock.now().duration_since(begun) >= within || self.trip.stop.is_asked();
            if order.status != OrderStatus::Pending || over {
                return Ok(order);
            }
            self.hands.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// What came of an event of ours that was accepted.
    fn judge_sent(&self, order: &Order, log: &mut Logbook) {
        if order.status == OrderStatus::Paid {
            let filled = order.payment_intent.as_ref() == Some(&self.intent);
            self.paid(order, filled, log);
        } else if self.trip.stop.is_asked() {
            log.stops("interrupted before the order was paid");
        } else {
            let detail = if order.status == OrderStatus::Pending {
                let elsewhere = words::elsewhere(&self.order, &self.intent).unwrap_or_default();
                format!("order {} is still pending: {}{elsewhere}", self.order, words::unpaid(PAID_WITHIN))
            } else {
                words::crosswise(&self.order, order.status)
            };
            log.note(Check::new("order-paid", false, detail));
            log.ends("the order was never paid");
        }
    }

    fn paid(&self, order: &Order, filled: bool, log: &mut Logbook) {
        log.note(Check::new("order-paid", true, format!("order {} went from pending to paid", self.order)));
        let intent = order.payment_intent.as_ref();
        let detail = intent.map_or_else(|| "stripe_payment_intent_id is empty".to_owned(), ToString::to_string);
        log.note(Check::new("payment-intent", filled, detail));
    }

    /// A person pays with a test card; Stripe itself delivers the event.
    pub(super) async fn person_pays(&self, log: &mut Logbook) -> Result<(), VerifyError> {
        if !self.goes_on(log) {
            return Ok(());
        }
        if let (Some(ask), Some(url)) = (self.trip.ask_to_pay, self.object["url"].as_str()) {
            ask(url);
        }
        for name in ["signed-event", "duplicate-event"] {
            log.note(Check::none(name, "not made: with --pay Stripe itself delivers the event"));
        }
        let mut order = self.settles(self.trip.pay_within).await?;
        let mut payable = self.hands.stripe.session(&self.session).await?;
        if order.status == OrderStatus::Pending && payable.as_ref().is_some_and(Payable::has_arrived) {
            // It came in the last moment: its event is given the time that any other has.
            order = self.settles(PAID_WITHIN).await?;
            payable = self.hands.stripe.session(&self.session).await?;
        }
        if !self.was_canceled_late(&order, log).await? {
            self.judge_paid(&order, payable.as_ref(), log);
        }
        Ok(())
    }

    /// What came of asking a person. Where nobody paid, nothing is known of the handler.
    fn judge_paid(&self, order: &Order, payable: Option<&Payable>, log: &mut Logbook) {
        if order.status == OrderStatus::Paid {
            let at_stripe = payable.and_then(|payable| payable.payment_intent.as_ref());
            let filled = order.payment_intent.is_some() && order.payment_intent.as_ref() == at_stripe;
            return self.paid(order, filled, log);
        }
        let arrived = payable.is_some_and(Payable::has_arrived);
        if self.trip.stop.is_asked() {
            return log.stops(if arrived {
                "interrupted before the order was paid"
            } else {
                "interrupted; nobody had paid"
            });
        }
        let detail = if order.status != OrderStatus::Pending {
            words::crosswise(&self.order, order.status)
        } else if arrived {
            format!("Stripe has the payment, and order {} is still {}: {}", self.order, order.status, words::UNHEARD)
        } else if payable.is_some_and(Payable::is_processing) {
            "the payment is on its way (a delayed method): pay with a card".to_owned()
        } else {
            format!("nobody paid within {:#}: nothing is known of the endpoint", self.trip.pay_within)
        };
        log.note(Check::new("order-paid", false, detail));
        log.ends(if arrived { "the order was never paid" } else { "nobody paid" });
    }
}

/// What is to be said of an event that had to be accepted and changed nothing.
fn without_effect(name: &str, status: Result<u16, String>) -> Check {
    match status {
        Ok(status @ 200..=299) => Check::new(name, true, format!("accepted with {status}, no effect")),
        Ok(status) => Check::new(name, false, format!("answered {status}: {}", words::likely(status))),
        Err(why) => Check::new(name, false, format!("no answer: {why}")),
    }
}
