//! `expand[]`: ids replaced by their objects (<https://docs.stripe.com/api/expanding_objects>).

use serde_json::Value;

use super::error::ApiError;
use super::route::Request;
use super::shelf::Kind;
use super::{Core, lines};

/// What can be expanded, by the object it stands on. A kind that the sandbox never fills stays null.
fn expandable(object: &str) -> &'static [(&'static str, Option<Kind>)] {
    match object {
        "checkout.session" => &[
            ("payment_intent", Some(Kind::PaymentIntent)),
            ("customer", None),
            ("invoice", None),
            ("payment_link", Some(Kind::Link)),
            ("setup_intent", None),
            ("subscription", None),
        ],
        "payment_intent" => {
            &[("latest_charge", Some(Kind::Charge)), ("customer", None), ("payment_method", None), ("review", None)]
        }
        "charge" => &[("payment_intent", Some(Kind::PaymentIntent)), ("balance_transaction", None), ("customer", None)],
        "refund" => &[
            ("charge", Some(Kind::Charge)),
            ("payment_intent", Some(Kind::PaymentIntent)),
            ("balance_transaction", None),
        ],
        "price" => &[("product", Some(Kind::Product))],
        "product" => &[("default_price", Some(Kind::Price))],
        "payment_link" => &[("application", None), ("on_behalf_of", None)],
        _ => &[],
    }
}

/// Expands what the request asks for.
///
/// # Errors
/// 400 for a property that cannot be expanded, or deeper than four levels.
pub(super) fn expand(core: &Core, request: &Request, mut value: Value) -> Result<Value, ApiError> {
    for path in request.params["expand"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let parts: Vec<&str> = path.split('.').collect();
        if parts.len() > 4 {
            let message = format!("You cannot expand more than 4 levels of a property ({path}).");
            return Err(ApiError::invalid(message).param("expand"));
        }
        let listed = value["object"] == "list";
        if listed && parts[0] != "data" {
            let message = format!(
                "This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."
            );
            return Err(ApiError::invalid(message).param("expand"));
        }
        walk(core, &mut value, &parts, path)?;
    }
    Ok(value)
}

fn walk(core: &Core, value: &mut Value, parts: &[&str], path: &str) -> Result<(), ApiError> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    let object = value["object"].as_str().unwrap_or_default().to_owned();
    if object == "list" && *first == "data" {
        let mut items = value["data"].as_array_mut().into_iter().flatten();
        return items.try_for_each(|item| walk(core, item, rest, path));
    }
    let known = expandable(&object).iter().find(|(name, _)| name == first);
    if matches!(object.as_str(), "checkout.session" | "payment_link") && *first == "line_items" {
        if value["line_items"].is_null() {
            value["line_items"] = lines::handful(core, &object, value["id"].as_str().unwrap_or_default());
        }
    } else if object == "item" && *first == "price" {
        // Already whole.
    } else if let Some((_, kind)) = known {
        let found = kind.and_then(|kind| {
            let record = core.shelf.get(kind, value[*first].as_str()?)?;
            Some(core.render(kind, record))
        });
        if let Some(found) = found {
            value[*first] = found;
        }
    } else {
        return Err(ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand"));
    }
    if rest.is_empty() || !value[*first].is_object() { Ok(()) } else { walk(core, &mut value[*first], rest, path) }
}
