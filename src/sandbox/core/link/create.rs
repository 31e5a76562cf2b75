//! `POST /v1/payment_links`.

use serde_json::{Value, json};

use super::{check, object};
use crate::sandbox::core::error::ApiError;
use crate::sandbox::core::route::Request;
use crate::sandbox::core::shelf::Kind;
use crate::sandbox::core::{Core, event, lines};

/// `POST /v1/payment_links`. Of `price_data` a price is made that is neither active nor listed, under an archived product,
/// as for sessions; whether Stripe does so for links, too, is not known.
pub(in crate::sandbox::core) fn create(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    check::check(request)?;
    let lines = lines::check(core, request, &lines::LINK)?;
    let currency = lines.first().map(|line| line.currency.clone()).unwrap_or_default();
    if let Some(wanted) = request.text("currency").filter(|wanted| wanted.to_lowercase() != currency) {
        let message = format!("The prices are in {currency}, so that `currency` cannot be {wanted}.");
        return Err(ApiError::invalid(message).param("currency"));
    }
    let (items, ..) = lines::make(core, request, lines);
    let id = core.new_id("plink_1", 23);
    let short = core.new_id(if request.live { "" } else { "test_" }, 23);
    let link = object::build(&id, request.live, &currency, &request.params);
    core.insert(Kind::Link, request.live, link, json!({"line_items": items, "short": short}));
    event::emit(core, request.now, "payment_link.created", Kind::Link, &id);
    core.show(request, Kind::Link, &id)
}
