//! Payment Links of orders. An orders table has a column for a session and none for a link, and an application may look its
//! sessions up: which link an order has stands in the attempt that made it, and its session's column stays empty.

use std::collections::BTreeMap;

use crate::domain::{AttemptId, OrderId, PayableKind, SessionId, TournamentId};

use super::errors::Result;
use super::rows::{Stored, id_of};
use super::sql::{Tx, Value, values};

/// The attempts that have put a link onto an order: one for an order at most.
const RECORDED: &str = "SELECT order_id, session_id FROM tourney_attempts WHERE state = 'recorded' AND expires_at IS NULL \
                        AND session_id IS NOT NULL";

/// Gives the orders of a tournament that hold no session the links that they have.
pub(super) async fn add_of_tournament(tx: &mut Tx, tournament: &TournamentId, stored: &mut [Stored]) -> Result<()> {
    let sql = sqlx::AssertSqlSafe(format!("{RECORDED} AND tournament_id = $1"));
    let mut links = BTreeMap::new();
    for row in tx.rows(sql, values![tournament]).await? {
        links.insert(OrderId(id_of(&row.must_text(0)?, "order")?), SessionId(row.must_text(1)?));
    }
    for stored in stored.iter_mut().filter(|stored| stored.order.session.is_none()) {
        stored.order.session = links.get(&stored.order.id).cloned();
    }
    Ok(())
}

/// The same for single orders, of whatever tournament.
pub(super) async fn add(tx: &mut Tx, stored: &mut [Stored]) -> Result<()> {
    for stored in stored.iter_mut().filter(|stored| stored.order.session.is_none()) {
        let sql = sqlx::AssertSqlSafe(format!("{RECORDED} AND order_id = $1"));
        let row = tx.row(sql, values![&stored.order.id]).await?;
        stored.order.session = row.map(|row| row.must_text(1)).transpose()?.map(SessionId);
    }
    Ok(())
}

/// The orders that a link was made for.
pub(super) async fn orders_of(tx: &mut Tx, link: &str) -> Result<Vec<OrderId>> {
    let sql = sqlx::AssertSqlSafe(format!("{RECORDED} AND session_id = $1 ORDER BY order_id"));
    let rows = tx.rows(sql, values![link]).await?;
    rows.iter().map(|row| Ok(OrderId(id_of(&row.must_text(0)?, "order")?))).collect()
}

/// What stands in the session's column of an order that has this payable.
pub(super) fn in_column(payable: Option<&SessionId>) -> Value {
    Value::from(payable.filter(|id| PayableKind::of(id) == PayableKind::Session))
}

/// The order has another payable now: the link that it had is its own no longer. Times would not tell which of two came
/// last, since several fit into a second.
pub(super) async fn supersede(tx: &mut Tx, order: &OrderId, by: &AttemptId) -> Result<()> {
    let sql = "UPDATE tourney_attempts SET state = 'abandoned', why = 'another payable took its place' \
               WHERE order_id = $1 AND id <> $2 AND state = 'recorded' AND expires_at IS NULL";
    tx.execute(sql, values![order, by]).await?;
    Ok(())
}
