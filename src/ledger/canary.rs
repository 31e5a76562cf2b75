//! The journal of canaries, and their removal.

use crate::domain::{OrderId, RunId, SessionId, TournamentId};

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
    let sql = "INSERT INTO tourney_canaries (run_id, tournament_id, player_id, fee_id, order_id, sessions) \
               VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (run_id) DO UPDATE SET order_id = excluded.order_id, sessions = excluded.sessions";
    let Canary { run, tournament, registration, order, .. } = canary;
    let values =
        values![run, tournament, &registration.player, &registration.fee, order.as_ref(), as_json(&canary.sessions)?];
    tx.execute(sql, values).await?;
    tx.commit().await
}

/// Canaries whose clean-up has not been confirmed, oldest run first; each with its order, where one stands.
pub(super) async fn open(ledger: &SqlLedger) -> Result<Vec<Canary>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = "SELECT run_id, tournament_id, player_id, fee_id, order_id, sessions FROM tourney_canaries WHERE closed = 0 \
               ORDER BY run_id";
    let mut canaries = tx.rows(sql, values![]).await?.iter().map(read_canary).collect::<Result<Vec<_>>>()?;
    for canary in &mut canaries {
        canary.order = order_of(&mut tx, canary).await?;
    }
    tx.rollback().await?;
    Ok(canaries)
}

/// Every canary there ever was.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Canary>> {
    let sql =
        "SELECT run_id, tournament_id, player_id, fee_id, order_id, sessions FROM tourney_canaries ORDER BY run_id";
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
        // The attempts go, and what they made stays known as the canary's.
        let sql = "DELETE FROM tourney_attempts WHERE order_id = $1 RETURNING session_id";
        let mut sessions = canary.sessions.clone();
        for row in tx.rows(sql, values![&order]).await? {
            sessions.extend(row.text(0)?.map(SessionId).filter(|session| !canary.sessions.contains(session)));
        }
        let sql = "UPDATE tourney_canaries SET order_id = $1, sessions = $2 WHERE run_id = $3";
        tx.execute(sql, values![&order, as_json(&sessions)?, &canary.run]).await?;
    }
    tx.execute("UPDATE tourney_canaries SET closed = 1 WHERE run_id = $1", values![&canary.run]).await?;
    tx.commit().await?;
    Ok(how)
}

/// A canary that crashed before its order's id was journalled is found by its registration.
async fn order_of(tx: &mut Tx, canary: &Canary) -> Result<Option<OrderId>> {
    if canary.order.is_some() {
        return Ok(canary.order.clone());
    }
    let Canary { tournament, registration, .. } = canary;
    let sql = "SELECT order_id FROM tourney_claims WHERE tournament_id = $1 AND player_id = $2 AND fee_id = $3";
    let claim = tx.row(sql, values![tournament, &registration.player, &registration.fee]).await?;
    claim.map(|row| Ok(OrderId(id_of(&row.must_text(0)?, "order")?))).transpose()
}

fn as_json(sessions: &[SessionId]) -> Result<String> {
    serde_json::to_string(sessions).map_err(|error| rejected(error.to_string()))
}

fn read_canary(row: &Row) -> Result<Canary> {
    let sessions: Vec<SessionId> =
        serde_json::from_str(&row.must_text(5)?).map_err(|error| rejected(error.to_string()))?;
    Ok(Canary {
        run: RunId(row.must_text(0)?),
        tournament: TournamentId(id_of(&row.must_text(1)?, "tournament")?),
        registration: read_registration(row, 2)?,
        order: row.text(4)?.map(|text| id_of(&text, "order")).transpose()?.map(OrderId),
        sessions,
    })
}
