//! What tournaments were called when they were applied: a manifest that was copied keeps its id, and seldom its name.

use jiff::Timestamp;

use crate::domain::TournamentId;

use super::errors::Result;
use super::open::SqlLedger;
use super::sql::{Tx, values};

/// Its table; a database that an earlier version made does not have it before the next write.
const TABLE: &str = "tourney_names";

/// Writes what a tournament is called, in the place of what it was called before.
pub(super) async fn record(ledger: &SqlLedger, tournament: &TournamentId, name: &str, now: Timestamp) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let sql = "INSERT INTO tourney_names (tournament_id, name, applied_at) VALUES ($1, $2, $3) \
               ON CONFLICT (tournament_id) DO UPDATE SET name = excluded.name, applied_at = excluded.applied_at";
    tx.execute(sql, values![tournament, name, now.as_second()]).await?;
    tx.commit().await
}

/// What a tournament was called last; none where it never was applied.
pub(super) async fn last(ledger: &SqlLedger, tx: &mut Tx, tournament: &TournamentId) -> Result<Option<String>> {
    if !ledger.has_table(tx, TABLE, TABLE).await? {
        return Ok(None);
    }
    let row = tx.row("SELECT name FROM tourney_names WHERE tournament_id = $1", values![tournament]).await?;
    row.map(|row| row.must_text(0)).transpose()
}
