//! What tourney's own receiver sees during a round trip: Stripe as it is, with the canary alone shown as paid.

use std::sync::Mutex;

use crate::domain::{Payable, PayableState, PaymentIntentId, PaymentStatus, SessionId};
use crate::stripe::{Sessions, StripeError};

/// Reads sessions through another reader, and shows one of them as paid.
pub struct Overlay<S> {
    under: S,
    paid: Mutex<Option<(SessionId, PaymentIntentId)>>,
}

impl<S> Overlay<S> {
    /// Shows nothing as paid yet.
    pub const fn new(under: S) -> Self {
        Self { under, paid: Mutex::new(None) }
    }

    /// From now on shows this session as paid.
    pub fn show_paid(&self, session: &SessionId, intent: &PaymentIntentId) {
        *self.paid.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((session.clone(), intent.clone()));
    }

    fn intent_of(&self, session: &SessionId) -> Option<PaymentIntentId> {
        let paid = self.paid.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        paid.as_ref().filter(|(id, _)| id == session).map(|(_, intent)| intent.clone())
    }
}

impl<S: Sessions + Sync> Sessions for Overlay<S> {
    async fn session(&self, id: &SessionId) -> Result<Option<Payable>, StripeError> {
        let mut payable = self.under.session(id).await?;
        if let (Some(payable), Some(intent)) = (&mut payable, self.intent_of(id)) {
            payable.state = PayableState::Complete;
            payable.payment_status = PaymentStatus::Paid;
            payable.payment_intent = Some(intent);
        }
        Ok(payable)
    }
}
