//! Who owns a state folder: `sandbox.lock` is held by one process, `sandbox.addr` says where it serves, and
//! `sandbox.port` remembers the port, so that recorded links stay good from run to run.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::SandboxError;

/// What the address file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Address {
    /// The base URL, without a slash at the end.
    pub url: String,
    /// Tells this owner from any other server that may have got its port.
    pub instance: String,
}

/// The ownership of a state folder; released when it is dropped, and by the operating system when the process ends,
/// however it ends.
#[derive(Debug)]
pub(super) struct Claim {
    folder: PathBuf,
    _lock: File,
}

impl Claim {
    /// Takes the ownership, or `None` where another process, or another handle of this one, has it.
    ///
    /// # Errors
    /// [`SandboxError::Folder`] where the folder or the file cannot be used.
    pub(super) fn take(folder: &Path) -> Result<Option<Self>, SandboxError> {
        let path = folder.join("sandbox.lock");
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| SandboxError::Folder { path: path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { folder: folder.to_path_buf(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(SandboxError::Folder { path, source }),
        }
    }

    /// The database of the state.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("sandbox.db")
    }

    /// Listens on the port of last time, or on `first` where there was none, else on any that is free, and remembers it.
    /// The address file is not written yet: a server that does not answer must not be found.
    ///
    /// # Errors
    /// [`SandboxError::Listen`] where no port of 127.0.0.1 can be had, [`SandboxError::Folder`] where it cannot be
    /// remembered.
    pub(super) async fn listen(&self, first: u16) -> Result<TcpListener, SandboxError> {
        let path = self.folder.join("sandbox.port");
        let last: Option<u16> = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = match TcpListener::bind(at(last.unwrap_or(first))).await {
            Ok(listener) => listener,
            Err(_) => bind(at(0)).await?,
        };
        let port = listener.local_addr().map_err(|source| SandboxError::Listen { address: at(0), source })?.port();
        if Some(port) != last {
            replace(&path, &port.to_string())?;
        }
        Ok(listener)
    }

    /// Publishes where the owner serves. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`SandboxError::Folder`].
    pub(super) fn publish(&self, address: &Address) -> Result<(), SandboxError> {
        let text = serde_json::to_string(address).unwrap_or_default();
        replace(&self.folder.join("sandbox.addr"), &text)
    }

    /// Takes the published address back. A file that stays behind harms nobody: readers check its instance.
    pub(super) fn withdraw(&self) {
        let _ = std::fs::remove_file(self.folder.join("sandbox.addr"));
    }
}

/// Listens on an address.
///
/// # Errors
/// [`SandboxError::Listen`].
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, SandboxError> {
    TcpListener::bind(address).await.map_err(|source| SandboxError::Listen { address, source })
}

/// Where the owner of a folder says that it serves; it may be gone.
pub(super) fn published(folder: &Path) -> Option<Address> {
    let text = std::fs::read_to_string(folder.join("sandbox.addr")).ok()?;
    serde_json::from_str(&text).ok()
}

fn replace(path: &Path, text: &str) -> Result<(), SandboxError> {
    let fail = |source: io::Error| SandboxError::Folder { path: path.to_path_buf(), source };
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).map_err(fail)?;
    std::fs::rename(&fresh, path).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::{Address, Claim, published};

    #[tokio::test]
    async fn one_owner_and_the_port_of_last_time() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(folder.path()).unwrap().unwrap();
        assert!(Claim::take(folder.path()).unwrap().is_none(), "a second handle must not own it");
        let first = claim.listen(0).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let busy = claim.listen(0).await.unwrap();
        assert_ne!(busy.local_addr().unwrap().port(), port, "a busy port is not waited for");
        drop((first, busy, claim));
        assert!(Claim::take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_published_address_reads_back_until_it_is_withdrawn() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(folder.path()).unwrap().unwrap();
        assert_eq!(published(folder.path()), None);
        let address = Address { url: "http://127.0.0.1:1".to_owned(), instance: "x".to_owned() };
        claim.publish(&address).unwrap();
        assert_eq!(published(folder.path()), Some(address));
        claim.withdraw();
        assert_eq!(published(folder.path()), None);
    }
}
