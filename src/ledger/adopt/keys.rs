//! Keys: an order's own, the rows that it refers to, and the rows that refer to it.

use std::collections::BTreeSet;

use crate::domain::Id;
use crate::ledger::errors::Result;
use crate::ledger::mapping::{Column, Mapping};
use crate::ledger::sql::{Tx, Value, values};
use crate::ledger::statement::{Text, encode, quoted, quoted_path};

use super::catalogue::TableFacts;
use super::{Fault, Terms};

/// A foreign key of one column of the orders table.
#[derive(Debug)]
pub(super) struct Refers {
    /// The orders table's column.
    pub(super) column: String,
    /// The other table, in its parts.
    pub(super) table: Vec<String>,
    /// Its column.
    pub(super) to: String,
    /// Whether we may read it, and all of it.
    pub(super) readable: bool,
}

/// So many ids are asked for at once.
const AT_ONCE: usize = 400;
/// So many ids are shown of those that are missing.
const SHOWN: usize = 5;

const REFERS: &str = "SELECT CAST(a.attname AS TEXT), CAST(n.nspname AS TEXT), CAST(c.relname AS TEXT), \
     CAST(b.attname AS TEXT), CAST(has_column_privilege(k.confrelid, b.attnum, 'SELECT') AND NOT row_security_active(k.confrelid) AS TEXT) \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
     JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1] \
     WHERE k.contype = 'f' AND array_length(k.conkey, 1) = 1 AND CAST(k.conrelid AS BIGINT) = $1 ORDER BY 1, 2, 3";

const TAKES: &str = "SELECT DISTINCT CAST(CAST(conrelid AS regclass) AS TEXT) FROM pg_constraint \
     WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd') AND CAST(confrelid AS BIGINT) = $1 ORDER BY 1";

/// PostgreSQL's foreign keys of the orders table, and the tables whose rows a deleted order would change.
pub(super) async fn postgres(tx: &mut Tx, table: i64) -> Result<(Vec<Refers>, Vec<String>)> {
    let mut refers = Vec::new();
    for row in tx.rows(REFERS, values![table]).await? {
        refers.push(Refers {
            column: row.must_text(0)?,
            table: vec![row.must_text(1)?, row.must_text(2)?],
            to: row.must_text(3)?,
            readable: row.must_text(4)? == "true",
        });
    }
    let takes = tx.rows(TAKES, values![table]).await?;
    Ok((refers, takes.iter().map(|row| row.must_text(0)).collect::<Result<_>>()?))
}

/// The same on SQLite.
pub(super) async fn sqlite(tx: &mut Tx, table: &str) -> Result<(Vec<Refers>, Vec<String>)> {
    let sql = "SELECT \"from\", \"table\", \
               COALESCE(\"to\", (SELECT name FROM pragma_table_info(k.\"table\") WHERE pk = 1), 'rowid') \
               FROM pragma_foreign_key_list($1) k WHERE id IN \
               (SELECT id FROM pragma_foreign_key_list($1) GROUP BY id HAVING COUNT(*) = 1) ORDER BY 1, 2";
    let mut refers = Vec::new();
    for row in tx.rows(sql, values![table]).await? {
        refers.push(Refers {
            column: row.must_text(0)?,
            table: vec![row.must_text(1)?],
            to: row.must_text(2)?,
            readable: true,
        });
    }
    let sql = "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k \
               WHERE m.type = 'table' AND k.\"table\" = $1 COLLATE NOCASE \
               AND k.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') ORDER BY 1";
    let takes = tx.rows(sql, values![table]).await?;
    Ok((refers, takes.iter().map(|row| row.must_text(0)).collect::<Result<_>>()?))
}

/// Billed players and fees of the manifest (and the canary's) of which the application has no row: their orders could not stand.
pub(super) async fn absent(tx: &mut Tx, table: &TableFacts, mapping: &Mapping, terms: &Terms) -> Result<Vec<Fault>> {
    // The canary's may be the manifest's own.
    let players = BTreeSet::from_iter(terms.billed.iter().map(|player| &player.0)).into_iter().collect::<Vec<_>>();
    let fees = BTreeSet::from_iter(terms.fees.iter().map(|fee| &fee.0)).into_iter().collect::<Vec<_>>();
    let mut faults = Vec::new();
    let columns = &mapping.columns;
    for (field, column, ids) in [("player", &columns.player, players), ("fee", &columns.fee, fees)] {
        let readable = table.refers.iter().filter(|refers| refers.readable);
        for refers in readable.filter(|refers| refers.column.eq_ignore_ascii_case(&column.name)) {
            let missing = missing(tx, refers, column, &ids).await?;
            if missing.is_empty() {
                continue;
            }
            let shown = missing.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let more = if missing.len() > SHOWN { ", …" } else { "" };
            let rows = refers.table.last().map_or("", String::as_str);
            faults.push(Fault {
                path: format!("orders.columns.{field}"),
                message: format!("{rows} has no row for {field} {shown}{more}, to which an order must refer"),
                help: format!(
                    "add it in the application, or write its own {field} ids in the manifest and for the canary"
                ),
            });
        }
    }
    Ok(faults)
}

async fn missing<'i>(tx: &mut Tx, refers: &Refers, column: &Column, ids: &[&'i Id]) -> Result<Vec<&'i Id>> {
    let mut missing = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let to = quoted(&refers.to)?;
        let mut text =
            Text::new(format!("SELECT CAST({to} AS TEXT) FROM {} WHERE {to} IN (", quoted_path(&refers.table)?));
        for (at, id) in ids.iter().enumerate() {
            text.push(if at == 0 { "" } else { ", " });
            text.param(column, encode(column, Value::from(id.to_string()))?)?;
        }
        text.push(")");
        let (sql, values) = text.finish();
        let rows = tx.rows(sql, values).await?;
        let there = rows.iter().map(|row| row.must_text(0)).collect::<Result<BTreeSet<_>>>()?;
        missing.extend(ids.iter().filter(|id| !there.contains(&id.to_string())));
    }
    Ok(missing)
}
