//! The wire over HTTP: one pooled client, one request sent once.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};

use super::{StripeError, common_headers, request_headers};
use crate::domain::Mode;
use crate::world::{Method, Wire, WireAnswer, WireError, WireRequest};

/// Where Stripe's API is.
pub const API_BASE: &str = "https://api.stripe.com";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of a hundred sessions has a few hundred kilobytes; more than this is not Stripe's.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Chooses the TLS implementation for the process. Harmless when repeated.
pub fn install_tls() {
    // An error says only that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Stripe, or a server that speaks like it, over HTTP.
pub struct HttpWire {
    client: Client,
    base: String,
}

impl fmt::Debug for HttpWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWire").field("base", &self.base).finish_non_exhaustive()
    }
}

impl HttpWire {
    /// A wire to the API at `base` ([`API_BASE`], or another server's URL) with this secret key.
    ///
    /// # Errors
    /// [`StripeError::NotDone`] for a base that is no HTTP URL, a key that cannot stand in a header, or a live key for a
    /// server that is not Stripe's.
    pub fn new(base: &str, key: &SecretString) -> Result<Self, StripeError> {
        install_tls();
        let refused = |why: &str| StripeError::NotDone { what: format!("connecting to {base:?}"), why: why.to_owned() };
        let url = Url::parse(base).map_err(|error| refused(&format!("it is no URL ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refused("an API base is an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(refused("an API base has no user, query or fragment"));
        }
        if Mode::of_key(key.expose_secret()) == Some(Mode::Live) && url.origin().ascii_serialization() != API_BASE {
            return Err(refused("a live key is sent to Stripe alone"));
        }
        let headers = headers(key).ok_or_else(|| refused("the secret key holds characters that no key has"))?;
        let client = client(&url, headers).map_err(|error| refused(&chain(&error)))?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned() })
    }

    async fn exchange(&self, request: WireRequest) -> Result<WireAnswer, reqwest::Error> {
        let headers = request_headers(&request);
        let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{}{}{query}", self.base, request.path);
        let mut builder = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
            Method::Delete => self.client.delete(url),
        };
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut response = builder.send().await?;
        let status = response.status().as_u16();
        let headers = readable(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                // Cut here it cannot be read as JSON, which is then reported with Stripe's request id.
                body.truncate(LARGEST_ANSWER);
                break;
            }
        }
        Ok(WireAnswer { status, headers, body })
    }
}

impl Wire for HttpWire {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        self.exchange(request).await.map_err(|error| {
            let error = error.without_url();
            let never_left = error.is_connect() || error.is_builder();
            let why = if error.is_timeout() { "time-out".to_owned() } else { chain(&error) };
            if never_left { WireError::NotSent(why) } else { WireError::Lost(why) }
        })
    }
}

fn headers(key: &SecretString) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in common_headers(key) {
        let (name, mut value) = (HeaderName::from_static(name), HeaderValue::try_from(value).ok()?);
        value.set_sensitive(name == AUTHORIZATION);
        headers.insert(name, value);
    }
    Some(headers)
}

fn client(url: &Url, headers: HeaderMap) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("tourney/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(WHOLE_TIMEOUT)
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    if url.scheme() == "http" {
        // A local server: no certificates to load, no proxy between.
        builder.tls_certs_only([]).no_proxy().build()
    } else {
        builder.build()
    }
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// An error with its causes: reqwest says only "error sending request" by itself.
fn chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.dedup();
    texts.join(": ")
}
