//! Faults that a test asks for: before a request is executed, or after it, so that only the answer is lost.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Core;
use super::call::Call;
use super::shelf::{Kind, Record};

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing is executed.
    Before,
    /// The request is executed, and remembered by its idempotency key.
    After,
}

/// What happens instead of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An `api_error` with this HTTP status.
    Status(u16),
    /// The connection is dropped.
    Cut,
    /// 429: always before.
    RateLimited,
}

/// The fault of this moment that strikes this call, and uses itself up.
pub(super) fn strike(core: &mut Core, call: &Call, moment: When) -> Option<What> {
    for id in core.shelf.ids(Kind::Fault) {
        let Some(record) = core.shelf.get(Kind::Fault, &id) else { continue };
        let method = record.object["method"].as_str();
        if method.is_some_and(|m| m != call.method) || !call.path.starts_with(record.text("path_prefix")) {
            continue;
        }
        let what = serde_json::from_value(record.object["what"].clone()).unwrap_or(What::Status(500));
        let when = serde_json::from_value(record.object["when"].clone()).unwrap_or(When::Before);
        if moment != if what == What::RateLimited { When::Before } else { when } {
            continue;
        }
        if record.number("skip") > 0 {
            core.shelf.update(Kind::Fault, &id, |r| r.object["skip"] = json!(r.number("skip") - 1));
            continue;
        }
        if record.number("times") <= 1 {
            core.shelf.remove(Kind::Fault, &id);
        } else {
            core.shelf.update(Kind::Fault, &id, |r| r.object["times"] = json!(r.number("times") - 1));
        }
        return Some(what);
    }
    None
}

/// Adds a fault.
pub(super) fn add(core: &mut Core, now: i64, object: serde_json::Value) {
    let serial = core.next_number();
    let mut object = object;
    object["created"] = json!(now);
    let record = Record { serial, live: false, object, hidden: json!(null) };
    core.shelf.put(Kind::Fault, &format!("fault_{serial}"), record);
}
