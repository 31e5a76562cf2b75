//! Rows of the orders table as orders: what is out of scope is passed over, what has no meaning is named.

use std::collections::BTreeMap;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::domain::{
    Currency, FeeId, Id, Money, Order, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, SessionId,
    TournamentId,
};

use super::errors::{Failure, Result, rejected, unmapped};
use super::mapping::AmountUnit;
use super::sql::Row;
use super::table::Table;
use super::times;

/// An order as it was read, with its tournament where the table says it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) order: Order,
    pub(super) tournament: Option<TournamentId>,
}

impl Table {
    /// Reads rows of [`Table::select`]; those that are out of scope are passed over.
    pub(super) fn read_all(&self, rows: &[Row]) -> Result<Vec<Stored>> {
        let mut stored = Vec::with_capacity(rows.len());
        let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows {
            if !self.is_in_scope(row)? {
                continue;
            }
            let word = row.must_text(6)?;
            match self.mapping().statuses.status(&word) {
                Some(status) => stored.push(self.read(row, status)?),
                None => unknown.entry(word).or_default().push(row.must_text(0)?),
            }
        }
        if unknown.is_empty() { Ok(stored) } else { Err(self.no_meaning(&unknown)) }
    }

    /// Reads the row of an order that tourney's own claims give to the tournament, whenever it was made; none where it names
    /// nobody that a manifest could name.
    pub(super) fn read_claimed(&self, row: &Row) -> Result<Option<Stored>> {
        if !self.names_a_registration(row)? {
            return Ok(None);
        }
        let word = row.must_text(6)?;
        match self.mapping().statuses.status(&word) {
            Some(status) => self.read(row, status).map(Some),
            None => Err(self.no_meaning(&BTreeMap::from([(word, vec![row.must_text(0)?])]))),
        }
    }

    /// Whether such a row stands for money, nobody knows.
    fn no_meaning(&self, unknown: &BTreeMap<String, Vec<String>>) -> Failure {
        let shown = |(word, ids): (&String, &Vec<String>)| {
            let more = if ids.len() > 3 { ", …" } else { "" };
            format!("{word:?} ({}{more})", ids.iter().take(3).cloned().collect::<Vec<_>>().join(", "))
        };
        let words: Vec<String> = unknown.iter().map(shown).collect();
        let column = &self.mapping().columns.status.name;
        if self.mapping().make_table {
            return rejected(format!("orders have a {column} that is none: {}", words.join(", ")));
        }
        unmapped(format!(
            "orders.statuses: orders in scope have a {column} that no word of the mapping means: {}; name it under \
             `statuses`, where each status may have several words",
            words.join(", ")
        ))
    }

    /// As [`Table::read_all`], without rows in a state that the mapping does not use: where rows are looked up that may
    /// be no tournament's.
    pub(super) fn read_known(&self, rows: Vec<Row>) -> Result<Vec<Stored>> {
        let mut known = Vec::with_capacity(rows.len());
        for row in rows {
            if self.mapping().statuses.status(&row.must_text(6)?).is_some() {
                known.push(row);
            }
        }
        self.read_all(&known)
    }

    /// In an adopted table: made since the day from which on orders count, and a registration's at all.
    fn is_in_scope(&self, row: &Row) -> Result<bool> {
        if self.mapping().make_table {
            return Ok(true);
        }
        let id = row.must_text(0)?;
        if let Some(since) = self.mapping().since {
            let made = row.text(10)?.as_deref().and_then(times::read);
            let made = made.ok_or_else(|| {
                let column = self.mapping().columns.created_at.as_ref().map_or("created_at", |column| &column.name);
                rejected(format!("order {id} does not say when it was made: give it a time in {column}, or nobody knows whether it counts"))
            })?;
            if made < since {
                return Ok(false);
            }
        }
        self.names_a_registration(row)
    }

    fn names_a_registration(&self, row: &Row) -> Result<bool> {
        let is_id = |text: Option<String>| text.is_some_and(|text| Id::parse(&text).is_ok());
        let tournament = row.text(1)?;
        Ok(is_id(row.text(2)?) && is_id(row.text(3)?) && (tournament.is_none() || is_id(tournament)))
    }

    fn read(&self, row: &Row, status: OrderStatus) -> Result<Stored> {
        let id = OrderId(id_of(&row.must_text(0)?, "order")?);
        let wrong = |what: &str, text: &str| rejected(format!("order {id} has the {what} {text:?}, which is none"));
        let currency = match (row.text(5)?, self.mapping().currency) {
            (Some(code), _) => Currency::parse(&code).map_err(|_| wrong("currency", &code))?,
            (None, Some(currency)) => currency,
            (None, None) => {
                return Err(rejected(format!(
                    "no column says the currency of order {id}: name the manifest whose orders these are (--manifest FILE)"
                )));
            }
        };
        let amount = row.must_text(4)?;
        let minor = self.minor(&amount, currency).ok_or_else(|| self.no_amount(&id, &amount))?;
        let registration = Registration {
            player: PlayerId(id_of(&row.must_text(2)?, "player")?),
            fee: FeeId(id_of(&row.must_text(3)?, "fee")?),
        };
        let created_at = row.text(10)?.as_deref().and_then(times::read);
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

    fn no_amount(&self, id: &OrderId, amount: &str) -> Failure {
        if self.mapping().make_table {
            return rejected(format!("order {id} has the amount {amount:?}, which is none"));
        }
        let (unit, help) = match self.mapping().amount {
            AmountUnit::Minor => ("whole cents", "write `amount_unit: major`, if it holds whole currency units"),
            AmountUnit::Major => ("the currency's decimals", "mend it, or leave `amount_unit: major` out"),
        };
        unmapped(format!("orders.columns.amount: order {id} has the amount {amount:?}, which is not in {unit}: {help}"))
    }

    fn minor(&self, text: &str, currency: Currency) -> Option<i64> {
        match self.mapping().amount {
            // Decimals in a column of cents are dollars: they are not read as cents, even where they are zero.
            AmountUnit::Minor => text.parse().ok(),
            AmountUnit::Major => {
                let major = Decimal::from_str(text).ok()?;
                whole(major.checked_mul(Decimal::from(10_i64.pow(currency.exponent())))?)
            }
        }
    }
}

/// A decimal without a fraction as an integer.
fn whole(amount: Decimal) -> Option<i64> {
    amount.is_integer().then(|| amount.normalize().to_string().parse().ok()).flatten()
}

/// Reads an id column of any kind of ours.
pub(super) fn id_of(text: &str, what: &str) -> Result<Id> {
    let id = Id::parse(text).map_err(|error| rejected(format!("the {what} id {text:?} cannot be read: {error}")))?;
    if id.to_string() != text {
        return Err(rejected(format!(
            "the {what} id {text:?} cannot be told from {id}: it would be taken for that one"
        )));
    }
    Ok(id)
}
