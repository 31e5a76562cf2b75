//! Prices and their products, by what they say: the same line always means the same price, so that links which take each
//! other's place do not pile up products in the account.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use stripe_product::price::{CreatePrice, CreatePriceProductData, ListPrice};

use super::request::{built, currency};
use super::{Stripe, StripeError};
use crate::domain::Money;
use crate::world::{Clock, Wire};

/// A price at Stripe, `price_…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceId(pub String);

#[derive(Deserialize)]
struct Page {
    data: Vec<PriceAnswer>,
}

#[derive(Deserialize)]
struct PriceAnswer {
    id: String,
    active: bool,
    currency: String,
    unit_amount: Option<i64>,
    /// A price that is asked for again and again.
    recurring: Option<serde::de::IgnoredAny>,
    product: Option<Product>,
}

/// An expanded product; its mere id says nothing about its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Object { name: Option<String>, active: Option<bool> },
    Other(serde::de::IgnoredAny),
}

impl PriceAnswer {
    /// Whether a payer would see this line at this price.
    fn says(&self, line: &str, amount: Money) -> bool {
        let shown = matches!(&self.product, Some(Product::Object { name, active })
            if name.as_deref() == Some(line) && *active != Some(false));
        let once = self.recurring.is_none();
        shown
            && once
            && self.active
            && self.unit_amount == Some(amount.minor)
            && self.currency == amount.currency.code()
    }
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// The price of a line: the one that stands, or a new one with a product of its own. `key` is the idempotency key of a
    /// new one.
    ///
    /// Found by its `lookup_key`, a digest of what it says. Where somebody has changed it or its product since, the key
    /// moves on to a new one (`transfer_lookup_key`).
    ///
    /// # Errors
    /// As any request.
    pub async fn price(&self, line: &str, amount: Money, key: &str) -> Result<PriceId, StripeError> {
        let lookup_key = lookup_key(line, amount);
        let list =
            ListPrice::new().active(true).lookup_keys(vec![lookup_key.clone()]).expand(vec!["data.product".to_owned()]);
        let found: Page = self.call(built(&list)).await?.decode()?;
        if let Some(price) = found.data.into_iter().find(|price| price.says(line, amount)) {
            return Ok(PriceId(price.id));
        }
        let create = CreatePrice::new(currency(amount.currency))
            .unit_amount(amount.minor)
            .product_data(CreatePriceProductData::new(line))
            .lookup_key(lookup_key)
            .transfer_lookup_key(true);
        let mut request = built(&create);
        request.idempotency_key = Some(key.to_owned());
        let made: PriceAnswer = self.call(request).await?.decode()?;
        Ok(PriceId(made.id))
    }
}

/// At most 200 characters at Stripe.
fn lookup_key(line: &str, amount: Money) -> String {
    let text = format!("{}\n{}\n{line}", amount.currency.code(), amount.minor);
    format!("tourney-{}", hex::encode(&Sha256::digest(text)[..16]))
}
