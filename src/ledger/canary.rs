//! The journal of canaries, and their removal.

use std::collections::BTreeSet;

use crate::domain::{OrderId, Registration, RunId, SessionId, TournamentId};

use super::attempts::{claim_of, read_registration};
use super::errors::{Failure, Result, rejected};
use super::open::SqlLedger;
use super::orders::{cancel_canary, delete, find, find_id, release_claim};
use super::rows::id_of;
use super::sql::{Row, Tx, Value, values};
use super::table::Field;
use super::{Canary, CanaryEnd, Written};

/// The journal, each canary with its order as soon as it stands: an order and the attempt that made it are written
/// together, and the first attempt of a canary has its run's id.
const SELECT: &str = "SELECT c.run_id, c.tournament_id, c.player_id, c.fee_id, COALESCE(c.order_id, a.order_id), \
     c.sessions FROM tourney_canaries c LEFT JOIN tourney_attempts a ON a.id = c.run_id ";

/// Writes a canary into the journal before anything of it is made, unless somebody else's order could be taken for its.
pub(super) async fn begin(ledger: &SqlLedger, canary: &Canary) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    if is_taken(ledger, &mut tx, canary).await? {
        tx.rollback().await?;
        return Ok(Written::Moved);
    }
    write(&mut tx, canary).await?;
    tx.commit().await?;
    Ok(Written::Done)
}

/// Whether the registration has a live order or a claim that is no canary's. A canceled row of an earlier canary is none.
async fn is_taken(ledger: &SqlLedger, tx: &mut Tx, canary: &Canary) -> Result<bool> {
    let Canary { tournament, registration, .. } = canary;
    let canaries: BTreeSet<OrderId> = all(tx).await?.into_iter().filter_map(|canary| canary.order).collect();
    let standing = find(ledger, tx, &ledger.table.registration(Some(tournament), registration)).await?;
    let live = standing.into_iter().map(|stored| stored.order).filter(|order| order.status.is_live());
    let claimed = claim_of(tx, tournament, registration).await?;
    Ok(live.map(|order| order.id).chain(claimed).any(|order| !canaries.contains(&order)))
}

/// Writes what has become known of a canary.
pub(super) async fn journal(ledger: &SqlLedger, canary: &Canary) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    write(&mut tx, canary).await?;
    tx.commit().await
}

async fn write(tx: &mut Tx, canary: &Canary) -> Result<()> {
    let sql = "INSERT INTO tourney_canaries (run_id, tournament_id, player_id, fee_id, order_id, sessions) \
               VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (run_id) DO UPDATE SET order_id = excluded.order_id, sessions = excluded.sessions";
    let Canary { run, tournament, registration, order, .. } = canary;
    let values =
        values![run, tournament, &registration.player, &registration.fee, order.as_ref(), as_json(&canary.sessions)?];
    tx.execute(sql, values).await.map(drop)
}

/// Canaries whose clean-up has not been confirmed, oldest run first.
pub(super) async fn open(ledger: &SqlLedger) -> Result<Vec<Canary>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE c.closed = 0 ORDER BY {}", tx.by_bytes("c.run_id")));
    let canaries = tx.rows(sql, values![]).await?.iter().map(read_canary).collect();
    tx.rollback().await?;
    canaries
}

/// Every canary there ever was; none before tourney's own tables stand.
pub(super) async fn every(ledger: &SqlLedger) -> Result<Vec<Canary>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let canaries = all(&mut tx).await;
    tx.rollback().await?;
    canaries
}

/// The same within a read that is made anyway.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Canary>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY {}", tx.by_bytes("c.run_id")));
    tx.rows(sql, values![]).await?.iter().map(read_canary).collect()
}

/// Removes a canary's row, or cancels it where a foreign key holds it.
pub(super) async fn remove(ledger: &SqlLedger, canary: &Canary) -> Result<CanaryEnd> {
    let why = if ledger.table.mapping().removable {
        match end(ledger, canary, CanaryEnd::Removed).await {
            Err(Failure::ForeignKey(text)) => referred_to(ledger, &text).await?,
            other => return other,
        }
    } else if ledger.is_postgres() {
        format!("the right to DELETE from {} is missing", ledger.table.name())
    } else {
        format!("SQLite could give its id again, since {} has no AUTOINCREMENT", ledger.table.name())
    };
    end(ledger, canary, CanaryEnd::Canceled { why }).await
}

/// Which rows keep a row. PostgreSQL names their table itself.
async fn referred_to(ledger: &SqlLedger, text: &str) -> Result<String> {
    let tables = if ledger.is_postgres() { Vec::new() } else { referring(ledger).await? };
    Ok(match tables.as_slice() {
        [] => format!("other rows refer to it ({text})"),
        tables => format!("rows of {} refer to it", tables.join(" or ")),
    })
}

/// The tables that have a foreign key to the orders table, by SQLite's own catalogue.
async fn referring(ledger: &SqlLedger) -> Result<Vec<String>> {
    let Some(mut tx) = ledger.begin_look().await? else { return Ok(Vec::new()) };
    let plain = ledger.table.mapping().table.last().map_or("", String::as_str);
    let sql = "SELECT DISTINCT t.name FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f \
               WHERE t.type = 'table' AND f.\"table\" = $1 COLLATE NOCASE ORDER BY t.name";
    let tables = tx.rows(sql, values![plain]).await?.iter().map(|row| row.must_text(0)).collect();
    tx.rollback().await?;
    tables
}

async fn end(ledger: &SqlLedger, canary: &Canary, how: CanaryEnd) -> Result<CanaryEnd> {
    let mut tx = ledger.begin_write().await?;
    if let Some(order) = order_of(&mut tx, canary).await? {
        end_order(ledger, &mut tx, canary, &order, &how).await?;
        release_claim(&mut tx, &order).await?;
        // The attempts go, and what they made stays known as the canary's.
        let sql = "DELETE FROM tourney_attempts WHERE order_id = $1 RETURNING session_id";
        let mut made = BTreeSet::new();
        for row in tx.rows(sql, values![&order]).await? {
            made.extend(row.text(0)?.map(SessionId).filter(|session| !canary.sessions.contains(session)));
        }
        let sessions: Vec<SessionId> = canary.sessions.iter().cloned().chain(made).collect();
        let sql = "UPDATE tourney_canaries SET order_id = $1, sessions = $2 WHERE run_id = $3";
        tx.execute(sql, values![&order, as_json(&sessions)?, &canary.run]).await?;
    }
    tx.execute("UPDATE tourney_canaries SET closed = 1 WHERE run_id = $1", values![&canary.run]).await?;
    tx.commit().await?;
    Ok(how)
}

/// Ends the row that the canary's attempt made, as long as it stands for the canary's registration.
async fn end_order(ledger: &SqlLedger, tx: &mut Tx, canary: &Canary, order: &OrderId, how: &CanaryEnd) -> Result<()> {
    let mut made = ledger.table.registration(Some(&canary.tournament), &canary.registration);
    made.push((Field::Id, Value::from(order)));
    let ended = match how {
        CanaryEnd::Removed => delete(ledger, tx, &made).await?,
        CanaryEnd::Canceled { .. } => cancel_canary(ledger, tx, &made).await?,
    };
    if ended || find_id(ledger, tx, order).await?.is_none() {
        return Ok(());
    }
    let Registration { player, fee } = &canary.registration;
    Err(rejected(format!(
        "order {order} was made for the canary and is no longer that of player {player} on fee {fee}: it was left alone"
    )))
}

/// The order that the canary's own attempt made; never one that merely stands for its registration.
async fn order_of(tx: &mut Tx, canary: &Canary) -> Result<Option<OrderId>> {
    if canary.order.is_some() {
        return Ok(canary.order.clone());
    }
    let row = tx.row("SELECT order_id FROM tourney_attempts WHERE id = $1", values![&canary.run]).await?;
    row.map(|row| Ok(OrderId(id_of(&row.must_text(0)?, "order")?))).transpose()
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
