//! What a request said, in the shape of Stripe's answer.

use serde_json::{Value, json};

/// `template` with the fields of `given` laid over it; an empty text unsets to null.
pub(super) fn overlay(mut template: Value, given: &Value) -> Value {
    for (name, value) in given.as_object().into_iter().flatten() {
        template[name] = if value == "" { Value::Null } else { value.clone() };
    }
    template
}

/// As [`overlay`], null where nothing was given.
pub(super) fn optional(template: Value, given: &Value) -> Value {
    if given.as_object().is_some() { overlay(template, given) } else { Value::Null }
}

/// `invoice_creation`, as sessions and payment links show it.
pub(super) fn invoice_creation(given: &Value) -> Value {
    let template = json!({"account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
        "issuer": null, "metadata": {}, "rendering_options": null});
    let data = overlay(template, &given["invoice_data"]);
    json!({"enabled": given["enabled"] == true, "invoice_data": data})
}

/// The texts that can be added to the page.
pub(super) fn custom_text() -> Value {
    json!({"after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null})
}
