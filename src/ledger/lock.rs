//! The lock: one row with its holder, a heartbeat and a fencing number that grows whenever the lock changes hands.

use jiff::Timestamp;

use crate::domain::RunId;

use super::errors::{Result, rejected};
use super::open::SqlLedger;
use super::sql::{Row, Tx, values};
use super::{Guard, LedgerError, Lock, LockHolder, Written};

/// A holder that has given no sign of life for so many seconds has lost the lock.
pub const LEASE_SECONDS: i64 = 60;

/// Seconds since 1970 as a time.
pub(super) fn time(seconds: i64) -> Result<Timestamp> {
    Timestamp::from_second(seconds).map_err(|_| rejected(format!("{seconds} is no time")))
}

/// Takes the lock, also from the run `dead`; repeated by its holder, it is the same lock still.
pub(super) async fn take(ledger: &SqlLedger, holder: &LockHolder, dead: &RunId, now: Timestamp) -> Result<Lock> {
    let mut tx = ledger.begin_write().await?;
    let taken = tx
        .row(
            "UPDATE tourney_lock SET fence = fence + CASE WHEN run_id = $1 THEN 0 ELSE 1 END, \
             run_id = $1, who = $2, since = $3, heartbeat = $4 \
             WHERE one = 1 AND (run_id IS NULL OR run_id = $1 OR run_id = $6 OR heartbeat < $5) RETURNING fence",
            values![
                &holder.run,
                holder.who.as_str(),
                holder.since.as_second(),
                now.as_second(),
                now.as_second() - LEASE_SECONDS,
                dead
            ],
        )
        .await?;
    let answer = match taken {
        Some(row) => Lock::Acquired(Guard { run: holder.run.clone(), fence: row.must_int(0)? }),
        None => match holder_in(&mut tx).await? {
            Some(other) => Lock::Held(other),
            None => return Err(super::errors::Failure::Busy("the lock was given back a moment ago".to_owned())),
        },
    };
    tx.commit().await?;
    Ok(answer)
}

/// Says that the holder lives.
pub(super) async fn heartbeat(ledger: &SqlLedger, guard: &Guard, now: Timestamp) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    let sql = "UPDATE tourney_lock SET heartbeat = $1 WHERE one = 1 AND run_id = $2 AND fence = $3";
    let rows = tx.execute(sql, values![now.as_second(), &guard.run, guard.fence]).await?;
    tx.commit().await?;
    Ok(if rows == 1 { Written::Done } else { Written::Moved })
}

/// Gives the lock back; nothing where it is no longer ours.
pub(super) async fn give_back(ledger: &SqlLedger, guard: &Guard) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let sql = "UPDATE tourney_lock SET run_id = NULL, who = NULL, since = NULL, heartbeat = NULL \
               WHERE one = 1 AND run_id = $1 AND fence = $2";
    tx.execute(sql, values![&guard.run, guard.fence]).await?;
    tx.commit().await
}

/// Who holds it.
pub(super) async fn holder(ledger: &SqlLedger) -> Result<Option<LockHolder>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(None) };
    let holder = holder_in(&mut tx).await?;
    tx.rollback().await?;
    Ok(holder)
}

/// Releases it whoever holds it; the fence grows, so that the old holder can write no more.
pub(super) async fn force(ledger: &SqlLedger) -> Result<Option<LockHolder>> {
    match ledger.begin_read_ours().await? {
        Some(reading) => reading.rollback().await?,
        None => return Ok(None),
    }
    let mut tx = ledger.begin_write().await?;
    let sql = "UPDATE tourney_lock SET fence = fence + 1 WHERE one = 1 AND run_id IS NOT NULL";
    tx.execute(sql, values![]).await?;
    let holder = holder_in(&mut tx).await?;
    let sql = "UPDATE tourney_lock SET run_id = NULL, who = NULL, since = NULL, heartbeat = NULL WHERE one = 1";
    tx.execute(sql, values![]).await?;
    tx.commit().await?;
    Ok(holder)
}

/// Makes sure that this run has not lost the lock, and that nobody takes it before the transaction ends: the row is
/// written, hence locked.
pub(super) async fn check_fence(tx: &mut Tx, guard: &Guard) -> Result<()> {
    let sql = "UPDATE tourney_lock SET fence = fence WHERE one = 1 AND fence = $1";
    if tx.execute(sql, values![guard.fence]).await? == 1 { Ok(()) } else { Err(LedgerError::Fenced.into()) }
}

async fn holder_in(tx: &mut Tx) -> Result<Option<LockHolder>> {
    let sql = "SELECT run_id, who, since, heartbeat FROM tourney_lock WHERE run_id IS NOT NULL";
    tx.row(sql, values![]).await?.as_ref().map(read_holder).transpose()
}

fn read_holder(row: &Row) -> Result<LockHolder> {
    Ok(LockHolder {
        run: RunId(row.must_text(0)?),
        who: row.must_text(1)?,
        since: time(row.must_int(2)?)?,
        heartbeat: time(row.must_int(3)?)?,
    })
}
