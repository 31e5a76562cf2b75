//! Prices.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::product;
use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::params::{filled, merge_metadata};
use crate::sandbox::core::route::Request;
use crate::sandbox::core::shelf::Kind;
use crate::sandbox::core::{Core, currency, event, list as lists};

/// Stripe's limit of `lookup_keys` in one question.
const MAX_KEYS: usize = 10;

/// `GET /v1/prices`: "Returns a list of your active prices, excluding inline prices. For the list of inactive prices, set
/// active to false" (<https://docs.stripe.com/api/prices/list>). So a lookup key that an archived price holds is not
/// found, and yet is taken.
pub(in crate::sandbox::core) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let keys = request.params["lookup_keys"].as_array();
    if keys.is_some_and(|keys| keys.len() > MAX_KEYS) {
        let message = format!("You can specify up to {MAX_KEYS} lookup_keys.");
        return Err(ApiError::invalid(message).param("lookup_keys"));
    }
    if let Some(product) = request.text("product") {
        core.find(request, Kind::Product, product, "product").map_err(|error| error.status(400))?;
    }
    let active = request.params["active"].as_bool().unwrap_or(true);
    let currency = request.text("currency").map(str::to_lowercase);
    let recurring = !request.params["recurring"].is_null();
    lists::page(core, request, Kind::Price, |record| {
        ["product", "type"].iter().all(|name| request.text(name).is_none_or(|wanted| record.object[*name] == wanted))
            && record.object["active"] == active
            && record.hidden["inline"] != true
            && currency.as_ref().is_none_or(|wanted| record.object["currency"] == wanted.as_str())
            && keys.is_none_or(|keys| keys.contains(&record.object["lookup_key"]))
            && !recurring
    })
}

/// `GET /v1/prices/{price}`
pub(in crate::sandbox::core) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Price, "price")
}

/// `POST /v1/prices`: one-time prices per unit.
pub(in crate::sandbox::core) fn create(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    for name in ["custom_unit_amount", "tiers", "tiers_mode", "transform_quantity", "currency_options"] {
        if !request.params[name].is_null() {
            return Err(ApiError::not_simulated(&format!("`{name}` on prices"), name));
        }
    }
    let mut price = NewPrice::check(core, request, &request.params, "")?;
    price.listed = true;
    let holder = holder(core, request, None)?;
    let inline_product = matches!(price.product, ProductOf::Inline(_));
    release(core, request.now, holder);
    let id = make(core, request.live, request.now, price);
    if inline_product {
        let product = core.shelf.get(Kind::Price, &id).map(|record| record.text("product").to_owned());
        event::emit(core, request.now, "product.created", Kind::Product, &product.unwrap_or_default());
    }
    event::emit(core, request.now, "price.created", Kind::Price, &id);
    core.show(request, Kind::Price, &id)
}

/// `POST /v1/prices/{price}`: never its amount. Whether archiving a price touches the payment links that use it is not
/// known: here they stay payable.
pub(in crate::sandbox::core) fn update(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    let before = core.find(request, Kind::Price, id, "price")?.object.clone();
    if !request.params["currency_options"].is_null() {
        return Err(ApiError::not_simulated("`currency_options` on prices", "currency_options"));
    }
    let given = &request.params["tax_behavior"];
    if !given.is_null() && before["tax_behavior"] != "unspecified" && before["tax_behavior"] != *given {
        let message = "Once `tax_behavior` is specified as either inclusive or exclusive, it cannot be changed.";
        return Err(ApiError::invalid(message).param("tax_behavior"));
    }
    let holder = holder(core, request, Some(id))?;
    let mut price = before.clone();
    for (name, given) in request.params.as_object().into_iter().flatten() {
        match name.as_str() {
            "metadata" => price["metadata"] = merge_metadata(&before["metadata"], given)?,
            "active" | "lookup_key" | "nickname" | "tax_behavior" => price[name] = given.clone(),
            _ => {}
        }
    }
    release(core, request.now, holder);
    core.shelf.update(Kind::Price, id, |record| record.object = price);
    event::emit_change(core, request.now, "price.updated", Kind::Price, id, &before);
    core.show(request, Kind::Price, id)
}

/// The price that must give up the wanted lookup key, where one holds it and the request may take it over. An archived
/// price holds its key, too.
///
/// # Errors
/// 400 where the key is taken and `transfer_lookup_key` is not set.
fn holder(core: &Core, request: &Request, owner: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(key) = request.text("lookup_key") else { return Ok(None) };
    let mut prices = core.shelf.newest(Kind::Price, request.live);
    let found = prices.find(|(id, record)| record.object["lookup_key"] == key && Some(*id) != owner);
    match found {
        Some((id, _)) if request.params["transfer_lookup_key"] != true => {
            let message = format!("A price (`{id}`) already uses that lookup key.");
            Err(ApiError::refused(message).param("lookup_key"))
        }
        found => Ok(found.map(|(id, _)| id.to_owned())),
    }
}

/// Takes the lookup key from its holder, which stays as active as it was.
fn release(core: &mut Core, now: i64, holder: Option<String>) {
    let Some(id) = holder else { return };
    let before = core.shelf.get(Kind::Price, &id).map(|record| record.object.clone()).unwrap_or_default();
    core.shelf.update(Kind::Price, &id, |record| record.object["lookup_key"] = Value::Null);
    event::emit_change(core, now, "price.updated", Kind::Price, &id, &before);
}

/// A price, checked and not yet made.
pub(in crate::sandbox::core) struct NewPrice {
    /// Minor units, perhaps with a fraction.
    pub unit_amount: Decimal,
    /// Lower-case ISO 4217.
    pub currency: String,
    product: ProductOf,
    /// `active`, `lookup_key`, `metadata`, `nickname`, `tax_behavior`.
    params: Value,
    /// Made through `/v1/prices`: active and listed. An inline price is neither, and its inline product is archived.
    listed: bool,
}

enum ProductOf {
    Standing(String),
    Inline(Value),
}

impl NewPrice {
    /// A price of one amount under a product of one name.
    pub(in crate::sandbox::core) fn plain(currency: &str, amount: i64, name: &str) -> Self {
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
    pub(in crate::sandbox::core) fn check(
        core: &Core,
        request: &Request,
        data: &Value,
        path: &str,
    ) -> Result<Self, ApiError> {
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
            (Some(_), _) => {
                let message = "You may only specify one of these parameters: product, product_data.";
                return Err(ApiError::invalid(message).param(at("product")));
            }
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
        (None, None) => {
            let message = "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.";
            Err(ApiError::invalid(message).code("parameter_missing").param(at("unit_amount")))
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            Err(ApiError::invalid(message).param(at("unit_amount")))
        }
    }
}

/// Makes a price, and its product where that is inline; gives the price's id.
pub(in crate::sandbox::core) fn make(core: &mut Core, live: bool, now: i64, new: NewPrice) -> String {
    let product = match new.product {
        ProductOf::Standing(id) => id,
        ProductOf::Inline(params) => product::make(core, live, now, &params, new.listed && params["active"] != false),
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
    core.insert(Kind::Price, live, price, if new.listed { Value::Null } else { json!({"inline": true}) });
    id
}
