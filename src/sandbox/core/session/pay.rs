//! What a payer does on the hosted page, and what becomes of a delayed payment.

use serde_json::{Value, json};

use super::object;
use crate::sandbox::core::control::{ControlError, TestCard};
use crate::sandbox::core::shelf::{Kind, Record};
use crate::sandbox::core::{Core, event, link, payment};

/// How long a delayed payment takes by itself: three days.
const DELAY_SECONDS: i64 = 3 * 24 * 3600;

/// Pays an open session with a test card; a declined card leaves it open.
///
/// # Errors
/// Where there is no such session, or it is not open.
pub(in crate::sandbox::core) fn pay(
    core: &mut Core,
    now: i64,
    id: &str,
    card: TestCard,
    email: Option<&str>,
) -> Result<(), ControlError> {
    let record = core.shelf.get(Kind::Session, id).ok_or_else(|| ControlError::unknown("session", id))?;
    if record.text("status") != "open" {
        return Err(ControlError::state(format!("the session {id} is {}, not open", record.text("status"))));
    }
    let email = address(record, email).to_owned();
    let intent = attempt(core, now, id, &email);
    match card {
        TestCard::Decline => payment::fail(core, now, &intent, "card_declined", "Your card was declined."),
        TestCard::Success => {
            payment::succeed(core, now, &intent, &email, card);
            complete(core, now, id, &intent, &email, "paid", Value::Null);
        }
        TestCard::DelayedSuccess | TestCard::DelayedFailure => {
            payment::process(core, now, &intent);
            let settles = json!({"at": now + DELAY_SECONDS, "well": card == TestCard::DelayedSuccess});
            complete(core, now, id, &intent, &email, "unpaid", settles);
        }
    }
    Ok(())
}

/// The session's payment intent: made at the first attempt, taken again at the next.
fn attempt(core: &mut Core, now: i64, id: &str, email: &str) -> String {
    let Some(record) = core.shelf.get(Kind::Session, id).cloned() else { return String::new() };
    if let Some(standing) = record.hidden["attempted"].as_str() {
        return standing.to_owned();
    }
    let intent = payment::open(core, now, &record, email);
    core.shelf.update(Kind::Session, id, |record| record.hidden["attempted"] = json!(intent));
    intent
}

/// Whose payment it is: a fixed address wins over what the payer writes, which wins over what the page suggests.
fn address<'a>(session: &'a Record, written: Option<&'a str>) -> &'a str {
    let suggested = session.hidden["prefilled"].as_str();
    let fixed = suggested.filter(|_| session.hidden["email_locked"] == true);
    let address = session.object["customer_email"].as_str().or(fixed).or(written).or(suggested);
    address.unwrap_or("payer@example.com")
}

/// Completes a session, and counts it where a payment link made it.
fn complete(core: &mut Core, now: i64, id: &str, intent: &str, email: &str, payment_status: &str, settles: Value) {
    core.shelf.update(Kind::Session, id, |record| {
        record.object["status"] = json!("complete");
        record.object["payment_status"] = json!(payment_status);
        record.object["payment_intent"] = json!(intent);
        record.object["customer_details"] = object::details(email);
        record.hidden["settles_at"] = settles["at"].clone();
        record.hidden["settles_well"] = settles["well"].clone();
    });
    event::emit(core, now, "checkout.session.completed", Kind::Session, id);
    let link = core.shelf.get(Kind::Session, id).and_then(|record| record.object["payment_link"].as_str());
    if let Some(link) = link.map(str::to_owned) {
        link::completed(core, now, &link);
    }
}

/// Ends a delayed payment; gives whether one was under way.
pub(in crate::sandbox::core) fn settle(core: &mut Core, id: &str, succeed: bool, now: i64) -> bool {
    let Some(record) = core.shelf.get(Kind::Session, id) else { return false };
    if record.hidden["settles_at"].is_null() {
        return false;
    }
    let intent = record.text("payment_intent").to_owned();
    let email = record.object["customer_details"]["email"].as_str().unwrap_or_default().to_owned();
    let event = if succeed {
        payment::succeed(core, now, &intent, &email, TestCard::DelayedSuccess);
        "checkout.session.async_payment_succeeded"
    } else {
        payment::fail(
            core,
            now,
            &intent,
            "insufficient_funds",
            "The customer's account has insufficient funds to cover this payment.",
        );
        "checkout.session.async_payment_failed"
    };
    core.shelf.update(Kind::Session, id, |record| {
        record.hidden["settles_at"] = Value::Null;
        if succeed {
            record.object["payment_status"] = json!("paid");
        }
    });
    event::emit(core, now, event, Kind::Session, id);
    true
}
