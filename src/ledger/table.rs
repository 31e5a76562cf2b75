//! The orders table as statements, compiled from a mapping: names are checked and quoted, values are parameters.

use std::str::FromStr;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;

use crate::domain::{
    Currency, FeeId, Id, Money, Order, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, Seen, SessionId,
    TournamentId,
};

use super::LedgerError;
use super::errors::{Result, rejected};
use super::mapping::{AmountUnit, Codec, Column, IdSource, Mapping};
use super::sql::{Row, Value};

/// PostgreSQL cuts longer names.
const LONGEST_NAME: usize = 63;

/// A field of an order, wherever its column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Tournament,
    Player,
    Fee,
    Amount,
    Currency,
    Status,
    Session,
    PaymentIntent,
    Url,
    ExpiresAt,
    CreatedAt,
    UpdatedAt,
}

/// What is read of an order, in this order.
const READ: [Field; 11] = [
    Field::Id,
    Field::Tournament,
    Field::Player,
    Field::Fee,
    Field::Amount,
    Field::Currency,
    Field::Status,
    Field::Session,
    Field::PaymentIntent,
    Field::Url,
    Field::CreatedAt,
];

/// A field with its value; a field that is not mapped is passed over.
pub(super) type Cell = (Field, Value);

/// A compiled statement and its parameters.
pub(super) type Statement = (AssertSqlSafe<String>, Vec<Value>);

/// An order as it was read, with its tournament where the table says it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) order: Order,
    pub(super) tournament: Option<TournamentId>,
}

/// The orders table.
#[derive(Debug)]
pub(super) struct Table {
    mapping: Mapping,
    name: String,
    select: String,
}

impl Table {
    /// Checks and quotes every name of a mapping.
    pub(super) fn compile(mapping: Mapping) -> std::result::Result<Self, LedgerError> {
        let name = mapping.table.iter().map(|part| quoted(part)).collect::<Result<Vec<_>>>()?.join(".");
        let mut table = Self { mapping, name, select: String::new() };
        let mut read = Vec::new();
        for field in READ {
            read.push(match table.column(field) {
                Some(column) => format!("CAST({} AS TEXT)", quoted(&column.name)?),
                None => "CAST(NULL AS TEXT)".to_owned(),
            });
        }
        for (column, _) in &table.mapping.insert {
            quoted(&column.name)?;
        }
        table.select = format!("SELECT {} FROM {}", read.join(", "), table.name);
        Ok(table)
    }

    /// The mapping it was compiled from.
    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The table's name, quoted.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn column(&self, field: Field) -> Option<&Column> {
        let columns = &self.mapping.columns;
        match field {
            Field::Id => Some(&columns.id),
            Field::Tournament => columns.tournament.as_ref(),
            Field::Player => Some(&columns.player),
            Field::Fee => Some(&columns.fee),
            Field::Amount => Some(&columns.amount),
            Field::Currency => columns.currency.as_ref(),
            Field::Status => Some(&columns.status),
            Field::Session => Some(&columns.session),
            Field::PaymentIntent => Some(&columns.payment_intent),
            Field::Url => columns.url.as_ref(),
            Field::ExpiresAt => columns.expires_at.as_ref(),
            Field::CreatedAt => columns.created_at.as_ref(),
            Field::UpdatedAt => columns.updated_at.as_ref(),
        }
    }

    /// Whether a field has a column.
    pub(super) fn maps(&self, field: Field) -> bool {
        self.column(field).is_some()
    }

    /// The orders for which every cell holds.
    pub(super) fn select(&self, when: &[Cell]) -> Result<Statement> {
        self.select_as(self.select.clone(), when)
    }

    /// The rows for which every cell holds, through a SELECT of the caller's own names.
    pub(super) fn select_as(&self, select: String, when: &[Cell]) -> Result<Statement> {
        let mut text = Text::new(select + " WHERE ");
        self.conditions(&mut text, when)?;
        text.push(&format!(" ORDER BY {}", quoted(&self.mapping.columns.id.name)?));
        Ok(text.finish())
    }

    /// The orders for which any of the cells holds; a value that its column cannot hold matches nothing.
    pub(super) fn select_any(&self, cells: &[Cell]) -> Result<Statement> {
        let mut text = Text::new(format!("{} WHERE ", self.select));
        let mut glue = "";
        for (field, value) in cells {
            let Some(column) = self.column(*field) else { continue };
            let Ok(value) = encode(column, value.clone()) else { continue };
            text.push(&format!("{glue}{} = ", quoted(&column.name)?));
            text.param(column, value)?;
            glue = " OR ";
        }
        if glue.is_empty() {
            text.push("1 = 0");
        }
        text.push(&format!(" ORDER BY {}", quoted(&self.mapping.columns.id.name)?));
        Ok(text.finish())
    }

    /// A new row; answers with its id.
    pub(super) fn insert(&self, cells: &[Cell]) -> Result<Statement> {
        let constants = self.mapping.insert.iter().map(|(column, text)| (column, Value::from(text.as_str())));
        let mapped = cells.iter().filter_map(|(field, value)| Some((self.column(*field)?, value.clone())));
        let mut text = Text::new(format!("INSERT INTO {} (", self.name));
        let mut slots = Text::new(String::new());
        for (at, (column, value)) in mapped.chain(constants).enumerate() {
            let glue = if at == 0 { "" } else { ", " };
            text.push(&format!("{glue}{}", quoted(&column.name)?));
            slots.push(glue);
            slots.param(column, encode(column, value)?)?;
        }
        let id = quoted(&self.mapping.columns.id.name)?;
        text.push(&format!(") VALUES ({}) RETURNING CAST({id} AS TEXT)", slots.sql));
        text.values = slots.values;
        Ok(text.finish())
    }

    /// Writes cells where others hold.
    pub(super) fn update(&self, set: &[Cell], when: &[Cell]) -> Result<Statement> {
        let mut text = Text::new(format!("UPDATE {} SET ", self.name));
        let mut glue = "";
        for (field, value) in set {
            let Some(column) = self.column(*field) else { continue };
            text.push(&format!("{glue}{} = ", quoted(&column.name)?));
            text.param(column, encode(column, value.clone())?)?;
            glue = ", ";
        }
        text.push(" WHERE ");
        self.conditions(&mut text, when)?;
        Ok(text.finish())
    }

    /// Deletes where cells hold.
    pub(super) fn delete(&self, when: &[Cell]) -> Result<Statement> {
        let mut text = Text::new(format!("DELETE FROM {} WHERE ", self.name));
        self.conditions(&mut text, when)?;
        Ok(text.finish())
    }

    fn conditions(&self, text: &mut Text, when: &[Cell]) -> Result<()> {
        let mut glue = "";
        for (field, value) in when {
            let Some(column) = self.column(*field) else { continue };
            let nullable = matches!(field, Field::Session | Field::PaymentIntent);
            let operator = if nullable { "IS NOT DISTINCT FROM" } else { "=" };
            text.push(&format!("{glue}{} {operator} ", quoted(&column.name)?));
            text.param(column, encode(column, value.clone())?)?;
            glue = " AND ";
        }
        if glue.is_empty() {
            return Err(rejected("a statement without a condition would touch every order"));
        }
        Ok(())
    }

    /// What a write must find unchanged, as conditions.
    pub(super) fn seen(&self, seen: &Seen) -> Result<Vec<Cell>> {
        let mut cells = self.registration(None, &seen.registration);
        cells.extend([
            (Field::Id, Value::from(&seen.id)),
            self.amount(seen.amount),
            (Field::Currency, Value::from(seen.amount.currency.code())),
            self.status(seen.status)?,
            (Field::Session, Value::from(seen.session.as_ref())),
            (Field::PaymentIntent, Value::from(seen.payment_intent.as_ref())),
        ]);
        Ok(cells)
    }

    /// A registration, of a tournament where it is given, as cells.
    pub(super) fn registration(&self, tournament: Option<&TournamentId>, registration: &Registration) -> Vec<Cell> {
        let mut cells =
            vec![(Field::Player, Value::from(&registration.player)), (Field::Fee, Value::from(&registration.fee))];
        cells.extend(tournament.map(|id| (Field::Tournament, Value::from(id))));
        cells
    }

    /// A status in the table's words.
    pub(super) fn status(&self, status: OrderStatus) -> Result<Cell> {
        let word = self.mapping.statuses.word(status);
        let word = word.ok_or_else(|| {
            rejected(format!("the orders table has no word for {status}: name one under `statuses` in its mapping"))
        })?;
        Ok((Field::Status, Value::from(word)))
    }

    /// An amount in the table's unit.
    pub(super) fn amount(&self, amount: Money) -> Cell {
        let value = match self.mapping.amount {
            AmountUnit::Minor => Value::from(amount.minor),
            AmountUnit::Major => Decimal::new(amount.minor, amount.currency.exponent()).to_string().into(),
        };
        (Field::Amount, value)
    }

    /// The id of a new order, where we give it.
    pub(super) fn new_id(&self, id: &OrderId) -> Option<Cell> {
        (self.mapping.ids == IdSource::Ours).then(|| (Field::Id, Value::from(id)))
    }

    /// Reads a row of [`Table::select`].
    pub(super) fn read(&self, row: &Row) -> Result<Stored> {
        let id = OrderId(id_of(&row.must_text(0)?, "order")?);
        let wrong = |what: &str, text: &str| rejected(format!("order {id} has the {what} {text:?}, which is none"));
        let currency = match (row.text(5)?, self.mapping.currency) {
            (Some(code), _) => Currency::parse(&code).map_err(|_| wrong("currency", &code))?,
            (None, Some(currency)) => currency,
            (None, None) => return Err(wrong("currency", "")),
        };
        let amount = row.must_text(4)?;
        let minor = self.minor(&amount, currency).ok_or_else(|| wrong("amount", &amount))?;
        let word = row.must_text(6)?;
        let status = self.mapping.statuses.status(&word).ok_or_else(|| {
            rejected(format!("order {id} has the status {word:?}: name it under `statuses` in the mapping"))
        })?;
        let registration = Registration {
            player: PlayerId(id_of(&row.must_text(2)?, "player")?),
            fee: FeeId(id_of(&row.must_text(3)?, "fee")?),
        };
        let created_at =
            row.text(10)?.and_then(|text| text.parse().ok()).and_then(|at| Timestamp::from_second(at).ok());
        let tournament = row.text(1)?.map(|text| id_of(&text, "tournament")).transpose()?.map(TournamentId);
        let order = Order {
            id,
            registration,
            amount: Money::new(minor, currency),
            status,
            session: row.text(7)?.filter(|text| !text.is_empty()).map(SessionId),
            payment_intent: row.text(8)?.filter(|text| !text.is_empty()).map(PaymentIntentId),
            url: row.text(9)?.filter(|text| !text.is_empty()),
            created_at,
        };
        Ok(Stored { order, tournament })
    }

    fn minor(&self, text: &str, currency: Currency) -> Option<i64> {
        match self.mapping.amount {
            AmountUnit::Minor => text.parse().ok(),
            AmountUnit::Major => {
                let major = Decimal::from_str(text).ok()?;
                let minor = major.checked_mul(Decimal::from(10_i64.pow(currency.exponent())))?;
                minor.is_integer().then(|| minor.normalize().to_string().parse().ok()).flatten()
            }
        }
    }
}

/// Reads an id column of any kind of ours.
pub(super) fn id_of(text: &str, what: &str) -> Result<Id> {
    Id::parse(text).map_err(|error| rejected(format!("the {what} id {text:?} cannot be read: {error}")))
}

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> Result<String> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(rejected(format!("{name:?} is no name of a table or column")));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A value as its column's parameter takes it.
fn encode(column: &Column, value: Value) -> Result<Value> {
    match (&column.codec, value) {
        (Codec::Integer, Value::Text(Some(text))) => {
            let n = text.parse::<i64>();
            n.map(Value::from)
                .map_err(|_| rejected(format!("{text:?} does not fit the integer column {}", column.name)))
        }
        (Codec::Integer, Value::Text(None)) => Ok(Value::Int(None)),
        (Codec::Text | Codec::Typed(_), Value::Int(n)) => Ok(Value::Text(n.map(|n| n.to_string()))),
        (_, value) => Ok(value),
    }
}

/// SQL text with its parameters.
struct Text {
    sql: String,
    values: Vec<Value>,
}

impl Text {
    fn new(sql: String) -> Self {
        Self { sql, values: Vec::new() }
    }

    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// The next parameter, cast to its column's type: never the column to the parameter's, or no index would serve.
    fn param(&mut self, column: &Column, value: Value) -> Result<()> {
        self.values.push(value);
        let slot = format!("${}", self.values.len());
        let sql = match &column.codec {
            Codec::Text | Codec::Integer => slot,
            Codec::Typed(name) => format!("CAST({slot} AS {})", quoted(name)?),
        };
        self.sql.push_str(&sql);
        Ok(())
    }

    fn finish(self) -> Statement {
        (AssertSqlSafe(self.sql), self.values)
    }
}
