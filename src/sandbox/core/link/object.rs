//! The payment link object: every field Stripe shows, and what a request says of it.

use serde_json::{Value, json};

use crate::sandbox::core::echo::{custom_text, invoice_creation, optional, overlay};
use crate::sandbox::core::params::filled;

/// What a request says and the object shows, each in its own way.
const SAID: [&str; 20] = [
    "after_completion",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "inactive_message",
    "invoice_creation",
    "name_collection",
    "payment_intent_data",
    "payment_method_options",
    "payment_method_types",
    "phone_number_collection",
    "restrictions",
    "shipping_address_collection",
    "submit_type",
    "tax_id_collection",
    "managed_payments",
];
/// Left out where nothing was said: Stripe does not show them everywhere.
const OPTIONAL: [&str; 3] = ["managed_payments", "name_collection", "payment_method_options"];

/// A new, active link, without its `url`.
pub(super) fn build(id: &str, live: bool, currency: &str, params: &Value) -> Value {
    let mut link = json!({
        "id": id, "object": "payment_link", "active": true, "application": null, "application_fee_amount": null,
        "application_fee_percent": null, "currency": currency, "livemode": live,
        "metadata": filled(&params["metadata"]), "on_behalf_of": null, "payment_method_collection": "always",
        "shipping_options": [],
        "subscription_data": {"description": null, "invoice_settings": {"issuer": {"type": "self"}}, "metadata": {},
            "trial_period_days": null,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}}},
        "transfer_data": null
    });
    for name in SAID {
        if !(OPTIONAL.contains(&name) && params[name].is_null()) {
            link[name] = shown(name, &Value::Null, &params[name]);
        }
    }
    link
}

/// Lays over a link what an update says, except its metadata, lines and activity.
pub(super) fn change(link: &mut Value, params: &Value) {
    for name in SAID {
        if !params[name].is_null() {
            link[name] = shown(name, &link[name], &params[name]);
        }
    }
}

/// A field as it was (null: never) and as it is said now (null: not at all; empty: no more).
fn shown(name: &str, old: &Value, given: &Value) -> Value {
    let or = |default: Value| if given.is_null() { default } else { given.clone() };
    match name {
        "after_completion" => after_completion(given),
        "allow_promotion_codes" => or(json!(false)),
        "automatic_tax" => automatic_tax(given),
        "billing_address_collection" | "submit_type" => or(json!("auto")),
        "consent_collection" => {
            let template =
                json!({"payment_method_reuse_agreement": null, "promotions": null, "terms_of_service": null});
            optional(template, given)
        }
        "custom_fields" => given.as_array().into_iter().flatten().map(custom_field).collect(),
        "custom_text" => overlay(if old.is_null() { custom_text() } else { old.clone() }, given),
        "customer_creation" => or(json!("if_required")),
        "invoice_creation" => invoice_creation(given),
        "payment_intent_data" => payment_intent_data(old, given),
        "phone_number_collection" => overlay(json!({"enabled": false}), given),
        "restrictions" => restrictions(old, given),
        "tax_id_collection" => overlay(json!({"enabled": false, "required": "never"}), given),
        "name_collection" => name_collection(given),
        _ if given == "" => Value::Null,
        _ => given.clone(),
    }
}

fn after_completion(given: &Value) -> Value {
    if given["type"] == "redirect" {
        return json!({"redirect": {"url": given["redirect"]["url"]}, "type": "redirect"});
    }
    let message = overlay(json!({"custom_message": null}), &given["hosted_confirmation"]);
    json!({"hosted_confirmation": message, "type": "hosted_confirmation"})
}

fn automatic_tax(given: &Value) -> Value {
    let enabled = given["enabled"] == true;
    let liability =
        if given["liability"].is_null() && enabled { json!({"type": "self"}) } else { given["liability"].clone() };
    json!({"enabled": enabled, "liability": liability})
}

fn custom_field(given: &Value) -> Value {
    let mut field = overlay(json!({"key": null, "label": null, "optional": false, "type": null}), given);
    let kind = given["type"].as_str().unwrap_or_default();
    let template = match kind {
        "dropdown" => json!({"default_value": null, "options": []}),
        _ => json!({"default_value": null, "maximum_length": null, "minimum_length": null}),
    };
    field[kind] = overlay(template, &given[kind]);
    field
}

fn name_collection(given: &Value) -> Value {
    if given == "" {
        return Value::Null;
    }
    let collected = |name: &str| optional(json!({"enabled": false, "optional": false}), &given[name]);
    json!({"business": collected("business"), "individual": collected("individual")})
}

/// What is not said stays. Metadata that is said replaces all of the old: "Unlike object-level metadata, this field is
/// declarative. Updates will clear prior values."
fn payment_intent_data(old: &Value, given: &Value) -> Value {
    if given.is_null() {
        return Value::Null;
    }
    let template = json!({"capture_method": null, "description": null, "metadata": {}, "setup_future_usage": null,
        "statement_descriptor": null, "statement_descriptor_suffix": null, "transfer_group": null});
    let mut data = overlay(if old.is_null() { template } else { old.clone() }, given);
    if !given["metadata"].is_null() {
        data["metadata"] = filled(&given["metadata"]);
    }
    data
}

/// A new limit keeps the count. Where there was no restriction, counting begins: Stripe does not say whether sessions that
/// were completed before count, and a client that thinks they do sells more than it meant.
fn restrictions(old: &Value, given: &Value) -> Value {
    let limit = &given["completed_sessions"]["limit"];
    if limit.is_null() {
        return Value::Null;
    }
    let count = old["completed_sessions"]["count"].as_i64().unwrap_or_default();
    json!({"completed_sessions": {"count": count, "limit": limit}})
}
