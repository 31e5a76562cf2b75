//! SQLite's catalogue: declared types are hints, and ids may be given again.

use crate::ledger::errors::Result;
use crate::ledger::sql::{Row, Tx, values};

use super::catalogue::{Catalogue, ColumnFacts, Kind, TableFacts};
use super::keys;

/// Reads what SQLite says of a table.
pub(super) async fn read(tx: &mut Tx, schema: Option<&str>, name: &str) -> Result<Catalogue> {
    let mut catalogue = Catalogue { postgres: false, table: None, others: Vec::new(), no_room: None };
    let sql = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND name = $1 COLLATE NOCASE";
    let found = tx.row(sql, values![name]).await?.filter(|_| schema.is_none_or(|schema| schema == "main"));
    let Some(found) = found else {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                   AND name NOT LIKE 'tourney\\_%' ESCAPE '\\' ORDER BY name LIMIT 20";
        let others = tx.rows(sql, values![]).await?;
        catalogue.others = others.iter().map(|row| row.must_text(0)).collect::<Result<_>>()?;
        return Ok(catalogue);
    };
    let (name, kind, without_rowid) = (found.must_text(0)?, found.must_text(1)?, found.must_int(2)? != 0);
    let text = tx.row("SELECT sql FROM sqlite_master WHERE name = $1", values![name.as_str()]).await?;
    let text = text.map(|row| row.text(0)).transpose()?.flatten().unwrap_or_default();
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo($1) ORDER BY cid";
    let rows = tx.rows(sql, values![name.as_str()]).await?;
    let keys = rows.iter().map(|row| row.must_int(4)).collect::<Result<Vec<_>>>()?;
    let one_key = keys.iter().filter(|key| **key > 0).count() == 1;
    let columns = rows.iter().map(|row| column(row, one_key && !without_rowid, &text)).collect::<Result<Vec<_>>>()?;
    let unique = unique_columns(tx, &name).await?;
    let columns: Vec<_> = columns.into_iter().map(|facts| facts.unique_among(&unique)).collect();
    let (refers, takes_along) = keys::sqlite(tx, &name).await?;
    let counted = text.to_ascii_uppercase().contains("AUTOINCREMENT");
    let no_table = (kind != "table").then(|| format!("a {kind}"));
    catalogue.table = Some(TableFacts {
        no_table,
        reuses_ids: one_key && !without_rowid && !counted && keys_are_rowids(&rows)?,
        columns,
        may_delete: true,
        hides_rows: false,
        refers,
        takes_along,
        closed_schema: None,
    });
    Ok(catalogue)
}

/// Columns that have a unique index of their own; a primary key other than the row number has one too.
async fn unique_columns(tx: &mut Tx, table: &str) -> Result<Vec<String>> {
    let sql = "SELECT (SELECT name FROM pragma_index_info(l.name)) FROM pragma_index_list($1) l \
               WHERE l.\"unique\" = 1 AND l.partial = 0 AND (SELECT COUNT(*) FROM pragma_index_info(l.name)) = 1";
    let rows = tx.rows(sql, values![table]).await?;
    Ok(rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

impl ColumnFacts {
    fn unique_among(mut self, unique: &[String]) -> Self {
        self.unique |= unique.contains(&self.name);
        self
    }
}

/// Whether the primary key is SQLite's own row number: a single column, declared as INTEGER and nothing else.
fn keys_are_rowids(rows: &[Row]) -> Result<bool> {
    for row in rows {
        if row.must_int(4)? > 0 {
            return Ok(row.must_text(1)?.eq_ignore_ascii_case("INTEGER"));
        }
    }
    Ok(false)
}

fn column(row: &Row, may_be_rowid: bool, table: &str) -> Result<ColumnFacts> {
    let (name, shown, key) = (row.must_text(0)?, row.must_text(1)?, row.must_int(4)? > 0);
    let rowid = key && may_be_rowid && shown.eq_ignore_ascii_case("INTEGER");
    let numbers: Vec<&str> = shown.split(['(', ')', ',']).skip(1).map(str::trim).collect();
    let kind = kind_of(&shown);
    Ok(ColumnFacts {
        kind,
        type_path: Vec::new(),
        words: checked(table, &name),
        length: numbers.first().filter(|_| kind == Kind::Text).and_then(|n| n.parse().ok()),
        scale: numbers.get(1).filter(|_| kind == Kind::Number).and_then(|n| n.parse().ok()),
        not_null: row.must_int(2)? != 0 || key,
        has_default: row.text(3)?.is_some() || rowid,
        generated: row.must_int(5)? != 0,
        lacks: Vec::new(),
        locked_sequence: None,
        unique: key && may_be_rowid,
        name,
        shown,
    })
}

/// SQLite's rules of affinity, and what applications mean by a name beyond them.
fn kind_of(declared: &str) -> Kind {
    let upper = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    match () {
        () if has(&["INT"]) => Kind::Integer,
        () if has(&["CHAR", "CLOB", "TEXT", "UUID"]) => Kind::Text,
        () if upper.is_empty() || has(&["BLOB", "ANY", "JSON"]) => Kind::Other,
        () if has(&["REAL", "FLOA", "DOUB"]) => Kind::Float,
        () if has(&["DATE", "TIME"]) => Kind::Loose,
        () if has(&["NUM", "DEC"]) => Kind::Number,
        () => Kind::Other,
    }
}

/// The words that a check of the form `column IN ('a', 'b')` allows; none where there is no such check.
fn checked(table: &str, column: &str) -> Vec<String> {
    let lower = table.to_ascii_lowercase();
    let checks = lower.match_indices("check").map(|(at, word)| &table[at + word.len()..]);
    let list = checks.filter_map(|text| list_of(text, column)).next().unwrap_or_default();
    list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What stands between the inner brackets of `(column IN (…))`.
fn list_of<'t>(text: &'t str, column: &str) -> Option<&'t str> {
    const QUOTES: [char; 4] = ['"', '`', '[', ']'];
    let text = text.trim_start().strip_prefix('(')?.trim_start().trim_start_matches(QUOTES);
    let text = text.get(..column.len())?.eq_ignore_ascii_case(column).then(|| &text[column.len()..])?;
    let text = text.trim_start_matches(QUOTES).trim_start();
    let text = text.get(..2)?.eq_ignore_ascii_case("in").then(|| &text[2..])?;
    text.trim_start().strip_prefix('(')?.split(')').next()
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn a_check_that_chooses_among_words_tells_them() {
        let table = "CREATE TABLE o (state TEXT CHECK (\"State\" IN ('New', 'Paid')), n INT CHECK (n > 0))";
        assert_eq!(checked(table, "state"), ["New", "Paid"]);
        assert_eq!(checked(table, "n"), [""; 0]);
    }
}
