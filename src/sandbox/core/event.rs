//! Events (<https://docs.stripe.com/api/events>): a snapshot of an object, made once, delivered to every endpoint that
//! asked for its type.

use serde_json::{Value, json};

use super::error::ApiError;
use super::route::Request;
use super::shelf::Kind;
use super::{API_VERSION, Core, delivery, list as lists};

/// `GET /v1/events`: of the last 30 days.
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let types = request.params["types"].as_array();
    if types.is_some() && request.text("type").is_some() {
        return Err(ApiError::invalid("You may only specify one of these parameters: type, types.").param("type"));
    }
    let since = request.now - 30 * 24 * 3600;
    let delivered = request.params["delivery_success"].as_bool();
    lists::page(core, request, Kind::Event, |record| {
        let kind = record.text("type");
        let wanted = |pattern: &str| pattern.strip_suffix('*').map_or(pattern == kind, |start| kind.starts_with(start));
        record.number("created") >= since
            && request.text("type").is_none_or(wanted)
            && types.is_none_or(|types| types.iter().filter_map(Value::as_str).any(wanted))
            && delivered.is_none_or(|delivered| (record.number("pending_webhooks") == 0) == delivered)
    })
}

/// `GET /v1/events/{id}`
pub(super) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Event, "id")
}

/// Makes an event of an object as it is now, and its deliveries.
pub(super) fn emit(core: &mut Core, now: i64, event: &str, kind: Kind, id: &str) {
    let Some(record) = core.shelf.get(kind, id) else { return };
    let (live, object) = (record.live, core.render(kind, record));
    let event_id = core.new_id("evt_1", 23);
    let endpoints = delivery::listeners(core, live, event);
    let value = json!({
        "id": event_id, "object": "event", "api_version": API_VERSION, "created": now, "data": {"object": object},
        "livemode": live, "pending_webhooks": endpoints.len(),
        "request": {"id": core.cause.request, "idempotency_key": core.cause.key}, "type": event
    });
    core.insert(Kind::Event, live, value, Value::Null);
    delivery::schedule(core, now, live, &event_id, &endpoints);
}
