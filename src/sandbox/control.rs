//! What a test, a demo or a curious person asks of the sandbox beside Stripe's API: `/_sandbox/…`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::core::{API_VERSION, Control, ControlError};
use super::host::Host;
use super::http::{BODY_LIMIT, error, failed};

/// The routes; `docs/SANDBOX.md` is their reference.
pub(super) fn routes() -> Router<Arc<Host>> {
    Router::new()
        .route("/health", get(health))
        .route("/stats", get(stats))
        .route("/requests", get(requests))
        .route("/control", post(control))
        .route("/faults", post(fault).delete(clear_faults))
        .route("/seed", post(seed))
        .route("/{command}", post(named))
        .route("/{command}/{id}", post(on_object))
        .fallback(unknown)
        .layer(from_fn(no_foreign_page))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// A web page in a browser must not steer a sandbox behind its reader's back: only browsers send an `Origin`.
async fn no_foreign_page(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return refused(StatusCode::FORBIDDEN, "the control interface takes no requests from web pages");
    }
    next.run(request).await
}

async fn health(State(host): State<Arc<Host>>) -> Response {
    answer(&json!({"instance": host.instance, "account": host.account(), "api_version": API_VERSION}))
}

async fn stats(State(host): State<Arc<Host>>) -> Response {
    run(&host, Control::Stats).await
}

async fn requests(State(host): State<Arc<Host>>) -> Response {
    run(&host, Control::RequestLog).await
}

async fn clear_faults(State(host): State<Arc<Host>>) -> Response {
    run(&host, Control::ClearFaults).await
}

async fn control(State(host): State<Arc<Host>>, body: Bytes) -> Response {
    read_and_run(&host, &body, &[], &[]).await
}

async fn fault(State(host): State<Arc<Host>>, body: Bytes) -> Response {
    read_and_run(&host, &body, &[("command", "fault")], &[]).await
}

async fn seed(State(host): State<Arc<Host>>, body: Bytes) -> Response {
    read_and_run(&host, &body, &[("command", "seed_session")], &[]).await
}

async fn named(State(host): State<Arc<Host>>, Path(command): Path<String>, body: Bytes) -> Response {
    read_and_run(&host, &body, &[("command", &command)], &[]).await
}

/// `visit` is of a payment link, all others of a session. Where nothing else is said, `pay` pays with the card that succeeds.
async fn on_object(
    State(host): State<Arc<Host>>,
    Path((command, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let field = if command == "visit" { "link" } else { "session" };
    let usual: &[_] = if command == "pay" { &[("card", "success")] } else { &[] };
    read_and_run(&host, &body, &[("command", command.as_str()), (field, id.as_str())], usual).await
}

async fn unknown() -> Response {
    refused(StatusCode::NOT_FOUND, "the control interface has no such route: docs/SANDBOX.md lists them")
}

/// Reads a command from a JSON object (nothing is an empty one), the fields that the route fixes, and those that hold where
/// the object does not say otherwise.
async fn read_and_run(host: &Host, body: &[u8], fixed: &[(&str, &str)], usual: &[(&str, &str)]) -> Response {
    let given = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(body) };
    let mut given: Value = match given {
        Ok(given) => given,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &format!("the body is no JSON: {error}")),
    };
    let Some(fields) = given.as_object_mut() else {
        return refused(StatusCode::BAD_REQUEST, "the body is no JSON object");
    };
    for (name, value) in fixed {
        fields.insert((*name).to_owned(), json!(value));
    }
    for (name, value) in usual {
        fields.entry(*name).or_insert_with(|| json!(value));
    }
    match serde_json::from_value(given) {
        Ok(command) => run(host, command).await,
        Err(error) => refused(StatusCode::BAD_REQUEST, &format!("no such command: {error}")),
    }
}

async fn run(host: &Host, command: Control) -> Response {
    match host.control(command).await {
        Ok(Ok(value)) => answer(&value),
        Ok(Err(error @ ControlError::Unknown { .. })) => refused(StatusCode::NOT_FOUND, &error.to_string()),
        Ok(Err(error)) => refused(StatusCode::CONFLICT, &error.to_string()),
        Err(failure) => failed(&failure),
    }
}

fn answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    error(status, "sandbox_error", message)
}
