//! Products.

use serde_json::{Value, json};

use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::params::{filled, merge_metadata};
use crate::sandbox::core::route::Request;
use crate::sandbox::core::shelf::Kind;
use crate::sandbox::core::{Core, event, link, list as lists};

/// `GET /v1/products`: active ones and others, unless a filter says which.
pub(in crate::sandbox::core) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let ids = request.params["ids"].as_array();
    if let Some(cursor) = ["starting_after", "ending_before"].into_iter().find(|name| request.text(name).is_some())
        && ids.is_some()
    {
        let message = format!("You may only specify one of these parameters: ids, {cursor}.");
        return Err(ApiError::invalid(message).param("ids"));
    }
    lists::page(core, request, Kind::Product, |record| {
        ["active", "shippable", "type", "url"]
            .iter()
            .all(|name| request.params[*name].is_null() || record.object[*name] == request.params[*name])
            && ids.is_none_or(|ids| ids.contains(&record.object["id"]))
    })
}

/// `GET /v1/products/{id}`
pub(in crate::sandbox::core) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Product, "id")
}

/// `POST /v1/products`
pub(in crate::sandbox::core) fn create(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    if !request.params["default_price_data"].is_null() {
        return Err(ApiError::not_simulated("`default_price_data`", "default_price_data"));
    }
    if let Some(id) = request.text("id").filter(|id| core.shelf.get(Kind::Product, id).is_some()) {
        let message = format!("Product already exists with ID '{id}'.");
        return Err(ApiError::refused(message).code("resource_already_exists").param("id"));
    }
    let active = request.params["active"] != false;
    let id = make(core, request.live, request.now, &request.params, active);
    event::emit(core, request.now, "product.created", Kind::Product, &id);
    core.show(request, Kind::Product, &id)
}

/// `POST /v1/products/{id}`. A product that is archived takes the payment links that use it with it.
pub(in crate::sandbox::core) fn update(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    let before = core.find(request, Kind::Product, id, "id")?.object.clone();
    if let Some(price) = request.text("default_price") {
        let found = core.find(request, Kind::Price, price, "default_price").map_err(|error| error.status(400))?;
        if found.text("product") != id {
            let message = format!("The price `{price}` does not belong to the product `{id}`.");
            return Err(ApiError::invalid(message).param("default_price"));
        }
    }
    let mut product = before.clone();
    for (name, given) in request.params.as_object().into_iter().flatten() {
        product[name] = match name.as_str() {
            "expand" | "tax_details" => continue,
            "metadata" => merge_metadata(&before["metadata"], given)?,
            "images" | "marketing_features" if given == "" => json!([]),
            _ if given == "" => Value::Null,
            _ => given.clone(),
        };
    }
    if product != before {
        product["updated"] = json!(request.now);
    }
    let archived = before["active"] == true && product["active"] == false;
    core.shelf.update(Kind::Product, id, |record| record.object = product);
    event::emit_change(core, request.now, "product.updated", Kind::Product, id, &before);
    if archived {
        link::product_archived(core, request.now, id);
    }
    core.show(request, Kind::Product, id)
}

/// Makes a product; gives its id.
pub(super) fn make(core: &mut Core, live: bool, now: i64, params: &Value, active: bool) -> String {
    let id = params["id"].as_str().map_or_else(|| core.new_id("prod_", 14), str::to_owned);
    let list = |name: &str| if params[name].is_array() { params[name].clone() } else { json!([]) };
    let product = json!({
        "id": id, "object": "product", "active": active, "created": now, "default_price": null,
        "description": params["description"], "features": [], "images": list("images"), "livemode": live,
        "marketing_features": list("marketing_features"), "metadata": filled(&params["metadata"]),
        "name": params["name"], "package_dimensions": params["package_dimensions"], "shippable": params["shippable"],
        "statement_descriptor": params["statement_descriptor"], "tax_code": params["tax_code"],
        "type": params["type"].as_str().unwrap_or("service"), "unit_label": params["unit_label"], "updated": now,
        "url": params["url"]
    });
    core.insert(Kind::Product, live, product, Value::Null);
    id
}
