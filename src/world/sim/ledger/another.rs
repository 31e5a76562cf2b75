//! Other programs: what they write, straight into the orders table, with none of tourney's own records.

use std::collections::BTreeMap;

use crate::domain::{AttemptId, Order, OrderId, OrderStatus};
use crate::ledger::{SeedOrder, order_id};

use super::{MemoryLedger, Result, Row, whole};

impl MemoryLedger {
    /// Another program's transaction on the orders table. A row's key is its order's id.
    pub fn another_program<T>(&self, write: impl FnOnce(&mut BTreeMap<OrderId, Row>) -> T) -> T {
        write(&mut self.state().orders)
    }

    /// Inserts pending orders, all or none; gives their ids in the same order. As [`crate::ledger::SqlLedger::seed`].
    ///
    /// # Errors
    /// [`crate::ledger::LedgerError`]; nothing was inserted.
    pub fn seed(&self, orders: &[(SeedOrder, u128)]) -> Result<Vec<OrderId>> {
        self.write(|state| {
            let mut after = state.clone();
            let mut ids = Vec::with_capacity(orders.len());
            for (order, random) in orders {
                let row = row(order, *random);
                ids.push(row.order.id.clone());
                after.at(order.created_at);
                after.insert(row)?;
            }
            *state = after;
            Ok(ids)
        })
    }
}

fn row(order: &SeedOrder, random: u128) -> Row {
    let created_at = whole(order.created_at);
    Row {
        order: Order {
            id: order_id(&AttemptId(format!("{random:032x}"))),
            registration: order.registration.clone(),
            amount: order.amount,
            status: OrderStatus::Pending,
            session: Some(order.session.clone()),
            payment_intent: None,
            url: None,
            created_at: Some(created_at),
        },
        tournament: order.tournament.clone(),
        expires_at: None,
        updated_at: created_at,
    }
}
