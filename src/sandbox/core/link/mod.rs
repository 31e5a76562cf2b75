//! Payment Links (<https://docs.stripe.com/api/payment-link>): an address that never expires, at which each visit makes a
//! Checkout Session.
//!
//! What is documented: the link's metadata is copied to the sessions made from it; a complete session counts towards
//! `restrictions`, whether its money has come or not; a link that meets its limit deactivates itself
//! (<https://docs.stripe.com/payment-links/customize>). What is not, and is read here as a careless client would like it
//! least: sessions that are open when their link is deactivated or meets its limit **stay payable**; an update never
//! reaches a session that was made before; a link that met its limit can be activated again and then takes one more
//! payment; looking at the page makes no session, the visitor's own action does.

mod check;
mod create;
mod object;
mod update;
mod visit;

use serde_json::{Value, json};

use super::call::LinkView;
use super::error::ApiError;
use super::route::Request;
use super::shelf::{Kind, Record};
use super::{Core, event, lines, list as lists, session};

pub(super) use self::create::create;
pub(super) use self::update::update;
pub use self::visit::Prefill;
pub(super) use self::visit::visit;

/// `GET /v1/payment_links`
pub(super) fn list(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let active = request.params["active"].as_bool();
    lists::page(core, request, Kind::Link, |record| active.is_none_or(|wanted| record.object["active"] == wanted))
}

/// `GET /v1/payment_links/{payment_link}`
pub(super) fn retrieve(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    core.retrieve(request, Kind::Link, "payment_link")
}

/// `GET /v1/payment_links/{payment_link}/line_items`
pub(super) fn line_items(core: &mut Core, request: &Request) -> Result<Value, ApiError> {
    let record = core.find(request, Kind::Link, request.subject(), "payment_link")?;
    let items = lines::of(core, Kind::Link, record);
    lists::page_of(core, request, "item", &items)
}

/// The last part of a link's address, which never changes.
pub(super) fn short(link: &Record) -> &str {
    link.hidden["short"].as_str().unwrap_or_default()
}

/// Counts a session that was completed, and deactivates the link that has met its limit.
pub(super) fn completed(core: &mut Core, now: i64, id: &str) {
    let Some(record) = core.shelf.get(Kind::Link, id) else { return };
    let before = core.render(Kind::Link, record);
    let restriction = &before["restrictions"]["completed_sessions"];
    let Some(limit) = restriction["limit"].as_i64() else { return };
    let count = restriction["count"].as_i64().unwrap_or_default() + 1;
    core.shelf.update(Kind::Link, id, |record| {
        record.object["restrictions"]["completed_sessions"]["count"] = json!(count);
    });
    if count >= limit && before["active"] == true {
        core.shelf.update(Kind::Link, id, |record| record.object["active"] = json!(false));
        event::emit_change(core, now, "payment_link.updated", Kind::Link, id, &before);
    }
}

/// Deactivates the links that sell an archived product
/// (<https://docs.stripe.com/products-prices/manage-prices#archive-product>).
pub(super) fn product_archived(core: &mut Core, now: i64, product: &str) {
    for id in core.shelf.ids(Kind::Link) {
        let Some(record) = core.shelf.get(Kind::Link, &id) else { continue };
        let sells = lines::of(core, Kind::Link, record).iter().any(|item| item["price"]["product"] == product);
        if !sells || record.object["active"] != true {
            continue;
        }
        let before = core.render(Kind::Link, record);
        core.shelf.update(Kind::Link, &id, |record| record.object["active"] = json!(false));
        event::emit_change(core, now, "payment_link.updated", Kind::Link, &id, &before);
    }
}

/// What the page at the end of a link's address shows.
pub(super) fn view(core: &Core, short: &str) -> Option<LinkView> {
    let (id, record) = by_short(core, short)?;
    let items = lines::of(core, Kind::Link, record);
    Some(LinkView {
        link: id.to_owned(),
        active: record.object["active"] == true,
        inactive_message: record.object["inactive_message"].as_str().map(str::to_owned),
        amount: items.iter().filter_map(|item| item["amount_total"].as_i64()).sum(),
        currency: record.text("currency").to_owned(),
        lines: session::shown_lines(&items),
        livemode: record.live,
    })
}

fn by_short<'a>(core: &'a Core, name: &str) -> Option<(&'a str, &'a Record)> {
    let mut links = [false, true].into_iter().flat_map(|live| core.shelf.newest(Kind::Link, live));
    links.find(|(_, record)| short(record) == name)
}
