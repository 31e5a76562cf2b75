//! The lines of a session: prices that stand, or prices made on the way.

use rust_decimal::Decimal;
use rust_decimal::prelude::{RoundingStrategy, ToPrimitive};
use serde_json::{Value, json};

use crate::sandbox::core::catalogue::{self, NewPrice};
use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::route::Request;
use crate::sandbox::core::shelf::Kind;
use crate::sandbox::core::{Core, currency};

/// Stripe's limit of lines in payment mode.
const MAX_LINES: usize = 100;
/// The largest charge: eight digits of minor units (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
const MAX_AMOUNT: i64 = 99_999_999;

/// One line, checked and not yet made.
pub(super) struct Line {
    price: Source,
    quantity: i64,
    /// In minor units, for the whole quantity.
    amount: i64,
    currency: String,
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
pub(super) fn check(core: &Core, request: &Request) -> Result<Vec<Line>, ApiError> {
    let given = request.params["line_items"].as_array().filter(|lines| !lines.is_empty());
    let given = given.ok_or_else(|| ApiError::missing("line_items"))?;
    if given.len() > MAX_LINES {
        let message = format!("You can only have up to {MAX_LINES} line items in `payment` mode.");
        return Err(ApiError::invalid(message).param("line_items"));
    }
    let lines: Vec<Line> =
        given.iter().enumerate().map(|(n, line)| check_line(core, request, n, line)).collect::<Result<_, _>>()?;
    if lines.iter().any(|line| line.currency != lines[0].currency) {
        let message = "All prices on a Checkout Session must be in the same currency.";
        return Err(ApiError::invalid(message).param("line_items"));
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
    if quantity < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(format!("{here}[quantity]")));
    }
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
    let amount = unit
        .checked_mul(Decimal::from(quantity))
        .and_then(|exact| exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64());
    let amount = amount.filter(|amount| *amount <= MAX_AMOUNT).ok_or_else(|| too_large(&currency))?;
    Ok(Line { price, quantity, amount, currency, metadata: line["metadata"].clone() })
}

fn standing(core: &Core, request: &Request, id: &str, param: &str) -> Result<(Source, Decimal, String), ApiError> {
    let record = core.find(request, Kind::Price, id, param).map_err(|error| error.status(400))?;
    if record.object["active"] != true {
        let message = format!("The price specified is inactive. This field only accepts active prices. ({id})");
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

/// Stripe's bounds on a total.
///
/// # Errors
/// `amount_too_small` or `amount_too_large`.
fn check_total(total: i64, currency: &str) -> Result<(), ApiError> {
    if total < currency::minimum(currency) {
        let shown = currency::show(total, currency);
        let message = format!(
            "The Checkout Session's total amount must convert to at least 50 cents. {shown} is below the minimum of {}.",
            currency::show(currency::minimum(currency), currency)
        );
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
    let price = core.shelf.get(Kind::Price, &price).map(|record| record.object.clone()).unwrap_or_default();
    let product = core.shelf.get(Kind::Product, price["product"].as_str().unwrap_or_default());
    let name = product.map_or("", |record| record.text("name")).to_owned();
    let id = core.new_id("li_", 24);
    json!({"id": id, "object": "item", "adjustable_quantity": null, "amount_discount": 0,
        "amount_subtotal": line.amount, "amount_tax": 0, "amount_total": line.amount, "currency": line.currency,
        "description": name, "metadata": if line.metadata.is_null() { json!({}) } else { line.metadata },
        "price": price, "quantity": line.quantity})
}
