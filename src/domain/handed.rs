//! The address of a payable as it is handed out to people.

use super::{Email, OrderId, PayableKind, SessionId};

/// The longest `client_reference_id` that Stripe takes from an address.
const LONGEST_REFERENCE: usize = 200;

/// A payable's address with what Stripe lets a Payment Link's carry
/// (<https://docs.stripe.com/payment-links/url-parameters>): the order, where its id has the form that Stripe takes, and the
/// payer's address, which the page then shows filled in. What is stored is the plain address.
///
/// `email` only where the whole address may be read: it stands in the answer.
#[must_use]
pub fn handed_out(id: &SessionId, url: &str, order: Option<&OrderId>, email: Option<&Email>) -> String {
    if PayableKind::of(id) != PayableKind::PaymentLink {
        return url.to_owned();
    }
    let reference = order.map(ToString::to_string).filter(|id| is_reference(id));
    let pairs = [("client_reference_id", reference), ("prefilled_email", email.map(|email| email.expose().to_owned()))];
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let query = query.finish();
    let joint = if url.contains('?') { '&' } else { '?' };
    if query.is_empty() { url.to_owned() } else { format!("{url}{joint}{query}") }
}

/// What Stripe takes for a `client_reference_id` in an address; it disregards anything else.
fn is_reference(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.len() <= LONGEST_REFERENCE && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Id;

    const URL: &str = "https://buy.stripe.com/x";

    #[test]
    fn a_link_carries_its_order_and_the_payers_address() {
        let link = SessionId::from("plink_1");
        let order = OrderId(Id::parse("17").unwrap());
        let email = Email::parse("kim+camp@example.com").unwrap();
        let both = handed_out(&link, URL, Some(&order), Some(&email));
        assert_eq!(both, format!("{URL}?client_reference_id=17&prefilled_email=kim%2Bcamp%40example.com"));
        assert_eq!(handed_out(&link, URL, Some(&order), None), format!("{URL}?client_reference_id=17"));
        assert_eq!(handed_out(&link, URL, None, None), URL);
        let has_query = format!("{URL}?locale=en");
        assert_eq!(
            handed_out(&link, &has_query, Some(&order), None),
            format!("{URL}?locale=en&client_reference_id=17")
        );
    }

    #[test]
    fn a_session_has_its_address_and_nothing_else() {
        let email = Email::parse("kim@example.com").unwrap();
        assert_eq!(handed_out(&SessionId::from("cs_test_1"), URL, None, Some(&email)), URL);
    }

    #[test]
    fn what_stripe_does_not_take_for_a_reference_is_left_out() {
        for (text, fits) in
            [("17", true), ("Or_der-9", true), ("a.b", false), ("a b", false), ("é", false), ("", false)]
        {
            assert_eq!(is_reference(text), fits, "{text}");
        }
        assert!(is_reference(&"a".repeat(200)) && !is_reference(&"a".repeat(201)));
    }
}
