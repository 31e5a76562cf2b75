//! Payment Links: what a payer can pay at, once, until it is closed.

use stripe_payment::PaymentLinkPaymentMethodTypes;
use stripe_payment::payment_link::{
    AfterCompletionRedirectParams, CompletedSessionsParams, CreatePaymentLink, CreatePaymentLinkAfterCompletion,
    CreatePaymentLinkAfterCompletionType, CreatePaymentLinkAutomaticTax, CreatePaymentLinkLineItems,
    CreatePaymentLinkPaymentIntentData, RestrictionsParams,
};

use super::{Bill, PayableRequest, metadata, send};
use crate::domain::{OrderId, Payable};
use crate::stripe::answers::LinkAnswer;
use crate::stripe::prices::PriceId;
use crate::stripe::request::built;
use crate::stripe::{Stripe, StripeError};
use crate::world::{Clock, Wire};

const PATH: &str = "/v1/payment_links";

/// Stripe's limit of `inactive_message`, in characters.
const LONGEST_MESSAGE: usize = 500;

/// Renders the request for an order's Payment Link over a price that stands. The same arguments give the same bytes.
///
/// One completed payment closes it (`restrictions.completed_sessions.limit`); its metadata is copied to the session of each
/// visit (stripe/facts.md, Payment Links).
#[must_use]
pub fn render_payment_link(bill: &Bill, order: &OrderId, price: &PriceId) -> PayableRequest {
    let metadata = metadata(bill, order);
    let mut intent = CreatePaymentLinkPaymentIntentData::new();
    intent.metadata = Some(metadata.clone());
    let mut line = CreatePaymentLinkLineItems::new(1_u64);
    line.price = Some(price.0.clone());
    let mut after = CreatePaymentLinkAfterCompletion::new(CreatePaymentLinkAfterCompletionType::Redirect);
    after.redirect = Some(AfterCompletionRedirectParams::new(bill.checkout.success_url.as_str()));

    let create = builder(line)
        .metadata(metadata)
        .payment_intent_data(intent)
        .restrictions(RestrictionsParams::new(CompletedSessionsParams::new(1)))
        .payment_method_types(vec![PaymentLinkPaymentMethodTypes::Card])
        .allow_promotion_codes(false)
        .automatic_tax(CreatePaymentLinkAutomaticTax::new(false))
        .after_completion(after)
        .inactive_message(inactive_message(&bill.tournament_name))
        .expand(vec!["line_items".to_owned()]);
    PayableRequest { body: built(&create).body.unwrap_or_default(), expires_at: None }
}

/// Creates the Payment Link of an order: the only call of `POST /v1/payment_links` there is.
///
/// Guarantees and assumptions are those of [`super::create_player_checkout_session`].
///
/// # Errors
/// [`StripeError::NotDone`] for a request that is not this order's; else as any request.
pub async fn create_player_payment_link<W: Wire, C: Clock>(
    stripe: &Stripe<W, C>,
    order: &OrderId,
    request: &PayableRequest,
    key: &str,
) -> Result<Payable, StripeError> {
    send::<LinkAnswer, _, _>(stripe, PATH, order, request, key).await
}

#[allow(clippy::disallowed_methods, reason = "this is the one place where a Payment Link's request is built")]
fn builder(line: CreatePaymentLinkLineItems) -> CreatePaymentLink {
    CreatePaymentLink::new(vec![line])
}

/// What a visitor reads where the link was paid or closed.
fn inactive_message(tournament: &str) -> String {
    let message = format!(
        "{tournament}: this link is closed, nothing can be paid here any more. If you have not paid, please ask the organiser."
    );
    message.chars().take(LONGEST_MESSAGE).collect()
}
