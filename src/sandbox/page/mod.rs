//! What a payer sees: the checkout page of a session, and the page of a payment link. Looking makes nothing, since link
//! previews and mail scanners fetch every link they see: only what a person sends does.

mod checkout;
mod link;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::core::show_amount;
use super::host::Host;

const STYLE: &str = include_str!("page.css");

/// `/c/pay/{session}`: GET shows, POST pays. `/b/{link}`: GET shows, POST makes a session and goes on to it.
pub(super) fn routes() -> Router<Arc<Host>> {
    Router::new()
        .route("/c/pay/{session}", get(checkout::show).post(checkout::pay))
        .route("/b/{link}", get(link::show).post(link::proceed))
}

/// What is paid for, and how much it is.
fn head(livemode: bool, amount: i64, currency: &str, lines: &[(String, i64, i64)]) -> Markup {
    html! {
        @if !livemode { p.mode { "Test mode: no money moves" } }
        h1 { "Pay by card or bank account" }
        p.amount { (show_amount(amount, currency)) }
        table {
            caption hidden { "What you pay for" }
            @for (name, quantity, total) in lines {
                tr {
                    td { (name) @if *quantity > 1 { " × " (quantity) } }
                    td { (show_amount(*total, currency)) }
                }
            }
        }
    }
}

/// Nothing is there, or it never was.
fn missing() -> Response {
    let body = html! {
        h1 { "Checkout" }
        p.note.bad role="status" { strong { "There is nothing to pay here." } " The link is incomplete or unknown." }
    };
    respond(StatusCode::NOT_FOUND, "Nothing to pay", body)
}

/// A whole document, which takes nothing from elsewhere.
fn respond(status: StatusCode, title: &str, body: Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, document.into_string()).into_response()
}
