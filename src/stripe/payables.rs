//! Payables of either kind, by their ids: read, close, repair.

use super::{Stripe, StripeError};
use crate::domain::{Metadata, Payable, PayableKind, SessionId};
use crate::world::{Clock, Wire};

/// What is true of a payable that was to be closed. Only after [`Closed::Expired`], [`Closed::Complete`] and
/// [`Closed::Unknown`] can nobody pay at it and has nobody paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is expired, now or before, unpaid.
    Expired,
    /// It has been paid, or nothing was owed: to be recorded.
    Paid(Payable),
    /// The payer has finished and the money is on its way: to be left alone.
    Processing(Payable),
    /// The payer has finished and nothing was paid: the payment failed.
    Complete(Payable),
    /// Stripe does not know it.
    Unknown,
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// One payable as it stands now, without its payment; none where Stripe does not know it.
    ///
    /// # Errors
    /// As any request.
    pub async fn payable(&self, id: &SessionId) -> Result<Option<Payable>, StripeError> {
        match PayableKind::of(id) {
            PayableKind::Session => self.session(id).await,
            PayableKind::PaymentLink => self.payment_link(id).await,
        }
    }

    /// Sees to it that nobody can pay at a payable any more, and says what is true of it.
    ///
    /// # Errors
    /// As any request; then somebody may still be able to pay.
    pub async fn close(&self, id: &SessionId) -> Result<Closed, StripeError> {
        match PayableKind::of(id) {
            PayableKind::Session => self.close_session(id).await,
            PayableKind::PaymentLink => self.close_payment_link(id).await,
        }
    }

    /// Merges metadata into a payable's; an empty value unsets its key. Where it leads stays the same.
    ///
    /// # Errors
    /// As any request. Stripe may refuse it for a session that is not open (stripe/facts.md, Sessions).
    pub async fn update_metadata(&self, id: &SessionId, metadata: &Metadata) -> Result<Payable, StripeError> {
        match PayableKind::of(id) {
            PayableKind::Session => self.update_session_metadata(id, metadata).await,
            PayableKind::PaymentLink => self.update_link_metadata(id, metadata).await,
        }
    }
}
