//! The session object: every field Stripe shows, and what a create request echoes into it.

use serde_json::{Value, json};

use crate::sandbox::core::echo::{custom_text, invoice_creation, optional, overlay};
use crate::sandbox::core::params::filled;

/// What a new session is made of.
pub(in crate::sandbox::core) struct New<'a> {
    pub id: &'a str,
    pub live: bool,
    pub created: i64,
    pub expires_at: i64,
    pub amount: i64,
    pub currency: &'a str,
    pub email: Option<&'a str>,
    pub ui_mode: &'a str,
    /// The parameters of the create request.
    pub params: &'a Value,
}

/// An open, unpaid session.
pub(in crate::sandbox::core) fn build(new: &New<'_>) -> Value {
    [identity(new), echoed(new.params), unused()].into_iter().fold(json!({}), |session, part| overlay(session, &part))
}

/// What the session is.
fn identity(new: &New<'_>) -> Value {
    json!({
        "id": new.id,
        "object": "checkout.session",
        "amount_subtotal": new.amount,
        "amount_total": new.amount,
        "created": new.created,
        "currency": new.currency,
        "customer_details": new.email.map(details),
        "customer_email": new.email,
        "expires_at": new.expires_at,
        "livemode": new.live,
        "mode": "payment",
        "payment_intent": null,
        "payment_status": "unpaid",
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": new.ui_mode,
        "url": null
    })
}

/// What the create request said, in the shape of Stripe's answer.
fn echoed(params: &Value) -> Value {
    let given = |name: &str| params[name].clone();
    let or = |name: &str, default: Value| if params[name].is_null() { default } else { given(name) };
    let methods = ["payment_method_types", "allowed_payment_method_types"];
    let types = methods.iter().map(|name| given(name)).find(|value| !value.is_null()).unwrap_or(json!(["card"]));
    let mut echoed = json!({
        "adaptive_pricing": overlay(json!({"enabled": true}), &given("adaptive_pricing")),
        "after_expiration": nested("recovery", json!({"allow_promotion_codes": false, "enabled": false,
            "expires_at": null, "url": null}), &given("after_expiration")),
        "automatic_tax": automatic_tax(&given("automatic_tax")),
        "consent_collection": optional(json!({"payment_method_reuse_agreement": null, "promotions": "none",
            "terms_of_service": "none"}), &given("consent_collection")),
        "custom_fields": custom_fields(&given("custom_fields")),
        "custom_text": overlay(custom_text(), &given("custom_text")),
        "customer_creation": or("customer_creation", json!("if_required")),
        "invoice_creation": invoice_creation(&given("invoice_creation")),
        "metadata": filled(&given("metadata")),
        "payment_method_collection": or("payment_method_collection", json!("if_required")),
        "payment_method_types": types,
        "phone_number_collection": overlay(json!({"enabled": false}), &given("phone_number_collection")),
        "tax_id_collection": overlay(json!({"enabled": false, "required": "never"}), &given("tax_id_collection"))
    });
    for name in [
        "allow_promotion_codes",
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "integration_identifier",
        "locale",
        "origin_context",
        "shipping_address_collection",
        "submit_type",
        "success_url",
    ] {
        echoed[name] = given(name);
    }
    for name in
        ["allowed_payment_method_types", "branding_settings", "excluded_payment_method_types", "name_collection"]
    {
        if !params[name].is_null() {
            echoed[name] = given(name);
        }
    }
    echoed
}

/// What a hosted payment never fills in.
fn unused() -> Value {
    json!({
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "currency_conversion": null,
        "customer": null,
        "customer_account": null,
        "discounts": [],
        "invoice": null,
        "payment_link": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "permissions": null,
        "recovered_from": null,
        "saved_payment_method_options": null,
        "setup_intent": null,
        "shipping_cost": null,
        "shipping_details": null,
        "shipping_options": [],
        "subscription": null,
        "wallet_options": null
    })
}

/// Who pays, as far as the address goes.
pub(super) fn details(email: &str) -> Value {
    json!({"address": null, "business_name": null, "email": email, "individual_name": null, "name": null,
        "phone": null, "tax_exempt": "none", "tax_ids": null})
}

fn nested(name: &str, template: Value, given: &Value) -> Value {
    if given[name].is_null() { Value::Null } else { json!({ name: overlay(template, &given[name]) }) }
}

fn automatic_tax(given: &Value) -> Value {
    let enabled = given["enabled"] == true;
    let status = enabled.then_some("requires_location_inputs");
    let liability =
        if given["liability"].is_null() && enabled { json!({"type": "self"}) } else { given["liability"].clone() };
    json!({"enabled": enabled, "liability": liability, "provider": null, "status": status})
}

fn custom_fields(given: &Value) -> Value {
    let field = |given: &Value| {
        let mut field = overlay(json!({"key": null, "label": null, "optional": false, "type": null}), given);
        let kind = given["type"].as_str().unwrap_or_default();
        let template = match kind {
            "dropdown" => json!({"default_value": null, "options": [], "value": null}),
            _ => json!({"default_value": null, "maximum_length": null, "minimum_length": null, "value": null}),
        };
        field[kind] = overlay(template, &given[kind]);
        field
    };
    given.as_array().into_iter().flatten().map(field).collect()
}
