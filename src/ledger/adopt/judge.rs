//! Judges a mapping by the catalogue, and makes the ledger's own mapping of it.

use crate::config::{MappedUnit, OrdersMapping};
use crate::domain::OrderStatus;
use crate::ledger::mapping::{AmountUnit, Column, Columns, IdSource, Mapping, StatusWords};
use crate::ledger::statement::is_uuid;

use super::catalogue::{Catalogue, ColumnFacts, Kind, TableFacts};
use super::codecs::{Role, codec, constant};
use super::{Fault, Judged, Samples, Terms, midnight};

/// What a new order's row is written with.
const INSERTED: [&str; 8] = ["player", "fee", "tournament", "amount", "currency", "status", "created_at", "updated_at"];
/// What is written afterwards.
const UPDATED: [&str; 7] = ["status", "session", "payment_intent", "url", "expires_at", "updated_at", "player"];
/// Columns in which an application may write none as an empty text.
const BLANK: [&str; 3] = ["session", "payment_intent", "url"];
/// The shortest columns that take what Stripe gives: `cs_test_…` has 66 characters, `pi_…` 27.
const SHORTEST: [(&str, usize); 2] = [("session", 66), ("payment_intent", 27)];
/// The length of an id that we give.
const OUR_ID: usize = 30;

/// The judgement of one mapping.
pub(super) struct Judge<'a> {
    pub(super) orders: &'a OrdersMapping,
    pub(super) catalogue: &'a Catalogue,
    pub(super) terms: Option<&'a Terms>,
    samples: Samples,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        orders: &'a OrdersMapping,
        catalogue: &'a Catalogue,
        terms: Option<&'a Terms>,
        samples: Samples,
    ) -> Self {
        Self { orders, catalogue, terms, samples, faults: Vec::new() }
    }

    pub(super) fn fault(&mut self, path: impl AsRef<str>, message: impl Into<String>, help: impl Into<String>) {
        let path = format!("orders.{}", path.as_ref());
        self.faults.push(Fault { path, message: message.into(), help: help.into() });
    }

    /// The mapping, or everything that cannot work.
    pub(super) fn finish(mut self) -> Judged {
        self.room();
        let catalogue = self.catalogue;
        let Some(table) = &catalogue.table else {
            self.no_such_table();
            return Err(self.faults);
        };
        let columns = self.columns(table);
        let ids = self.ids(table);
        self.twice();
        self.scope();
        self.statuses();
        self.retiring(table);
        self.endless();
        self.left_out(table);
        self.granted(table);
        self.contents();
        let insert = self.constants(table);
        if let Some(columns) = &columns {
            self.manifest(columns);
        }
        match (columns, ids, self.faults.is_empty()) {
            (Some(columns), Some(ids), true) => Ok(self.mapping(table, columns, ids, insert)),
            _ => Err(self.faults),
        }
    }

    fn mapping(&self, table: &TableFacts, columns: Columns, ids: IdSource, insert: Vec<(Column, String)>) -> Mapping {
        let words = |status: OrderStatus| self.orders.statuses.get(status.word()).cloned().unwrap_or_default();
        let is_capital = |text: &str| text.chars().any(char::is_alphabetic) && text == text.to_uppercase();
        let labels = self.facts("currency").map(|facts| facts.words.as_slice()).unwrap_or_default();
        let currency = self.samples.of("currency").or_else(|| labels.first().map(String::as_str));
        Mapping {
            table: self.orders.table.clone(),
            columns,
            ids,
            statuses: StatusWords {
                pending: words(OrderStatus::Pending),
                paid: words(OrderStatus::Paid),
                canceled: words(OrderStatus::Canceled),
                refunded: words(OrderStatus::Refunded),
            },
            amount: match self.orders.amount_unit {
                MappedUnit::Minor => AmountUnit::Minor,
                MappedUnit::Major => AmountUnit::Major,
            },
            currency: self.terms.map(|terms| terms.currency),
            insert,
            make_table: false,
            since: self.orders.since.and_then(midnight),
            removable: table.may_delete && !table.reuses_ids,
            capital_currency: currency.is_some_and(is_capital),
        }
    }

    fn no_such_table(&mut self) {
        self.fault("table", format!("there is no table {}", self.orders.table.join(".")), self.catalogue.instead());
    }

    fn room(&mut self) {
        if let Some(schema) = &self.catalogue.no_room {
            let message = format!("tourney's own tables are missing, and may not be made in schema {schema}");
            self.fault("table", message, format!("grant CREATE ON SCHEMA {schema} for the first apply"));
        }
    }

    /// A value that stands in a field's column.
    pub(super) fn sample(&self, field: &str) -> Option<&str> {
        self.samples.of(field)
    }

    /// What the catalogue says of a field's column.
    pub(super) fn facts(&self, field: &str) -> Option<&'a ColumnFacts> {
        let column = self.orders.columns.get(field)?;
        self.column_facts(column)
    }

    /// SQLite does not tell capitals from small letters in names.
    pub(super) fn column_facts(&self, column: &str) -> Option<&'a ColumnFacts> {
        let table = self.catalogue.table.as_ref()?;
        table.columns.iter().find(|facts| self.same(&facts.name, column))
    }

    pub(super) fn same(&self, one: &str, other: &str) -> bool {
        one == other || (!self.catalogue.postgres && one.eq_ignore_ascii_case(other))
    }

    fn columns(&mut self, table: &TableFacts) -> Option<Columns> {
        if let Some(kind) = &table.no_table {
            let message = format!("{} is {kind}", self.orders.table.join("."));
            self.fault("table", message, "name the table in which the orders themselves stand");
        }
        let amount = if self.orders.amount_unit == MappedUnit::Major { Role::Major } else { Role::Minor };
        let (id, player, fee) = (self.must("id", Role::Id), self.must("player", Role::Id), self.must("fee", Role::Id));
        let (amount, status) = (self.must("amount", amount), self.must("status", Role::Word));
        let (session, payment_intent) = (self.must("session", Role::Text), self.must("payment_intent", Role::Text));
        let (tournament, currency) = (self.must("tournament", Role::Id), self.must("currency", Role::Word));
        let (url, expires_at) = (self.must("url", Role::Text), self.must("expires_at", Role::Time));
        let (created_at, updated_at) = (self.must("created_at", Role::Time), self.must("updated_at", Role::Time));
        Some(Columns {
            id: id?,
            player: player?,
            fee: fee?,
            amount: amount?,
            status: status?,
            session: session?,
            payment_intent: payment_intent?,
            tournament,
            currency,
            url,
            expires_at,
            created_at,
            updated_at,
        })
    }

    /// A field's column; none where the mapping names none, or it cannot be used.
    fn must(&mut self, field: &str, role: Role) -> Option<Column> {
        let name = self.orders.columns.get(field)?.clone();
        let path = format!("columns.{field}");
        let Some(facts) = self.facts(field) else {
            let message = format!("{} has no column {name}", self.orders.table.join("."));
            self.fault(path, message, format!("name one that is there: {}", self.names()));
            return None;
        };
        if facts.generated && field != "id" {
            self.fault(
                &path,
                format!("{name} is generated by the database and cannot be written"),
                "name another column",
            );
        }
        if let Some((_, least)) = SHORTEST.iter().find(|(short, least)| *short == field && self.cuts(facts, *least)) {
            let message = format!("{name} is {}, and what Stripe gives has {least} characters and more", facts.shown);
            self.fault(&path, message, "make it varchar(255)");
        }
        let Some(codec) = codec(facts, role, self.catalogue.postgres, self.samples.of(field)) else {
            let shown = if facts.shown.is_empty() { "no type" } else { &facts.shown };
            let message = format!("{name} is of type {shown}, which cannot hold this ({field})");
            self.fault(&path, message, role.wanted());
            return None;
        };
        let blank = BLANK.contains(&field) && facts.not_null;
        let longest = facts.length.filter(|_| field == "url" && self.catalogue.postgres);
        Some(Column { blank, longest, ..Column::new(&facts.name, codec) })
    }

    /// Whether a column of PostgreSQL's takes fewer characters; SQLite takes any number.
    fn cuts(&self, facts: &ColumnFacts, least: usize) -> bool {
        self.catalogue.postgres && facts.length.is_some_and(|length| length < least)
    }

    fn names(&self) -> String {
        let columns = self.catalogue.table.iter().flat_map(|table| &table.columns);
        columns.map(|facts| facts.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Who gives ids: the database where it can; else we, as the rows there are do it.
    fn ids(&mut self, table: &TableFacts) -> Option<IdSource> {
        let facts = self.facts("id")?;
        if facts.has_default || facts.generated {
            return Some(IdSource::Database);
        }
        let sample = self.samples.of("id");
        let is_hex = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        match (facts.kind, facts.length) {
            (Kind::Uuid, _) => Some(IdSource::OursUuid),
            (Kind::Text, _) if sample.is_some_and(is_uuid) => Some(IdSource::OursUuid),
            (Kind::Text, _) if sample.is_some_and(is_hex) => Some(IdSource::OursHex),
            (Kind::Text, Some(36)) if sample.is_none() => Some(IdSource::OursUuid),
            (Kind::Text, Some(32)) if sample.is_none() => Some(IdSource::OursHex),
            (Kind::Text, _) if !self.cuts(facts, OUR_ID) => Some(IdSource::Ours),
            (Kind::Text, _) => {
                let message = format!("{} is {}, and an id of ours has {OUR_ID} characters", facts.name, facts.shown);
                self.fault("columns.id", message, "give it a default, or make it longer");
                None
            }
            (Kind::Integer | Kind::Number, _) => {
                let message = format!("{} is {} and the database gives it no value", facts.name, facts.shown);
                let help = if self.catalogue.postgres {
                    "make it an identity column, or name the one that is"
                } else {
                    "declare it INTEGER PRIMARY KEY AUTOINCREMENT, or name the column that is"
                };
                self.fault("columns.id", message, help);
                None
            }
            // The type has been told to be wrong.
            _ => Some(IdSource::Ours).filter(|_| !table.columns.is_empty()),
        }
    }

    /// Constants of the mapping for other columns.
    fn constants(&mut self, table: &TableFacts) -> Vec<(Column, String)> {
        let mut constants = Vec::new();
        for (name, text) in &self.orders.insert {
            let path = format!("insert.{name}");
            let Some(facts) = table.columns.iter().find(|facts| self.same(&facts.name, name)) else {
                let message = format!("{} has no column {name}", self.orders.table.join("."));
                self.fault(path, message, format!("name one that is there: {}", self.names()));
                continue;
            };
            if let Some(field) = self.field_of(name) {
                let help = format!("leave it out here, or under `columns.{field}`");
                self.fault(path, format!("{name} is the order's {field} and written by tourney"), help);
                continue;
            }
            let codec = constant(facts, self.catalogue.postgres);
            let column = Column::new(&facts.name, codec);
            if facts.generated {
                self.fault(path, format!("{name} is generated by the database and cannot be written"), "leave it out");
            } else if let Some(why) = self.misfit(facts, &column, text) {
                self.fault(path, why, format!("write a value of type {}", facts.shown));
            }
            constants.push((column, text.clone()));
        }
        constants
    }

    /// The field that a column is mapped to.
    pub(super) fn field_of(&self, column: &str) -> Option<String> {
        let named = self.orders.columns.iter().find(|(_, name)| self.same(name, column));
        named.map(|(field, _)| field.clone())
    }

    /// The columns that a new order's row is written with.
    pub(super) fn inserted(&self) -> impl Iterator<Item = &'a ColumnFacts> {
        let blank = BLANK.into_iter().filter(|field| self.facts(field).is_some_and(|facts| facts.not_null));
        let own_id = self.facts("id").filter(|facts| !facts.has_default && !facts.generated);
        let fields: Vec<_> = INSERTED.into_iter().chain(blank).filter_map(|field| self.facts(field)).collect();
        let constants: Vec<_> = self.orders.insert.keys().filter_map(|name| self.column_facts(name)).collect();
        fields.into_iter().chain(own_id).chain(constants)
    }

    /// The columns that are written afterwards.
    pub(super) fn updated(&self) -> impl Iterator<Item = &'a ColumnFacts> {
        UPDATED.into_iter().filter_map(|field| self.facts(field)).collect::<Vec<_>>().into_iter()
    }
}
