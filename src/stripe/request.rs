//! Requests: from async-stripe's generated builders, and plain reads for what its Checkout crate lacks.
//!
//! Only path, query, body and method are taken from a builder: the generated answer types are never instantiated, which
//! keeps the build short and lets an unknown enum value pass.

use std::str::FromStr;

use stripe_client_core::{StripeMethod, StripeRequest};

use super::StripeError;
use crate::domain::Currency;
use crate::world::{Method, WireRequest};

/// The request a builder describes. The same builder gives the same bytes.
pub(super) fn built(builder: &impl StripeRequest) -> WireRequest {
    let request = builder.build();
    let method = match request.method {
        StripeMethod::Get => Method::Get,
        StripeMethod::Post => Method::Post,
        StripeMethod::Delete => Method::Delete,
    };
    WireRequest {
        method,
        path: format!("/v1{}", request.path),
        query: request.query.filter(|query| !query.is_empty()),
        body: request.body.filter(|body| !body.is_empty()).map(|body| in_order(&body)),
        idempotency_key: None,
    }
}

/// Stripe's name of a currency. One without a variant of its own becomes one that serialises as written: parsing cannot fail.
pub(super) fn currency(currency: Currency) -> stripe_types::Currency {
    let Ok(named) = stripe_types::Currency::from_str(currency.code());
    named
}

/// The pairs of a form in the order of their names: builders keep metadata in hash maps, whose order is another one each
/// time.
fn in_order(body: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).collect();
    pairs.sort();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A read of a plain path with these parameters.
pub(super) fn get(path: &str, parameters: &[(&str, &str)]) -> WireRequest {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    WireRequest {
        method: Method::Get,
        path: path.to_owned(),
        query: (!query.is_empty()).then_some(query),
        body: None,
        idempotency_key: None,
    }
}

/// An id that may stand in a path. Ids come from an orders database that others write too.
///
/// # Errors
/// A [`StripeError`] that [is not found](StripeError::is_not_found), for what would be another path.
pub(super) fn path_id(id: &str) -> Result<&str, StripeError> {
    let fine =
        !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fine { Ok(id) } else { Err(StripeError::no_such_id(id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of eight pairs in a hash map, one order in forty thousand is the right one by chance.
    #[test]
    fn the_same_builder_gives_the_same_bytes() {
        let metadata = "abcdefgh".chars().map(|letter| (letter.to_string(), "1".to_owned()));
        let update = stripe_checkout::checkout_session::UpdateCheckoutSession::new("cs_1")
            .metadata(metadata.collect::<std::collections::HashMap<_, _>>());
        let wanted: Vec<String> = "abcdefgh".chars().map(|letter| format!("metadata%5B{letter}%5D=1")).collect();
        assert_eq!(built(&update).body, Some(wanted.join("&")));
    }

    #[test]
    fn only_ids_go_into_paths() {
        for id in ["cs_test_a1B2", "pi_3-x"] {
            assert_eq!(path_id(id), Ok(id));
        }
        for id in ["", "../account", "cs_1/expire", "cs 1", "cs_1?x=1", "cs_é", &"c".repeat(256)] {
            assert!(path_id(id).unwrap_err().is_not_found(), "{id:?}");
        }
    }
}
