//! The page of a payment link. On Stripe's the payer sees the form at once; here the session is made when the payer goes on,
//! so that whoever only looks leaves nothing behind.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::{head, missing, respond};
use crate::sandbox::core::{Control, LinkView, Prefill, show_amount};
use crate::sandbox::host::Host;
use crate::sandbox::http::failed;

pub(super) async fn show(State(host): State<Arc<Host>>, Path(link): Path<String>) -> Response {
    match host.payment_link(&link) {
        Some(view) => page(StatusCode::OK, &view),
        None => missing(),
    }
}

/// The query is the one the page was opened with: the form posts to the page's own address.
pub(super) async fn proceed(
    State(host): State<Arc<Host>>,
    Path(short): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(view) = host.payment_link(&short) else { return missing() };
    let link = format!("{}?{}", view.link, query.unwrap_or_default());
    match host.control(Control::Visit { link, prefill: Prefill::default() }).await {
        Ok(Ok(session)) => {
            Redirect::to(&format!("/c/pay/{}", session["id"].as_str().unwrap_or_default())).into_response()
        }
        // It was closed, perhaps since the page was shown: the page says so.
        Ok(Err(_)) => host.payment_link(&short).map_or_else(missing, |view| page(StatusCode::CONFLICT, &view)),
        Err(failure) => failed(&failure),
    }
}

fn page(status: StatusCode, view: &LinkView) -> Response {
    if !view.active {
        let body = html! {
            @if !view.livemode { p.mode { "Test mode: no money moves" } }
            h1 { "Payment link" }
            p.note.bad role="status" {
                @match &view.inactive_message {
                    Some(message) => (message),
                    None => { strong { "This link is no longer active." } " Nothing can be paid here any more." }
                }
            }
        };
        return respond(status, "This link is no longer active", body);
    }
    let body = html! {
        (head(view.livemode, view.amount, &view.currency, &view.lines))
        form method="post" {
            button type="submit" { "Continue to payment" }
        }
    };
    respond(status, &format!("Pay {}", show_amount(view.amount, &view.currency)), body)
}
