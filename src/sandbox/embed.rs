//! One process owns a state folder and serves it; the others connect to it.
//!
//! Guarantees: of any number of processes that open a folder at once, one owns it and all are answered by it; an owner
//! that ends, however it ends, is followed by the next process that opens. Assumes a file system with locks.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::SandboxError;
use super::claim::{self, Address, Claim};
use super::core::Control;
use super::deliver;
use super::serve::Server;

/// The test key that the embedded sandbox is asked with. It opens nothing else: the sandbox takes any well-formed one.
pub const SECRET_KEY: &str = "sk_test_tourney_sandbox";

/// How long to wait for an owner that holds the lock and does not answer: it may be starting, or closing.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// An open sandbox: served by this process, or by another.
#[derive(Debug)]
pub struct Sandbox {
    base_url: String,
    client: reqwest::Client,
    server: Option<Server>,
}

/// Opens the sandbox of a state folder, which is made where it is missing. The first opener serves it in process on
/// 127.0.0.1; later ones connect. Where the owner goes away, requests fail to connect: open again.
///
/// # Errors
/// [`SandboxError`] where the folder cannot be used, or its owner does not answer.
pub async fn open(state: &Path) -> Result<Sandbox, SandboxError> {
    let client = prepare(state)?;
    match find(state, &client).await? {
        Found::Mine(claim) => {
            let listener = claim.listen(0).await?;
            Sandbox::serve(claim, listener, client).await
        }
        Found::Theirs(address) => Ok(Sandbox { base_url: address.url, client, server: None }),
    }
}

/// Opens the sandbox of a state folder and serves it as its owner, on 127.0.0.1 at the port of last time: the links that
/// were made there are good while it runs. Where there was none it is
/// `first`, and any that is free where that one is taken.
///
/// # Errors
/// As [`open_at`].
pub async fn open_own(state: &Path, first: u16) -> Result<Sandbox, SandboxError> {
    let client = prepare(state)?;
    match find(state, &client).await? {
        Found::Mine(claim) => {
            let listener = claim.listen(first).await?;
            Sandbox::serve(claim, listener, client).await
        }
        Found::Theirs(published) => Err(SandboxError::AlreadyServed(published.url)),
    }
}

/// Opens the sandbox of a state folder and serves it at `address`, as its owner.
///
/// # Errors
/// [`SandboxError::AlreadyServed`] where another process owns the folder; else as [`open`].
pub async fn open_at(state: &Path, address: SocketAddr) -> Result<Sandbox, SandboxError> {
    let client = prepare(state)?;
    match find(state, &client).await? {
        Found::Mine(claim) => {
            let listener = claim::bind(address).await?;
            Sandbox::serve(claim, listener, client).await
        }
        Found::Theirs(published) => Err(SandboxError::AlreadyServed(published.url)),
    }
}

/// Who owns a state folder.
enum Found {
    Mine(Claim),
    Theirs(Address),
}

async fn find(state: &Path, client: &reqwest::Client) -> Result<Found, SandboxError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(claim) = Claim::take(state)? {
            return Ok(Found::Mine(claim));
        }
        if let Some(address) = claim::published(state)
            && answers(client, &address).await
        {
            return Ok(Found::Theirs(address));
        }
        if Instant::now() > deadline {
            return Err(SandboxError::OwnerSilent(state.to_path_buf()));
        }
        sleep(LOOK).await;
    }
}

fn prepare(state: &Path) -> Result<reqwest::Client, SandboxError> {
    let fail = |source| SandboxError::Folder { path: state.to_path_buf(), source };
    std::fs::create_dir_all(state).map_err(fail)?;
    deliver::client().map_err(|error| fail(std::io::Error::other(error)))
}

/// Whether the published owner is there, and not some other server that got its port.
async fn answers(client: &reqwest::Client, address: &Address) -> bool {
    let Ok(answer) = client.get(format!("{}/_sandbox/health", address.url)).send().await else { return false };
    let Ok(text) = answer.text().await else { return false };
    let health: Value = serde_json::from_str(&text).unwrap_or_default();
    health["instance"] == address.instance.as_str()
}

impl Sandbox {
    async fn serve(
        claim: Claim,
        listener: tokio::net::TcpListener,
        client: reqwest::Client,
    ) -> Result<Self, SandboxError> {
        let server = Server::start(claim, listener).await?;
        Ok(Self { base_url: server.address.url.clone(), client, server: Some(server) })
    }

    /// Where it serves, without a slash at the end: what `STRIPE_API_BASE` wants.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The key to ask it with.
    #[must_use]
    #[allow(clippy::unused_self, reason = "a caller asks the sandbox it opened, not a constant")]
    pub fn secret_key(&self) -> &str {
        SECRET_KEY
    }

    /// Whether this process serves the state.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        self.server.is_some()
    }

    /// Does a control command.
    ///
    /// # Errors
    /// [`SandboxError::Refused`] where the sandbox does not do it; [`SandboxError::Unreachable`] where its owner is
    /// gone or the answer was lost: then it may have been done.
    pub async fn control(&self, command: Control) -> Result<Value, SandboxError> {
        let unreachable = |error| self.unreachable(error);
        let body = serde_json::to_string(&command).map_err(|error| SandboxError::Refused(error.to_string()))?;
        let request = self.client.post(format!("{}/_sandbox/control", self.base_url)).body(body);
        let answer = request.send().await.map_err(unreachable)?;
        let done = answer.status().is_success();
        let text = answer.text().await.map_err(unreachable)?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        if done {
            return Ok(value);
        }
        Err(SandboxError::Refused(value["error"]["message"].as_str().unwrap_or(&text).to_owned()))
    }

    /// Pays at a session's hosted page as a browser would: posts its form. Gives the answer's status, a redirect.
    ///
    /// # Errors
    /// [`SandboxError::Refused`] where the page does not take the payment; [`SandboxError::Unreachable`] as ever.
    pub async fn pay_on_page(&self, url: &str, card: &str) -> Result<String, SandboxError> {
        let unreachable = |error| self.unreachable(error);
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("card", card).finish();
        let request = client.map_err(unreachable)?.post(url).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let status = request.send().await.map_err(unreachable)?.status();
        if status.is_redirection() { Ok(status.to_string()) } else { Err(SandboxError::Refused(status.to_string())) }
    }

    fn unreachable(&self, error: reqwest::Error) -> SandboxError {
        SandboxError::Unreachable { url: self.base_url.clone(), reason: error.without_url().to_string() }
    }

    /// Closes it: an owner delivers what is due, finishes what is under way and releases the state folder, within a
    /// few seconds. Dropping does the same in the background, for as long as the runtime lives.
    pub async fn close(self) {
        if let Some(server) = self.server {
            server.close().await;
        }
    }
}
