//! What an endpoint's behaviour most likely means, for whoever has to mend it.

use jiff::SignedDuration;

use crate::domain::{Id, OrderId, OrderStatus, PaymentIntentId};

/// The good event was accepted, and the order stayed as it was for so long.
pub(super) fn unpaid(waited: SignedDuration) -> String {
    format!(
        "the handler looks for another field than order_id, fetches the session itself (use --pay), serves another \
         database, or is slower than the {} s that were waited: a queue, or a worker that is not running?",
        waited.as_secs()
    )
}

/// What the good event may have done where another database is served: small numbers repeat everywhere.
pub(super) fn elsewhere(order: &OrderId, intent: &PaymentIntentId) -> Option<String> {
    let number = matches!(order.0, Id::Int(_));
    number.then(|| {
        format!(
            ". IF THE ENDPOINT SERVES ANOTHER DATABASE, ORDER {order} THERE MAY NOW SAY paid WITH THE PAYMENT INTENT \
             {intent}, and nobody paid it (or canceled, by the expired event): look there, and put it right by hand"
        )
    })
}

/// The good event moved the order somewhere else than to paid.
pub(super) fn crosswise(order: &OrderId, status: OrderStatus) -> String {
    format!(
        "the status of order {order} changed to {status} instead of paid: are the words crosswise in `statuses` of the \
         mapping, so that the application's word for paid stands under `{status}`? Else the handler itself writes that"
    )
}
/// Stripe has the money, and the order stayed as it was.
pub(super) const UNHEARD: &str = "the event did not reach the endpoint (is it registered at Stripe for \
                                  checkout.session.completed?), or the handler looks for another field than order_id";

/// An expired event of a session that the order no longer holds has changed the order.
pub(super) const CANCELS: &str = "the order changed: the handler acts on the end of a session that the order no longer \
     holds. A renewed order would be canceled behind its new link, and an order with a payment link at each visit that nobody \
     ends by paying, so that renewals are refused from now on, and payment links: mend the handler (it must look only at the \
     session that is recorded on the order) and verify again, or write policy: { stale: replace } in the manifest, without \
     link: payment_link";

/// What an endpoint lacks that took an event which it should have refused.
pub(super) fn unverified(name: &str) -> &'static str {
    match name {
        "stale-timestamp" => "the endpoint does not check the signature's time, so that an old event can be replayed",
        _ => "THE ENDPOINT DOES NOT VERIFY SIGNATURES",
    }
}

/// What an unexpected status most likely means.
pub(super) fn likely(status: u16) -> &'static str {
    match status {
        404 | 405 => "no such route; is the path right?",
        400 | 401 | 403 => "the endpoint refuses our signature; is it another secret than the endpoint's?",
        300..=399 => "a redirect; Stripe does not follow it",
        500..=599 => "the handler failed; look into its log",
        _ => "Stripe counts only 2xx as delivered",
    }
}
