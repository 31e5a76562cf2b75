//! The wire of an environment: Stripe itself, a server that stands in for it, or the embedded sandbox.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::sandbox::core::Control;
use crate::sandbox::{Sandbox, SandboxError};
use crate::stripe::HttpWire;
use crate::world::{Wire, WireAnswer, WireError, WireRequest};

/// The one of the two, chosen when the environment is opened.
pub(super) enum EnvWire {
    /// A server elsewhere.
    Http(HttpWire),
    /// The embedded sandbox, over HTTP like any other.
    Embedded(EmbeddedWire),
}

impl Wire for EnvWire {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        match self {
            Self::Http(wire) => wire.send(request).await,
            Self::Embedded(wire) => wire.send(request).await,
        }
    }
}

/// The embedded sandbox, opened again where the process that owned its state has gone away.
pub(super) struct EmbeddedWire {
    state: PathBuf,
    open: Mutex<(Arc<HttpWire>, Option<Sandbox>)>,
}

impl EmbeddedWire {
    /// Opens the sandbox in a state folder.
    ///
    /// # Errors
    /// [`SandboxError`] where the state cannot be read or nobody answers.
    pub(super) async fn open(state: PathBuf) -> Result<Self, SandboxError> {
        let sandbox = crate::sandbox::open(&state).await?;
        let wire = wire_to(&sandbox)?;
        Ok(Self { state, open: Mutex::new((wire, Some(sandbox))) })
    }

    /// Ends the sandbox if this process owns it: due webhooks get their chance, the state is left for the next.
    pub(super) async fn close(&self) {
        if let Some(sandbox) = self.open.lock().await.1.take() {
            sandbox.close().await;
        }
    }

    /// Tells the sandbox what no API of Stripe's can.
    ///
    /// # Errors
    /// [`SandboxError`] where it refuses or does not answer.
    pub(super) async fn control(&self, command: &Control) -> Result<Value, SandboxError> {
        let open = self.open.lock().await;
        match &open.1 {
            Some(sandbox) => sandbox.control(command.clone()).await,
            None => Err(SandboxError::Stopped),
        }
    }

    /// Becomes the owner, or finds the new one. `dead` is the wire that failed: whoever comes first opens for all.
    async fn reopen(&self, dead: &Arc<HttpWire>) -> Result<Arc<HttpWire>, SandboxError> {
        let mut open = self.open.lock().await;
        if Arc::ptr_eq(&open.0, dead) {
            let sandbox = crate::sandbox::open(&self.state).await?;
            *open = (wire_to(&sandbox)?, Some(sandbox));
        }
        Ok(open.0.clone())
    }
}

impl Wire for EmbeddedWire {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        let wire = self.open.lock().await.0.clone();
        match wire.send(request.clone()).await {
            Err(WireError::NotSent(_)) => {
                let wire = self.reopen(&wire).await.map_err(|error| WireError::NotSent(error.to_string()))?;
                wire.send(request).await
            }
            answer => answer,
        }
    }
}

fn wire_to(sandbox: &Sandbox) -> Result<Arc<HttpWire>, SandboxError> {
    let key = SecretString::from(sandbox.secret_key());
    HttpWire::new(sandbox.base_url(), &key)
        .map(Arc::new)
        .map_err(|error| SandboxError::Unreachable { url: sandbox.base_url().to_owned(), reason: error.to_string() })
}
