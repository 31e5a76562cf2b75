//! SQL text with its parameters: names are checked and quoted, values are never text of a statement.

use std::str::FromStr;

use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;

use super::errors::{Result, rejected};
use super::mapping::{Codec, Column, Holds};
use super::sql::Value;
use super::times::TimeForm;

/// PostgreSQL cuts longer names.
const LONGEST_NAME: usize = 63;

/// A compiled statement and its parameters.
pub(super) type Statement = (AssertSqlSafe<String>, Vec<Value>);

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> Result<String> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(rejected(format!("{name:?} is no name of a table or column")));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A name in its parts, each in double quotes.
pub(super) fn quoted_path(parts: &[String]) -> Result<String> {
    Ok(parts.iter().map(|part| quoted(part)).collect::<Result<Vec<_>>>()?.join("."))
}

/// The expression that reads a column as text; a moment of PostgreSQL's as its seconds.
pub(super) fn read_as_text(column: &Column) -> Result<String> {
    let name = quoted(&column.name)?;
    Ok(match &column.codec {
        Codec::Time(TimeForm::Zoned | TimeForm::Plain | TimeForm::Day) => format!(
            "CASE WHEN isfinite({name}) THEN CAST(CAST(FLOOR(EXTRACT(EPOCH FROM {name})) AS BIGINT) AS TEXT) END"
        ),
        _ => format!("CAST({name} AS TEXT)"),
    })
}

/// A value as its column's parameter takes it.
pub(super) fn encode(column: &Column, value: Value) -> Result<Value> {
    let value = match value {
        Value::Text(Some(text)) if column.longest.is_some_and(|most| text.chars().count() > most) => Value::Text(None),
        value => value,
    };
    let misfit = |text: &str, what: &str| rejected(format!("{text:?} does not fit the {what} column {}", column.name));
    match (&column.codec, value) {
        (_, Value::Text(None)) if column.blank => Ok(Value::from("")),
        (Codec::Integer, Value::Text(Some(text))) => {
            text.parse::<i64>().map(Value::from).map_err(|_| misfit(&text, "integer"))
        }
        (Codec::Integer, Value::Text(None)) => Ok(Value::Int(None)),
        (Codec::Time(form), Value::Int(Some(seconds))) => {
            form.write(seconds).ok_or_else(|| misfit(&seconds.to_string(), "time"))
        }
        (Codec::Time(TimeForm::Text { .. }), Value::Int(None)) => Ok(Value::Text(None)),
        (Codec::Text | Codec::Typed(_), Value::Int(n)) => encode(column, Value::Text(n.map(|n| n.to_string()))),
        (Codec::Typed(name), Value::Text(Some(text))) => {
            let what = name.parts.last().map_or("", String::as_str);
            if name.holds.takes(&text) { Ok(Value::from(text)) } else { Err(misfit(&text, what)) }
        }
        (_, value) => Ok(value),
    }
}

impl Holds {
    /// Whether a text is a value of the type.
    pub(super) fn takes(&self, text: &str) -> bool {
        match self {
            Self::Words(words) => words.iter().any(|word| word == text),
            Self::Uuid => is_uuid(text),
            Self::Number => Decimal::from_str(text).is_ok(),
            Self::Anything => true,
        }
    }
}

/// 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().chars().all(|c| c.is_ascii_hexdigit())
}

/// SQL text with its parameters.
pub(super) struct Text {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Text {
    pub(super) fn new(sql: String) -> Self {
        Self { sql, values: Vec::new() }
    }

    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// The next parameter, cast to its column's type: never the column to the parameter's, or no index would serve.
    pub(super) fn param(&mut self, column: &Column, value: Value) -> Result<()> {
        self.values.push(value);
        let slot = format!("${}", self.values.len());
        let moment = format!("to_timestamp(CAST({slot} AS double precision))");
        let sql = match &column.codec {
            Codec::Typed(name) => format!("CAST({slot} AS {})", quoted_path(&name.parts)?),
            Codec::Time(TimeForm::Zoned) => moment,
            Codec::Time(TimeForm::Plain) => format!("({moment} AT TIME ZONE 'UTC')"),
            Codec::Time(TimeForm::Day) => format!("CAST({moment} AT TIME ZONE 'UTC' AS date)"),
            Codec::Text | Codec::Integer | Codec::Time(_) => slot,
        };
        self.sql.push_str(&sql);
        Ok(())
    }

    pub(super) fn finish(self) -> Statement {
        (AssertSqlSafe(self.sql), self.values)
    }
}
