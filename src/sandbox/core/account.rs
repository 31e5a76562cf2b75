//! The account and its balance (<https://docs.stripe.com/api/accounts>, <https://docs.stripe.com/api/balance>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::ApiError;
use super::route::Request;
use super::shelf::Kind;
use super::{Core, expand};

/// `GET /v1/account`
pub(super) fn account(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let account = json!({
        "id": core.account_id(), "object": "account", "business_profile": {"name": "Sandbox", "url": null},
        "business_type": null, "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": true, "country": "US", "default_currency": "usd", "details_submitted": true,
        "email": "owner@example.com", "payouts_enabled": true,
        "settings": {"dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"}}, "type": "standard"
    });
    expand::expand(core, request, account)
}

/// `GET /v1/balance`: what was charged less what was refunded, all of it pending.
pub(super) fn balance(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let mut pending: BTreeMap<String, i64> = BTreeMap::from([("usd".to_owned(), 0)]);
    for (_, charge) in core.shelf.newest(Kind::Charge, request.live) {
        let left = charge.number("amount_captured") - charge.number("amount_refunded");
        *pending.entry(charge.text("currency").to_owned()).or_default() += left;
    }
    let amounts = |of: &dyn Fn(i64) -> i64| -> Vec<Value> {
        let amount = |(currency, held): (&String, &i64)| json!({"amount": of(*held), "currency": currency, "source_types": {"card": of(*held)}});
        pending.iter().map(amount).collect()
    };
    let balance = json!({"object": "balance", "available": amounts(&|_| 0), "livemode": request.live,
        "pending": amounts(&|held| held)});
    expand::expand(core, request, balance)
}
