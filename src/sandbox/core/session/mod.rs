//! Checkout Sessions (<https://docs.stripe.com/api/checkout/sessions>).

mod create;
mod object;
mod pay;
mod seed;

use serde_json::{Value, json};

use super::call::CheckoutView;
use super::error::ApiError;
use super::params::merge_metadata;
use super::route::Request;
use super::shelf::{Kind, Record};
use super::{Core, event, lines, list as lists};

pub(super) use self::create::{check_url, create, is_email, is_reference};
pub(super) use self::object::{New, build};
pub(super) use self::pay::{pay, settle};
pub use self::seed::Seed;
pub(super) use self::seed::seed;

/// `GET /v1/checkout/sessions`. A payment link that is not known is refused, as a program that asks so reports.
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let email = request.params["customer_details"]["email"].as_str();
    if let Some(link) = request.text("payment_link") {
        core.find(request, Kind::Link, link, "payment_link").map_err(|error| error.status(400))?;
    }
    let names = ["status", "payment_intent", "payment_link", "customer", "customer_account", "subscription"];
    lists::page(core, request, Kind::Session, |record| {
        names.iter().all(|name| request.text(name).is_none_or(|wanted| record.object[*name] == wanted))
            && email.is_none_or(|wanted| record.object["customer_details"]["email"] == wanted)
    })
}

/// `GET /v1/checkout/sessions/{session}`
pub(super) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Session, "session")
}

/// `GET /v1/checkout/sessions/{session}/line_items`
pub(super) fn line_items(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let record = core.find(request, Kind::Session, request.subject(), "session")?;
    let lines = lines::of(core, Kind::Session, record);
    lists::page_of(core, request, "item", &lines)
}

/// `POST /v1/checkout/sessions/{session}`: of a hosted session, its metadata only.
pub(super) fn update(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    let record = core.find(request, Kind::Session, id, "session")?;
    let given = request.params.as_object().into_iter().flatten();
    if let Some((name, _)) = given.into_iter().find(|(name, _)| !matches!(name.as_str(), "metadata" | "expand")) {
        let mode = record.text("ui_mode");
        let message = format!("`{name}` cannot be updated on a Checkout Session with `ui_mode: {mode}`.");
        return Err(ApiError::invalid(message).param(name.as_str()));
    }
    only_open(record, "updated")?;
    let given = &request.params["metadata"];
    if !given.is_null() {
        let merged = merge_metadata(&record.object["metadata"], given)?;
        core.shelf.update(Kind::Session, id, |record| record.object["metadata"] = merged);
    }
    core.show(request, Kind::Session, id)
}

/// `POST /v1/checkout/sessions/{session}/expire`
pub(super) fn expire(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let id = request.subject();
    only_open(core.find(request, Kind::Session, id, "session")?, "expired")?;
    end(core, id, request.now);
    core.show(request, Kind::Session, id)
}

/// Wording from <https://github.com/Sylius/PayumStripePlugin/issues/70>; that an update is refused alike is unconfirmed.
fn only_open(record: &Record, what: &str) -> Result<(), ApiError> {
    match record.text("status") {
        "open" => Ok(()),
        status => Err(ApiError::refused(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be {what}. This Checkout Session has a status of \
             `{status}`."
        ))),
    }
}

/// Expires an open session, whoever asks; an intent that a declined card left behind is canceled.
pub(super) fn end(core: &mut Core, id: &str, now: i64) {
    let intent = core.shelf.get(Kind::Session, id).and_then(|r| r.hidden["attempted"].as_str().map(str::to_owned));
    if let Some(intent) = intent {
        core.shelf.update(Kind::PaymentIntent, &intent, |record| {
            record.object["status"] = json!("canceled");
            record.object["canceled_at"] = json!(now);
            record.object["cancellation_reason"] = json!("automatic");
        });
    }
    core.shelf.update(Kind::Session, id, |record| record.object["status"] = json!("expired"));
    event::emit(core, now, "checkout.session.expired", Kind::Session, id);
}

/// What time brings to a session: an open one expires, a delayed payment settles. It happened when it was due.
pub(super) fn fall_due(core: &mut Core, id: &str) {
    let Some(record) = core.shelf.get(Kind::Session, id) else { return };
    if record.text("status") == "open" {
        let at = record.number("expires_at");
        end(core, id, at);
    } else if let Some(at) = record.hidden["settles_at"].as_i64() {
        let succeed = record.hidden["settles_well"] == true;
        settle(core, id, succeed, at);
    }
}

/// What the hosted page shows.
pub(super) fn view(core: &Core, id: &str) -> Option<CheckoutView> {
    let record = core.shelf.get(Kind::Session, id)?;
    let text = |field: &str| record.object[field].as_str().map(str::to_owned);
    let prefilled = record.hidden["prefilled"].as_str().map(str::to_owned);
    let of_link = record.object["payment_link"].is_string();
    let confirms = !record.hidden["confirmation"].is_null();
    Some(CheckoutView {
        session: id.to_owned(),
        status: record.text("status").to_owned(),
        payment_status: record.text("payment_status").to_owned(),
        amount: record.number("amount_total"),
        currency: record.text("currency").to_owned(),
        lines: shown_lines(&lines::of(core, Kind::Session, record)),
        email_editable: record.object["customer_email"].is_null() && record.hidden["email_locked"] != true,
        email: text("customer_email").or(prefilled),
        success_url: text("success_url").filter(|_| !confirms).map(|url| url.replace("{CHECKOUT_SESSION_ID}", id)),
        thanks: record.hidden["confirmation"].as_str().filter(|message| !message.is_empty()).map(str::to_owned),
        // Of a link's session it leads to Stripe's own site.
        cancel_url: text("cancel_url").filter(|_| !of_link),
        livemode: record.live,
    })
}

/// Lines as a page shows them: name, quantity, total in minor units.
pub(super) fn shown_lines(items: &[Value]) -> Vec<(String, i64, i64)> {
    let shown = |line: &Value| {
        let name = line["description"].as_str().unwrap_or_default().to_owned();
        (name, line["quantity"].as_i64().unwrap_or(1), line["amount_total"].as_i64().unwrap_or_default())
    };
    items.iter().map(shown).collect()
}
