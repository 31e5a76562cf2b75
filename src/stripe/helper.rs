//! The helper: the one way in which a Checkout Session comes to be. A session always carries its order's id.
//!
//! It is split so that the exact bytes can be stored before they are sent: [`render`] is pure, and
//! [`create_player_checkout_session`] sends what was rendered, with its key, as often as it takes.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionAllowedPaymentMethodTypes,
    CreateCheckoutSessionAutomaticTax, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, ProductData,
};
use stripe_checkout::{CheckoutSessionMode, CheckoutSessionUiMode};

use super::answers::SessionAnswer;
use super::request::built;
use super::{Stripe, StripeError};
use crate::domain::{
    AttemptId, Email, LedgerId, Metadata, Money, OrderId, Ownership, Payable, Registration, TournamentId, key,
};
use crate::world::{Clock, Method, Wire, WireRequest};

const PATH: &str = "/v1/checkout/sessions";

/// How long a session lives: ten minutes inside Stripe's 24 hours, for its clock and ours may differ.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3_600 - 600);
/// Ten minutes inside Stripe's other bound, 30 minutes.
const SHORTEST: Duration = Duration::from_secs(40 * 60);
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

/// The exact request for a session, to be stored before it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// The form-encoded body.
    pub body: String,
    /// The `expires_at` in it.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Renders the request for an order's session; `now` is Stripe's time. The same arguments give the same bytes.
#[must_use]
pub fn render(bill: &Bill, order: &OrderId, now: Timestamp) -> SessionRequest {
    let expires_at = now.as_second().saturating_add(bill.lifetime.clamp(SHORTEST, LIFETIME).as_secs().cast_signed());
    let metadata = metadata(bill, order);
    let mut intent = CreateCheckoutSessionPaymentIntentData::new();
    intent.metadata = Some(metadata.clone());
    let mut adaptive_pricing = CreateCheckoutSessionAdaptivePricing::new();
    adaptive_pricing.enabled = Some(false);

    let mut create = builder()
        .mode(CheckoutSessionMode::Payment)
        .ui_mode(CheckoutSessionUiMode::HostedPage)
        .line_items(vec![line(bill)])
        .client_reference_id(order.to_string())
        .customer_email(bill.email.expose())
        .metadata(metadata)
        .payment_intent_data(intent)
        .allowed_payment_method_types(vec![CreateCheckoutSessionAllowedPaymentMethodTypes::Card])
        .adaptive_pricing(adaptive_pricing)
        .allow_promotion_codes(false)
        .automatic_tax(CreateCheckoutSessionAutomaticTax::new(false))
        .success_url(bill.checkout.success_url.as_str())
        .expires_at(expires_at);
    if let Some(url) = &bill.checkout.cancel_url {
        create = create.cancel_url(url.as_str());
    }
    let body = in_order(&built(&create).body.unwrap_or_default());
    SessionRequest { body, expires_at: Timestamp::from_second(expires_at).ok() }
}

/// Creates the Checkout Session of an order: the only call of `POST /v1/checkout/sessions` there is.
///
/// Guarantees: the session carries `order_id` in its own metadata and in its payment intent's; the same request with the
/// same key makes one session, however often this is called within a day. Assumes that request and key were stored
/// before. What comes back is how the session stands now, not a replayed answer.
///
/// # Errors
/// [`StripeError::NotDone`] for a request that is not this order's; else as any request.
pub async fn create_player_checkout_session<W: Wire, C: Clock>(
    stripe: &Stripe<W, C>,
    order: &OrderId,
    request: &SessionRequest,
    key: &str,
) -> Result<Payable, StripeError> {
    if !is_for(order, &request.body) {
        let what = format!("POST {PATH}");
        let why =
            format!("the request does not carry order_id {order} for the session and its payment: it was not sent");
        return Err(StripeError::NotDone { what, why });
    }
    let answer = stripe
        .call(WireRequest {
            method: Method::Post,
            path: PATH.to_owned(),
            query: None,
            body: Some(request.body.clone()),
            idempotency_key: Some(key.to_owned()),
        })
        .await?;
    let made = answer.decode::<SessionAnswer>()?.into_payable();
    if !answer.replayed {
        return Ok(made);
    }
    Ok(stripe.session(&made.id).await?.unwrap_or(made))
}

#[allow(clippy::disallowed_methods, reason = "this is the one place where a session's request is built")]
fn builder() -> CreateCheckoutSession {
    CreateCheckoutSession::new()
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

fn line(bill: &Bill) -> CreateCheckoutSessionLineItems {
    // A currency without a variant of its own becomes one that serialises as written: parsing cannot fail.
    let Ok(currency) = stripe_types::Currency::from_str(bill.amount.currency.code());
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency);
    price.product_data = Some(ProductData::new(line_name(&bill.tournament_name, &bill.fee_name, &bill.player_name)));
    price.unit_amount = Some(bill.amount.minor);
    let mut line = CreateCheckoutSessionLineItems::new();
    line.price_data = Some(price);
    line.quantity = Some(1);
    line
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

/// The pairs of a form in the order of their names: the builder keeps metadata in a hash map, and the same arguments must
/// give the same bytes.
fn in_order(body: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).collect();
    pairs.sort();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Whether a stored body names this order, once, for the session and for its payment intent.
fn is_for(order: &OrderId, body: &str) -> bool {
    let order = order.to_string();
    let names = [format!("metadata[{}]", key::ORDER), format!("payment_intent_data[metadata][{}]", key::ORDER)];
    names.iter().all(|wanted| {
        let mut values = form_urlencoded::parse(body.as_bytes()).filter(|(name, _)| name == wanted);
        values.next().is_some_and(|(_, value)| value == order) && values.next().is_none()
    })
}
