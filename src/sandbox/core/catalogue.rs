//! Products and prices (<https://docs.stripe.com/api/products>, <https://docs.stripe.com/api/prices>).

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::error::ApiError;
use super::params::filled;
use super::route::Request;
use super::shelf::Kind;
use super::{Core, currency, list as lists};

/// `GET /v1/products`
pub(super) fn list_products(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let ids = request.params["ids"].as_array();
    lists::page(core, request, Kind::Product, |record| {
        ["active", "shippable", "type", "url"]
            .iter()
            .all(|name| request.params[*name].is_null() || record.object[*name] == request.params[*name])
            && ids.is_none_or(|ids| ids.contains(&record.object["id"]))
    })
}

/// `GET /v1/products/{id}`
pub(super) fn retrieve_product(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Product, "id")
}

/// `POST /v1/products`
pub(super) fn create_product(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    if !request.params["default_price_data"].is_null() {
        return Err(ApiError::not_simulated("`default_price_data`", "default_price_data"));
    }
    if let Some(id) = request.text("id").filter(|id| core.shelf.get(Kind::Product, id).is_some()) {
        let message = format!("Product already exists with ID '{id}'.");
        return Err(ApiError::refused(message).code("resource_already_exists").param("id"));
    }
    let id = make_product(core, request.live, request.now, &request.params);
    core.show(request, Kind::Product, &id)
}

/// `GET /v1/prices`
pub(super) fn list_prices(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let keys = request.params["lookup_keys"].as_array();
    let recurring = !request.params["recurring"].is_null();
    lists::page(core, request, Kind::Price, |record| {
        ["active", "currency", "product", "type"]
            .iter()
            .all(|name| request.params[*name].is_null() || record.object[*name] == request.params[*name])
            && keys.is_none_or(|keys| keys.contains(&record.object["lookup_key"]))
            && !recurring
    })
}

/// `GET /v1/prices/{id}`
pub(super) fn retrieve_price(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Price, "id")
}

/// `POST /v1/prices`: one-time prices per unit.
pub(super) fn create_price(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    for name in ["custom_unit_amount", "tiers", "tiers_mode", "transform_quantity", "currency_options"] {
        if !request.params[name].is_null() {
            return Err(ApiError::not_simulated(&format!("`{name}` on prices"), name));
        }
    }
    let mut price = NewPrice::check(core, request, &request.params, "")?;
    price.listed = true;
    let id = make_price(core, request.live, request.now, price);
    core.show(request, Kind::Price, &id)
}

/// A price, checked and not yet made.
pub(super) struct NewPrice {
    /// Minor units, perhaps with a fraction.
    pub unit_amount: Decimal,
    /// Lower-case ISO 4217.
    pub currency: String,
    product: ProductOf,
    /// `active`, `lookup_key`, `metadata`, `nickname`, `tax_behavior`.
    params: Value,
    /// Made through `/v1/prices`: active and listed. An inline price is neither reusable nor active.
    listed: bool,
}

enum ProductOf {
    Standing(String),
    Inline(Value),
}

impl NewPrice {
    /// A price of one amount under a product of one name.
    pub(super) fn plain(currency: &str, amount: i64, name: &str) -> Self {
        let product = ProductOf::Inline(json!({"name": name}));
        Self {
            unit_amount: Decimal::from(amount),
            currency: currency.to_owned(),
            product,
            params: json!({}),
            listed: false,
        }
    }

    /// Checks price parameters that stand under `path` (empty: at the top).
    ///
    /// # Errors
    /// 400 in Stripe's words.
    pub(super) fn check(core: &Core, request: &Request, data: &Value, path: &str) -> Result<Self, ApiError> {
        let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") };
        let given = data["currency"].as_str().unwrap_or_default();
        let currency = given.to_lowercase();
        if !currency::known(&currency) {
            let message = format!(
                "Invalid currency: {given}. Stripe currently supports these currencies: {}",
                currency::listed()
            );
            return Err(ApiError::invalid(message).param(at("currency")));
        }
        if !data["recurring"].is_null() {
            return Err(ApiError::not_simulated("recurring prices", &at("recurring")));
        }
        let product = match (data["product"].as_str(), &data["product_data"]) {
            (Some(id), Value::Null) => {
                core.find(request, Kind::Product, id, &at("product")).map_err(|error| error.status(400))?;
                ProductOf::Standing(id.to_owned())
            }
            (None, inline @ Value::Object(_)) => ProductOf::Inline(inline.clone()),
            _ => {
                let message = "You must specify either `product` or `product_data` when creating a price.";
                return Err(ApiError::invalid(message).param(at("product")));
            }
        };
        let unit_amount = unit_amount(data, &at)?;
        Ok(Self { unit_amount, currency, product, params: data.clone(), listed: false })
    }
}

fn unit_amount(data: &Value, at: &impl Fn(&str) -> String) -> Result<Decimal, ApiError> {
    let negative = |name: &str| {
        let message = "This value must be greater than or equal to 0.";
        ApiError::invalid(message).code("parameter_invalid_integer").param(at(name))
    };
    match (data["unit_amount"].as_i64(), data["unit_amount_decimal"].as_str()) {
        (Some(amount), None) if amount < 0 => Err(negative("unit_amount")),
        (Some(amount), None) => Ok(Decimal::from(amount)),
        (None, Some(text)) => {
            let amount: Decimal = text
                .parse()
                .map_err(|_| ApiError::invalid(format!("Invalid decimal: {text}")).param(at("unit_amount_decimal")))?;
            if amount.is_sign_negative() { Err(negative("unit_amount_decimal")) } else { Ok(amount) }
        }
        (None, None) => Err(ApiError::missing(&at("unit_amount"))),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            Err(ApiError::invalid(message).param(at("unit_amount")))
        }
    }
}

/// Makes a price, and its product where that is inline; gives the price's id.
pub(super) fn make_price(core: &mut Core, live: bool, now: i64, new: NewPrice) -> String {
    let product = match new.product {
        ProductOf::Standing(id) => id,
        ProductOf::Inline(params) => make_product(core, live, now, &params),
    };
    let id = core.new_id("price_1", 23);
    let whole = new.unit_amount.is_integer().then(|| new.unit_amount.to_i64()).flatten();
    let params = &new.params;
    let price = json!({
        "id": id, "object": "price", "active": new.listed && params["active"] != false, "billing_scheme": "per_unit",
        "created": now, "currency": new.currency, "custom_unit_amount": null, "livemode": live,
        "lookup_key": params["lookup_key"], "metadata": filled(&params["metadata"]), "nickname": params["nickname"],
        "product": product, "recurring": null,
        "tax_behavior": params["tax_behavior"].as_str().unwrap_or("unspecified"), "tiers_mode": null,
        "transform_quantity": null, "type": "one_time", "unit_amount": whole,
        "unit_amount_decimal": new.unit_amount.normalize().to_string()
    });
    core.insert(Kind::Price, live, price, Value::Null);
    id
}

fn make_product(core: &mut Core, live: bool, now: i64, params: &Value) -> String {
    let id = params["id"].as_str().map_or_else(|| core.new_id("prod_", 14), str::to_owned);
    let list = |name: &str| if params[name].is_array() { params[name].clone() } else { json!([]) };
    let product = json!({
        "id": id, "object": "product", "active": params["active"] != false, "created": now, "default_price": null,
        "description": params["description"], "features": [], "images": list("images"), "livemode": live,
        "marketing_features": list("marketing_features"), "metadata": filled(&params["metadata"]),
        "name": params["name"], "package_dimensions": params["package_dimensions"], "shippable": params["shippable"],
        "statement_descriptor": params["statement_descriptor"], "tax_code": params["tax_code"],
        "type": params["type"].as_str().unwrap_or("service"), "unit_label": params["unit_label"], "updated": now,
        "url": params["url"]
    });
    core.insert(Kind::Product, live, product, Value::Null);
    id
}
