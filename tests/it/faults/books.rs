//! The orders databases that the harness runs on.

use std::ops::Deref;
use std::path::Path;

use tempfile::TempDir;
use tourney::domain::OrderId;
use tourney::ledger::{Ledger, Mapping, SeedOrder, SqlLedger};
use tourney::world::sim::MemoryLedger;

use super::sweep::Share;

/// A ledger that can be made empty, copied as it stands, and written to past tourney.
pub(crate) trait Books: Ledger + Sized {
    const NAME: &'static str;
    /// How much is run on it each time.
    const SHARE: Share;

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
    const NAME: &'static str = "SQLite";
    const SHARE: Share = Share { faults: 60, pairs: (31, 50), moments: 18 };

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

/// In memory: `tests/it/ledger_held` holds it to the real ones.
impl Books for MemoryLedger {
    const NAME: &'static str = "memory";
    /// Everything but pairs.
    const SHARE: Share = Share { pairs: (1, 13), ..Share::WHOLE };

    async fn empty() -> Self {
        let books = Self::default();
        books.prepare(0).await.unwrap();
        books
    }

    async fn copy(&self) -> Self {
        Self::from(self.snapshot())
    }

    async fn seed(&self, orders: &[(SeedOrder, u128)]) -> Vec<OrderId> {
        Self::seed(self, orders).unwrap()
    }
}
