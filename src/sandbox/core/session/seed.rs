//! Sessions of the past, made at once and without events: how a test sets a scene.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::object;
use crate::sandbox::core::Core;
use crate::sandbox::core::catalogue::{self, NewPrice};
use crate::sandbox::core::shelf::Kind;

const DAY: i64 = 24 * 3600;

/// A session as it was made some time ago.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The total in minor units.
    pub amount: i64,
    /// The currency, lower-case ISO 4217.
    #[serde(default = "usd")]
    pub currency: String,
    /// The line's name.
    #[serde(default = "line_name")]
    pub name: String,
    /// The session's metadata.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// The metadata of the payment intent that a payment will make.
    #[serde(default)]
    pub payment_intent_metadata: Map<String, Value>,
    /// `customer_email`.
    #[serde(default)]
    pub email: Option<String>,
    /// `client_reference_id`.
    #[serde(default)]
    pub client_reference_id: Option<String>,
    /// How long ago it was created, in seconds.
    #[serde(default)]
    pub created_seconds_ago: i64,
    /// How long ago it expired, in seconds; absent: 24 hours after it was created, perhaps still ahead.
    #[serde(default)]
    pub expired_seconds_ago: Option<i64>,
    /// Whether it belongs to live mode.
    #[serde(default)]
    pub live: bool,
    /// `success_url`.
    #[serde(default = "thanks")]
    pub success_url: String,
}

fn usd() -> String {
    "usd".to_owned()
}

fn line_name() -> String {
    "Registration".to_owned()
}

fn thanks() -> String {
    "https://club.example/thanks".to_owned()
}

/// Makes the session; gives its id.
pub(in crate::sandbox::core) fn seed(core: &mut Core, now: i64, seed: &Seed) -> String {
    let created = now - seed.created_seconds_ago;
    let expires_at = seed.expired_seconds_ago.map_or(created + DAY, |ago| now - ago);
    let price = NewPrice::plain(&seed.currency, seed.amount, &seed.name);
    let price = catalogue::make_price(core, seed.live, created, price);
    let price = core.shelf.get(Kind::Price, &price).map(|record| record.object.clone());
    let line = json!({"id": core.new_id("li_", 24), "object": "item", "adjustable_quantity": null,
        "amount_discount": 0, "amount_subtotal": seed.amount, "amount_tax": 0, "amount_total": seed.amount,
        "currency": seed.currency, "description": seed.name, "metadata": {}, "price": price, "quantity": 1});
    let id = core.new_id(if seed.live { "cs_live_a1" } else { "cs_test_a1" }, 56);
    let params = json!({"client_reference_id": seed.client_reference_id, "metadata": seed.metadata,
        "success_url": seed.success_url});
    let mut session = object::build(&object::New {
        id: &id,
        live: seed.live,
        created,
        expires_at,
        amount: seed.amount,
        currency: &seed.currency,
        email: seed.email.as_deref(),
        ui_mode: "hosted_page",
        params: &params,
    });
    if expires_at <= now {
        session["status"] = json!("expired");
    }
    let hidden = json!({"line_items": [line], "payment_intent_data": {"metadata": seed.payment_intent_metadata}});
    core.insert(Kind::Session, seed.live, session, hidden);
    id
}
