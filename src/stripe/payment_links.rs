//! Payment Links: list, read, close, repair. The one function that creates them is in [`super::helper`].

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use stripe_checkout::checkout_session::ListCheckoutSession;
use stripe_payment::payment_link::{
    CompletedSessionsParams, ListPaymentLink, RestrictionsParams, RetrievePaymentLink, UpdatePaymentLink,
    UpdatePaymentLinkPaymentIntentData,
};

use super::answers::{LinkAnswer, SessionAnswer};
use super::pages::PAGE;
use super::request::{built, path_id};
use super::{Closed, Stripe, StripeError};
use crate::domain::{Metadata, Payable, SessionId};
use crate::world::{Clock, Wire, WireRequest};

/// Visits of one link that are closed at once.
const AT_ONCE: usize = 4;

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// The account's active links with what they cost.
    ///
    /// # Errors
    /// As any request.
    pub async fn list_active_payment_links(&self) -> Result<Vec<Payable>, StripeError> {
        let links: Vec<LinkAnswer> = self
            .all(|after| {
                let list = ListPaymentLink::new().active(true).limit(PAGE).expand(vec!["data.line_items".to_owned()]);
                built(&match after {
                    Some(id) => list.starting_after(id),
                    None => list,
                })
            })
            .await?;
        Ok(links.into_iter().map(Payable::from).collect())
    }

    /// One link as it stands now; none where Stripe does not know it.
    ///
    /// # Errors
    /// As any request.
    pub async fn payment_link(&self, id: &SessionId) -> Result<Option<Payable>, StripeError> {
        let answer = match path_id(id.as_str()) {
            Ok(id) => self.link(built(&RetrievePaymentLink::new(id).expand(vec!["line_items".to_owned()]))).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(payable) => Ok(Some(payable)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The sessions that visits of a link have made, newest first.
    ///
    /// # Errors
    /// As any request.
    pub async fn visits(&self, link: &SessionId) -> Result<Vec<Payable>, StripeError> {
        let sessions: Vec<SessionAnswer> = self
            .all(|after| {
                let list = ListCheckoutSession::new().payment_link(link.as_str()).limit(PAGE);
                built(&match after {
                    Some(id) => list.starting_after(id),
                    None => list,
                })
            })
            .await?;
        Ok(sessions.into_iter().map(Payable::from).collect())
    }

    /// Sees to it that nobody can pay at a link: deactivates it, then closes the sessions of its visits, which outlive it, and
    /// says what is true. Money that has arrived, or is on its way, comes before all else.
    ///
    /// # Errors
    /// As any request; then somebody may still be able to pay.
    pub(super) async fn close_payment_link(&self, id: &SessionId) -> Result<Closed, StripeError> {
        match self.link(built(&UpdatePaymentLink::new(path_id(id.as_str())?).active(false))).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(Closed::Unknown),
            Err(error) => return Err(error),
        }
        // Read only now: whoever comes later finds the link closed.
        let visits = self.visits(id).await?;
        let ends: Vec<Closed> =
            stream::iter(&visits).map(|visit| self.end_of_visit(visit)).buffer_unordered(AT_ONCE).try_collect().await?;
        let rank = |end: &Closed| match end {
            Closed::Paid(_) => 0,
            Closed::Processing(_) => 1,
            Closed::Complete(_) => 2,
            Closed::Expired | Closed::Unknown => 3,
        };
        Ok(ends.into_iter().min_by_key(rank).unwrap_or(Closed::Expired))
    }

    async fn end_of_visit(&self, visit: &Payable) -> Result<Closed, StripeError> {
        if visit.is_open() { self.close_session(&visit.id).await } else { self.what_is_true(visit.clone()).await }
    }

    /// Merges metadata into a link's, and sets that of the payments it will make, which an update replaces as a whole
    /// (stripe/facts.md, Payment Links); and sees to it that one payment closes it. Sessions of earlier visits keep theirs.
    ///
    /// # Errors
    /// As any request.
    pub(super) async fn update_link_metadata(
        &self,
        id: &SessionId,
        metadata: &Metadata,
    ) -> Result<Payable, StripeError> {
        let all: HashMap<String, String> = metadata.clone().into_iter().collect();
        let mut intent = UpdatePaymentLinkPaymentIntentData::new();
        intent.metadata = Some(all.clone());
        let update = UpdatePaymentLink::new(path_id(id.as_str())?).metadata(all).payment_intent_data(intent);
        let update = update.restrictions(RestrictionsParams::new(CompletedSessionsParams::new(1)));
        self.link(built(&update)).await
    }

    async fn link(&self, request: WireRequest) -> Result<Payable, StripeError> {
        Ok(self.call(request).await?.decode::<LinkAnswer>()?.into())
    }
}
