//! A served sandbox: from the claim of its state folder to its release.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::SandboxError;
use super::claim::{Address, Claim};
use super::core::Core;
use super::cut::{Cut, CutListener};
use super::host::Host;
use super::store::Store;
use super::{deliver, http};
use crate::world::{Clock, LiveClock};

/// How long requests under way get when the sandbox closes.
const GRACE: Duration = Duration::from_secs(3);

/// A sandbox that this process serves. It goes on until it is closed or dropped.
#[derive(Debug)]
pub(super) struct Server {
    /// Where it serves.
    pub(super) address: Address,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves the claimed state at a listener; the address is published once it answers.
    ///
    /// # Errors
    /// Where the state cannot be read, or the address not be published.
    pub(super) async fn start(claim: Claim, listener: TcpListener) -> Result<Self, SandboxError> {
        let folder = |source| SandboxError::Folder { path: claim.database(), source };
        let url = format!("http://{}", listener.local_addr().map_err(folder)?);
        let client = deliver::client().map_err(|error| folder(std::io::Error::other(error)))?;
        let (host, writer) = load(&claim, &url).await?;
        let address = Address { url, instance: host.instance.clone() };
        let (stop, stopped) = oneshot::channel();
        let (halt, mut halted) = watch::channel(());
        let service: IntoMakeServiceWithConnectInfo<_, Cut> =
            http::router(Arc::clone(&host)).into_make_service_with_connect_info();
        let serving = axum::serve(CutListener(listener), service).with_graceful_shutdown(async move {
            let _ = halted.changed().await;
        });
        let mut serving = tokio::spawn(serving.into_future());
        claim.publish(&address)?;
        let task = tokio::spawn(async move {
            // Endpoints that are told something ask back, so requests are answered until the last delivery is made.
            deliver::until(&host, &client, stopped).await;
            claim.withdraw();
            drop(halt);
            if timeout(GRACE, &mut serving).await.is_err() {
                serving.abort();
            }
            if let Err(error) = host.flush().await {
                tracing::error!(%error, "the sandbox's last changes were not kept");
            }
            // Nothing may be written once the claim is released.
            writer.abort();
            let _ = writer.await;
            drop(claim);
        });
        Ok(Self { address, stop, task })
    }

    /// Delivers what is due, finishes what is under way, commits it and releases the state folder; in a few seconds
    /// at most.
    pub(super) async fn close(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

/// Reads the state of a claimed folder, or begins one.
async fn load(claim: &Claim, url: &str) -> Result<(Arc<Host>, JoinHandle<()>), SandboxError> {
    let path = claim.database();
    let (store, puts, writer) = Store::open(&path).await?;
    let begins = puts.is_empty();
    let known = if begins { None } else { Some(Core::load(puts).ok_or(SandboxError::Unreadable(path))?) };
    let seed = u64::try_from(LiveClock.random() >> 64).unwrap_or_default();
    let mut core = known.unwrap_or_else(|| Core::new(seed));
    core.set_base_url(url);
    let birth = if begins { core.birth() } else { Vec::new() };
    let host = Arc::new(Host::new(core, store));
    host.remember(birth).await?;
    Ok((host, writer))
}
