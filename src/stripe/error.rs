//! What can go wrong with a request to Stripe, in the operator's words.

use serde::Deserialize;

use crate::world::WireAnswer;

/// Why a request to Stripe did not end in an answer that can be used. No variant holds a body, a secret or a whole
/// e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// Nothing was done: Stripe is limiting this account, and went on with it for as long as we waited (429).
    #[error("nothing was done at Stripe by {what}: {why}")]
    Busy {
        /// The request.
        what: String,
        /// What was seen last.
        why: String,
    },
    /// Nothing was done: the request never left, or we refused to send it.
    #[error("nothing was done at Stripe by {what}: {why}")]
    NotDone {
        /// The request, for example `POST /v1/checkout/sessions`.
        what: String,
        /// What stood in the way.
        why: String,
    },
    /// Stripe understood and said no.
    #[error("{}{}{}", refused(*.status, .code.as_deref(), .message), parameter(.param.as_deref()), request(.request_id.as_deref()))]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// Stripe's error type, for example `invalid_request_error`.
        kind: Option<Box<str>>,
        /// Stripe's error code, for example `resource_missing`.
        code: Option<Box<str>>,
        /// The parameter it is about.
        param: Option<Box<str>>,
        /// Stripe's message, with secrets and addresses masked.
        message: String,
        /// Stripe's `Request-Id`.
        request_id: Option<Box<str>>,
    },
    /// It may have been done: the answer was lost on every try, or Stripe replays a failure that it has stored. Look
    /// before doing it again, or repeat it with the same idempotency key.
    #[error("it is not known whether {what} was done at Stripe: {why}{}", request(.request_id.as_deref()))]
    Unknown {
        /// The request.
        what: String,
        /// What was seen last.
        why: String,
        /// Whether Stripe has stored the failure under the key: the request is over, and will be answered so for ever.
        /// Otherwise it may still be under way.
        stored: bool,
        /// Stripe's `Request-Id` of the last answer.
        request_id: Option<Box<str>>,
    },
    /// Stripe did it, and its answer cannot be read.
    #[error("Stripe's answer to {what} cannot be read: {why}{}", request(.request_id.as_deref()))]
    Unreadable {
        /// The request.
        what: String,
        /// What is wrong with the answer; never its text.
        why: String,
        /// Stripe's `Request-Id`.
        request_id: Option<Box<str>>,
    },
}

impl StripeError {
    /// Whether Stripe does not know the object (404).
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Rejected { status: 404, .. })
    }

    /// Whether the key lacks the right to this request (403).
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::Rejected { status: 403, .. })
    }

    /// Whether Stripe refuses the key itself, or its right to this request (401, 403): that says nothing of the object.
    #[must_use]
    pub const fn is_about_key(&self) -> bool {
        matches!(self, Self::Rejected { status: 401 | 403, .. })
    }

    /// Whether the same request would be refused again.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        matches!(self, Self::Rejected { status, .. } if *status != 409)
    }

    /// Whether the effect may stand at Stripe although no usable answer came.
    #[must_use]
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Unreadable { .. })
    }

    /// Whether the request is over, although nobody knows what it did: the same again tells no more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Unknown { stored: true, .. } | Self::Unreadable { .. })
    }

    /// Stripe's refusal, read from an answer with an error status.
    pub(super) fn refusal(answer: &WireAnswer) -> Self {
        let error = serde_json::from_slice::<Envelope>(&answer.body).unwrap_or_default().error;
        Self::Rejected {
            status: answer.status,
            kind: error.kind.map(String::into_boxed_str),
            code: error.code.map(String::into_boxed_str),
            param: error.param.map(String::into_boxed_str),
            message: error.message.map_or_else(|| "it gave no reason in Stripe's form".to_owned(), |text| safe(&text)),
            request_id: answer.header("request-id").map(Box::from),
        }
    }

    /// A refusal of our own for an id that Stripe cannot know: never sent, since it would be another path.
    pub(super) fn no_such_id(id: &str) -> Self {
        Self::Rejected {
            status: 404,
            kind: Some("invalid_request_error".into()),
            code: Some("resource_missing".into()),
            param: None,
            message: format!("{:?} is not an id of Stripe's; it was not asked", safe(id)),
            request_id: None,
        }
    }
}

#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    error: ErrorAnswer,
}

#[derive(Default, Deserialize)]
struct ErrorAnswer {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    param: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

fn refused(status: u16, code: Option<&str>, message: &str) -> String {
    match status {
        401 => "Stripe refused the secret key (401): it is mistyped, revoked, or of another account. Check \
                stripe.secret_key_file or secret_key_env of this environment against the Dashboard's API keys"
            .to_owned(),
        403 => format!("Stripe does not let this key do that (403): {message}"),
        300..=399 => {
            format!("the server sent us elsewhere ({status}), which Stripe never does: check stripe.api_base")
        }
        _ => {
            let code = code.map(|code| format!(" {code}")).unwrap_or_default();
            format!("Stripe refused ({status}{code}): {message}")
        }
    }
}

fn parameter(name: Option<&str>) -> String {
    name.map(|name| format!(" (parameter {name})")).unwrap_or_default()
}

fn request(id: Option<&str>) -> String {
    id.map(|id| format!(" [{id}]")).unwrap_or_default()
}

/// The longest text of another's that an error repeats, in characters.
const LONGEST: usize = 500;

/// A text of another's made fit for a log: keys, secrets and e-mail addresses masked, control characters gone, its
/// length bounded.
pub(super) fn safe(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '%' | '+' | '-' | '*');
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().take(LONGEST).chain(std::iter::once(' ')) {
        if is_word(c) {
            word.push(c);
        } else {
            out.push_str(&masked(&word));
            word.clear();
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    out.pop();
    out
}

fn masked(word: &str) -> String {
    for prefix in ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"] {
        if let Some(at) = word.find(prefix) {
            return format!("{}{prefix}***", &word[..at]);
        }
    }
    match word.split_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') => {
            format!("{}***@{domain}", local.chars().take(1).collect::<String>())
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> WireAnswer {
        let headers = vec![("request-id".to_owned(), "req_1".to_owned())];
        WireAnswer { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_refusal_says_what_and_which_request() {
        let error = StripeError::refusal(&answer(
            400,
            r#"{"error":{"type":"invalid_request_error","code":"amount_too_small","param":"line_items","message":"Too little","new":1}}"#,
        ));
        assert_eq!(
            error.to_string(),
            "Stripe refused (400 amount_too_small): Too little (parameter line_items) [req_1]"
        );
        assert!(error.is_permanent() && !error.is_not_found());
    }

    #[test]
    fn a_refused_key_says_what_to_do_and_never_the_key() {
        let error = StripeError::refusal(&answer(401, r#"{"error":{"message":"Invalid API Key: sk_test_abc123"}}"#));
        assert!(error.to_string().contains("secret_key_file"), "{error}");
        assert!(!format!("{error}{error:?}").contains("abc123"), "{error:?}");
    }

    #[test]
    fn bodies_that_are_no_stripe_errors_are_not_shown() {
        for body in ["", "<html>secret page</html>", "[]", r#"{"error":"text"}"#, r#"{"error":null}"#] {
            let error = StripeError::refusal(&answer(502, body));
            assert!(error.to_string().contains("no reason in Stripe's form"), "{error}");
            assert!(!error.to_string().contains("secret page"), "{error}");
        }
    }

    #[test]
    fn addresses_secrets_and_control_characters_are_masked() {
        assert_eq!(
            safe("Invalid email: parent17@example.com; key 'whsec_abc' (rk_live_1)\n\u{1b}[31m"),
            "Invalid email: p***@example.com; key 'whsec_***' (rk_live_***)  [31m"
        );
        assert!(safe(&"x".repeat(9_000)).len() <= LONGEST);
    }
}
