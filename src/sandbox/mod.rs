//! The embedded Stripe-compatible sandbox: a pure core, a thin HTTP layer, and its store.
//!
//! A request goes `http` → `core` → `store` → answer; `deliver` posts the webhooks that fall due; `page` is
//! what a payer sees; `control` is what a test or a demo asks for. `embed` lets one process own a state folder and
//! the others connect to it.

pub mod core;
pub mod embed;

mod claim;
mod control;
mod cut;
mod deliver;
mod host;
mod http;
mod page;
mod serve;
mod store;

pub use self::embed::{SECRET_KEY, Sandbox, open, open_at, open_own};

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a sandbox cannot be opened, or asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The state folder cannot be made, read or written.
    #[error("the sandbox's state at {path} cannot be used: {source}")]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The state's database cannot be read or written.
    #[error("the sandbox's database cannot be used: {0}; nothing was changed by this request")]
    Store(#[from] sqlx::Error),
    /// The state's database holds no state that this version reads.
    #[error("the sandbox's database at {0} cannot be read by this version; move it away to begin anew")]
    Unreadable(PathBuf),
    /// The store has failed before, and takes nothing any more.
    #[error("the sandbox's store has failed and takes nothing any more; start the sandbox again")]
    Stopped,
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another process owns the state folder and does not answer.
    #[error("another process owns the sandbox's state at {0} and does not answer; end it, then try again")]
    OwnerSilent(PathBuf),
    /// Another process owns the state folder, and this one was asked to serve it at an address of its own.
    #[error("the sandbox's state is already served at {0}; use that address, or end that process first")]
    AlreadyServed(String),
    /// The owner of the state went away, or its answer was lost: open the sandbox again.
    #[error("the sandbox at {url} does not answer: {reason}")]
    Unreachable {
        /// Its base URL.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The sandbox refused a control command.
    #[error("the sandbox refused: {0}")]
    Refused(String),
}
