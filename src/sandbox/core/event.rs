//! Events (<https://docs.stripe.com/api/events>): a snapshot of an object, made once, delivered to every endpoint that
//! asked for its type.

use serde_json::{Map, Value, json};

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
    make(core, now, event, kind, id, None);
}

/// As [`emit`], for an object that was `before` and has changed since: the event says what it was in
/// `previous_attributes`. Where nothing changed there is no event.
pub(super) fn emit_change(core: &mut Core, now: i64, event: &str, kind: Kind, id: &str, before: &Value) {
    let after = core.shelf.get(kind, id).map(|record| core.render(kind, record)).unwrap_or_default();
    let previous = previous(before, &after);
    if previous.as_object().is_some_and(|fields| !fields.is_empty()) {
        make(core, now, event, kind, id, Some(previous));
    }
}

fn make(core: &mut Core, now: i64, event: &str, kind: Kind, id: &str, previous: Option<Value>) {
    let Some(record) = core.shelf.get(kind, id) else { return };
    let (live, mut data) = (record.live, json!({"object": core.render(kind, record)}));
    if let Some(previous) = previous {
        data["previous_attributes"] = previous;
    }
    let event_id = core.new_id("evt_1", 23);
    let endpoints = delivery::listeners(core, live, event);
    let value = json!({
        "id": event_id, "object": "event", "api_version": API_VERSION, "created": now, "data": data,
        "livemode": live, "pending_webhooks": endpoints.len(),
        "request": {"id": core.cause.request, "idempotency_key": core.cause.key}, "type": event
    });
    core.insert(Kind::Event, live, value, Value::Null);
    delivery::schedule(core, now, live, &event_id, &endpoints);
}

/// What `before` said where `after` says otherwise, object by object; what is new was null.
fn previous(before: &Value, after: &Value) -> Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return before.clone() };
    let mut changed = Map::new();
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        let (old, new) = (&before[name], &after[name]);
        if old != new {
            changed.insert(name.clone(), previous(old, new));
        }
    }
    Value::Object(changed)
}
