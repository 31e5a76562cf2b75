//! The thin HTTP layer: everything that is no page and no control goes to the core as it came.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::core::{Answer, Call};
use super::cut::Cut;
use super::host::Host;
use super::{SandboxError, control, page};

/// The largest body of a request, in bytes.
pub(super) const BODY_LIMIT: usize = 1 << 20;

/// The whole surface: Stripe's API, the hosted page, the control interface.
pub(super) fn router(host: Arc<Host>) -> Router {
    Router::new().merge(page::routes()).nest("/_sandbox", control::routes()).fallback(api).with_state(host)
}

async fn api(State(host): State<Arc<Host>>, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "The request is too large.");
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: body.to_vec(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
    };
    // On a task of its own: a caller who hangs up must not leave what began unfinished.
    match tokio::spawn(async move { host.call(call).await }).await {
        Ok(Ok(answer)) => respond(answer, &cut),
        Ok(Err(failure)) => failed(&failure),
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "The sandbox failed at this request."),
    }
}

fn respond(answer: Answer, cut: &Cut) -> Response {
    if answer.cut {
        cut.cut();
    }
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(json);
    response
}

/// The sandbox itself is broken: nothing was changed, and nothing will be.
pub(super) fn failed(failure: &SandboxError) -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", &failure.to_string())
}

/// An error in Stripe's shape.
pub(super) fn error(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({"error": {"type": kind, "message": message}}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
