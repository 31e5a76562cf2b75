//! `POST /v1/checkout/sessions`.

use serde_json::{Value, json};

use super::object;
use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::route::Request;
use crate::sandbox::core::shelf::Kind;
use crate::sandbox::core::{Core, lines};

const HOUR: i64 = 3600;
/// What Stripe forgives at either bound of `expires_at`, in seconds.
const SLACK: i64 = 5;
/// Versions from here on call the hosted page `hosted_page`.
const RENAMED_UI_MODE: &str = "2026-03-25";

/// `POST /v1/checkout/sessions`
pub(in crate::sandbox::core) fn create(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let ui_mode = check_modes(request)?;
    check_unsimulated(request)?;
    check_urls(request)?;
    check_customer(request)?;
    let expires_at = check_expiry(request)?;
    let lines = lines::check(core, request, &lines::SESSION)?;

    let (items, amount, currency) = lines::make(core, request, lines);
    let id = core.new_id(if request.live { "cs_live_a1" } else { "cs_test_a1" }, 56);
    let session = object::build(&object::New {
        id: &id,
        live: request.live,
        created: request.now,
        expires_at,
        amount,
        currency: &currency,
        email: request.text("customer_email"),
        ui_mode: &ui_mode,
        params: &request.params,
    });
    let hidden = json!({"line_items": items, "payment_intent_data": request.params["payment_intent_data"]});
    core.insert(Kind::Session, request.live, session, hidden);
    core.show(request, Kind::Session, &id)
}

/// Only hosted payments are simulated; gives the `ui_mode` to show.
fn check_modes(request: &Request) -> Result<String, ApiError> {
    let hosted = match request.text("ui_mode") {
        None if request.version.as_str() >= RENAMED_UI_MODE => "hosted_page",
        None => "hosted",
        Some(mode @ ("hosted" | "hosted_page")) => mode,
        Some(other) => return Err(ApiError::not_simulated(&format!("`ui_mode: {other}`"), "ui_mode")),
    };
    match request.text("mode") {
        Some("payment") => Ok(hosted.to_owned()),
        Some(other) => Err(ApiError::not_simulated(&format!("`mode: {other}`"), "mode")),
        None => Err(ApiError::missing("mode")),
    }
}

/// What would change the total or the flow, and is not simulated.
fn check_unsimulated(request: &Request) -> Result<(), ApiError> {
    let names = ["discounts", "optional_items", "shipping_options", "setup_intent_data", "subscription_data"];
    if let Some(name) = names
        .into_iter()
        .find(|name| request.params[*name].as_array().map_or(!request.params[*name].is_null(), |a| !a.is_empty()))
    {
        return Err(ApiError::not_simulated(&format!("`{name}` on Checkout Sessions"), name));
    }
    if request.text("return_url").is_some() {
        let message = "`return_url` can only be used with `ui_mode: embedded_page`. Use `success_url` instead.";
        return Err(ApiError::invalid(message).param("return_url"));
    }
    if request.params["payment_intent_data"]["capture_method"] == "manual" {
        return Err(ApiError::not_simulated("manual capture", "payment_intent_data[capture_method]"));
    }
    Ok(())
}

fn check_urls(request: &Request) -> Result<(), ApiError> {
    if request.text("success_url").is_none() {
        return Err(ApiError::missing("success_url"));
    }
    ["success_url", "cancel_url"]
        .iter()
        .filter_map(|name| Some((*name, request.text(name)?)))
        .try_for_each(|(name, url)| check_url(name, url))
}

/// A URL needs a scheme and a host, and at most 5000 characters.
pub(in crate::sandbox::core) fn check_url(name: &str, url: &str) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::invalid(message).code("url_invalid").param(name));
    let Some((scheme, rest)) = url.split_once("://") else {
        return invalid("Invalid URL: An explicit scheme (such as https) must be provided.");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_ok = !host.is_empty()
        && !host.starts_with(':')
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:@[]_".contains(&b));
    if !matches!(scheme, "http" | "https") || !host_ok || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return invalid("Not a valid URL");
    }
    if url.chars().count() > 5000 { invalid("URL must be 5000 characters or less.") } else { Ok(()) }
}

fn check_customer(request: &Request) -> Result<(), ApiError> {
    let (customer, email) = (request.text("customer"), request.text("customer_email"));
    if customer.is_some() && email.is_some() {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(ApiError::invalid(message).param("customer"));
    }
    for name in ["customer", "customer_account"] {
        if let Some(id) = request.text(name) {
            return Err(ApiError::no_such("customer", id, name).status(400));
        }
    }
    if let Some(email) = email.filter(|email| !is_email(email)) {
        let message = format!("Invalid email address: {email}");
        return Err(ApiError::invalid(message).code("email_invalid").param("customer_email"));
    }
    let reference = request.text("client_reference_id").unwrap_or_default();
    if reference.chars().count() > 200 {
        let message = format!("Invalid string: {reference}; must be at most 200 characters");
        return Err(ApiError::invalid(message).param("client_reference_id"));
    }
    Ok(())
}

/// As strict as Stripe is known to be: one `@`, a dotted domain, no blanks, plain ASCII.
pub(in crate::sandbox::core) fn is_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let local_ok = local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
    let dots_ok = !local.is_empty() && !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    email.len() <= 512 && local_ok && dots_ok && domain.contains('.') && domain.split('.').all(label)
}

/// What the address of a payment link may bring as `client_reference_id`; a request may say anything of this length.
pub(in crate::sandbox::core) fn is_reference(reference: &str) -> bool {
    let plain = reference.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain && (1..=200).contains(&reference.len())
}

/// 30 minutes to 24 hours after creation, 24 hours by default.
fn check_expiry(request: &Request) -> Result<i64, ApiError> {
    let Some(at) = request.integer("expires_at") else { return Ok(request.now + 24 * HOUR) };
    let lives = at - request.now;
    let invalid = |message: &str| Err(ApiError::invalid(message).param("expires_at"));
    if lives < HOUR / 2 - SLACK {
        return invalid("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.");
    }
    if lives > 24 * HOUR + SLACK {
        return invalid("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.");
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::{check_url, is_email};

    #[test]
    fn emails_and_urls_are_checked() {
        for good in ["parent17@example.com", "a.b+c@mail.example.com"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "a", "a@", "@example.com", "a@b", "a b@example.com", "a@b@example.com", "a@-x.com", "a..b@x.com"]
        {
            assert!(!is_email(bad), "{bad}");
        }
        for good in ["https://club.example/thanks?s={CHECKOUT_SESSION_ID}", "http://localhost:8000"] {
            assert!(check_url("success_url", good).is_ok(), "{good}");
        }
        for bad in ["club.example", "https://", "https:// x", "javascript://x", "https://a b/"] {
            assert!(check_url("success_url", bad).is_err(), "{bad}");
        }
    }
}
