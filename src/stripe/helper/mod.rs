//! The helper and its sibling: the one way in which a payable comes to be. What they make always carries its order's id.
//!
//! Each is split so that the exact bytes can be stored before they are sent: a pure function renders them, and
//! [`create_player_checkout_session`] or [`create_player_payment_link`] sends what was rendered, with its key, as often
//! as it takes.

mod payment_link;
mod session;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Stripe, StripeError};
use crate::domain::{
    AttemptId, Email, LedgerId, Metadata, Money, OrderId, Ownership, Payable, Registration, TournamentId, key,
};
use crate::world::{Clock, Method, Wire, WireRequest};

pub use payment_link::{create_player_payment_link, render_payment_link};
pub use session::{LIFETIME, create_player_checkout_session, render};

/// The longest product name that is sent, in characters.
const LONGEST_NAME: usize = 250;

/// What the operator says about the hosted page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckoutSettings {
    /// Where a payer goes after paying.
    pub success_url: String,
    /// Where a payer goes who turns back.
    pub cancel_url: Option<String>,
    /// The operator's own metadata; it never overrides ours.
    pub metadata: Metadata,
}

/// All that a session is made of, but its order's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The orders database.
    pub ledger: LedgerId,
    /// The attempt.
    pub attempt: AttemptId,
    /// The tournament.
    pub tournament: TournamentId,
    /// Its name.
    pub tournament_name: String,
    /// Whose, for what.
    pub registration: Registration,
    /// The fee's name.
    pub fee_name: String,
    /// The player's name; Stripe sees the first name and an initial.
    pub player_name: String,
    /// The payer's address.
    pub email: Email,
    /// What is owed.
    pub amount: Money,
    /// The operator's settings.
    pub checkout: CheckoutSettings,
    /// How long it is to live; kept inside Stripe's bounds. [`LIFETIME`] unless there is a reason.
    pub lifetime: Duration,
}

impl Bill {
    /// What the payer reads of it.
    #[must_use]
    pub fn line(&self) -> String {
        line_name(&self.tournament_name, &self.fee_name, &self.player_name)
    }
}

/// The exact request for a payable, to be stored before it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct PayableRequest {
    /// The form-encoded body.
    pub body: String,
    /// The `expires_at` in it; none for what does not expire by itself.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for PayableRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayableRequest").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

fn metadata(bill: &Bill, order: &OrderId) -> HashMap<String, String> {
    let ours = Ownership {
        order: order.clone(),
        ledger: bill.ledger.clone(),
        attempt: Some(bill.attempt.clone()),
        tournament: bill.tournament.clone(),
        player: bill.registration.player.clone(),
        fee: bill.registration.fee.clone(),
    };
    bill.checkout.metadata.clone().into_iter().chain(ours.to_metadata()).collect()
}

/// What the payer reads: `Utah Invitational: 17U Elite, Jordan E.`, so that siblings can be told apart and Stripe learns
/// no whole name.
#[must_use]
pub fn line_name(tournament: &str, fee: &str, player: &str) -> String {
    let mut names = player.split_whitespace();
    let first = names.next().unwrap_or_default();
    let initial = names.next_back().and_then(|last| last.chars().next()).map(|c| format!(" {c}.")).unwrap_or_default();
    let name = format!("{tournament}: {fee}, {first}{initial}");
    name.chars().take(LONGEST_NAME).collect()
}

/// Whether a stored body names this order, once, for the payable and for its payment intent.
fn is_for(order: &OrderId, body: &str) -> bool {
    let order = order.to_string();
    let names = [format!("metadata[{}]", key::ORDER), format!("payment_intent_data[metadata][{}]", key::ORDER)];
    names.iter().all(|wanted| {
        let mut values = form_urlencoded::parse(body.as_bytes()).filter(|(name, _)| name == wanted);
        values.next().is_some_and(|(_, value)| value == order) && values.next().is_none()
    })
}

/// Sends what was stored, once more or for the first time; gives the payable as it stands now, for a replayed answer is old
/// news.
///
/// # Errors
/// [`StripeError::NotDone`] for a request that is not this order's; else as any request.
async fn send<A: DeserializeOwned + Into<Payable>, W: Wire, C: Clock>(
    stripe: &Stripe<W, C>,
    path: &str,
    order: &OrderId,
    request: &PayableRequest,
    key: &str,
) -> Result<Payable, StripeError> {
    if !is_for(order, &request.body) {
        let what = format!("POST {path}");
        let why =
            format!("the request does not carry order_id {order} for the payable and its payment: it was not sent");
        return Err(StripeError::NotDone { what, why });
    }
    let answer = stripe
        .call(WireRequest {
            method: Method::Post,
            path: path.to_owned(),
            query: None,
            body: Some(request.body.clone()),
            idempotency_key: Some(key.to_owned()),
        })
        .await?;
    let made = answer.decode::<A>()?.into();
    Ok(if answer.replayed { stripe.payable(&made.id).await?.unwrap_or(made) } else { made })
}
