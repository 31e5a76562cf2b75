//! Stored webhook events.

use sqlx::AssertSqlSafe;

use crate::domain::{PaymentIntentId, SessionId};

use super::errors::Result;
use super::lock::time;
use super::open::SqlLedger;
use super::sql::{Row, Tx, values};
use super::{Event, EventOutcome, StoredEvent};

/// The events, as [`read_event`] reads them.
const SELECT: &str =
    "SELECT id, kind, session_id, payment_intent_id, body, received_at, outcome, detail FROM tourney_events";

/// Stores an event, once for each id.
pub(super) async fn store(ledger: &SqlLedger, event: &Event) -> Result<StoredEvent> {
    let mut tx = ledger.begin_write().await?;
    let (outcome, detail) = event.outcome.as_ref().map(words).unzip();
    let sql = "INSERT INTO tourney_events (id, kind, session_id, payment_intent_id, body, received_at, outcome, detail) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
    let values = values![
        event.id.as_str(),
        event.kind.as_str(),
        event.session.as_ref(),
        event.payment_intent.as_ref(),
        event.body.as_str(),
        event.received_at.as_second(),
        outcome,
        detail,
    ];
    if tx.execute(sql, values).await? == 1 {
        tx.commit().await?;
        return Ok(StoredEvent::New);
    }
    let sql = "SELECT 1 FROM tourney_events WHERE id = $1 AND outcome IS NULL";
    let unfinished = !tx.rows(sql, values![event.id.as_str()]).await?.is_empty();
    tx.rollback().await?;
    Ok(if unfinished { StoredEvent::Unfinished } else { StoredEvent::Finished })
}

/// Writes what came of an event; the first outcome stays, also where duplicates were worked off at once.
pub(super) async fn finish(ledger: &SqlLedger, id: &str, outcome: &EventOutcome) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let (outcome, detail) = words(outcome);
    let sql = "UPDATE tourney_events SET outcome = $1, detail = $2 WHERE id = $3 AND outcome IS NULL";
    tx.execute(sql, values![outcome, detail, id]).await?;
    tx.commit().await
}

/// Events of which nothing has come yet, oldest first.
pub(super) async fn unfinished(ledger: &SqlLedger, limit: u32) -> Result<Vec<Event>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = format!("{SELECT} WHERE outcome IS NULL ORDER BY received_at, {} LIMIT $1", tx.by_bytes("id"));
    let events = tx.rows(AssertSqlSafe(sql), values![i64::from(limit)]).await?.iter().map(read_event).collect();
    tx.rollback().await?;
    events
}

/// Events about a payment that matched no order, oldest first.
pub(super) async fn unmatched(tx: &mut Tx) -> Result<Vec<Event>> {
    let sql = format!("{SELECT} WHERE outcome = 'unmatched' ORDER BY received_at, {}", tx.by_bytes("id"));
    tx.rows(AssertSqlSafe(sql), values![]).await?.iter().map(read_event).collect()
}

fn words(outcome: &EventOutcome) -> (&str, &str) {
    match outcome {
        EventOutcome::Recorded(detail) => ("recorded", detail),
        EventOutcome::NoEffect(detail) => ("no-effect", detail),
        EventOutcome::Unmatched(detail) => ("unmatched", detail),
    }
}

fn read_event(row: &Row) -> Result<Event> {
    let detail = row.text(7)?.unwrap_or_default();
    let outcome = row.text(6)?.map(|word| match word.as_str() {
        "recorded" => EventOutcome::Recorded(detail),
        "unmatched" => EventOutcome::Unmatched(detail),
        _ => EventOutcome::NoEffect(detail),
    });
    Ok(Event {
        id: row.must_text(0)?,
        kind: row.must_text(1)?,
        session: row.text(2)?.map(SessionId),
        payment_intent: row.text(3)?.map(PaymentIntentId),
        body: row.must_text(4)?,
        received_at: time(row.must_int(5)?)?,
        outcome,
    })
}
