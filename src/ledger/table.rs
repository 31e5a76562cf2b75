//! The orders table as statements, compiled from a mapping: names are checked and quoted, values are parameters.

use rust_decimal::Decimal;

use crate::domain::{AttemptId, Currency, Money, OrderStatus, Registration, Seen, TournamentId};

use super::LedgerError;
use super::attempts::{order_id, order_uuid};
use super::errors::{Result, rejected};
use super::links;
use super::mapping::{AmountUnit, Column, IdSource, Mapping};
use super::sql::Value;
use super::statement::{Statement, Text, encode, quoted, quoted_path, read_as_text};

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
        let name = quoted_path(&mapping.table)?;
        let mut table = Self { mapping, name, select: String::new() };
        let mut read = Vec::new();
        for field in READ {
            read.push(match table.column(field) {
                Some(column) => read_as_text(column)?,
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
        let unwritten = |field: &Field| !cells.iter().any(|(written, _)| written == field);
        let blank = [Field::Session, Field::PaymentIntent, Field::Url].into_iter().filter(unwritten);
        let blank = blank.filter_map(|field| self.column(field)).filter(|column| column.blank);
        let mapped = mapped.chain(blank.map(|column| (column, Value::Text(None))));
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
            let name = quoted(&column.name)?;
            if matches!(field, Field::Session | Field::PaymentIntent) && *value == Value::Text(None) {
                // Applications write none as NULL or as an empty text, and both are read as none.
                text.push(&format!("{glue}({name} IS NULL OR {name} = '')"));
            } else if let (Field::Status, Value::Text(Some(word))) = (field, value) {
                text.push(&format!("{glue}{name} IN ("));
                self.synonyms(text, column, word)?;
                text.push(")");
            } else {
                text.push(&format!("{glue}{name} = "));
                text.param(column, encode(column, value.clone())?)?;
            }
            glue = " AND ";
        }
        if glue.is_empty() {
            return Err(rejected("a statement without a condition would touch every order"));
        }
        Ok(())
    }

    /// A status is what it is by any of the table's words for it.
    fn synonyms(&self, text: &mut Text, column: &Column, word: &str) -> Result<()> {
        let statuses = &self.mapping.statuses;
        let words = statuses.status(word).map(|status| statuses.words(status)).unwrap_or_default();
        for (at, word) in words.iter().enumerate() {
            text.push(if at == 0 { "" } else { ", " });
            text.param(column, encode(column, Value::from(word.as_str()))?)?;
        }
        Ok(())
    }

    /// What a write must find unchanged, as conditions.
    pub(super) fn seen(&self, seen: &Seen) -> Result<Vec<Cell>> {
        let mut cells = self.registration(None, &seen.registration);
        cells.extend([
            (Field::Id, Value::from(&seen.id)),
            self.amount(seen.amount),
            self.currency(seen.amount.currency),
            self.status(seen.status)?,
            (Field::Session, links::in_column(seen.session.as_ref())),
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

    /// A currency as the table writes it.
    pub(super) fn currency(&self, currency: Currency) -> Cell {
        let code = currency.code();
        let code = if self.mapping.capital_currency { code.to_ascii_uppercase() } else { code.to_owned() };
        (Field::Currency, Value::from(code))
    }

    /// The id of an attempt's new order, where we give it.
    pub(super) fn new_id(&self, attempt: &AttemptId) -> Option<Cell> {
        let id = match self.mapping.ids {
            IdSource::Ours => order_id(attempt).to_string(),
            IdSource::OursUuid => order_uuid(attempt),
            IdSource::OursHex => order_uuid(attempt).replace('-', ""),
            IdSource::Database => return None,
        };
        Some((Field::Id, Value::from(id)))
    }
}
