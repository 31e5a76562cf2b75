//! The body of a webhook event.

use jiff::Timestamp;
use serde_json::Value;
use tourney::domain::Mode;
use tourney::webhook::Envelope;

use super::{Came, Held, ensure};

/// What is read of a body is what stands in it, and nothing but ids: nothing is made up, nothing is longer than it may be.
pub fn event(bytes: &[u8]) -> Held {
    let Ok(body) = std::str::from_utf8(bytes) else { return Ok(Came::Refused) };
    let read = Envelope::parse(body);
    let value: Option<Value> = serde_json::from_str(body).ok();
    let Ok(envelope) = read else {
        ensure(!is_plain(body, value.as_ref()), || "an event is refused".to_owned())?;
        return Ok(Came::Refused);
    };
    // What is not looked at may be what no value can hold, such as 1e999.
    let Some(value) = value else { return kept(body, &envelope) };
    let object = &value["data"]["object"];
    for (ours, theirs) in [(&envelope.id, &value["id"]), (&envelope.kind, &value["type"])] {
        ensure(theirs == ours.as_str() && fits(theirs), || format!("{ours:?} is read of {theirs}"))?;
    }
    let live = match &value["livemode"] {
        Value::Bool(true) => Some(Mode::Live),
        Value::Bool(false) => Some(Mode::Test),
        _ => None,
    };
    ensure(envelope.mode == live, || format!("{:?} is read of {}", envelope.mode, value["livemode"]))?;
    let is_session = object["object"] == "checkout.session" && fits(id_of(&object["id"]));
    let session = envelope.session.as_ref().map(|id| id.as_str());
    let wanted = is_session.then(|| id_of(&object["id"]).as_str()).flatten();
    ensure(session == wanted, || format!("{session:?} is read, {wanted:?} stands there"))?;
    if let Some(intent) = &envelope.payment_intent {
        let own = object["object"] == "payment_intent" && id_of(&object["id"]) == intent.as_str();
        let named = id_of(&object["payment_intent"]) == intent.as_str();
        ensure((own || named) && intent.as_str().len() <= 255, || format!("{intent:?} is read of {object}"))?;
    }
    kept(body, &envelope)
}

/// It is stored as it came, and read again it is the same.
fn kept(body: &str, envelope: &Envelope) -> Held {
    let event = envelope.to_event(body, Timestamp::UNIX_EPOCH);
    ensure(event.body == body && event.outcome.is_none(), || "the body is not kept as it came".to_owned())?;
    let again = Envelope::parse(&event.body);
    ensure(again.as_ref() == Ok(envelope), || format!("read again it is {again:?}"))?;
    Ok(Came::Taken)
}

/// An id stands for itself or in an expanded object.
fn id_of(value: &Value) -> &Value {
    if value.is_string() { value } else { &value["id"] }
}

fn fits(text: &Value) -> bool {
    text.as_str().is_some_and(|text| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control))
}

/// A body that no rule could refuse: an object without further keys, which could stand twice.
fn is_plain(body: &str, value: Option<&Value>) -> bool {
    let fields = value.and_then(Value::as_object);
    fields.is_some_and(|fields| {
        fields.len() == 2
            && body.matches(':').count() == 2
            && ["id", "type"].iter().all(|key| fields.get(*key).is_some_and(fits))
    })
}
