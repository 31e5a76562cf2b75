//! Orders as another program writes them: straight into the orders table, with none of tourney's own records.

use jiff::Timestamp;

use crate::domain::{AttemptId, Money, OrderId, OrderStatus, Registration, SessionId, TournamentId};

use super::errors::{Result, rejected};
use super::rows::id_of;
use super::sql::Value;
use super::table::{Cell, Field};
use super::{LedgerError, SqlLedger};

/// An order that did not come from the helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedOrder {
    /// The tournament.
    pub tournament: TournamentId,
    /// Whose, for what.
    pub registration: Registration,
    /// What is owed.
    pub amount: Money,
    /// The session that is recorded on it.
    pub session: SessionId,
    /// When it was made.
    pub created_at: Timestamp,
}

impl SqlLedger {
    /// Inserts pending orders, all or none; gives their ids in the same order. For the sandbox's scenes only.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was inserted.
    pub async fn seed(&self, orders: &[(SeedOrder, u128)]) -> std::result::Result<Vec<OrderId>, LedgerError> {
        Ok(insert(self, orders).await?)
    }
}

async fn insert(ledger: &SqlLedger, orders: &[(SeedOrder, u128)]) -> Result<Vec<OrderId>> {
    let mut tx = ledger.begin_write().await?;
    let mut ids = Vec::with_capacity(orders.len());
    for (order, random) in orders {
        let table = &ledger.table;
        let id = AttemptId(format!("{random:032x}"));
        let created = Value::from(order.created_at.as_second());
        let mut cells: Vec<Cell> = table.new_id(&id).into_iter().collect();
        cells.extend(table.registration(Some(&order.tournament), &order.registration));
        cells.extend([
            table.amount(order.amount),
            table.currency(order.amount.currency),
            table.status(OrderStatus::Pending)?,
            (Field::Session, Value::from(&order.session)),
            (Field::CreatedAt, created.clone()),
            (Field::UpdatedAt, created),
        ]);
        let (sql, values) = table.insert(&cells)?;
        let row = tx.row(sql, values).await?.ok_or_else(|| rejected("the orders table gave no id for a new order"))?;
        ids.push(OrderId(id_of(&row.must_text(0)?, "order")?));
    }
    tx.commit().await?;
    Ok(ids)
}
