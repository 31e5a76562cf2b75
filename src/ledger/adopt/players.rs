//! An application's own players: where an import looks ids up by address. The mapping is judged by the catalogue as that of
//! the orders is; rows are read in one go and never written, and nothing of tourney's need stand in that database.

use std::fmt;

use crate::config::PlayersMapping;
use crate::ledger::SqlLedger;
use crate::ledger::errors::{Result, retrying};
use crate::ledger::sql::{Tx, values};
use crate::ledger::statement::{quoted, quoted_path};

use super::catalogue::{self, Catalogue, ColumnFacts, TableFacts};
use super::codecs::{Role, codec};
use super::rules::closed;
use super::{AdoptError, Fault, elsewhere, look};

/// So many rows are read: more are no club's players, or should be looked at through a view.
const MOST_ROWS: usize = 100_000;
/// So many characters are read of a value: more than any id, address or name of a manifest has.
const LONGEST: usize = 300;

/// A row of the players, as the table has it.
#[derive(Clone, PartialEq, Eq)]
pub struct PlayerRow {
    /// The id, as text.
    pub id: String,
    /// The address, where there is one.
    pub email: Option<String>,
    /// The name, where the mapping names its columns and something stands in one of them.
    pub name: Option<String>,
}

/// Who plays and where they live is nobody's business.
impl fmt::Debug for PlayerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlayerRow").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SqlLedger {
    /// Reads an application's players in one consistent look, in no order, rows without an id left out. Writes nothing.
    ///
    /// # Errors
    /// [`AdoptError::Mapping`] with every reason at once for which the mapping cannot work.
    pub async fn players(url: &str, mapping: &PlayersMapping) -> std::result::Result<Vec<PlayerRow>, AdoptError> {
        asked(url, mapping, true).await
    }

    /// Judges the mapping alone.
    ///
    /// # Errors
    /// As [`SqlLedger::players`].
    pub async fn judge_players(url: &str, mapping: &PlayersMapping) -> std::result::Result<(), AdoptError> {
        asked(url, mapping, false).await.map(|_| ())
    }
}

type Asked = std::result::Result<Vec<PlayerRow>, Vec<Fault>>;

async fn asked(url: &str, mapping: &PlayersMapping, rows: bool) -> std::result::Result<Vec<PlayerRow>, AdoptError> {
    let ledger = SqlLedger::open(url, elsewhere(&mapping.table)).await?;
    let asked = retrying(|| ask(&ledger, mapping, rows)).await?;
    asked.map_err(|faults| AdoptError::Mapping { section: "players", faults })
}

async fn ask(ledger: &SqlLedger, mapping: &PlayersMapping, rows: bool) -> Result<Asked> {
    let mut tx = look(ledger, "a players table").await?;
    let catalogue = catalogue::read(&mut tx, &mapping.table).await?;
    let faults = Judge { mapping, catalogue: &catalogue, faults: Vec::new() }.faults();
    let asked = match faults.is_empty() {
        true if rows => read(&mut tx, mapping).await?,
        true => Ok(Vec::new()),
        false => Err(faults),
    };
    tx.rollback().await?;
    Ok(asked)
}

async fn read(tx: &mut Tx, mapping: &PlayersMapping) -> Result<Asked> {
    let columns = [&mapping.id, &mapping.email].into_iter().chain(&mapping.name);
    let columns = columns.map(|name| Ok(format!("SUBSTR(CAST({} AS TEXT), 1, {LONGEST})", quoted(name)?)));
    let columns = columns.collect::<Result<Vec<_>>>()?.join(", ");
    let sql = format!("SELECT {columns} FROM {} LIMIT {}", quoted_path(&mapping.table)?, MOST_ROWS + 1);
    let rows = tx.rows(sqlx::AssertSqlSafe(sql), values![]).await?;
    if rows.len() > MOST_ROWS {
        let table = mapping.table.join(".");
        return Ok(Err(vec![Fault {
            path: "players.table".to_owned(),
            message: format!("{table} has more than {MOST_ROWS} rows"),
            help: "name a view of those who may be in a roster".to_owned(),
        }]));
    }
    let mut players = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(id) = row.text(0)? else { continue };
        let mut name = String::new();
        for part in 0..mapping.name.len() {
            name += &row.text(part + 2)?.unwrap_or_default();
            name.push(' ');
        }
        let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        players.push(PlayerRow { id, email: row.text(1)?, name });
    }
    Ok(Ok(players))
}

/// The judgement of one mapping. A view is as good as a table: it is only read.
struct Judge<'j> {
    mapping: &'j PlayersMapping,
    catalogue: &'j Catalogue,
    faults: Vec<Fault>,
}

impl Judge<'_> {
    fn faults(mut self) -> Vec<Fault> {
        let shown = self.mapping.table.join(".");
        let Some(table) = &self.catalogue.table else {
            self.fault("table", format!("there is no table {shown}"), self.catalogue.instead());
            return self.faults;
        };
        if let Some((message, help)) = closed(table) {
            self.fault("table", message, help);
        }
        let fields = [("id", &self.mapping.id), ("email", &self.mapping.email)].into_iter();
        let fields: Vec<(&str, &String)> = fields.chain(self.mapping.name.iter().map(|name| ("name", name))).collect();
        let mut locked = Vec::new();
        for (at, (field, name)) in fields.iter().enumerate() {
            if let Some((first, _)) = fields[..at].iter().find(|(_, other)| self.same(other, name)) {
                let message = format!("{name} is mapped twice: {first} and {field}");
                self.fault(&format!("columns.{field}"), message, "name another column for one of the two");
            }
            let Some(facts) = self.column(table, field, name) else { continue };
            locked.extend(facts.lacks.contains(&"SELECT").then(|| facts.name.clone()));
        }
        locked.dedup();
        if !locked.is_empty() {
            let message = format!("the right to SELECT is missing, on {}", locked.join(", "));
            self.fault("table", message, format!("GRANT SELECT ON {shown} to the user of this URL"));
        }
        self.faults
    }

    /// A column that is there; what it cannot hold is told.
    fn column<'t>(&mut self, table: &'t TableFacts, field: &str, name: &str) -> Option<&'t ColumnFacts> {
        let path = format!("columns.{field}");
        let Some(facts) = table.columns.iter().find(|facts| self.same(&facts.name, name)) else {
            let names: Vec<&str> = table.columns.iter().map(|facts| facts.name.as_str()).collect();
            let message = format!("{} has no column {name}", self.mapping.table.join("."));
            self.fault(&path, message, format!("name one that is there: {}", names.join(", ")));
            return None;
        };
        let role = if field == "id" { Role::Id } else { Role::Text };
        // What SQLite computes in a view has no type.
        let untyped = !self.catalogue.postgres && facts.shown.is_empty();
        if !untyped && codec(facts, role, self.catalogue.postgres, None).is_none() {
            let message = format!("{name} is of type {}, which cannot hold this ({field})", facts.shown);
            self.fault(&path, message, role.wanted());
        }
        Some(facts)
    }

    /// SQLite does not tell capitals from small letters in names.
    fn same(&self, one: &str, other: &str) -> bool {
        one == other || (!self.catalogue.postgres && one.eq_ignore_ascii_case(other))
    }

    fn fault(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let path = format!("players.{path}");
        self.faults.push(Fault { path, message: message.into(), help: help.into() });
    }
}
