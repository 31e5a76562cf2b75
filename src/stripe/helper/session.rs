//! Checkout Sessions: what a payer can pay at for a day.

use std::time::Duration;

use jiff::Timestamp;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionAllowedPaymentMethodTypes,
    CreateCheckoutSessionAutomaticTax, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, ProductData,
};
use stripe_checkout::{CheckoutSessionMode, CheckoutSessionUiMode};

use super::{Bill, PayableRequest, metadata, send};
use crate::domain::{OrderId, Payable};
use crate::stripe::answers::SessionAnswer;
use crate::stripe::request::{built, currency};
use crate::stripe::{Stripe, StripeError};
use crate::world::{Clock, Wire};

const PATH: &str = "/v1/checkout/sessions";

/// How long a session lives: ten minutes inside Stripe's 24 hours, for its clock and ours may differ.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3_600 - 600);
/// Ten minutes inside Stripe's other bound, 30 minutes.
const SHORTEST: Duration = Duration::from_secs(40 * 60);

/// Renders the request for an order's session; `now` is Stripe's time. The same arguments give the same bytes.
#[must_use]
pub fn render(bill: &Bill, order: &OrderId, now: Timestamp) -> PayableRequest {
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
    let body = built(&create).body.unwrap_or_default();
    PayableRequest { body, expires_at: Timestamp::from_second(expires_at).ok() }
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
    request: &PayableRequest,
    key: &str,
) -> Result<Payable, StripeError> {
    send::<SessionAnswer, _, _>(stripe, PATH, order, request, key).await
}

#[allow(clippy::disallowed_methods, reason = "this is the one place where a session's request is built")]
fn builder() -> CreateCheckoutSession {
    CreateCheckoutSession::new()
}

fn line(bill: &Bill) -> CreateCheckoutSessionLineItems {
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency(bill.amount.currency));
    price.product_data = Some(ProductData::new(bill.line()));
    price.unit_amount = Some(bill.amount.minor);
    let mut line = CreateCheckoutSessionLineItems::new();
    line.price_data = Some(price);
    line.quantity = Some(1);
    line
}
