//! The hosted checkout page, at every open session's `url`. Only the Pay button's POST pays.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{head, missing, respond};
use crate::sandbox::core::{CheckoutView, Control, TestCard, show_amount};
use crate::sandbox::host::Host;
use crate::sandbox::http::failed;

/// What may be typed as a card, and what comes of it.
const TEST_CARDS: [(&str, &str); 4] = [
    ("4242 4242 4242 4242", "card: succeeds at once"),
    ("4000 0000 0000 0002", "card: is declined"),
    ("000123456789", "bank account: confirmed now, paid in three days"),
    ("000111111116", "bank account: confirmed now, fails in three days"),
];

/// What the form says.
#[derive(Deserialize)]
pub(super) struct Payment {
    card: String,
    #[serde(default)]
    email: String,
}

pub(super) async fn show(State(host): State<Arc<Host>>, Path(session): Path<String>) -> Response {
    match host.checkout(&session) {
        Some(view) => page(StatusCode::OK, &view, None),
        None => missing(),
    }
}

pub(super) async fn pay(
    State(host): State<Arc<Host>>,
    Path(session): Path<String>,
    form: Result<Form<Payment>, FormRejection>,
) -> Response {
    let Some(before) = host.checkout(&session) else { return missing() };
    if before.status != "open" {
        return page(StatusCode::CONFLICT, &before, None);
    }
    let card = form.as_ref().ok().and_then(|Form(payment)| TestCard::from_number(&payment.card));
    let (Some(card), Ok(Form(payment))) = (card, form) else {
        let problem = "Your card number is not one of the test numbers below.";
        return page(StatusCode::UNPROCESSABLE_ENTITY, &before, Some(problem));
    };
    let email = Some(payment.email.trim().to_owned()).filter(|email| !email.is_empty());
    // A refusal means that somebody else was quicker: the page says what the session has become.
    if let Err(failure) = host.control(Control::Pay { session: session.clone(), card, email }).await {
        return failed(&failure);
    }
    let Some(after) = host.checkout(&session) else { return missing() };
    match (after.status.as_str(), &after.success_url) {
        ("open", _) => page(StatusCode::PAYMENT_REQUIRED, &after, Some("Your card was declined. Try another one.")),
        ("complete", Some(url)) => Redirect::to(url).into_response(),
        _ => page(StatusCode::OK, &after, None),
    }
}

fn page(status: StatusCode, view: &CheckoutView, problem: Option<&str>) -> Response {
    let body = html! {
        (head(view.livemode, view.amount, &view.currency, &view.lines))
        @match view.status.as_str() {
            "open" => (form(view, problem)),
            "expired" => p.note.bad role="status" {
                strong { "This link has expired." } " Nothing can be paid here any more. Ask the organiser for a new link."
            },
            _ if view.payment_status == "unpaid" => p.note.good role="status" {
                strong { "Your payment is being processed." } " It takes a few days. There is nothing more to do here."
            },
            _ => p.note.good role="status" {
                strong { "This has been paid." } " Thank you. There is nothing more to do here."
            },
        }
        @if let Some(thanks) = view.thanks.as_deref().filter(|_| view.status == "complete") { p.thanks { (thanks) } }
        @if let Some(url) = view.cancel_url.as_deref().filter(|url| is_web(url)) {
            a.back href=(url) { "Back to the organiser" }
        }
    };
    respond(status, &format!("Pay {}", show_amount(view.amount, &view.currency)), body)
}

fn form(view: &CheckoutView, problem: Option<&str>) -> Markup {
    html! {
        @if let Some(problem) = problem { p #problem .note.bad role="alert" { (problem) } }
        form method="post" {
            label for="email" { "E-mail" }
            @match &view.email {
                Some(email) => input #email type="email" name="email" autocomplete="email" required value=(email)
                    readonly[!view.email_editable];,
                None => input #email type="email" name="email" autocomplete="email" required;,
            }
            label for="card" { "Card or bank account number" }
            input #card name="card" inputmode="numeric" autocomplete="off" required placeholder=(TEST_CARDS[0].0)
                aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| "problem")];
            button type="submit" { "Pay " (show_amount(view.amount, &view.currency)) }
        }
        h2 #numbers { "Test numbers" }
        table.cards aria-labelledby="numbers" {
            @for (number, what) in TEST_CARDS {
                tr { th scope="row" { code { (number) } } td { (what) } }
            }
        }
    }
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
