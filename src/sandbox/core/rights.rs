//! What a restricted key may do: None, Read or Write for each resource
//! (<https://docs.stripe.com/keys/restricted-api-keys>). A key that nobody has restricted may do everything.

use super::auth;
use super::call::Call;
use super::control::ControlError;
use super::error::ApiError;
use super::form::Tree;
use super::{Core, Settings};

/// The beginning of a path, Stripe's name of the resource, and its row in the Dashboard.
const RESOURCES: [(&str, &str, &str); 12] = [
    ("/v1/checkout/sessions", "checkout_session", "Checkout Sessions"),
    ("/v1/payment_intents", "payment_intent", "Payment Intents"),
    ("/v1/payment_links", "payment_links", "Payment Links"),
    ("/v1/charges", "charge", "Charges and Refunds"),
    ("/v1/refunds", "charge", "Charges and Refunds"),
    ("/v1/disputes", "dispute", "Disputes"),
    ("/v1/events", "event", "Events"),
    ("/v1/webhook_endpoints", "webhook", "Webhook Endpoints"),
    ("/v1/account", "accounts_kyc_basic", "Basic Business Contact Information"),
    ("/v1/balance", "balance", "Balance"),
    ("/v1/products", "product", "Products"),
    ("/v1/prices", "plan", "Prices"),
];

/// Properties whose expansion reads another resource.
const EXPANDED: [(&str, &str); 5] = [
    ("latest_charge", "charge"),
    ("charge", "charge"),
    ("payment_intent", "payment_intent"),
    ("product", "product"),
    ("price", "plan"),
];

/// Restricts a key to these permissions, for example `checkout_session_write`, or lifts its restriction.
///
/// # Errors
/// Where it is no restricted key, or there is no such permission.
pub(super) fn restrict(
    settings: &mut Settings,
    key: &str,
    permissions: Option<Vec<String>>,
) -> Result<(), ControlError> {
    if !auth::is_restricted(key) {
        return Err(ControlError::state("only a key that begins with rk_test_ or rk_live_ has permissions".to_owned()));
    }
    let Some(permissions) = permissions else {
        settings.restricted.remove(key);
        return Ok(());
    };
    let known = |name: &str| {
        let resource = name.strip_suffix("_read").or_else(|| name.strip_suffix("_write"));
        resource.is_some_and(|resource| RESOURCES.iter().any(|(_, one, _)| *one == resource))
    };
    if let Some(unknown) = permissions.iter().find(|name| !known(name)) {
        let mut names: Vec<&str> = RESOURCES.iter().map(|(_, name, _)| *name).collect();
        names.dedup();
        let message =
            format!("there is no permission {unknown}; _read or _write goes behind one of {}", names.join(", "));
        return Err(ControlError::state(message));
    }
    settings.restricted.insert(key.to_owned(), permissions.into_iter().collect());
    Ok(())
}

/// Whether the request's key may make it. Stripe asks that before it looks for the object, also of what is expanded.
///
/// # Errors
/// 403 in Stripe's words.
pub(super) fn check(core: &Core, call: &Call, form: &Tree) -> Result<(), ApiError> {
    let Some(key) = auth::key(call) else { return Ok(()) };
    let Some(permissions) = core.settings.restricted.get(&key) else { return Ok(()) };
    let has = |resource: &str, action: &str| permissions.contains(&format!("{resource}_{action}"));
    let action = if call.method == "GET" { "read" } else { "write" };
    let needed = RESOURCES.iter().find(|(path, ..)| call.path.starts_with(path)).map(|(_, name, _)| (*name, action));
    let lacking = needed.into_iter().chain(expanded(form).map(|name| (name, "read")));
    // Who may write may read.
    let mut lacking = lacking.filter(|(name, action)| !has(name, action) && !has(name, "write"));
    match lacking.next() {
        None => Ok(()),
        Some((name, action)) => Err(denied(core, &key, name, action)),
    }
}

/// The resources that `expand[]` reads.
fn expanded(form: &Tree) -> impl Iterator<Item = &'static str> {
    let fields = match form {
        Tree::Branch(fields) => fields.get("expand"),
        Tree::Leaf(_) => None,
    };
    let paths = match fields {
        Some(Tree::Branch(paths)) => paths.values().collect(),
        _ => Vec::new(),
    };
    let parts = paths.into_iter().filter_map(|path| match path {
        Tree::Leaf(path) => Some(path.split('.')),
        Tree::Branch(_) => None,
    });
    let resource = |part: &str| EXPANDED.iter().find(|(name, _)| *name == part).map(|(_, resource)| *resource);
    parts.flatten().filter_map(resource).collect::<Vec<_>>().into_iter()
}

fn denied(core: &Core, key: &str, name: &str, action: &str) -> ApiError {
    let row = RESOURCES.iter().find(|(_, one, _)| *one == name).map_or(name, |(_, _, row)| *row);
    let word = if action == "read" { "Read" } else { "Write" };
    let tail = &key[key.len().saturating_sub(4)..];
    let message = format!(
        "Permission denied. The provided key '{}...{tail}' does not have the required permissions for this endpoint on \
         account '{}'. Enabling {row} {word} ('{name}_{action}') permissions on this key would allow this request to \
         continue. You can edit permissions at https://dashboard.stripe.com/{}/apikeys.",
        &key[..8],
        core.account_id(),
        core.account_id(),
    );
    ApiError::invalid(message).code("more_permissions_required").status(403)
}
