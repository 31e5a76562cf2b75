//! Payment Links of orders. An orders table has a column for a session and none for a link, and an application may look its
//! sessions up: which link an order has stands in the attempt that made it, and its session's column stays empty.

use std::collections::BTreeMap;

use crate::domain::{AttemptId, OrderId, PayableKind, Seen, SessionId};

use super::errors::Result;
use super::rows::{Stored, id_of};
use super::sql::{Tx, Value, values};

/// The attempts that have put a link onto an order: one for an order at most. What they made says so, as it did when its column
/// was left empty.
const RECORDED: &str = "SELECT order_id, session_id FROM tourney_attempts WHERE state = 'recorded' \
                        AND substr(session_id, 1, 6) = 'plink_'";

/// Gives the orders that hold no session the links that they have, whichever tournament these were made for: an application
/// may have moved an order since.
pub(super) async fn add_to_all(tx: &mut Tx, stored: &mut [Stored]) -> Result<()> {
    let mut links = BTreeMap::new();
    for row in tx.rows(RECORDED, values![]).await? {
        links.insert(OrderId(id_of(&row.must_text(0)?, "order")?), SessionId(row.must_text(1)?));
    }
    for stored in stored.iter_mut().filter(|stored| stored.order.session.is_none()) {
        stored.order.session = links.get(&stored.order.id).cloned();
    }
    Ok(())
}

/// The same for a few orders.
pub(super) async fn add(tx: &mut Tx, stored: &mut [Stored]) -> Result<()> {
    for stored in stored.iter_mut().filter(|stored| stored.order.session.is_none()) {
        stored.order.session = of(tx, &stored.order.id).await?;
    }
    Ok(())
}

/// The link that was put onto an order, if one was.
async fn of(tx: &mut Tx, order: &OrderId) -> Result<Option<SessionId>> {
    let sql = sqlx::AssertSqlSafe(format!("{RECORDED} AND order_id = $1"));
    Ok(tx.row(sql, values![order]).await?.map(|row| row.must_text(1)).transpose()?.map(SessionId))
}

/// Whether an order whose columns are as they were seen has the link that it was seen with, or none. A session stands in its
/// column, and was compared there.
pub(super) async fn is_held(tx: &mut Tx, seen: &Seen) -> Result<bool> {
    let in_its_column = seen.session.as_ref().is_some_and(|id| PayableKind::of(id) == PayableKind::Session);
    Ok(in_its_column || of(tx, &seen.id).await? == seen.session)
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
               WHERE order_id = $1 AND id <> $2 AND state = 'recorded' AND substr(session_id, 1, 6) = 'plink_'";
    tx.execute(sql, values![order, by]).await?;
    Ok(())
}
