//! What the database's own catalogue says of a table: plain data, read without touching anything.

use crate::ledger::errors::Result;
use crate::ledger::sql::{Row, Tx, values};

use super::keys::{self, Refers};

/// What the catalogue says.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// Whether it is PostgreSQL's.
    pub(super) postgres: bool,
    /// The table; none where there is none of this name.
    pub(super) table: Option<TableFacts>,
    /// The tables there are.
    pub(super) others: Vec<String>,
    /// The schema in which tourney's own tables could not be made, if so.
    pub(super) no_room: Option<String>,
}

impl Catalogue {
    /// What to name in place of a table that is not there.
    pub(super) fn instead(&self) -> String {
        match self.others.as_slice() {
            [] => "the database has no table: is it the right one?".to_owned(),
            others => format!("name one that is there: {}", others.join(", ")),
        }
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct TableFacts {
    /// What it is where it is no table: a view.
    pub(super) no_table: Option<String>,
    /// Its columns, in their order.
    pub(super) columns: Vec<ColumnFacts>,
    /// Whether we may delete rows.
    pub(super) may_delete: bool,
    /// Whether rows may be kept from us that others see.
    pub(super) hides_rows: bool,
    /// Its schema, where we may not enter it.
    pub(super) closed_schema: Option<String>,
    /// Whether the database may give the id of a deleted row again.
    pub(super) reuses_ids: bool,
    /// Its foreign keys of one column.
    pub(super) refers: Vec<Refers>,
    /// Tables whose rows the database itself deletes or empties with an order.
    pub(super) takes_along: Vec<String>,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct ColumnFacts {
    pub(super) name: String,
    /// Its type as people write it.
    pub(super) shown: String,
    pub(super) kind: Kind,
    /// Schema and name of its type, for a cast.
    pub(super) type_path: Vec<String>,
    /// Labels of an enum, or the words that a check allows.
    pub(super) words: Vec<String>,
    /// How many characters it takes.
    pub(super) length: Option<usize>,
    /// How many decimals it keeps.
    pub(super) scale: Option<u32>,
    pub(super) not_null: bool,
    /// Whether the database gives a value where none is written.
    pub(super) has_default: bool,
    /// Whether nobody but the database may write it.
    pub(super) generated: bool,
    /// Whether one of the three is not granted: SELECT, INSERT, UPDATE.
    pub(super) lacks: Vec<&'static str>,
    /// The sequence behind its default, where we may not use it.
    pub(super) locked_sequence: Option<String>,
    /// Whether no two rows have the same value in it.
    pub(super) unique: bool,
}

/// What kind of values a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Float,
    Uuid,
    Enum,
    Zoned,
    Plain,
    Day,
    /// SQLite's DATETIME and its like: a text or a number, as the application writes it.
    Loose,
    Other,
}

/// Reads the catalogue about a table, whose name stands in its parts.
pub(super) async fn read(tx: &mut Tx, table: &[String]) -> Result<Catalogue> {
    let (schema, name) = match table {
        [schema, name] => (Some(schema.as_str()), name.as_str()),
        _ => (None, table.last().map_or("", String::as_str)),
    };
    match tx {
        Tx::Postgres(_) => postgres(tx, schema, name).await,
        Tx::Sqlite(_) => super::sqlite::read(tx, schema, name).await,
    }
}

const TABLE: &str = "SELECT CAST(c.oid AS BIGINT), CAST(c.relkind AS TEXT), \
     CAST(has_table_privilege(c.oid, 'DELETE') AS TEXT), CAST(row_security_active(c.oid) AS TEXT), \
     CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN CAST(n.nspname AS TEXT) END \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
     AND (n.nspname = $2 OR ($2 IS NULL AND pg_table_is_visible(c.oid)))";

const OTHERS: &str = "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') \
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' \
     AND c.relname NOT LIKE 'tourney\\_%' ORDER BY 1 LIMIT 20";

/// Everything as text. A domain counts as what it is made of. Indexes depend on a column as its sequence does, and may not be
/// asked for a sequence's rights: only CASE keeps the order.
const COLUMNS: &str = "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod), CAST(b.typname AS TEXT), \
     CAST(n.nspname AS TEXT), CAST(b.typtype AS TEXT), CAST(b.typcategory AS TEXT), \
     CAST(a.attnotnull OR t.typnotnull AS TEXT), \
     CAST(a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS TEXT), \
     CAST(a.attidentity = 'a' OR a.attgenerated <> '' AS TEXT), \
     CAST(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS BIGINT), \
     CAST(has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS TEXT), \
     CAST(has_column_privilege(a.attrelid, a.attnum, 'INSERT') AS TEXT), \
     CAST(has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS TEXT), \
     (SELECT string_agg(e.enumlabel, chr(10) ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = b.oid), \
     (SELECT string_agg(pg_get_constraintdef(k.oid), chr(10)) FROM pg_constraint k WHERE k.contype = 'c' \
         AND ((k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum]) OR k.contypid = t.oid)), \
     (SELECT CAST(s.oid AS regclass)::TEXT FROM pg_depend d JOIN pg_class s ON s.oid = d.objid \
         WHERE d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'a' \
         AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END LIMIT 1), \
     CAST(EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1 \
         AND i.indpred IS NULL AND i.indkey[0] = a.attnum) AS TEXT) \
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
     JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
     JOIN pg_namespace n ON n.oid = b.typnamespace \
     WHERE CAST(a.attrelid AS BIGINT) = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Whether tourney's own tables stand, or could be made.
const ROOM: &str = "SELECT COALESCE(CAST(current_schema() AS TEXT), 'public'), \
     CAST(to_regclass('tourney_ledger') IS NOT NULL \
         OR COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS TEXT)";

async fn postgres(tx: &mut Tx, schema: Option<&str>, name: &str) -> Result<Catalogue> {
    let mut catalogue = Catalogue { postgres: true, table: None, others: Vec::new(), no_room: None };
    if let Some(room) = tx.row(ROOM, values![]).await?
        && !yes(&room, 1)?
    {
        catalogue.no_room = room.text(0)?;
    }
    let Some(found) = tx.row(TABLE, values![name, schema]).await? else {
        let others = tx.rows(OTHERS, values![]).await?;
        catalogue.others = others.iter().map(|row| row.must_text(0)).collect::<Result<_>>()?;
        return Ok(catalogue);
    };
    let no_table = match found.must_text(1)?.as_str() {
        "r" | "p" => None,
        "f" => Some("a foreign table".to_owned()),
        _ => Some("a view".to_owned()),
    };
    let oid = found.must_int(0)?;
    let rows = tx.rows(COLUMNS, values![oid]).await?;
    let columns = rows.iter().map(column).collect::<Result<_>>()?;
    let (may_delete, hides_rows, closed_schema) = (yes(&found, 2)?, yes(&found, 3)?, found.text(4)?);
    let (refers, takes_along) = keys::postgres(tx, oid).await?;
    catalogue.table = Some(TableFacts {
        no_table,
        columns,
        may_delete,
        hides_rows,
        closed_schema,
        reuses_ids: false,
        refers,
        takes_along,
    });
    Ok(catalogue)
}

fn column(row: &Row) -> Result<ColumnFacts> {
    let (plain, schema) = (row.must_text(2)?, row.must_text(3)?);
    let kind = kind_of(&plain, &row.must_text(4)?, &row.must_text(5)?);
    let modifier = row.int(9)?.filter(|modifier| *modifier >= 4).map(|modifier| modifier - 4);
    let labels = row.text(13)?.map(|labels| labels.lines().map(str::to_owned).collect());
    let checked = row.text(14)?.map(|check| words_of(&check)).unwrap_or_default();
    let grants = [(10, "SELECT"), (11, "INSERT"), (12, "UPDATE")];
    let mut lacks = Vec::new();
    for (at, right) in grants {
        if !yes(row, at)? {
            lacks.push(right);
        }
    }
    Ok(ColumnFacts {
        name: row.must_text(0)?,
        shown: row.must_text(1)?,
        kind,
        type_path: vec![schema, plain],
        words: labels.unwrap_or(checked),
        length: modifier.filter(|_| kind == Kind::Text).and_then(|n| usize::try_from(n).ok()),
        scale: modifier.filter(|_| kind == Kind::Number).and_then(|n| u32::try_from(n & 0x7ff).ok()),
        not_null: yes(row, 6)?,
        has_default: yes(row, 7)?,
        generated: yes(row, 8)?,
        lacks,
        locked_sequence: row.text(15)?,
        unique: yes(row, 16)?,
    })
}

fn kind_of(plain: &str, typtype: &str, category: &str) -> Kind {
    match (plain, typtype, category) {
        (_, "e", _) => Kind::Enum,
        ("int2" | "int4" | "int8", ..) => Kind::Integer,
        ("numeric", ..) => Kind::Number,
        ("float4" | "float8" | "money", ..) => Kind::Float,
        ("uuid", ..) => Kind::Uuid,
        ("timestamptz", ..) => Kind::Zoned,
        ("timestamp", ..) => Kind::Plain,
        ("date", ..) => Kind::Day,
        (_, "b", "S") => Kind::Text,
        _ => Kind::Other,
    }
}

fn yes(row: &Row, column: usize) -> Result<bool> {
    Ok(row.text(column)?.as_deref() == Some("true"))
}

/// The words among which a check makes a column choose; none where it says anything else.
fn words_of(check: &str) -> Vec<String> {
    let upper = check.to_ascii_uppercase();
    let chooses = ["= ANY", " IN (", " IN("].iter().any(|word| upper.contains(word));
    if !chooses || ["NOT ", "<>", "!=", " LIKE ", "~"].iter().any(|word| upper.contains(word)) {
        return Vec::new();
    }
    check.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::words_of;

    #[test]
    fn a_check_that_chooses_among_words_tells_them() {
        let check =
            "CHECK (((status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[])))";
        assert_eq!(words_of(check), ["new", "paid"]);
        assert_eq!(words_of("CHECK (status IN ('a', 'b'))"), ["a", "b"]);
        assert_eq!(words_of("CHECK ((status <> ''::text))"), [""; 0]);
    }
}
