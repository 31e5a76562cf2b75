//! Stripe's form encoding, as the sandbox decodes it.

use serde_json::{Map, Value};
use tourney::sandbox::core::{Answer, Begun, Call, Core, Put};

use super::{Came, Held, ensure};

const NOW: i64 = 1_776_074_400;

/// The first line names an endpoint, the rest is the body as it is sent. A refusal is Stripe's error and changes nothing;
/// what is taken is JSON. Besides, the body's bytes are sent as metadata, encoded, and must come back as they went.
pub fn form(bytes: &[u8]) -> Held {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let body = bytes.get(end + usize::from(end > 0)..).unwrap_or_default();
    let line = String::from_utf8_lossy(&bytes[..end]);
    let (method, path) = line.trim().split_once(' ').unwrap_or(("POST", "/v1/checkout/sessions"));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut core = Core::new(7);
    let _ = core.birth();
    let (answer, puts) = call(&mut core, method, path, query, body);
    let value: Value = serde_json::from_str(&answer.body).map_err(|error| format!("{error} in {answer:?}"))?;
    let came =
        if answer.status == 200 { Came::Taken } else { refused(&answer, &value, &puts).map(|()| Came::Refused)? };
    round_trip(&mut core, body)?;
    Ok(came)
}

/// 4xx with a message, a type, and a `param` where one is to blame; nothing is remembered of it but that it was asked.
fn refused(answer: &Answer, value: &Value, puts: &[Put]) -> Result<(), String> {
    ensure((400..500).contains(&answer.status), || format!("{answer:?}"))?;
    let error = &value["error"];
    for key in ["message", "type"] {
        ensure(error[key].as_str().is_some_and(|text| !text.is_empty()), || format!("no {key} in {value}"))?;
    }
    for key in ["code", "param", "doc_url"] {
        ensure(error[key].is_null() || error[key].is_string(), || format!("{key} is no text in {value}"))?;
    }
    let made = puts.iter().find(|put| put.kind != "settings" && put.kind != "idempotency_key");
    ensure(made.is_none(), || format!("refused, and yet there is {made:?}"))
}

/// Any text is a value of metadata, and half of it a key: what was encoded is decoded as it was.
fn round_trip(core: &mut Core, body: &[u8]) -> Result<(), String> {
    let text: String = String::from_utf8_lossy(body).chars().take(500).collect();
    let key: String = text.chars().filter(|c| !"[]".contains(*c)).take(40).collect();
    // A name without a key appends.
    let key = if key.is_empty() { "none".to_owned() } else { key };
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.append_pair("name", "17U Elite").append_pair("metadata[value]", &text);
    encoded.append_pair(&format!("metadata[{key}]"), "here");
    let (answer, _) = call(core, "POST", "/v1/products", "", encoded.finish().as_bytes());
    let value: Value = serde_json::from_str(&answer.body).map_err(|error| format!("{error} in {answer:?}"))?;
    ensure(answer.status == 200, || format!("{key:?} and {text:?} are refused: {value}"))?;
    let mut wanted = Map::new();
    wanted.insert("value".to_owned(), text.into());
    wanted.insert(key, "here".into());
    // An empty value unsets its key.
    wanted.retain(|_, value| value != "");
    ensure(value["metadata"] == Value::Object(wanted), || format!("it came back as {}", value["metadata"]))
}

fn call(core: &mut Core, method: &str, path: &str, query: &str, body: &[u8]) -> (Answer, Vec<Put>) {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let call = Call {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: body.to_vec(),
        headers: vec![
            header("authorization", "Bearer sk_test_fuzzed"),
            header("content-type", "application/x-www-form-urlencoded"),
        ],
    };
    match core.begin(NOW, call) {
        Begun::Answered(answer, puts) => (answer, puts),
        Begun::Working(ticket) => core.finish(NOW, ticket),
    }
}
