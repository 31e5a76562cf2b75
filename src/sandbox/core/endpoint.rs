//! Webhook endpoints (<https://docs.stripe.com/api/webhook_endpoints>). The secret is shown once, at creation.

use serde_json::{Value, json};

use super::error::ApiError;
use super::params::{filled, merge_metadata};
use super::route::Request;
use super::session::check_url;
use super::shelf::{Kind, Record};
use super::{Core, delivery, list as lists};

/// Stripe's limit of endpoints in a mode.
const MAX_ENDPOINTS: usize = 16;

/// `GET /v1/webhook_endpoints`
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    lists::page(core, request, Kind::Endpoint, |_| true)
}

/// `GET /v1/webhook_endpoints/{webhook_endpoint}`
pub(super) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Endpoint, "webhook_endpoint")
}

/// `POST /v1/webhook_endpoints`
pub(super) fn create(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let Some(url) = request.text("url") else { return Err(ApiError::missing("url")) };
    check(request)?;
    if core.shelf.newest(Kind::Endpoint, request.live).count() >= MAX_ENDPOINTS {
        let message = format!("You have reached the maximum of {MAX_ENDPOINTS} webhook endpoints.");
        return Err(ApiError::refused(message));
    }
    let (id, secret) = (core.new_id("we_1", 23), core.new_id("whsec_", 32));
    let metadata = filled(&request.params["metadata"]);
    let endpoint = json!({
        "id": id, "object": "webhook_endpoint", "api_version": request.params["api_version"], "application": null,
        "created": request.now, "description": request.params["description"],
        "enabled_events": request.params["enabled_events"], "livemode": request.live, "metadata": metadata,
        "status": "enabled", "url": url
    });
    core.insert(Kind::Endpoint, request.live, endpoint, json!({"secret": secret}));
    let mut shown = core.show(request, Kind::Endpoint, &id)?;
    shown["secret"] = json!(secret);
    Ok(shown)
}

/// `POST /v1/webhook_endpoints/{webhook_endpoint}`
pub(super) fn update(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    let old = core.find(request, Kind::Endpoint, id, "webhook_endpoint")?.object["metadata"].clone();
    check(request)?;
    let given = &request.params["metadata"];
    let metadata = if given.is_null() { old } else { merge_metadata(&old, given)? };
    core.shelf.update(Kind::Endpoint, id, |record: &mut Record| {
        record.object["metadata"] = metadata;
        for name in ["url", "enabled_events", "description"] {
            let value = &request.params[name];
            if !value.is_null() {
                record.object[name] = if *value == "" { Value::Null } else { value.clone() };
            }
        }
        if let Some(disabled) = request.params["disabled"].as_bool() {
            record.object["status"] = json!(if disabled { "disabled" } else { "enabled" });
        }
    });
    core.show(request, Kind::Endpoint, id)
}

/// `DELETE /v1/webhook_endpoints/{webhook_endpoint}`
pub(super) fn delete(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    core.find(request, Kind::Endpoint, id, "webhook_endpoint")?;
    core.shelf.remove(Kind::Endpoint, id);
    delivery::forget(core, id);
    Ok(json!({"id": id, "object": "webhook_endpoint", "deleted": true}))
}

fn check(request: &Request) -> Result<(), ApiError> {
    if request.params["connect"] == true {
        return Err(ApiError::not_simulated("Connect", "connect"));
    }
    let events = request.params["enabled_events"].as_array();
    if events.is_some_and(|events| events.len() > 1 && events.iter().any(|event| event == "*")) {
        let message = "You must specify either a list of events or `*` for `enabled_events`, not both.";
        return Err(ApiError::invalid(message).param("enabled_events"));
    }
    request.text("url").map_or(Ok(()), |url| check_url("url", url))
}
