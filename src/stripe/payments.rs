//! Payments: payment intents with their charge, refunds and disputes. Plain paths; only read.

use jiff::Timestamp;
use serde::Deserialize;

use super::answers::{DisputeAnswer, DisputeEvent, IntentAnswer, Reference};
use super::request::{get, path_id};
use super::{Stripe, StripeError};
use crate::domain::{Payment, PaymentIntentId};
use crate::world::{Clock, Wire};

/// The events that tell how a dispute stands.
const DISPUTE_EVENTS: [&str; 3] = ["charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"];

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// Its id, `re_…`.
    pub id: String,
    /// In minor units.
    pub amount: i64,
    /// Stripe's word: `pending`, `requires_action`, `succeeded`, `failed`, `canceled`, or one we do not know.
    pub status: Option<String>,
}

impl Refund {
    /// Whether the money has gone back.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.status.as_deref() == Some("succeeded")
    }
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// A payment intent with what became of its charge; none where Stripe does not know it.
    ///
    /// # Errors
    /// As any request.
    pub async fn payment(&self, intent: &PaymentIntentId) -> Result<Option<Payment>, StripeError> {
        let Ok(id) = path_id(intent.as_str()) else { return Ok(None) };
        let request = get(&format!("/v1/payment_intents/{id}"), &[("expand[]", "latest_charge")]);
        let answer: IntentAnswer = match self.call(request).await {
            Ok(answer) => answer.decode()?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        self.with_charge(answer).await.map(Some)
    }

    /// Every payment of the account since a time, page by page. Where the server does not expand charges in a list, none:
    /// ask for each by its id.
    ///
    /// # Errors
    /// As any request.
    pub async fn list_payments(&self, created_gte: Timestamp) -> Result<Vec<Payment>, StripeError> {
        let since = created_gte.as_second().to_string();
        let parameters = [("created[gte]", since.as_str()), ("expand[]", "data.latest_charge")];
        let answers: Vec<IntentAnswer> = match self.all_at("/v1/payment_intents", &parameters).await {
            Ok(answers) => answers,
            Err(error) if error.is_permanent() && !error.is_about_key() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut payments = Vec::with_capacity(answers.len());
        for answer in answers.into_iter().filter(IntentAnswer::tells_its_charge) {
            payments.push(self.with_charge(answer).await?);
        }
        Ok(payments)
    }

    /// What became of a payment intent's charge; only refunds and disputes that it does not tell are asked for.
    async fn with_charge(&self, answer: IntentAnswer) -> Result<Payment, StripeError> {
        let state = answer.state();
        let told = answer.tells_its_charge();
        let intent = PaymentIntentId(answer.id);
        let (refunded, disputed) = match answer.latest_charge {
            Some(Reference::Object(charge)) => {
                // A charge counts refunds that are only under way too, and those can still fail.
                let refunded = if charge.amount_refunded == Some(0) { 0 } else { self.refunded(&intent).await? };
                let disputed = charge.disputed.unwrap_or(false);
                // A charge stays marked after its dispute was won; where disputes cannot be read it counts as not won.
                (refunded, disputed && self.is_dispute_open_or_lost(intent.as_str()).await?.unwrap_or(true))
            }
            _ if told => (0, false),
            // The server does not expand: refunds and disputes are asked for.
            _ => {
                let disputed = match self.is_dispute_open_or_lost(intent.as_str()).await? {
                    Some(disputed) => disputed,
                    None => self.is_disputed_by_events(&intent).await?,
                };
                (self.refunded(&intent).await?, disputed)
            }
        };
        Ok(Payment { intent, state, refunded, disputed })
    }

    /// The refunds of a payment, newest first.
    ///
    /// # Errors
    /// As any request.
    pub async fn refunds(&self, intent: &PaymentIntentId) -> Result<Vec<Refund>, StripeError> {
        self.all_at("/v1/refunds", &[("payment_intent", path_id(intent.as_str())?)]).await
    }

    async fn refunded(&self, intent: &PaymentIntentId) -> Result<i64, StripeError> {
        let refunds = self.refunds(intent).await?;
        Ok(refunds.iter().filter(|refund| refund.has_succeeded()).map(|refund| refund.amount).sum())
    }

    /// Whether a payment has a dispute that is not won; none where there is no dispute, or where disputes cannot be read.
    async fn is_dispute_open_or_lost(&self, intent: &str) -> Result<Option<bool>, StripeError> {
        let disputes: Vec<DisputeAnswer> = match self.all_at("/v1/disputes", &[("payment_intent", intent)]).await {
            Ok(disputes) => disputes,
            Err(error) if error.is_permanent() => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok((!disputes.is_empty()).then(|| !disputes.iter().all(DisputeAnswer::is_over)))
    }

    /// The same from the events of the last 30 days, the newest of which tells how a dispute stands.
    async fn is_disputed_by_events(&self, intent: &PaymentIntentId) -> Result<bool, StripeError> {
        let kinds = DISPUTE_EVENTS.map(|kind| ("types[]", kind));
        let events: Vec<DisputeEvent> = match self.all_at("/v1/events", &kinds).await {
            Ok(events) => events,
            // A server without events is one thing, a key that may not read them another: nobody would see a dispute.
            Err(error) if error.is_permanent() && !error.is_about_key() => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut its = events.iter().map(|event| &event.data.object);
        let newest = its.find(|dispute| dispute.payment_intent.as_deref() == Some(intent.as_str()));
        Ok(newest.is_some_and(|dispute| !dispute.is_over()))
    }
}
