//! Everything in scope, in one consistent read; single orders; searches.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;

use crate::domain::{FeeId, Order, OrderId, SessionId};

use super::attempts::{SELECT, read_attempt, read_registration};
use super::errors::Result;
use super::lock::time;
use super::open::{SqlLedger, refuse_anothers};
use super::rows::{Stored, id_of};
use super::sql::{Tx, Value, values};
use super::table::{Cell, Field};
use super::{Canary, LedgerFacts, RetiredOrder, Scope, canary, claimed, events, handler, links, names, orders};

/// Reads everything in scope.
pub(super) async fn facts(ledger: &SqlLedger, scope: &Scope) -> Result<LedgerFacts> {
    let Some(mut reading) = ledger.begin_read().await? else { return Ok(LedgerFacts::default()) };
    refuse_anothers(ledger, &mut reading).await?;
    let tx = &mut reading.tx;
    let mut facts = LedgerFacts::default();
    if reading.ours {
        read_ours(tx, scope, &mut facts).await?;
        facts.handler = handler::found(ledger, tx).await?;
        facts.applied_name = names::last(ledger, tx, &scope.tournament).await?;
    }
    let mut stored = if reading.orders { in_scope(ledger, tx, scope).await? } else { Vec::new() };
    // In our own table the tournament is a column and the words are ours: there is no mapping that could have moved.
    if reading.ours && reading.orders && !ledger.table.mapping().make_table {
        claimed::add(ledger, tx, scope, &mut stored).await?;
        claimed::refuse_revived(ledger, tx, scope).await?;
    }
    if reading.ours && reading.orders {
        links::add_to_all(tx, &mut stored).await?;
    }
    if reading.ours {
        leave_out(&mut facts, canary::all(tx).await?);
        let elsewhere = claimed_elsewhere(tx, scope).await?;
        let overlapping = stored.iter().map(|stored| &stored.order.id).filter(|id| elsewhere.contains(*id));
        facts.overlapping = overlapping.cloned().collect();
        if !ledger.table.maps(Field::Tournament) {
            facts.foreign_fees = foreign_fees(tx, scope, &facts.canary_orders).await?;
        }
    }
    facts.orders = stored.into_iter().map(|stored| stored.order).collect();
    facts.orders.retain(|order| !facts.canary_orders.contains(&order.id));
    facts.orders.sort_by(|a, b| a.id.cmp(&b.id));
    reading.tx.rollback().await?;
    Ok(facts)
}

async fn in_scope(ledger: &SqlLedger, tx: &mut Tx, scope: &Scope) -> Result<Vec<Stored>> {
    if ledger.table.maps(Field::Tournament) {
        return orders::find(ledger, tx, &[(Field::Tournament, Value::from(&scope.tournament))]).await;
    }
    let fees = scope.fees.iter().map(|fee| (Field::Fee, Value::from(fee))).collect::<Vec<_>>();
    let (sql, values) = ledger.table.select_any(&fees)?;
    ledger.table.read_all(&tx.rows(sql, values).await?)
}

async fn read_ours(tx: &mut Tx, scope: &Scope, facts: &mut LedgerFacts) -> Result<()> {
    let sql = format!(
        "SELECT order_id, player_id, fee_id, session_id, reason, retired_at, made_at FROM tourney_retired \
         WHERE tournament_id = $1 OR tournament_id IS NULL ORDER BY {}",
        tx.by_bytes("order_id")
    );
    for row in tx.rows(AssertSqlSafe(sql), values![&scope.tournament]).await? {
        facts.retired.push(RetiredOrder {
            order: OrderId(id_of(&row.must_text(0)?, "order")?),
            registration: read_registration(&row, 1)?,
            session: row.text(3)?.map(SessionId),
            reason: row.must_text(4)?,
            at: time(row.must_int(5)?)?,
            made_at: row.int(6)?.map(time).transpose()?,
        });
    }
    let sql = format!("{SELECT} WHERE state = 'open' AND tournament_id = $1 ORDER BY began_at, {}", tx.by_bytes("id"));
    let attempts = tx.rows(AssertSqlSafe(sql), values![&scope.tournament]).await?;
    facts.attempts = attempts.iter().map(read_attempt).collect::<Result<_>>()?;
    let sql = "SELECT session_id, order_id FROM tourney_attempts WHERE session_id IS NOT NULL AND tournament_id = $1";
    for row in tx.rows(sql, values![&scope.tournament]).await? {
        let order = OrderId(id_of(&row.must_text(1)?, "order")?);
        facts.sessions_made.push((SessionId(row.must_text(0)?), order));
    }
    facts.sessions_made.sort();
    facts.unmatched = events::unmatched(tx).await?;
    Ok(())
}

/// Canaries are no part of any judgement, whether they fly or have been removed. They are told by their orders, their
/// attempts and their sessions, never by their registration: another order may stand for it before and afterwards. An
/// order is known as a canary's from the moment it stands, since the attempt that makes it has its run's id.
fn leave_out(facts: &mut LedgerFacts, canaries: Vec<Canary>) {
    for canary in canaries {
        facts.canary_orders.extend(canary.order);
        facts.canary_sessions.extend(canary.sessions);
    }
    let LedgerFacts { attempts, sessions_made, canary_orders, canary_sessions, .. } = facts;
    attempts.retain(|attempt| !canary_orders.contains(&attempt.order));
    let made = sessions_made.iter().filter(|(_, order)| canary_orders.contains(order));
    canary_sessions.extend(made.map(|(session, _)| session.clone()));
}

async fn claimed_elsewhere(tx: &mut Tx, scope: &Scope) -> Result<BTreeSet<OrderId>> {
    let sql = "SELECT order_id FROM tourney_claims WHERE tournament_id <> $1";
    let rows = tx.rows(sql, values![&scope.tournament]).await?;
    rows.iter().map(|row| Ok(OrderId(id_of(&row.must_text(0)?, "order")?))).collect()
}

/// The fees of this tournament's claims, where none of them is in scope.
async fn foreign_fees(tx: &mut Tx, scope: &Scope, canaries: &BTreeSet<OrderId>) -> Result<BTreeSet<FeeId>> {
    let sql = "SELECT fee_id, order_id FROM tourney_claims WHERE tournament_id = $1";
    let mut fees = BTreeSet::new();
    for row in tx.rows(sql, values![&scope.tournament]).await? {
        if !canaries.contains(&OrderId(id_of(&row.must_text(1)?, "order")?)) {
            fees.insert(FeeId(id_of(&row.must_text(0)?, "fee")?));
        }
    }
    let any_known = scope.fees.iter().any(|fee| fees.contains(fee));
    Ok(if any_known { BTreeSet::new() } else { fees })
}

/// One order, wherever it belongs.
pub(super) async fn order(ledger: &SqlLedger, id: &OrderId) -> Result<Option<Order>> {
    Ok(any(ledger, vec![(Field::Id, Value::from(id))], None).await?.into_iter().next())
}

/// The orders that a word leads to.
pub(super) async fn search(ledger: &SqlLedger, word: &str) -> Result<Vec<Order>> {
    let fields = [Field::Id, Field::Player, Field::Session, Field::PaymentIntent];
    any(ledger, fields.map(|field| (field, Value::from(word))).to_vec(), Some(word)).await
}

async fn any(ledger: &SqlLedger, mut cells: Vec<Cell>, link: Option<&str>) -> Result<Vec<Order>> {
    let Some(mut reading) = ledger.begin_read().await? else { return Ok(Vec::new()) };
    let mut stored = Vec::new();
    if reading.orders {
        if let Some(link) = link.filter(|_| reading.ours) {
            let orders = links::orders_of(&mut reading.tx, link).await?;
            cells.extend(orders.iter().map(|order| (Field::Id, Value::from(order))));
        }
        let (sql, values) = ledger.table.select_any(&cells)?;
        let rows = reading.tx.rows(sql, values).await?;
        stored = ledger.table.read_known(rows)?;
        if reading.ours {
            links::add(&mut reading.tx, &mut stored).await?;
        }
    }
    reading.tx.rollback().await?;
    stored.sort_by(|a, b| a.order.id.cmp(&b.order.id));
    Ok(stored.into_iter().map(|stored| stored.order).collect())
}
