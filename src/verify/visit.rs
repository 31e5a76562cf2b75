//! A visit of the canary's Payment Link. The session of the round trip is the one that a visit makes, as a payer's is.

use std::time::Duration;

use crate::apply::Hands;
use crate::domain::SessionId;
use crate::ledger::Ledger;
use crate::world::{Clock, Wire};

use super::roundtrip::{Trip, VerifyError};

/// How often Stripe is asked whether somebody has come.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a page may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Lets somebody open the link, and waits for the session of that visit: one that is none of `known`.
    pub(super) async fn visit(
        &self,
        trip: &Trip<'_>,
        link: &SessionId,
        known: &[SessionId],
    ) -> Result<SessionId, VerifyError> {
        let payable = self.stripe.payment_link(link).await?;
        let url = payable.and_then(|payable| payable.url).ok_or(VerifyError::CanaryMoved)?;
        if !(trip.open_link)(url.clone()).await {
            (trip.ask_to_visit)(&url, known.len());
        }
        let begun = self.clock.now();
        loop {
            let visits = self.stripe.visits(link).await?;
            if let Some(visit) = visits.into_iter().find(|visit| !known.contains(&visit.id)) {
                return Ok(visit.id);
            }
            if trip.stop.is_asked() {
                return Err(VerifyError::Interrupted);
            }
            if self.clock.now().duration_since(begun) >= trip.pay_within {
                return Err(VerifyError::NoVisit);
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }
}

/// Opens a link of a server that is not Stripe's, as the button of the sandbox's page does. Whether the server took it: where
/// it did not, a person must.
pub async fn open_by_itself(url: &str) -> bool {
    let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).redirect(reqwest::redirect::Policy::none()).build();
    let Ok(client) = client else { return false };
    let form = client.post(url).header("content-type", "application/x-www-form-urlencoded").send();
    match form.await {
        Ok(answer) => answer.status().is_success() || answer.status().is_redirection(),
        Err(error) => {
            tracing::debug!(%error, "the link's page did not answer");
            false
        }
    }
}
