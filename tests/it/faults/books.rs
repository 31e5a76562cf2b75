//! The orders databases that the harness runs on.

use std::ops::Deref;
use std::path::Path;

use tempfile::TempDir;
use tourney::domain::OrderId;
use tourney::ledger::{Ledger, Mapping, SeedOrder, SqlLedger};

/// A ledger that can be made empty, copied as it stands, and written to past tourney.
pub(crate) trait Books: Ledger + Sized {
    async fn empty() -> Self;
    /// A copy that goes on by itself.
    async fn copy(&self) -> Self;
    /// Orders as another program writes them.
    async fn seed(&self, orders: &[(SeedOrder, u128)]) -> Vec<OrderId>;
}

/// A SQLite file in memory, where the machine has a file system there.
pub(crate) struct Sqlite {
    ledger: SqlLedger,
    folder: TempDir,
}

const FILE: &str = "orders.db";

impl Sqlite {
    fn folder() -> TempDir {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
    }

    async fn open(folder: TempDir) -> Self {
        let url = format!("sqlite://{}", folder.path().join(FILE).display());
        Self { ledger: SqlLedger::open(&url, Mapping::own()).await.unwrap(), folder }
    }
}

impl Deref for Sqlite {
    type Target = SqlLedger;

    fn deref(&self) -> &SqlLedger {
        &self.ledger
    }
}

impl Books for Sqlite {
    async fn empty() -> Self {
        let books = Self::open(Self::folder()).await;
        books.prepare(0).await.unwrap();
        books
    }

    async fn copy(&self) -> Self {
        let folder = Self::folder();
        std::fs::copy(self.folder.path().join(FILE), folder.path().join(FILE)).unwrap();
        Self::open(folder).await
    }

    async fn seed(&self, orders: &[(SeedOrder, u128)]) -> Vec<OrderId> {
        self.ledger.seed(orders).await.unwrap()
    }
}
