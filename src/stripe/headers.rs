//! What is said of a request besides its path and form, by every wire alike.

use secrecy::{ExposeSecret, SecretString};

use super::api_version;
use crate::world::{Method, WireRequest};

/// What every request says: whose it is, and in which version of the API. Names in lower case; the first holds the secret.
#[must_use]
pub fn common_headers(key: &SecretString) -> [(&'static str, String); 2] {
    [("authorization", format!("Bearer {}", key.expose_secret())), ("stripe-version", api_version())]
}

/// What one request says: the type of its form, and the key under which Stripe remembers it. Names in lower case.
pub fn request_headers(request: &WireRequest) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let form =
        (request.method == Method::Post).then(|| ("content-type", "application/x-www-form-urlencoded".to_owned()));
    form.into_iter().chain(request.idempotency_key.clone().map(|key| ("idempotency-key", key)))
}
