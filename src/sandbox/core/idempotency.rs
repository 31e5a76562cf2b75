//! Idempotency keys (<https://docs.stripe.com/api/idempotent_requests>).

use serde_json::json;

use super::Core;
use super::error::ApiError;
use super::route::Request;
use super::shelf::{Kind, Record};

/// How long a key is remembered.
pub(super) const LIFE_SECONDS: i64 = 24 * 60 * 60;

const MAX_LENGTH: usize = 255;

/// What is known of a request's key.
pub(super) enum Known {
    /// Nothing: the request is executed.
    New,
    /// It was answered before: status, body and the id of the original request.
    Answered(u16, String, String),
}

/// Keys belong to a mode.
pub(super) fn scope(live: bool, key: &str) -> String {
    format!("{}:{key}", if live { "live" } else { "test" })
}

/// Looks a key up.
///
/// # Errors
/// 400 for a key that is too long or was used with another request, 409 for one in flight.
pub(super) fn look_up(core: &Core, request: &Request) -> Result<Known, ApiError> {
    let Some(key) = &request.key else { return Ok(Known::New) };
    if key.chars().count() > MAX_LENGTH {
        return Err(mismatch(format!("Idempotency keys must be at most {MAX_LENGTH} characters long.")));
    }
    let scope = scope(request.live, key);
    let in_flight = core.in_flight.get(&scope);
    let record = core.shelf.get(Kind::Key, &scope);
    let stored = record.map(|record| (record.text("path").to_owned(), record.text("fingerprint").to_owned()));
    let Some((path, fingerprint)) = in_flight.cloned().or(stored) else { return Ok(Known::New) };
    if path != request.path {
        return Err(mismatch(format!(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' vs \
             '{path}'). Try using a key other than '{key}' if you meant to execute a different request.",
            request.path
        )));
    }
    if fingerprint != request.fingerprint {
        return Err(mismatch(format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try \
             using a key other than '{key}' if you meant to execute a different request."
        )));
    }
    match record {
        Some(record) if in_flight.is_none() => {
            let status = u16::try_from(record.number("status")).unwrap_or(500);
            Ok(Known::Answered(status, record.text("body").to_owned(), record.text("request").to_owned()))
        }
        _ => Err(mismatch(format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you \
             submitted twice, and the other request is still going through): {key}. Please try again later."
        ))
        .code("idempotency_key_in_use")
        .status(409)),
    }
}

/// Remembers an answer.
pub(super) fn remember(core: &mut Core, request: &Request, status: u16, body: &str, now: i64) {
    let Some(key) = &request.key else { return };
    let object = json!({"created": now, "path": request.path, "fingerprint": request.fingerprint, "status": status,
        "body": body, "request": request.id});
    let record = Record { serial: core.next_number(), live: request.live, object, hidden: json!(null) };
    core.shelf.put(Kind::Key, &scope(request.live, key), record);
}

fn mismatch(message: String) -> ApiError {
    ApiError::invalid(message).kind("idempotency_error")
}
