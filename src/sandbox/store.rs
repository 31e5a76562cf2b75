//! The state on disk: one SQLite table of documents, written by one task that batches what is waiting.

use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::SandboxError;
use super::core::Put;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS documents (kind TEXT NOT NULL, id TEXT NOT NULL, \
                      document TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID";
const LOAD: &str = "SELECT kind, id, document FROM documents";
const UPSERT: &str = "INSERT INTO documents (kind, id, document) VALUES ($1, $2, $3) \
                      ON CONFLICT (kind, id) DO UPDATE SET document = excluded.document";
const DELETE: &str = "DELETE FROM documents WHERE kind = $1 AND id = $2";

/// The most batches in one transaction.
const BATCH: usize = 256;

/// Some puts, and whom to tell once they are on disk.
struct Batch {
    puts: Vec<Put>,
    done: oneshot::Sender<()>,
}

/// The writing side of the store. Batches are committed in the order they were queued.
#[derive(Debug)]
pub(super) struct Store {
    queue: mpsc::UnboundedSender<Batch>,
}

/// The promise that what was queued will be on disk.
#[must_use = "an answer is given only after its puts are committed"]
pub(super) struct Pending(Option<oneshot::Receiver<()>>);

impl Store {
    /// Opens or makes the database, reads what it remembers, and starts its writer, which ends when the store is
    /// dropped and everything queued is written.
    ///
    /// # Errors
    /// [`SandboxError::Store`] where SQLite refuses, [`SandboxError::Unreadable`] where a document is no JSON.
    pub(super) async fn open(path: &Path) -> Result<(Self, Vec<Put>, JoinHandle<()>), SandboxError> {
        // A killed process loses nothing in WAL mode with NORMAL; only a power cut may, which a sandbox can bear.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let mut connection = options.connect().await?;
        sqlx::query(SCHEMA).execute(&mut connection).await?;
        let rows: Vec<(String, String, String)> = sqlx::query_as(LOAD).fetch_all(&mut connection).await?;
        let mut puts = Vec::with_capacity(rows.len());
        for (kind, id, text) in rows {
            let document: Value =
                serde_json::from_str(&text).map_err(|_| SandboxError::Unreadable(path.to_path_buf()))?;
            puts.push(Put { kind, id, document: Some(document) });
        }
        let (queue, waiting) = mpsc::unbounded_channel();
        Ok((Self { queue }, puts, tokio::spawn(write(connection, waiting))))
    }

    /// Queues puts. Call it under the lock under which the core made them, so that their order is kept. Even where
    /// there is nothing to put, the promise holds back an answer until what it was read from is on disk.
    pub(super) fn queue(&self, puts: Vec<Put>) -> Pending {
        let (done, committed) = oneshot::channel();
        Pending(self.queue.send(Batch { puts, done }).ok().map(|()| committed))
    }
}

impl Pending {
    /// Waits until the puts are committed.
    ///
    /// # Errors
    /// [`SandboxError::Stopped`] where the database failed: the store takes nothing any more, since what is in memory
    /// is ahead of what is on disk.
    pub(super) async fn committed(self) -> Result<(), SandboxError> {
        match self.0 {
            Some(committed) => committed.await.map_err(|_| SandboxError::Stopped),
            None => Err(SandboxError::Stopped),
        }
    }
}

async fn write(mut connection: SqliteConnection, mut waiting: mpsc::UnboundedReceiver<Batch>) {
    let mut batches = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batches, BATCH).await > 0 {
        if let Err(error) = commit(&mut connection, &batches).await {
            tracing::error!(%error, "the sandbox cannot write its state");
            return;
        }
        for batch in batches.drain(..) {
            // Whoever asked may have gone away; what was committed stays.
            let _ = batch.done.send(());
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the sandbox's database did not close cleanly");
    }
}

async fn commit(connection: &mut SqliteConnection, batches: &[Batch]) -> Result<(), sqlx::Error> {
    if batches.iter().all(|batch| batch.puts.is_empty()) {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    for put in batches.iter().flat_map(|batch| &batch.puts) {
        let query = match &put.document {
            Some(document) => sqlx::query(UPSERT).bind(&put.kind).bind(&put.id).bind(document.to_string()),
            None => sqlx::query(DELETE).bind(&put.kind).bind(&put.id),
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::Store;
    use crate::sandbox::core::Put;

    fn put(id: &str, document: Option<serde_json::Value>) -> Put {
        Put { kind: "thing".to_owned(), id: id.to_owned(), document }
    }

    #[tokio::test]
    async fn what_was_committed_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.db");
        let (store, puts, writer) = Store::open(&path).await.unwrap();
        assert!(puts.is_empty());
        let first = store.queue(vec![put("a", Some(json!(1))), put("b", Some(json!({"x": [2]})))]);
        let second = store.queue(vec![put("a", None), put("b", Some(json!("last")))]);
        first.committed().await.unwrap();
        second.committed().await.unwrap();
        drop(store);
        writer.await.unwrap();
        let (_, puts, _) = Store::open(&path).await.unwrap();
        assert_eq!(puts, [put("b", Some(json!("last")))]);
    }

    #[tokio::test]
    async fn a_failed_store_takes_nothing_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sandbox.db");
        let (store, _, _) = Store::open(&path).await.unwrap();
        let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        sqlx::query("DROP TABLE documents").execute(&mut other).await.unwrap();
        assert!(store.queue(vec![put("a", Some(json!(1)))]).committed().await.is_err());
        assert!(store.queue(Vec::new()).committed().await.is_err());
    }
}
