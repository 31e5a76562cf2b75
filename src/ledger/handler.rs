//! What a round trip found of the application's webhook handler: one fact for the database, the last word.

use super::errors::Result;
use super::lock::{check_fence, time};
use super::open::SqlLedger;
use super::sql::{Tx, values};
use super::{Guard, Handler};

/// Its table; a database that an earlier version made does not have it before the next write.
const TABLE: &str = "tourney_handler";

/// Writes what was found, in the place of what was found before.
pub(super) async fn record(ledger: &SqlLedger, guard: &Guard, handler: &Handler) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    check_fence(&mut tx, guard).await?;
    let sql = "INSERT INTO tourney_handler (one, endpoint, found_at, cancels) VALUES (1, $1, $2, $3) \
               ON CONFLICT (one) DO UPDATE SET endpoint = excluded.endpoint, found_at = excluded.found_at, \
               cancels = excluded.cancels";
    let Handler { endpoint, found_at, cancels } = handler;
    tx.execute(sql, values![endpoint.as_str(), found_at.as_second(), i64::from(*cancels)]).await?;
    tx.commit().await
}

/// What was found last; none where no round trip came so far.
pub(super) async fn found(ledger: &SqlLedger, tx: &mut Tx) -> Result<Option<Handler>> {
    if !ledger.has_table(tx, TABLE, TABLE).await? {
        return Ok(None);
    }
    let row = tx.row("SELECT endpoint, found_at, cancels FROM tourney_handler", values![]).await?;
    let read = |row: super::sql::Row| {
        Ok(Handler { endpoint: row.must_text(0)?, found_at: time(row.must_int(1)?)?, cancels: row.must_int(2)? == 1 })
    };
    row.map(read).transpose()
}
