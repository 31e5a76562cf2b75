//! The HTTP side of a request: its version and form; the headers and the error body of its answer.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::call::{Answer, Call};
use super::error::ApiError;
use super::form::Tree;
use super::route::Request;
use super::{API_VERSION, Core, pretty};

/// The version asked for; any of the right form is served alike.
///
/// # Errors
/// 400 where it is no version of Stripe's form (`2023-08-16`, `2026-09-30.endive`).
pub(super) fn version(call: &Call) -> Result<String, ApiError> {
    let Some(version) = call.header("stripe-version") else { return Ok(API_VERSION.to_owned()) };
    let (date, name) = version.split_once('.').map_or((version, None), |(date, name)| (date, Some(name)));
    let dated = date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok();
    let named = name.is_none_or(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_lowercase()));
    if dated && named {
        return Ok(version.to_owned());
    }
    Err(ApiError::invalid(format!("Invalid Stripe API version: {version}")))
}

/// The parameters of the query and of the body, as one tree.
///
/// # Errors
/// 400 for a body that is no form, or whose names are malformed.
pub(super) fn form(call: &Call) -> Result<Tree, ApiError> {
    let mut tree = Tree::empty();
    tree.decode(call.query.as_bytes())?;
    let form = call.header("content-type").is_none_or(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !call.body.is_empty() && !form {
        return Err(ApiError::invalid(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any \
             questions, we can help at https://support.stripe.com/.",
        ));
    }
    tree.decode(&call.body)?;
    Ok(tree)
}

/// What two requests of one idempotency key are compared by.
pub(super) fn fingerprint(form: &Tree) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(form).unwrap_or_default()))
}

impl Core {
    /// The answer to a call that was never executed.
    pub(super) fn answer(&self, now: i64, call: &Call, id: &str, status: u16, body: String) -> Answer {
        let version = version(call).unwrap_or_else(|_| API_VERSION.to_owned());
        let key = call.header("idempotency-key").filter(|_| call.method == "POST");
        compose(now, id, &version, key, status, body)
    }

    /// The answer to an executed request.
    pub(super) fn answer_to(&self, now: i64, request: &Request, status: u16, body: String) -> Answer {
        let mut answer = compose(now, &request.id, &request.version, request.key.as_deref(), status, body);
        if request.key.is_some() {
            answer.headers.push(("Original-Request".to_owned(), request.id.clone()));
        }
        answer
    }

    /// An error's body, with the address of its request in the Dashboard.
    pub(super) fn error_body(&self, error: &ApiError, id: &str, live: bool) -> String {
        let mode = if live { "" } else { "test/" };
        let url = format!("https://dashboard.stripe.com/{}/{mode}logs/{id}", self.account_id());
        pretty(&error.body((error.status != 401).then_some(url)))
    }
}

fn compose(now: i64, id: &str, version: &str, key: Option<&str>, status: u16, body: String) -> Answer {
    let mut headers = vec![
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("Date".to_owned(), http_date(now)),
        ("Request-Id".to_owned(), id.to_owned()),
        ("Stripe-Version".to_owned(), version.to_owned()),
        ("Stripe-Should-Retry".to_owned(), should_retry(status).to_string()),
    ];
    headers.extend(key.map(|key| ("Idempotency-Key".to_owned(), key.to_owned())));
    if status == 401 {
        headers.push(("WWW-Authenticate".to_owned(), "Basic realm=\"Stripe\"".to_owned()));
    }
    Answer { status, headers, body, cut: false }
}

/// Worth repeating with the same key: a conflict, too many requests, a failure of the server. A stored 500 is replayed
/// until its key is forgotten, so a client must also give up by itself.
const fn should_retry(status: u16) -> bool {
    matches!(status, 409 | 429) || status >= 500
}

/// The time as RFC 7231 writes it.
fn http_date(now: i64) -> String {
    let at = Timestamp::from_second(now).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Call, http_date, version};

    #[test]
    fn dates_are_of_rfc_7231() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn versions_of_the_right_form_are_served() {
        let of = |v: &str| version(&Call { headers: vec![("stripe-version".into(), v.into())], ..Call::default() });
        assert!(of("2023-08-16").is_ok() && of("2026-09-30.endive").is_ok());
        assert!(of("latest").is_err() && of("2023-13-16").is_err() && of("2023-08-16.").is_err());
    }
}
