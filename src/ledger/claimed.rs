//! Orders that tourney's own claims give to a tournament. They are in scope whatever the mapping's bounds say by now: an order
//! that was billed and is no longer seen would be billed again.

use std::collections::BTreeMap;

use crate::domain::{OrderId, OrderStatus, Registration};

use super::Scope;
use super::attempts::read_registration;
use super::errors::{Result, unmapped};
use super::open::SqlLedger;
use super::rows::{Stored, id_of};
use super::sql::{Tx, Value, values};
use super::table::Field;

/// So many orders are looked up at once.
const AT_ONCE: usize = 200;

/// Adds the tournament's claimed orders that are not among those in scope: of a fee that has left the manifest, or from
/// before a `since` that came later.
///
/// # Errors
/// Where every claimed order reads as another registration's: the mapping is not the one they were made with.
pub(super) async fn add(ledger: &SqlLedger, tx: &mut Tx, scope: &Scope, stored: &mut Vec<Stored>) -> Result<()> {
    let claims = claims(tx, scope).await?;
    let seen: BTreeMap<&OrderId, &Registration> =
        stored.iter().map(|stored| (&stored.order.id, &stored.order.registration)).collect();
    let (known, missing): (Vec<_>, Vec<_>) = claims.iter().partition(|(order, _)| seen.contains_key(order));
    let mut kept = known.iter().filter(|(order, claimed)| seen.get(order) == Some(claimed)).count();
    let mut astray: Vec<String> =
        known.iter().filter_map(|(order, claimed)| another(order, claimed, seen.get(order)?)).collect();
    let mut added = Vec::new();
    for claims in missing.chunks(AT_ONCE) {
        let cells: Vec<_> = claims.iter().map(|(order, _)| (Field::Id, Value::from(*order))).collect();
        let (sql, values) = ledger.table.select_any(&cells)?;
        let rows = tx.rows(sql, values).await?;
        for row in &rows {
            let id = OrderId(id_of(&row.must_text(0)?, "order")?);
            let Some((order, claimed)) = claims.iter().find(|(order, _)| **order == id) else { continue };
            match ledger.table.read_claimed(row)? {
                Some(found) if found.order.registration == **claimed => {
                    kept += 1;
                    added.push(found);
                }
                Some(found) => astray.extend(another(order, claimed, &found.order.registration)),
                None => astray.push(format!("order {order} is {claimed}'s, and names nobody that a manifest could")),
            }
        }
    }
    if let (0, [first, _, ..]) = (kept, astray.as_slice()) {
        return Err(unmapped(format!(
            "orders.columns: none of the orders that tourney knows of this tournament reads as the registration it is for \
             ({first}): are `player` and `fee` mapped as they were when these were made?"
        )));
    }
    stored.extend(added);
    Ok(())
}

/// Orders that tourney has canceled in this tournament, and that all read as something else.
///
/// # Errors
/// Where there are several: the words of the statuses are not those that they were canceled with.
pub(super) async fn refuse_revived(ledger: &SqlLedger, tx: &mut Tx, scope: &Scope) -> Result<()> {
    let sql = "SELECT order_id FROM tourney_retired WHERE tournament_id = $1 AND how = 'cancel' ORDER BY order_id";
    let rows = tx.rows(sql, values![&scope.tournament]).await?;
    let retired = rows.iter().map(|row| row.must_text(0)).collect::<Result<Vec<_>>>()?;
    let mut revived = Vec::new();
    for orders in retired.chunks(AT_ONCE) {
        let cells: Vec<_> = orders.iter().map(|order| (Field::Id, Value::from(order.as_str()))).collect();
        let (sql, values) = ledger.table.select_any(&cells)?;
        for row in tx.rows(sql, values).await? {
            let word = row.must_text(6)?;
            if ledger.table.mapping().statuses.status(&word) == Some(OrderStatus::Canceled) {
                return Ok(());
            }
            revived.push(format!("order {} reads {word:?}", row.must_text(0)?));
        }
    }
    match revived.as_slice() {
        [first, _, ..] => Err(unmapped(format!(
            "orders.statuses: none of the orders that tourney has canceled here reads as canceled ({first}): are the words \
             the same as when that was done?"
        ))),
        _ => Ok(()),
    }
}

fn another(order: &OrderId, claimed: &Registration, read: &Registration) -> Option<String> {
    (claimed != read).then(|| format!("order {order} is {claimed}'s, and reads as {read}'s"))
}

async fn claims(tx: &mut Tx, scope: &Scope) -> Result<BTreeMap<OrderId, Registration>> {
    let sql = "SELECT order_id, player_id, fee_id FROM tourney_claims WHERE tournament_id = $1";
    let rows = tx.rows(sql, values![&scope.tournament]).await?;
    rows.iter().map(|row| Ok((OrderId(id_of(&row.must_text(0)?, "order")?), read_registration(row, 1)?))).collect()
}
