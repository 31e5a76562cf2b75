//! The history: for people, never read to recover.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::{OrderId, RunId, SessionId, TournamentId};

use super::attempts::read_registration;
use super::errors::Result;
use super::lock::time;
use super::open::SqlLedger;
use super::rows::id_of;
use super::sql::{Row, values};
use super::{Run, RunStep};

/// Opens a run; nothing where it is open already.
pub(super) async fn start(ledger: &SqlLedger, run: &Run) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let sql = "INSERT INTO tourney_runs (id, command, tournament_id, environment, manifest_sha256, who, started_at, \
               finished_at, outcome, summary) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
               ON CONFLICT (id) DO NOTHING";
    let values = values![
        &run.id,
        run.command.as_str(),
        &run.tournament,
        run.environment.as_str(),
        run.manifest_sha256.as_str(),
        run.who.as_str(),
        run.started_at.as_second(),
        run.finished_at.map(Timestamp::as_second),
        run.outcome.as_deref(),
        run.summary.as_deref(),
    ];
    tx.execute(sql, values).await?;
    tx.commit().await
}

/// Adds a step; the very same one only once.
pub(super) async fn log(ledger: &SqlLedger, run: &RunId, step: &RunStep) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let sql = "INSERT INTO tourney_run_steps (run_id, digest, at, player_id, fee_id, action, order_id, session_id, \
               outcome, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
               ON CONFLICT (run_id, digest) DO NOTHING";
    let values = values![
        run,
        hex::encode(Sha256::digest(format!("{step:?}"))),
        step.at.as_second(),
        step.registration.as_ref().map(|registration| &registration.player),
        step.registration.as_ref().map(|registration| &registration.fee),
        step.action.as_str(),
        step.order.as_ref(),
        step.session.as_ref(),
        step.outcome.as_str(),
        step.detail.as_deref(),
    ];
    tx.execute(sql, values).await?;
    tx.commit().await
}

/// Closes a run.
pub(super) async fn finish(ledger: &SqlLedger, run: &RunId, at: Timestamp, outcome: &str, summary: &str) -> Result<()> {
    let mut tx = ledger.begin_write().await?;
    let sql = "UPDATE tourney_runs SET finished_at = $1, outcome = $2, summary = $3 WHERE id = $4";
    tx.execute(sql, values![at.as_second(), outcome, summary, run]).await?;
    tx.commit().await
}

/// The newest runs first; of those that began in one second, the one that was written last.
pub(super) async fn newest(ledger: &SqlLedger, limit: u32) -> Result<Vec<Run>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = "SELECT id, command, tournament_id, environment, manifest_sha256, who, started_at, finished_at, outcome, \
               summary FROM tourney_runs ORDER BY started_at DESC, n DESC LIMIT $1";
    let runs = tx.rows(sql, values![i64::from(limit)]).await?.iter().map(read_run).collect();
    tx.rollback().await?;
    runs
}

/// The steps of a run, in their order.
pub(super) async fn steps(ledger: &SqlLedger, run: &RunId) -> Result<Vec<RunStep>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = "SELECT at, action, order_id, session_id, outcome, detail, player_id, fee_id FROM tourney_run_steps \
               WHERE run_id = $1 ORDER BY n";
    let steps = tx.rows(sql, values![run]).await?.iter().map(read_step).collect();
    tx.rollback().await?;
    steps
}

fn read_run(row: &Row) -> Result<Run> {
    Ok(Run {
        id: RunId(row.must_text(0)?),
        command: row.must_text(1)?,
        tournament: TournamentId(id_of(&row.must_text(2)?, "tournament")?),
        environment: row.must_text(3)?,
        manifest_sha256: row.must_text(4)?,
        who: row.must_text(5)?,
        started_at: time(row.must_int(6)?)?,
        finished_at: row.int(7)?.map(time).transpose()?,
        outcome: row.text(8)?,
        summary: row.text(9)?,
    })
}

fn read_step(row: &Row) -> Result<RunStep> {
    let registration = row.text(6)?.map(|_| read_registration(row, 6)).transpose()?;
    Ok(RunStep {
        at: time(row.must_int(0)?)?,
        registration,
        action: row.must_text(1)?,
        order: row.text(2)?.map(|text| id_of(&text, "order")).transpose()?.map(OrderId),
        session: row.text(3)?.map(SessionId),
        outcome: row.must_text(4)?,
        detail: row.text(5)?,
    })
}
