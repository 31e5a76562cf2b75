//! Checkout Sessions: list, read, close, repair. The one function that creates them is in [`super::helper`].

use std::future::Future;

use jiff::Timestamp;
use stripe_checkout::CheckoutSessionStatus;
use stripe_checkout::checkout_session::{
    ExpireCheckoutSession, ListCheckoutSession, RetrieveCheckoutSession, UpdateCheckoutSession,
};
use stripe_types::RangeQueryTs;

use super::answers::SessionAnswer;
use super::pages::PAGE;
use super::request::{built, path_id};
use super::{Closed, Stripe, StripeError};
use crate::domain::{Metadata, Payable, PayableState, PaymentStatus, SessionId};
use crate::world::{Clock, Wire, WireRequest};

/// Where sessions are read afresh: Stripe, or an overlay over it.
pub trait Sessions: Send + Sync {
    /// The session as it stands now; none where Stripe does not know it.
    ///
    /// # Errors
    /// As any request.
    fn session(&self, id: &SessionId) -> impl Future<Output = Result<Option<Payable>, StripeError>> + Send;
}

impl<W: Wire, C: Clock> Sessions for Stripe<W, C> {
    async fn session(&self, id: &SessionId) -> Result<Option<Payable>, StripeError> {
        Self::session(self, id).await
    }
}

impl<T: Sessions> Sessions for &T {
    fn session(&self, id: &SessionId) -> impl Future<Output = Result<Option<Payable>, StripeError>> + Send {
        (**self).session(id)
    }
}

impl<T: Sessions> Sessions for std::sync::Arc<T> {
    fn session(&self, id: &SessionId) -> impl Future<Output = Result<Option<Payable>, StripeError>> + Send {
        (**self).session(id)
    }
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// Every session of the account, newest first: made since `created_gte`, in this state.
    ///
    /// # Errors
    /// As any request.
    pub async fn list_sessions(
        &self,
        created_gte: Option<Timestamp>,
        state: Option<PayableState>,
    ) -> Result<Vec<Payable>, StripeError> {
        let sessions: Vec<SessionAnswer> = self.all(|after| page(created_gte, state, after)).await?;
        Ok(sessions.into_iter().map(Payable::from).collect())
    }

    /// One session as it stands now, without its payment; none where Stripe does not know it.
    ///
    /// # Errors
    /// As any request.
    pub async fn session(&self, id: &SessionId) -> Result<Option<Payable>, StripeError> {
        let answer = match path_id(id.as_str()) {
            Ok(id) => self.one(built(&RetrieveCheckoutSession::new(id))).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(payable) => Ok(Some(payable)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Expires an open session: nobody can pay at it afterwards.
    ///
    /// # Errors
    /// As any request; [`StripeError::Rejected`] where the session is not open. [`Stripe::close`] says what is true then.
    pub async fn expire_session(&self, id: &SessionId) -> Result<Payable, StripeError> {
        self.one(built(&ExpireCheckoutSession::new(path_id(id.as_str())?))).await
    }

    /// Sees to it that nobody can pay at a session: expires it and, where that fails, reads it and says what is true.
    ///
    /// # Errors
    /// That of the expiring, where the session is still open or cannot be read.
    pub(super) async fn close_session(&self, id: &SessionId) -> Result<Closed, StripeError> {
        let Err(failure) = self.expire_session(id).await else { return Ok(Closed::Expired) };
        match self.session(id).await? {
            Some(payable) if payable.is_open() => Err(failure),
            Some(payable) => self.what_is_true(payable).await,
            None => Ok(Closed::Unknown),
        }
    }

    /// The end of a session that is not open.
    pub(super) async fn what_is_true(&self, mut payable: Payable) -> Result<Closed, StripeError> {
        if payable.state != PayableState::Complete {
            return Ok(Closed::Expired);
        }
        if payable.payment_status != PaymentStatus::Unpaid {
            return Ok(Closed::Paid(payable));
        }
        if let Some(intent) = &payable.payment_intent {
            payable.payment = self.payment(intent).await?;
        }
        Ok(if payable.is_processing() { Closed::Processing(payable) } else { Closed::Complete(payable) })
    }

    /// Merges metadata into a session's; an empty value unsets its key. The session's link stays good.
    ///
    /// # Errors
    /// As any request. Stripe may refuse it for a session that is not open (stripe/facts.md, Sessions).
    pub(super) async fn update_session_metadata(
        &self,
        id: &SessionId,
        metadata: &Metadata,
    ) -> Result<Payable, StripeError> {
        let pairs = metadata.iter().map(|(key, value)| (key.clone(), value.clone()));
        let update = UpdateCheckoutSession::new(path_id(id.as_str())?)
            .metadata(pairs.collect::<std::collections::HashMap<String, String>>());
        self.one(built(&update)).await
    }

    /// A session's object as Stripe sends it in events; none where Stripe does not know it.
    ///
    /// # Errors
    /// As any request.
    pub async fn session_object(&self, id: &SessionId) -> Result<Option<serde_json::Value>, StripeError> {
        match self.call(built(&RetrieveCheckoutSession::new(path_id(id.as_str())?))).await {
            Ok(answer) => Ok(Some(answer.decode()?)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn one(&self, request: WireRequest) -> Result<Payable, StripeError> {
        Ok(self.call(request).await?.decode::<SessionAnswer>()?.into())
    }
}

fn page(created_gte: Option<Timestamp>, state: Option<PayableState>, after: Option<&str>) -> WireRequest {
    let mut list = ListCheckoutSession::new().limit(PAGE);
    if let Some(since) = created_gte {
        list = list.created(RangeQueryTs::gte(since.as_second()));
    }
    if let Some(state) = state {
        list = list.status(match state {
            PayableState::Open => CheckoutSessionStatus::Open,
            PayableState::Complete => CheckoutSessionStatus::Complete,
            PayableState::Expired => CheckoutSessionStatus::Expired,
        });
    }
    if let Some(after) = after {
        list = list.starting_after(after);
    }
    built(&list)
}
