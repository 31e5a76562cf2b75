//! Requests to Stripe that fail.

use super::faults::{Faulty, Said};
use super::site::{Side, Site};
use crate::world::{Wire, WireAnswer, WireError, WireRequest};

impl Said for WireError {
    fn not_done(site: &Site) -> Self {
        Self::NotSent(format!("a fault at {site}"))
    }

    fn lost(site: &Site) -> Self {
        Self::Lost(format!("a fault at {site}"))
    }
}

impl<W: Wire> Wire for Faulty<W> {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        let operation = format!("{} {}", request.method.as_str(), template(&request.path));
        self.faults.strike(Side::Wire, &operation, self.inner.send(request)).await
    }
}

/// A path with its ids replaced. Stripe's own words are of small letters; ids are drawn from all letters and digits.
fn template(path: &str) -> String {
    let is_id = |part: &str| part != "v1" && part.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let parts = path.split('/').map(|part| if is_id(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn ids_in_paths_are_replaced() {
        for (path, wanted) in [
            ("/v1/checkout/sessions", "/v1/checkout/sessions"),
            ("/v1/checkout/sessions/cs_test_a1B2/expire", "/v1/checkout/sessions/{id}/expire"),
            ("/v1/payment_links/plink_1Qx", "/v1/payment_links/{id}"),
            ("/v1/webhook_endpoints/we_9", "/v1/webhook_endpoints/{id}"),
        ] {
            assert_eq!(template(path), wanted);
        }
    }
}
