//! The lines of a session or of a payment link: prices that stand, or prices made on the way.

use rust_decimal::Decimal;
use rust_decimal::prelude::{RoundingStrategy, ToPrimitive};
use serde_json::{Value, json};

use super::catalogue::{self, NewPrice};
use super::error::ApiError;
use super::route::Request;
use super::shelf::{Kind, Record};
use super::{Core, currency};

/// The largest charge: eight digits of minor units (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
const MAX_AMOUNT: i64 = 99_999_999;
/// How many lines an expanded `line_items` holds; the rest is at its `url`.
const HANDFUL: usize = 10;

/// What lines stand on.
pub(super) struct Place {
    /// How many there may be.
    most: usize,
    too_many: &'static str,
    mixed: &'static str,
}

/// A Checkout Session in payment mode.
pub(super) const SESSION: Place = Place {
    most: 100,
    too_many: "You can only have up to 100 line items in `payment` mode.",
    mixed: "All prices on a Checkout Session must be in the same currency.",
};

/// A payment link. How Stripe words these two is not known.
pub(super) const LINK: Place = Place {
    most: 20,
    too_many: "You can only have up to 20 line items on a Payment Link.",
    mixed: "All prices on a Payment Link must be in the same currency.",
};

/// One line, checked and not yet made.
pub(super) struct Line {
    price: Source,
    quantity: i64,
    /// In minor units, for the whole quantity.
    amount: i64,
    /// Lower-case ISO 4217.
    pub currency: String,
    metadata: Value,
}

enum Source {
    /// The id of a price.
    Standing(String),
    /// A price to be made.
    Inline(NewPrice),
}

/// Checks the lines of a create request.
///
/// # Errors
/// 400 in Stripe's words.
pub(super) fn check(core: &Core, request: &Request, place: &Place) -> Result<Vec<Line>, ApiError> {
    let given = request.params["line_items"].as_array().filter(|lines| !lines.is_empty());
    let given = given.ok_or_else(|| ApiError::missing("line_items"))?;
    if given.len() > place.most {
        return Err(ApiError::invalid(place.too_many).param("line_items"));
    }
    let lines: Vec<Line> =
        given.iter().enumerate().map(|(n, line)| check_line(core, request, n, line)).collect::<Result<_, _>>()?;
    if lines.iter().any(|line| line.currency != lines[0].currency) {
        return Err(ApiError::invalid(place.mixed).param("line_items"));
    }
    check_total(lines.iter().map(|line| line.amount).sum(), &lines[0].currency)?;
    Ok(lines)
}

fn check_line(core: &Core, request: &Request, n: usize, line: &Value) -> Result<Line, ApiError> {
    let here = format!("line_items[{n}]");
    let quantity = line["quantity"].as_i64().ok_or_else(|| {
        ApiError::invalid(format!("Quantity is required. Add `quantity` to `{here}`."))
            .code("parameter_missing")
            .param(format!("{here}[quantity]"))
    })?;
    check_quantity(quantity, &here)?;
    let (price, unit, currency) = match (line["price"].as_str(), &line["price_data"]) {
        (Some(id), Value::Null) => standing(core, request, id, &format!("{here}[price]"))?,
        (None, data @ Value::Object(_)) => {
            let price = NewPrice::check(core, request, data, &format!("{here}[price_data]"))?;
            let (unit, currency) = (price.unit_amount, price.currency.clone());
            (Source::Inline(price), unit, currency)
        }
        _ => {
            let message = "You must specify either `price` or `price_data` when using prices.";
            return Err(ApiError::invalid(message).param(here));
        }
    };
    let amount = amount(unit, quantity, &currency)?;
    Ok(Line { price, quantity, amount, currency, metadata: line["metadata"].clone() })
}

/// At least one of a thing is sold.
///
/// # Errors
/// `parameter_invalid_integer`.
pub(super) fn check_quantity(quantity: i64, line: &str) -> Result<(), ApiError> {
    if quantity >= 1 {
        return Ok(());
    }
    let message = "This value must be greater than or equal to 1.";
    Err(ApiError::invalid(message).code("parameter_invalid_integer").param(format!("{line}[quantity]")))
}

fn amount(unit: Decimal, quantity: i64, currency: &str) -> Result<i64, ApiError> {
    let amount = unit
        .checked_mul(Decimal::from(quantity))
        .and_then(|exact| exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64());
    amount.filter(|amount| *amount <= MAX_AMOUNT).ok_or_else(|| too_large(currency))
}

fn standing(core: &Core, request: &Request, id: &str, param: &str) -> Result<(Source, Decimal, String), ApiError> {
    let record = core.find(request, Kind::Price, id, param).map_err(|error| error.status(400))?;
    if record.object["active"] != true {
        let message = "The price specified is inactive. This field only accepts active prices.";
        return Err(ApiError::refused(message).param(param));
    }
    let product = core.shelf.get(Kind::Product, record.text("product"));
    if product.is_some_and(|product| product.object["active"] != true) {
        let message = format!("Price `{id}` is not available to be purchased because its product is not active.");
        return Err(ApiError::refused(message).param(param));
    }
    if record.text("type") == "recurring" {
        return Err(recurring(param));
    }
    let unit = record.text("unit_amount_decimal").parse().unwrap_or_default();
    Ok((Source::Standing(id.to_owned()), unit, record.text("currency").to_owned()))
}

/// A recurring price does not go with payment mode.
fn recurring(param: &str) -> ApiError {
    ApiError::invalid(
        "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only \
         one-time prices.",
    )
    .param(param)
}

/// Stripe's bounds on a total. A payment link is refused in the same words as a session.
///
/// # Errors
/// `amount_too_small` or `amount_too_large`.
fn check_total(total: i64, currency: &str) -> Result<(), ApiError> {
    if total < currency::minimum(currency) {
        let least = currency::show(currency::minimum(currency), currency);
        let least = if currency == "usd" { format!("{least} usd") } else { least };
        let message = format!("The Checkout Session's total amount due must add up to at least {least}");
        return Err(ApiError::invalid(message).code("amount_too_small"));
    }
    if total > MAX_AMOUNT { Err(too_large(currency)) } else { Ok(()) }
}

fn too_large(currency: &str) -> ApiError {
    let most = currency::show(MAX_AMOUNT, currency);
    let message = format!("The Checkout Session's total amount must be no more than {most}.");
    ApiError::invalid(message).code("amount_too_large")
}

/// Makes what the lines need; gives the items, their total and currency.
pub(super) fn make(core: &mut Core, request: &Request, lines: Vec<Line>) -> (Vec<Value>, i64, String) {
    let total = lines.iter().map(|line| line.amount).sum();
    let currency = lines.first().map(|line| line.currency.clone()).unwrap_or_default();
    let items = lines.into_iter().map(|line| item(core, request.live, request.now, line)).collect();
    (items, total, currency)
}

fn item(core: &mut Core, live: bool, now: i64, line: Line) -> Value {
    let price = match line.price {
        Source::Standing(id) => id,
        Source::Inline(new) => catalogue::make_price(core, live, now, new),
    };
    let id = core.new_id("li_", 24);
    let item = json!({"id": id, "object": "item", "adjustable_quantity": null, "amount_discount": 0,
        "amount_subtotal": line.amount, "amount_tax": 0, "amount_total": line.amount, "currency": line.currency,
        "description": "", "metadata": if line.metadata.is_null() { json!({}) } else { line.metadata },
        "price": {"id": price}, "quantity": line.quantity});
    refreshed(core, &item)
}

/// The items of a session, which stay as they were made, or of a payment link, which follow their product's name.
pub(super) fn of(core: &Core, kind: Kind, record: &Record) -> Vec<Value> {
    let items = record.hidden["line_items"].as_array().into_iter().flatten();
    if kind == Kind::Link { items.map(|item| refreshed(core, item)).collect() } else { items.cloned().collect() }
}

/// The same item with its price and product as they are now.
fn refreshed(core: &Core, item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(price) = core.shelf.get(Kind::Price, item["price"]["id"].as_str().unwrap_or_default()) {
        item["price"] = price.object.clone();
        let product = core.shelf.get(Kind::Product, price.text("product"));
        item["description"] = json!(product.map_or("", |product| product.text("name")));
    }
    item
}

/// What `expand[]=line_items` gives of a session or a payment link: the first few.
pub(super) fn handful(core: &Core, object: &str, id: &str) -> Value {
    let (kind, path) = match object {
        "payment_link" => (Kind::Link, "payment_links"),
        _ => (Kind::Session, "checkout/sessions"),
    };
    let mut items = core.shelf.get(kind, id).map(|record| of(core, kind, record)).unwrap_or_default();
    let more = items.len() > HANDFUL;
    items.truncate(HANDFUL);
    json!({"object": "list", "data": items, "has_more": more, "url": format!("/v1/{path}/{id}/line_items")})
}

/// The items with ids of their own, for a session that a payment link makes, and their total.
pub(super) fn copied(core: &mut Core, items: Vec<Value>) -> (Vec<Value>, i64) {
    let total = items.iter().filter_map(|item| item["amount_total"].as_i64()).sum();
    let with_own_id = |mut item: Value| {
        item["id"] = json!(core.new_id("li_", 24));
        item
    };
    (items.into_iter().map(with_own_id).collect(), total)
}

/// The items with new quantities, by the items' ids.
///
/// # Errors
/// Where the total leaves Stripe's bounds.
pub(super) fn requantified(items: &[Value], quantities: &[(String, i64)]) -> Result<Vec<Value>, ApiError> {
    let mut items = items.to_vec();
    for (id, quantity) in quantities {
        let Some(item) = items.iter_mut().find(|item| item["id"] == id.as_str()) else { continue };
        let unit: Decimal =
            item["price"]["unit_amount_decimal"].as_str().unwrap_or_default().parse().unwrap_or_default();
        let total = amount(unit, *quantity, item["currency"].as_str().unwrap_or_default())?;
        item["quantity"] = json!(quantity);
        item["amount_subtotal"] = json!(total);
        item["amount_total"] = json!(total);
    }
    let total = items.iter().filter_map(|item| item["amount_total"].as_i64()).sum();
    check_total(total, items.first().and_then(|item| item["currency"].as_str()).unwrap_or_default())?;
    Ok(items)
}
