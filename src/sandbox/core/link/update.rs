//! `POST /v1/payment_links/{payment_link}`.

use serde_json::{Value, json};

use super::{check, object};
use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::params::merge_metadata;
use crate::sandbox::core::route::Request;
use crate::sandbox::core::shelf::{Kind, Record};
use crate::sandbox::core::{Core, event, lines};

/// `POST /v1/payment_links/{payment_link}`. Quantities change by the lines' ids; prices never do. Nothing reaches the
/// sessions that were made before.
pub(in crate::sandbox::core) fn update(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    let record = core.find(request, Kind::Link, id, "payment_link")?;
    check::check(request)?;
    let before = core.render(Kind::Link, record);
    let mut link = record.object.clone();
    let metadata = &request.params["metadata"];
    if !metadata.is_null() {
        link["metadata"] = merge_metadata(&link["metadata"], metadata)?;
    }
    let items = quantities(core, request, record)?;
    object::change(&mut link, &request.params);
    if let Some(active) = request.params["active"].as_bool() {
        link["active"] = json!(active);
    }
    core.shelf.update(Kind::Link, id, |record| {
        record.object = link;
        record.hidden["line_items"] = json!(items);
    });
    event::emit_change(core, request.now, "payment_link.updated", Kind::Link, id, &before);
    core.show(request, Kind::Link, id)
}

/// The link's items with the quantities that are said; items that are not named stay.
fn quantities(core: &Core, request: &Request, record: &Record) -> Result<Vec<Value>, ApiError> {
    let items = lines::of(core, Kind::Link, record);
    let mut wanted = Vec::new();
    for (n, line) in request.params["line_items"].as_array().into_iter().flatten().enumerate() {
        let id = line["id"].as_str().unwrap_or_default();
        if !items.iter().any(|item| item["id"] == id) {
            return Err(ApiError::no_such("line item", id, &format!("line_items[{n}][id]")).status(400));
        }
        if let Some(quantity) = line["quantity"].as_i64() {
            lines::check_quantity(quantity, &format!("line_items[{n}]"))?;
            wanted.push((id.to_owned(), quantity));
        }
    }
    if wanted.is_empty() { Ok(items) } else { lines::requantified(&items, &wanted) }
}
