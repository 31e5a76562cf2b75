//! The webhook endpoint under test: any application's, or tourney's own receiver started for the purpose.

use std::time::Duration;

use secrecy::SecretString;

use super::event::Signed;

/// How long an endpoint may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Where signed events are sent.
pub struct Endpoint {
    url: String,
    secret: SecretString,
    client: reqwest::Client,
}

impl Endpoint {
    /// An endpoint at a URL with its signing secret.
    ///
    /// # Errors
    /// A message for what is no address of an endpoint, and where no HTTP client can be made.
    pub fn new(url: &str, secret: SecretString) -> Result<Self, String> {
        let parsed = url::Url::parse(url).map_err(|error| error.to_string())?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err("an endpoint's address begins with http:// or https://".to_owned());
        }
        let client = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tourney/", env!("CARGO_PKG_VERSION"), " (verify)"))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { url: url.to_owned(), secret, client })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, and nothing that may be a secret: no password, query or fragment.
    pub(super) fn place(&self) -> String {
        let Ok(mut url) = url::Url::parse(&self.url) else { return String::new() };
        url.set_query(None);
        url.set_fragment(None);
        // Only addresses without a host refuse these, and such a one is no endpoint.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.to_string()
    }

    pub(super) const fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Sends one event as Stripe would; the HTTP status, or why there is none.
    pub(super) async fn post(&self, event: &Signed) -> Result<u16, String> {
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json; charset=utf-8")
            .header("stripe-signature", &event.header)
            .body(event.body.clone());
        match request.send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) if error.is_timeout() => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
            Err(error) if error.is_connect() => Err("nobody listens there".to_owned()),
            Err(_) => Err("the connection broke".to_owned()),
        }
    }
}
