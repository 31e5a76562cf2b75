//! Payment intents and their charges (<https://docs.stripe.com/api/payment_intents>, <https://docs.stripe.com/api/charges>).

use serde_json::{Value, json};

use super::control::TestCard;
use super::error::ApiError;
use super::params::filled;
use super::route::Request;
use super::shelf::{Kind, Record};
use super::{Core, event, list as lists};

/// `GET /v1/payment_intents`
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let names = ["customer", "customer_account"];
    lists::page(core, request, Kind::PaymentIntent, |record| {
        names.iter().all(|name| request.text(name).is_none_or(|wanted| record.object[*name] == wanted))
    })
}

/// `GET /v1/payment_intents/{intent}`
pub(super) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::PaymentIntent, "intent")
}

/// `GET /v1/charges`
pub(super) fn charges(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let names = ["customer", "payment_intent", "transfer_group"];
    lists::page(core, request, Kind::Charge, |record| {
        names.iter().all(|name| request.text(name).is_none_or(|wanted| record.object[*name] == wanted))
    })
}

/// `GET /v1/charges/{charge}`
pub(super) fn charge(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Charge, "charge")
}

/// Makes the intent of a session's first attempt; its metadata is the session's `payment_intent_data[metadata]`.
pub(super) fn open(core: &mut Core, now: i64, session: &Record, email: &str) -> String {
    let id = core.new_id("pi_3", 23);
    let secret = core.new_id("", 25);
    let data = &session.hidden["payment_intent_data"];
    let metadata = filled(&data["metadata"]);
    let receipt = if data["receipt_email"].is_null() { Value::Null } else { json!(email) };
    let object = json!({
        "id": id, "object": "payment_intent", "amount": session.number("amount_total"), "amount_capturable": 0,
        "amount_details": {"tip": {}}, "amount_received": 0, "application": null, "application_fee_amount": null,
        "automatic_payment_methods": null, "canceled_at": null, "cancellation_reason": null,
        "capture_method": "automatic_async", "client_secret": format!("{id}_secret_{secret}"),
        "confirmation_method": "automatic", "created": now, "currency": session.text("currency"), "customer": null,
        "customer_account": null, "description": data["description"], "excluded_payment_method_types": null,
        "last_payment_error": null, "latest_charge": null, "livemode": session.live, "metadata": metadata,
        "next_action": null, "on_behalf_of": null, "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": session.object["payment_method_types"], "processing": null,
        "receipt_email": receipt, "review": null, "setup_future_usage": null, "shipping": null, "source": null,
        "statement_descriptor": data["statement_descriptor"],
        "statement_descriptor_suffix": data["statement_descriptor_suffix"], "status": "requires_payment_method",
        "transfer_data": null, "transfer_group": data["transfer_group"]
    });
    core.insert(Kind::PaymentIntent, session.live, object, Value::Null);
    id
}

/// The payment went through: a charge stands, and the intent succeeded.
pub(super) fn succeed(core: &mut Core, now: i64, intent: &str, email: &str, card: TestCard) {
    let Some(record) = core.shelf.get(Kind::PaymentIntent, intent).cloned() else { return };
    let (id, method, transaction) = (core.new_id("ch_3", 23), core.new_id("pm_1", 23), core.new_id("txn_3", 23));
    let details = if card == TestCard::Success {
        json!({"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034,
            "funding": "credit", "country": "US", "network": "visa"}})
    } else {
        json!({"type": "us_bank_account"})
    };
    let amount = record.number("amount");
    let no_address = json!({"city": null, "country": null, "line1": null, "line2": null, "postal_code": null,
        "state": null});
    let charge = json!({
        "id": id, "object": "charge", "amount": amount, "amount_captured": amount, "amount_refunded": 0,
        "application": null, "application_fee": null, "application_fee_amount": null,
        "balance_transaction": transaction,
        "billing_details": {"address": no_address, "email": email, "name": null, "phone": null, "tax_id": null},
        "calculated_statement_descriptor": "SANDBOX", "captured": true, "created": now,
        "currency": record.object["currency"], "customer": null, "description": record.object["description"],
        "disputed": false, "failure_balance_transaction": null, "failure_code": null, "failure_message": null,
        "fraud_details": {}, "livemode": record.live, "metadata": record.object["metadata"], "on_behalf_of": null,
        "outcome": {"advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized"},
        "paid": true, "payment_intent": intent, "payment_method": method, "payment_method_details": details,
        "receipt_email": record.object["receipt_email"], "receipt_number": null, "receipt_url": null,
        "refunded": false, "review": null, "shipping": null, "source_transfer": null, "statement_descriptor": null,
        "statement_descriptor_suffix": null, "status": "succeeded", "transfer_data": null, "transfer_group": null
    });
    core.insert(Kind::Charge, record.live, charge, Value::Null);
    core.shelf.update(Kind::PaymentIntent, intent, |record| {
        record.object["status"] = json!("succeeded");
        record.object["amount_received"] = json!(amount);
        record.object["latest_charge"] = json!(id);
        record.object["payment_method"] = json!(method);
        record.object["last_payment_error"] = Value::Null;
    });
    event::emit(core, now, "charge.succeeded", Kind::Charge, &id);
    event::emit(core, now, "payment_intent.succeeded", Kind::PaymentIntent, intent);
}

/// A delayed payment was started.
pub(super) fn process(core: &mut Core, now: i64, intent: &str) {
    core.shelf.update(Kind::PaymentIntent, intent, |record| {
        record.object["status"] = json!("processing");
        record.object["last_payment_error"] = Value::Null;
    });
    event::emit(core, now, "payment_intent.processing", Kind::PaymentIntent, intent);
}

/// A payment failed, at once or later.
pub(super) fn fail(core: &mut Core, now: i64, intent: &str, code: &str, message: &str) {
    let page = code.replace('_', "-");
    let mut error = json!({"code": code, "doc_url": format!("https://docs.stripe.com/error-codes/{page}"),
        "message": message, "type": "card_error"});
    if code == "card_declined" {
        error["decline_code"] = json!("generic_decline");
    }
    core.shelf.update(Kind::PaymentIntent, intent, |record| {
        record.object["status"] = json!("requires_payment_method");
        record.object["last_payment_error"] = error;
    });
    event::emit(core, now, "payment_intent.payment_failed", Kind::PaymentIntent, intent);
}
