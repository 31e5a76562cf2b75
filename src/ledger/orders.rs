//! Writes to one order, each conditional on what was seen of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{Metadata, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, Seen, TournamentId};

use super::errors::{Failure, Result, rejected};
use super::links;
use super::lock::check_fence;
use super::open::SqlLedger;
use super::rows::{Stored, id_of};
use super::sql::{Tx, Value, values};
use super::statement::quoted;
use super::table::{Cell, Field};
use super::{Guard, RetireHow, Written};

/// The orders for which cells hold.
pub(super) async fn find(ledger: &SqlLedger, tx: &mut Tx, when: &[Cell]) -> Result<Vec<Stored>> {
    let (sql, values) = ledger.table.select(when)?;
    ledger.table.read_all(&tx.rows(sql, values).await?)
}

/// One order by its id.
pub(super) async fn find_id(ledger: &SqlLedger, tx: &mut Tx, id: &OrderId) -> Result<Option<Stored>> {
    Ok(find(ledger, tx, &[(Field::Id, Value::from(id))]).await?.into_iter().next())
}

/// Writes cells where others hold; the row says when.
pub(super) async fn update(ledger: &SqlLedger, tx: &mut Tx, set: Vec<Cell>, when: &[Cell]) -> Result<bool> {
    let mut set = set;
    set.push((Field::UpdatedAt, Value::from(Timestamp::now().as_second())));
    let (sql, values) = ledger.table.update(&set, when)?;
    let done = tx.execute(sql, values).await? == 1;
    if !done {
        refuse_silence(ledger, tx, when).await?;
    }
    Ok(done)
}

/// A trigger, a rule or row-level security may leave a row as it is and say nothing: that is no change by somebody else.
async fn refuse_silence(ledger: &SqlLedger, tx: &mut Tx, when: &[Cell]) -> Result<()> {
    match find(ledger, tx, when).await?.first() {
        None => Ok(()),
        Some(kept) => Err(rejected(format!(
            "order {} is just as it was seen, and the database does not let it be written, without a word: does a trigger, a \
             rule or row-level security of {} forbid it?",
            kept.order.id,
            ledger.table.name()
        ))),
    }
}

async fn finish(tx: Tx, done: bool) -> Result<Written> {
    if done {
        tx.commit().await?;
        Ok(Written::Done)
    } else {
        tx.rollback().await?;
        Ok(Written::Moved)
    }
}

/// Writes cells to an order, where everything is as it was seen.
async fn write_seen(ledger: &SqlLedger, tx: &mut Tx, set: Vec<Cell>, seen: &Seen) -> Result<bool> {
    // The row is locked by now: no other link is recorded before this ends.
    Ok(update(ledger, tx, set, &ledger.table.seen(seen)?).await? && links::is_held(tx, seen).await?)
}

/// The order, where everything is as it was seen.
pub(super) async fn find_seen(ledger: &SqlLedger, tx: &mut Tx, seen: &Seen) -> Result<Option<Stored>> {
    let found = find(ledger, tx, &ledger.table.seen(seen)?).await?.into_iter().next();
    Ok(if found.is_some() && links::is_held(tx, seen).await? { found } else { None })
}

/// Pending to paid.
pub(super) async fn mark_paid(ledger: &SqlLedger, seen: &Seen, intent: Option<&PaymentIntentId>) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    let record = (Field::PaymentIntent, Value::from(intent));
    let mut set = vec![ledger.table.status(OrderStatus::Paid)?];
    set.extend(intent.map(|_| record.clone()));
    let when = ledger.table.seen(seen)?;
    if seen.status == OrderStatus::Pending && update(ledger, &mut tx, set, &when).await? {
        let done = links::is_held(&mut tx, seen).await?;
        return finish(tx, done).await;
    }
    let Some(order) = find_id(ledger, &mut tx, &seen.id).await?.map(|stored| stored.order) else {
        return finish(tx, false).await;
    };
    let paid = order.status == OrderStatus::Paid;
    if paid && order.payment_intent.as_ref() == intent {
        return finish(tx, true).await;
    }
    if !paid || order.payment_intent.is_some() || intent.is_none() {
        return finish(tx, false).await;
    }
    // Another handler has marked it paid and left the intent out: it is filled in.
    let done = update(ledger, &mut tx, vec![record], &ledger.table.seen(&order.seen())?).await?;
    finish(tx, done).await
}

/// To paid from what was seen, settled outside Stripe.
pub(super) async fn mark_paid_elsewhere(ledger: &SqlLedger, seen: &Seen) -> Result<Written> {
    let from = [OrderStatus::Pending, OrderStatus::Canceled];
    set_status(ledger, seen, &from, OrderStatus::Paid).await
}

/// Paid to refunded.
pub(super) async fn mark_refunded(ledger: &SqlLedger, seen: &Seen) -> Result<Written> {
    set_status(ledger, seen, &[OrderStatus::Paid], OrderStatus::Refunded).await
}

/// To a status from one of others, as it was seen; done also where an earlier try has.
async fn set_status(ledger: &SqlLedger, seen: &Seen, from: &[OrderStatus], to: OrderStatus) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    let set = vec![ledger.table.status(to)?];
    if from.contains(&seen.status) && update(ledger, &mut tx, set, &ledger.table.seen(seen)?).await? {
        let done = links::is_held(&mut tx, seen).await?;
        return finish(tx, done).await;
    }
    let already = Seen { status: to, ..seen.clone() };
    let done = find_seen(ledger, &mut tx, &already).await?.is_some();
    finish(tx, done).await
}

/// Moves an order to another player id.
pub(super) async fn rename(ledger: &SqlLedger, guard: &Guard, seen: &Seen, to: &PlayerId) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    check_fence(&mut tx, guard).await?;
    let target = Registration { player: to.clone(), fee: seen.registration.fee.clone() };
    let renamed = Seen { registration: target.clone(), ..seen.clone() };
    if find_seen(ledger, &mut tx, &renamed).await?.is_some() {
        return finish(tx, true).await;
    }
    let Some(stored) = find_seen(ledger, &mut tx, seen).await? else {
        return finish(tx, false).await;
    };
    let there = ledger.table.registration(stored.tournament.as_ref(), &target);
    if find(ledger, &mut tx, &there).await?.iter().any(|other| other.order.status.is_live()) {
        return finish(tx, false).await;
    }
    let set = vec![(Field::Player, Value::from(to))];
    if !write_seen(ledger, &mut tx, set, seen).await? {
        return finish(tx, false).await;
    }
    let sql = "DELETE FROM tourney_claims WHERE player_id = $1 AND fee_id = $2 AND order_id <> $3 AND tournament_id IN \
               (SELECT tournament_id FROM tourney_claims WHERE order_id = $3)";
    tx.execute(sql, values![to, &target.fee, &seen.id]).await?;
    let sql = "UPDATE tourney_claims SET player_id = $1 WHERE order_id = $2";
    tx.execute(sql, values![to, &seen.id]).await?;
    finish(tx, true).await
}

/// Retires a pending order, or one that somebody else has canceled: its copy is kept, its claim released.
pub(super) async fn retire(
    ledger: &SqlLedger,
    guard: &Guard,
    seen: &Seen,
    how: RetireHow,
    reason: &str,
    now: Timestamp,
) -> Result<Written> {
    if !matches!(seen.status, OrderStatus::Pending | OrderStatus::Canceled) {
        return Err(rejected(format!("order {} is {}: only an unpaid order is retired", seen.id, seen.status)));
    }
    let mut tx = ledger.begin_write().await?;
    check_fence(&mut tx, guard).await?;
    if retired_before(ledger, &mut tx, &seen.id).await? {
        return finish(tx, true).await;
    }
    let copy = whole_row(ledger, &mut tx, &seen.id).await?;
    let (Some(copy), Some(stored)) = (copy, find_seen(ledger, &mut tx, seen).await?) else {
        return finish(tx, false).await;
    };
    let gone = match how {
        RetireHow::Cancel => {
            let canceled = ledger.table.status(OrderStatus::Canceled)?;
            write_seen(ledger, &mut tx, vec![canceled], seen).await?
        }
        RetireHow::Delete => {
            let gone = delete(ledger, &mut tx, &ledger.table.seen(seen)?).await;
            gone.map_err(|failure| may_not_go(failure, &seen.id))? && links::is_held(&mut tx, seen).await?
        }
    };
    if gone {
        let claimed = release_claim(&mut tx, &seen.id).await?;
        let tournament = claimed.or(stored.tournament);
        let how = if how == RetireHow::Cancel { "cancel" } else { "delete" };
        let sql = "INSERT INTO tourney_retired (order_id, tournament_id, player_id, fee_id, session_id, how, reason, \
                   retired_at, made_at, row_copy) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                   ON CONFLICT (order_id) DO UPDATE SET player_id = excluded.player_id, fee_id = excluded.fee_id, \
                   session_id = excluded.session_id, how = excluded.how, reason = excluded.reason, \
                   retired_at = excluded.retired_at, row_copy = excluded.row_copy";
        let values = values![
            &seen.id,
            tournament.as_ref(),
            &seen.registration.player,
            &seen.registration.fee,
            seen.session.as_ref(),
            how,
            reason,
            now.as_second(),
            stored.order.created_at.map(Timestamp::as_second),
            serde_json::to_string(&copy).map_err(|error| rejected(error.to_string()))?,
        ];
        tx.execute(sql, values).await?;
    }
    finish(tx, gone).await
}

/// Whether an earlier try has retired the order; not where another program has brought it back to life since.
async fn retired_before(ledger: &SqlLedger, tx: &mut Tx, id: &OrderId) -> Result<bool> {
    let retired = tx.rows("SELECT 1 FROM tourney_retired WHERE order_id = $1", values![id]).await?;
    let live = find_id(ledger, tx, id).await?.is_some_and(|stored| stored.order.status.is_live());
    Ok(!retired.is_empty() && !live)
}

/// Deletes an order where cells hold.
pub(super) async fn delete(ledger: &SqlLedger, tx: &mut Tx, when: &[Cell]) -> Result<bool> {
    let (sql, values) = ledger.table.delete(when)?;
    let done = tx.execute(sql, values).await? == 1;
    if !done {
        refuse_silence(ledger, tx, when).await?;
    }
    Ok(done)
}

fn may_not_go(failure: Failure, id: &OrderId) -> Failure {
    match failure {
        Failure::ForeignKey(text) => rejected(format!(
            "order {id} cannot be deleted, because other rows refer to it ({text}): nothing was changed; write \
             `retire: cancel` under `policy` in the manifest"
        )),
        other => other,
    }
}

/// Frees the claim that an order holds; answers with its tournament.
pub(super) async fn release_claim(tx: &mut Tx, id: &OrderId) -> Result<Option<TournamentId>> {
    let sql = "DELETE FROM tourney_claims WHERE order_id = $1 RETURNING tournament_id";
    let row = tx.row(sql, values![id]).await?;
    row.map(|row| Ok(TournamentId(id_of(&row.must_text(0)?, "tournament")?))).transpose()
}

/// A canceled order where cells hold, whatever its status was: for canaries alone.
pub(super) async fn cancel_canary(ledger: &SqlLedger, tx: &mut Tx, when: &[Cell]) -> Result<bool> {
    let canceled = ledger.table.status(OrderStatus::Canceled)?;
    update(ledger, tx, vec![canceled], when).await
}

/// Every column of an order's row, mapped or not, as text; none where NULL.
type WholeRow = BTreeMap<String, Option<String>>;

async fn whole_row(ledger: &SqlLedger, tx: &mut Tx, id: &OrderId) -> Result<Option<WholeRow>> {
    let table = ledger.table.name();
    let this = [(Field::Id, Value::from(id))];
    if ledger.is_postgres() {
        let select = format!(
            "SELECT cell_name, cell_text FROM {table} whole \
             CROSS JOIN LATERAL json_each_text(row_to_json(whole)) AS cells (cell_name, cell_text)"
        );
        let (sql, values) = ledger.table.select_as(select, &this)?;
        let cells = tx.rows(sql, values).await?;
        let row = cells.iter().map(|cell| Ok((cell.must_text(0)?, cell.text(1)?))).collect::<Result<WholeRow>>()?;
        return Ok((!row.is_empty()).then_some(row));
    }
    let plain = ledger.table.mapping().table.last().map_or("", String::as_str);
    let columns = tx.rows("SELECT name FROM pragma_table_info($1)", values![plain]).await?;
    let names = columns.iter().map(|row| row.must_text(0)).collect::<Result<Vec<_>>>()?;
    let read = names.iter().map(|name| Ok(format!("CAST({} AS TEXT)", quoted(name)?))).collect::<Result<Vec<_>>>()?;
    let (sql, values) = ledger.table.select_as(format!("SELECT {} FROM {table}", read.join(", ")), &this)?;
    let Some(row) = tx.row(sql, values).await? else { return Ok(None) };
    let cells = names.into_iter().enumerate().map(|(at, name)| Ok((name, row.text(at)?)));
    Ok(Some(cells.collect::<Result<_>>()?))
}

/// The whole row as text by column; NULL is left out.
pub(super) async fn raw_row(ledger: &SqlLedger, id: &OrderId) -> Result<Option<Metadata>> {
    let Some(mut reading) = ledger.begin_read().await? else { return Ok(None) };
    let row = if reading.orders { whole_row(ledger, &mut reading.tx, id).await? } else { None };
    reading.tx.rollback().await?;
    Ok(row.map(|row| row.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()))
}
