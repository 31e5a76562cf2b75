//! Refunds (<https://docs.stripe.com/api/refunds>). They succeed at once.

use serde_json::{Value, json};

use super::error::ApiError;
use super::params::filled;
use super::route::Request;
use super::shelf::Kind;
use super::{Core, currency, event, list as lists};

/// `GET /v1/refunds`
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    lists::page(core, request, Kind::Refund, |record| {
        ["charge", "payment_intent"]
            .iter()
            .all(|name| request.text(name).is_none_or(|wanted| record.object[*name] == wanted))
    })
}

/// `GET /v1/refunds/{refund}`
pub(super) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Refund, "refund")
}

/// `POST /v1/refunds`
pub(super) fn create(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let charge = match (request.text("charge"), request.text("payment_intent")) {
        (Some(charge), _) => {
            core.find(request, Kind::Charge, charge, "charge")?;
            charge.to_owned()
        }
        (None, Some(intent)) => {
            core.find(request, Kind::PaymentIntent, intent, "payment_intent")?;
            charge_of(core, intent)?
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(ApiError::invalid(message).code("parameter_missing"));
        }
    };
    let metadata = filled(&request.params["metadata"]);
    let id = make(core, request.now, &charge, request.integer("amount"), &request.params["reason"], metadata)?;
    core.show(request, Kind::Refund, &id)
}

/// The successful charge of an intent.
///
/// # Errors
/// 400 where there is none.
pub(super) fn charge_of(core: &Core, intent: &str) -> Result<String, ApiError> {
    let record = core.shelf.get(Kind::PaymentIntent, intent);
    record.and_then(|record| record.object["latest_charge"].as_str()).map(str::to_owned).ok_or_else(|| {
        ApiError::refused(format!("This PaymentIntent ({intent}) does not have a successful charge to refund."))
            .code("payment_intent_unexpected_state")
            .param("payment_intent")
    })
}

/// Refunds `amount` minor units of a charge, or all that is left; gives the refund's id.
///
/// # Errors
/// 400 in Stripe's words where the charge does not allow it.
pub(super) fn make(
    core: &mut Core,
    now: i64,
    charge: &str,
    amount: Option<i64>,
    reason: &Value,
    metadata: Value,
) -> Result<String, ApiError> {
    let Some(record) = core.shelf.get(Kind::Charge, charge).cloned() else {
        return Err(ApiError::no_such("charge", charge, "charge"));
    };
    let (total, back) = (record.number("amount"), record.number("amount_refunded"));
    let money = record.text("currency");
    if record.object["disputed"] == true {
        let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
        return Err(ApiError::refused(message).code("charge_disputed"));
    }
    if back >= total {
        let message = format!("Charge {charge} has already been refunded.");
        return Err(ApiError::refused(message).code("charge_already_refunded"));
    }
    let amount = amount.unwrap_or(total - back);
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("amount"));
    }
    if amount > total - back {
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            currency::show(amount, money),
            currency::show(total - back, money)
        );
        return Err(ApiError::refused(message).param("amount"));
    }
    let (id, transaction) = (core.new_id("re_3", 23), core.new_id("txn_3", 23));
    let refund = json!({
        "id": id, "object": "refund", "amount": amount, "balance_transaction": transaction, "charge": charge,
        "created": now, "currency": money, "customer": null, "customer_account": null,
        "destination_details": {"card": {"reference": null, "reference_status": "pending",
            "reference_type": "acquirer_reference_number", "type": "refund"}, "type": "card"},
        "metadata": metadata, "payment_intent": record.object["payment_intent"],
        "payment_method": record.object["payment_method"], "reason": reason, "receipt_number": null,
        "source_transfer_reversal": null, "status": "succeeded", "transfer_reversal": null
    });
    core.insert(Kind::Refund, record.live, refund, Value::Null);
    core.shelf.update(Kind::Charge, charge, |record| {
        record.object["amount_refunded"] = json!(back + amount);
        record.object["refunded"] = json!(back + amount == total);
    });
    event::emit(core, now, "refund.created", Kind::Refund, &id);
    event::emit(core, now, "charge.refunded", Kind::Charge, charge);
    Ok(id)
}
