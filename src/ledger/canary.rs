//! The journal of canaries, and their removal.

use crate::domain::{OrderId, RunId, SessionId};

use super::attempts::read_registration;
use super::errors::{Failure, Result, rejected};
use super::open::SqlLedger;
use super::orders::{cancel_canary, delete, release_claim};
use super::sql::{Row, Tx, Value, values};
use super::table::{Field, id_of};
use super::{Canary, CanaryEnd};

/// Writes a canary into the journal, or what has become known of it since.
pub(super) async fn journal(ledger: &SqlLedger, canary: &Canary) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let sql = "INSERT INTO tourney_canaries (run_id, player_id, fee_id, order_id, sessions) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (run_id) DO UPDATE SET order_id = excluded.order_id, sessions = excluded.sessions";
    let sessions = serde_json::to_string(&canary.sessions).map_err(|error| rejected(error.to_string()))?;
    let Canary { run, registration, order, .. } = canary;
    let values = values![run, &registration.player, &registration.fee, order.as_ref(), sessions];
    tx.execute(sql, values).await?;
    tx.commit().await
}

/// Canaries whose clean-up has not been confirmed, oldest run first.
pub(super) async fn open(ledger: &SqlLedger) -> Result<Vec<Canary>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = "SELECT run_id, player_id, fee_id, order_id, sessions FROM tourney_canaries WHERE closed = 0 \
               ORDER BY run_id";
    let canaries = tx.rows(sql, values![]).await?.iter().map(read_canary).collect();
    tx.rollback().await?;
    canaries
}

/// Every canary that still matters: those with an order, and open ones whose order's id was never journalled.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Canary>> {
    let sql = "SELECT run_id, player_id, fee_id, order_id, sessions FROM tourney_canaries \
               WHERE closed = 0 OR order_id IS NOT NULL ORDER BY run_id";
    tx.rows(sql, values![]).await?.iter().map(read_canary).collect()
}

/// Removes a canary's row, or cancels it where a foreign key holds it.
pub(super) async fn remove(ledger: &SqlLedger, canary: &Canary) -> Result<CanaryEnd> {
    match end(ledger, canary, CanaryEnd::Removed).await {
        Err(Failure::ForeignKey(_)) => end(ledger, canary, CanaryEnd::Canceled).await,
        other => other,
    }
}

async fn end(ledger: &SqlLedger, canary: &Canary, how: CanaryEnd) -> Result<CanaryEnd> {
    let mut tx = ledger.begin_write().await?;
    if let Some(order) = order_of(&mut tx, canary).await? {
        match how {
            CanaryEnd::Removed => delete(ledger, &mut tx, &[(Field::Id, Value::from(&order))]).await?,
            CanaryEnd::Canceled => cancel_canary(ledger, &mut tx, &order).await?,
        };
        release_claim(&mut tx, &order).await?;
        tx.execute("DELETE FROM tourney_attempts WHERE order_id = $1", values![&order]).await?;
        let sql = "UPDATE tourney_canaries SET order_id = $1 WHERE run_id = $2";
        tx.execute(sql, values![&order, &canary.run]).await?;
    }
    tx.execute("UPDATE tourney_canaries SET closed = 1 WHERE run_id = $1", values![&canary.run]).await?;
    tx.commit().await?;
    Ok(how)
}

/// A canary that crashed before its order's id was journalled is found by its claim.
async fn order_of(tx: &mut Tx, canary: &Canary) -> Result<Option<OrderId>> {
    if canary.order.is_some() {
        return Ok(canary.order.clone());
    }
    let sql = "SELECT order_id FROM tourney_claims WHERE player_id = $1 AND fee_id = $2";
    let registration = &canary.registration;
    let row = tx.row(sql, values![&registration.player, &registration.fee]).await?;
    row.map(|row| Ok(OrderId(id_of(&row.must_text(0)?, "order")?))).transpose()
}

fn read_canary(row: &Row) -> Result<Canary> {
    let sessions: Vec<SessionId> =
        serde_json::from_str(&row.must_text(4)?).map_err(|error| rejected(error.to_string()))?;
    Ok(Canary {
        run: RunId(row.must_text(0)?),
        registration: read_registration(row, 1)?,
        order: row.text(3)?.map(|text| id_of(&text, "order")).transpose()?.map(OrderId),
        sessions,
    })
}
