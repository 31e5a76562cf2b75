//! What is refused of a payment link's parameters, at its creation and at its update alike.

use serde_json::Value;

use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::route::Request;
use crate::sandbox::core::session::check_url;

/// What would change the total, the flow or who gets the money, and is not simulated.
const UNSIMULATED: [&str; 6] = [
    "application_fee_amount",
    "application_fee_percent",
    "on_behalf_of",
    "optional_items",
    "shipping_options",
    "transfer_data",
];

/// Checks everything but the lines.
///
/// # Errors
/// 400. How Stripe words what these parameters exclude among each other is not known.
pub(super) fn check(request: &Request) -> Result<(), ApiError> {
    let given = |name: &&str| !matches!(&request.params[*name], Value::Null) && request.params[*name] != "";
    if let Some(name) = UNSIMULATED.into_iter().find(given) {
        return Err(ApiError::not_simulated(&format!("`{name}` on Payment Links"), name));
    }
    if request.params["managed_payments"]["enabled"] == true {
        return Err(ApiError::not_simulated("Managed Payments", "managed_payments[enabled]"));
    }
    if request.params["payment_intent_data"]["capture_method"] == "manual" {
        return Err(ApiError::not_simulated("manual capture", "payment_intent_data[capture_method]"));
    }
    for name in ["subscription_data", "payment_method_collection"] {
        if !request.params[name].is_null() {
            let message = format!("`{name}` can only be used where there is a line item with a recurring price.");
            return Err(ApiError::invalid(message).param(name));
        }
    }
    for (n, line) in request.params["line_items"].as_array().into_iter().flatten().enumerate() {
        if line["adjustable_quantity"]["enabled"] == true {
            let param = format!("line_items[{n}][adjustable_quantity][enabled]");
            return Err(ApiError::not_simulated("adjustable quantities on Payment Links", &param));
        }
    }
    check_after_completion(&request.params["after_completion"])?;
    check_limit(&request.params["restrictions"]["completed_sessions"]["limit"])
}

/// The page's own thanks, or a redirect: what goes with the one does not go with the other.
fn check_after_completion(given: &Value) -> Result<(), ApiError> {
    let (wanted, other) = match given["type"].as_str() {
        Some("redirect") => ("redirect", "hosted_confirmation"),
        Some(_) => ("hosted_confirmation", "redirect"),
        None => return Ok(()),
    };
    if !given[other].is_null() {
        let message = format!("`after_completion[{other}]` cannot be used with `after_completion[type]: {wanted}`.");
        return Err(ApiError::invalid(message).param(format!("after_completion[{other}]")));
    }
    if wanted == "hosted_confirmation" {
        return Ok(());
    }
    match given["redirect"]["url"].as_str() {
        Some(url) => check_url("after_completion[redirect][url]", url),
        None => Err(ApiError::missing("after_completion[redirect]")),
    }
}

fn check_limit(limit: &Value) -> Result<(), ApiError> {
    if limit.as_i64().is_none_or(|limit| limit >= 1) {
        return Ok(());
    }
    let message = "This value must be greater than or equal to 1.";
    let param = "restrictions[completed_sessions][limit]";
    Err(ApiError::invalid(message).code("parameter_invalid_integer").param(param))
}
