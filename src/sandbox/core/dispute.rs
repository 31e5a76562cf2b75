//! Disputes (<https://docs.stripe.com/api/disputes>): listed, and seen through events and the charge's `disputed`.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::route::Request;
use super::shelf::Kind;
use super::{Core, event, list as lists, refund};

const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// `GET /v1/disputes`
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let names = ["charge", "payment_intent"];
    lists::page(core, request, Kind::Dispute, |record| {
        names.iter().all(|name| request.text(name).is_none_or(|wanted| record.object[*name] == wanted))
    })
}

/// Disputes the charge of an intent; gives the dispute's id.
///
/// # Errors
/// Where there is no successful charge, or it is disputed already.
pub(super) fn make(core: &mut Core, now: i64, intent: &str) -> Result<String, ApiError> {
    let charge = refund::charge_of(core, intent)?;
    let Some(record) = core.shelf.get(Kind::Charge, &charge).cloned() else {
        return Err(ApiError::no_such("charge", &charge, "charge"));
    };
    if record.object["disputed"] == true {
        return Err(ApiError::refused(format!("Charge {charge} has already been disputed.")).code("charge_disputed"));
    }
    let mut evidence: Map<String, Value> = EVIDENCE.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    evidence.insert("enhanced_evidence".to_owned(), json!({}));
    let id = core.new_id("du_1", 23);
    let dispute = json!({
        "id": id, "object": "dispute", "amount": record.object["amount"], "balance_transactions": [],
        "charge": charge, "created": now, "currency": record.object["currency"], "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {"due_by": now + 7 * 24 * 3600, "enhanced_eligibility": {}, "has_evidence": false,
            "past_due": false, "submission_count": 0,
            "submission_method": "manual"},
        "is_charge_refundable": false, "livemode": record.live, "metadata": {}, "payment_intent": intent,
        "payment_method_details": {"card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "83"},
            "type": "card"},
        "reason": "fraudulent", "status": "needs_response"
    });
    core.insert(Kind::Dispute, record.live, dispute, Value::Null);
    core.shelf.update(Kind::Charge, &charge, |record| record.object["disputed"] = json!(true));
    event::emit(core, now, "charge.dispute.created", Kind::Dispute, &id);
    Ok(id)
}
