//! Errors as Stripe words them: <https://docs.stripe.com/api/errors>, <https://docs.stripe.com/error-codes>.

use serde_json::{Map, Value, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// `type`.
    pub kind: &'static str,
    /// `code`.
    pub code: Option<&'static str>,
    /// `message`.
    pub message: String,
    /// `param`.
    pub param: Option<String>,
    /// Whether execution had begun: only then an idempotency key remembers the answer.
    pub executed: bool,
}

impl ApiError {
    /// A 400 `invalid_request_error` of validation: no key remembers it.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            executed: false,
        }
    }

    /// A 400 about the state of an object: execution had begun.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { executed: true, ..Self::invalid(message) }
    }

    pub(super) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(super) fn param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(super) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// `parameter_missing`.
    pub(super) fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    /// 404 `resource_missing` for an id that stands in the path or in a parameter.
    pub(super) fn no_such(word: &str, id: &str, param: &str) -> Self {
        Self::refused(format!("No such {word}: '{id}'")).code("resource_missing").param(param).status(404)
    }

    /// What the sandbox honestly does not do, said as Stripe says a 400.
    pub(super) fn not_simulated(what: &str, param: &str) -> Self {
        Self::invalid(format!("This sandbox does not simulate {what}.")).param(param)
    }

    /// An answer of 500, as Stripe words it.
    pub(super) fn server(status: u16) -> Self {
        let message = "An unknown error occurred. If this error persists, please contact us at \
                       https://support.stripe.com/.";
        Self { executed: true, ..Self::invalid(message).status(status).kind("api_error") }
    }

    /// 429, as Stripe words it.
    pub(super) fn rate_limited() -> Self {
        let message = "Request rate limit exceeded. Learn more about rate limits here \
                       https://docs.stripe.com/rate-limits.";
        Self::invalid(message).code("rate_limit").status(429)
    }

    /// The body.
    pub(super) fn body(&self, log_url: Option<String>) -> Value {
        let mut error = Map::new();
        if let Some(code) = self.code {
            error.insert("code".to_owned(), json!(code));
            let page = code.replace('_', "-");
            error.insert("doc_url".to_owned(), json!(format!("https://docs.stripe.com/error-codes/{page}")));
        }
        error.insert("message".to_owned(), json!(self.message));
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), json!(param));
        }
        if let Some(url) = log_url {
            error.insert("request_log_url".to_owned(), json!(url));
        }
        error.insert("type".to_owned(), json!(self.kind));
        json!({ "error": error })
    }
}
