//! What must hold beyond a column's type: words, rights, rows that can stand, ids that are given once.

use jiff::Timestamp;

use crate::domain::{Id, OrderStatus, PayableKind};
use crate::ledger::RetireHow;
use crate::ledger::mapping::{Codec, Column, Columns};
use crate::ledger::sql::Value;
use crate::ledger::statement::encode;
use crate::ledger::times;

use super::catalogue::{ColumnFacts, Kind, TableFacts};
use super::is_integer;
use super::judge::Judge;

/// Older than Stripe by far, and younger than any small number taken for seconds.
const FIRST_ORDER: Timestamp = Timestamp::constant(946_684_800, 0);
/// So many ids are shown of those that cannot stand in a column.
const SHOWN: usize = 3;

impl Judge<'_> {
    /// One column cannot hold two things.
    pub(super) fn twice(&mut self) {
        let columns: Vec<(String, String)> =
            self.orders.columns.iter().map(|(field, column)| (field.clone(), column.clone())).collect();
        for (at, (field, column)) in columns.iter().enumerate() {
            if let Some((first, _)) = columns[..at].iter().find(|(_, other)| self.same(other, column)) {
                let message = format!("{column} is mapped twice: {first} and {field}");
                self.fault(format!("columns.{field}"), message, "name another column for one of the two");
            }
        }
    }

    /// `since` is compared with the time at which a row was made.
    pub(super) fn scope(&mut self) {
        if self.orders.since.is_some() && !self.orders.columns.contains_key("created_at") {
            let help = "add `created_at:` to the columns, or leave `since` out";
            self.fault("since", "`since` needs the column that says when an order was made", help);
        }
    }

    /// Every word must be one that the column takes, and mean one thing.
    pub(super) fn statuses(&mut self) {
        let words: Vec<(&str, String)> = OrderStatus::ALL
            .into_iter()
            .filter_map(|status| Some((status.word(), self.orders.statuses.get(status.word())?)))
            .flat_map(|(status, words)| words.iter().map(move |word| (status, word.clone())))
            .collect();
        for (at, (status, word)) in words.iter().enumerate() {
            let path = format!("statuses.{status}");
            if let Some(other) = OrderStatus::ALL.into_iter().find(|other| means(word, *other)).map(OrderStatus::word)
                && other != *status
            {
                self.fault(
                    &path,
                    format!("{word:?} stands for {status}, and says {other}"),
                    "the words stand crosswise",
                );
            }
            if let Some((first, _)) = words[..at].iter().find(|(_, other)| other == word) {
                let message = format!("{word:?} stands for {first} and for {status}");
                self.fault(&path, message, "write another word for one of them, or leave out what is not used");
            }
            let Some(facts) = self.facts("status") else { continue };
            if !facts.words.is_empty() && !facts.words.contains(word) {
                let message = format!("{} does not take the word {word:?}", facts.name);
                self.fault(&path, message, format!("write one of its own: {}", facts.words.join(", ")));
            } else if facts.kind == Kind::Integer && word.parse::<i64>().is_err() {
                let message = format!("{} is {}, and {word:?} is no integer", facts.name, facts.shown);
                self.fault(&path, message, "write the number that stands for it");
            } else if self.catalogue.postgres && facts.length.is_some_and(|most| word.chars().count() > most) {
                let message = format!("{} is {}, too short for {word:?}", facts.name, facts.shown);
                self.fault(&path, message, "write the table's own word");
            }
        }
    }

    /// A retired order needs a word, or may be deleted.
    pub(super) fn retiring(&mut self, table: &TableFacts) {
        let Some(terms) = self.terms else { return };
        let has_word = self.orders.statuses.contains_key(OrderStatus::Canceled.word());
        match terms.retire {
            RetireHow::Cancel if !has_word => {
                let message = "the manifest retires orders as canceled (`retire: cancel`), for which there is no word";
                self.fault("statuses.canceled", message, self.canceled_help());
            }
            RetireHow::Delete if table.reuses_ids => {
                let message = "the manifest deletes retired orders (`retire: delete`), and SQLite gives the id of a deleted \
                               row again: a late payment would be taken for another order's";
                let help =
                    "write `retire: cancel` in the manifest, or declare the id as INTEGER PRIMARY KEY AUTOINCREMENT";
                self.fault("columns.id", message, help);
            }
            RetireHow::Delete if !table.may_delete => {
                let message =
                    "the manifest deletes retired orders (`retire: delete`), and the right to DELETE is missing";
                let help = format!(
                    "write `retire: cancel` in the manifest, or GRANT DELETE ON {}",
                    self.orders.table.join(".")
                );
                self.fault("table", message, help);
            }
            RetireHow::Delete if !table.takes_along.is_empty() => {
                let message = format!(
                    "the manifest deletes retired orders (`retire: delete`), and the database would delete or empty rows of {} \
                     with them (ON DELETE CASCADE, SET NULL)",
                    table.takes_along.join(", ")
                );
                self.fault("table", message, "write `retire: cancel` in the manifest");
            }
            RetireHow::Cancel | RetireHow::Delete => {}
        }
    }

    /// A Payment Link ends at no time that could be written.
    pub(super) fn endless(&mut self) {
        let links = self.terms.is_some_and(|terms| terms.link == PayableKind::PaymentLink);
        let Some(facts) = self.facts("expires_at").filter(|facts| links && facts.not_null) else { return };
        let message = format!("{} must have a value, and a Payment Link (`link: payment_link`) has no end", facts.name);
        self.fault("columns.expires_at", message, "leave it out of the mapping, or let it be NULL");
    }

    fn canceled_help(&self) -> String {
        let words = self.facts("status").map(|facts| facts.words.join(", ")).unwrap_or_default();
        let words = if words.is_empty() { String::new() } else { format!(" (the column takes {words})") };
        format!("add `canceled:` with the table's word{words}, or write `retire: delete` in the manifest")
    }

    /// Columns that must have a value, and that nobody gives one.
    pub(super) fn left_out(&mut self, table: &TableFacts) {
        let written: Vec<&str> = self.inserted().map(|facts| facts.name.as_str()).collect();
        let empty = |facts: &&ColumnFacts| {
            facts.not_null && !facts.has_default && !facts.generated && !written.contains(&facts.name.as_str())
        };
        for facts in table.columns.iter().filter(empty) {
            match self.field_of(&facts.name) {
                // Told where ids are judged.
                Some(field) if field == "id" => {}
                Some(field) => {
                    let message = format!(
                        "{} must have a value, and a new order has none before its session is made",
                        facts.name
                    );
                    self.fault(format!("columns.{field}"), message, "leave it out of the mapping, or let it be NULL");
                }
                None => {
                    let (name, example) = (&facts.name, example(facts));
                    let message = format!("{name} ({}) is NOT NULL, has no default, and nobody writes it", facts.shown);
                    let mapped = suggestion(name).filter(|field| !self.orders.columns.contains_key(*field));
                    let or =
                        mapped.map(|field| format!(", or map it: `columns: {{{field}: {name}}}`")).unwrap_or_default();
                    self.fault("insert", message, format!("add `insert: {{{name}: {example}}}`{or}"));
                }
            }
        }
    }

    /// What we may not do, and must.
    pub(super) fn granted(&mut self, table: &TableFacts) {
        if let Some((message, help)) = closed(table) {
            self.fault("table", message, help);
        }
        let shown = self.orders.table.join(".");
        let lacking = |right: &str, columns: &mut dyn Iterator<Item = &ColumnFacts>| {
            let mut names: Vec<String> =
                columns.filter(|facts| facts.lacks.contains(&right)).map(|facts| facts.name.clone()).collect();
            names.dedup();
            names
        };
        let select = lacking("SELECT", &mut table.columns.iter());
        let insert = lacking("INSERT", &mut self.inserted());
        let update = lacking("UPDATE", &mut self.updated());
        for (right, names) in [("SELECT", select), ("INSERT", insert), ("UPDATE", update)] {
            if !names.is_empty() {
                let message = format!("the right to {right} is missing, on {}", names.join(", "));
                self.fault("table", message, format!("GRANT {right} ON {shown} to the user of this URL"));
            }
        }
        if table.hides_rows {
            let message = format!(
                "row-level security is active on {shown}: orders may be hidden from tourney, and would be billed again"
            );
            self.fault("table", message, "use the table's owner, or ALTER ROLE … BYPASSRLS for the user of this URL");
        }
        if let Some(sequence) = self.facts("id").and_then(|facts| facts.locked_sequence.clone()) {
            let message = format!("the right to use {sequence} is missing, from which ids come");
            self.fault("columns.id", message, format!("GRANT USAGE ON SEQUENCE {sequence} to the user of this URL"));
        }
    }

    /// What stands in the columns must be what they are mapped for.
    pub(super) fn contents(&mut self) {
        if let Some(facts) = self.facts("id").filter(|facts| !facts.unique) {
            let message = format!("two orders may have the same {}: it has no unique index of its own", facts.name);
            self.fault("columns.id", message, "name the primary key");
        }
        let session = self.sample("payment_intent").is_some_and(|text| text.starts_with("cs_"));
        let intent = self.sample("session").is_some_and(|text| text.starts_with("pi_"));
        for (field, crossed, holds) in
            [("session", intent, "payment intents"), ("payment_intent", session, "Checkout Sessions")]
        {
            if crossed {
                let column = self.orders.columns.get(field).cloned().unwrap_or_default();
                let help = "name the column of this field: are `session` and `payment_intent` crosswise?";
                self.fault(format!("columns.{field}"), format!("{column} holds {holds}"), help);
            }
        }
        let sample = self.sample("created_at").filter(|text| times::read(text).is_some_and(|at| at < FIRST_ORDER));
        if let Some(sample) = sample.map(str::to_owned) {
            let column = self.orders.columns.get("created_at").cloned().unwrap_or_default();
            let message = format!("{column} holds {sample}, which is no time since 2000");
            self.fault("columns.created_at", message, "name the column that says when an order was made");
        }
        self.other_currency();
    }

    /// A constant that contradicts the manifest.
    fn other_currency(&mut self) {
        let Some(terms) = self.terms else { return };
        let constant = self.orders.insert.iter().find(|(name, _)| name.eq_ignore_ascii_case("currency"));
        if let Some((name, text)) = constant.filter(|(_, text)| !text.eq_ignore_ascii_case(terms.currency.code())) {
            let message = format!("{text:?} is not the manifest's currency, {}", terms.currency.code());
            self.fault(format!("insert.{name}"), message, format!("map it: `columns: {{currency: {name}}}`"));
        }
    }

    /// Why a constant is no value of its column.
    pub(super) fn misfit(&self, facts: &ColumnFacts, column: &Column, text: &str) -> Option<String> {
        if !facts.words.is_empty() && !facts.words.iter().any(|word| word == text) {
            return Some(format!("{} takes only {}, not {text:?}", facts.name, facts.words.join(", ")));
        }
        if self.catalogue.postgres && facts.length.is_some_and(|most| text.chars().count() > most) {
            return Some(format!("{text:?} is too long for {}, which is {}", facts.name, facts.shown));
        }
        let fits = encode(column, Value::from(text)).is_ok() && takes(&facts.shown, text);
        (!fits).then(|| format!("{text:?} is no value of {}, which is {}", facts.name, facts.shown))
    }

    /// What the manifest names must fit the columns in which it is written.
    pub(super) fn manifest(&mut self, columns: &Columns) {
        let Some(terms) = self.terms else { return };
        let players: Vec<&Id> = terms.players.iter().map(|player| &player.0).collect();
        let fees: Vec<&Id> = terms.fees.iter().map(|fee| &fee.0).collect();
        self.fit("player", &columns.player, &players);
        self.fit("fee", &columns.fee, &fees);
        if let Some(column) = &columns.tournament {
            self.fit("tournament", column, &[&terms.tournament.0]);
        }
        let exponent = terms.currency.exponent();
        let facts = self.facts("amount").filter(|facts| facts.scale.is_some_and(|scale| scale < exponent));
        if let Some(facts) = facts.filter(|_| self.orders.amount_unit == crate::config::MappedUnit::Major) {
            let message =
                format!("{} is {}, too coarse for the cents of {}", facts.name, facts.shown, terms.currency.code());
            self.fault("columns.amount", message, "write `amount_unit: minor`, if it holds cents");
        }
        if let (Some(column), Some(facts)) = (&columns.currency, self.facts("currency")) {
            let (small, capital) = (terms.currency.code(), terms.currency.code().to_ascii_uppercase());
            let takes = |word: &str| facts.words.is_empty() || facts.words.iter().any(|known| known == word);
            if !takes(small) && !takes(&capital) {
                let message = format!("{} does not take {small}, the manifest's currency", column.name);
                self.fault("columns.currency", message, "leave it out, or name another column");
            }
        }
    }

    fn fit(&mut self, field: &str, column: &Column, ids: &[&Id]) {
        let length = self.facts(field).filter(|_| self.catalogue.postgres).and_then(|facts| facts.length);
        let cut = |text: &str| length.is_some_and(|most| text.chars().count() > most);
        let misfits: Vec<String> = ids
            .iter()
            .map(ToString::to_string)
            .filter(|id| cut(id) || encode(column, Value::from(id.as_str())).is_err())
            .collect();
        if misfits.is_empty() {
            return;
        }
        let more = if misfits.len() > SHOWN { ", …" } else { "" };
        let shown = misfits.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let facts = self.facts(field).map(|facts| facts.shown.clone()).unwrap_or_default();
        let message =
            format!("{} is {facts}, in which the manifest's {field} ids cannot stand: {shown}{more}", column.name);
        let help = if ids.iter().any(|id| !is_integer(id)) && column.codec == Codec::Integer {
            format!(
                "write in the manifest (and for the canary) the {field} ids that the application has, or name another column"
            )
        } else {
            format!("name the column of the application's {field} ids")
        };
        self.fault(format!("columns.{field}"), message, help);
    }
}

/// Whether a table's word is one of ours, in whatever letters.
fn means(word: &str, status: OrderStatus) -> bool {
    let word = word.to_ascii_lowercase();
    word == status.word() || (word == "cancelled" && status == OrderStatus::Canceled)
}

/// A schema that we may not enter, and what to do.
pub(super) fn closed(table: &TableFacts) -> Option<(String, String)> {
    let schema = table.closed_schema.as_ref()?;
    let message = format!("the right to USAGE of the schema {schema} is missing");
    Some((message, format!("GRANT USAGE ON SCHEMA {schema} to the user of this URL")))
}

/// What a value of a type can look like, for help that can be typed.
fn example(facts: &ColumnFacts) -> String {
    match facts.kind {
        Kind::Integer | Kind::Number | Kind::Float => "0".to_owned(),
        Kind::Zoned | Kind::Plain | Kind::Loose => "'2026-01-01 00:00:00'".to_owned(),
        Kind::Day => "2026-01-01".to_owned(),
        Kind::Uuid => "00000000-0000-4000-8000-000000000000".to_owned(),
        _ if facts.shown == "boolean" => "false".to_owned(),
        _ if facts.shown.starts_with("json") => "'{}'".to_owned(),
        _ => facts.words.first().cloned().unwrap_or_else(|| "tourney".to_owned()),
    }
}

/// The field that a column's name speaks of.
fn suggestion(name: &str) -> Option<&'static str> {
    ["created_at", "updated_at", "currency", "tournament"]
        .into_iter()
        .find(|field| name == *field || name.strip_suffix("_id") == Some(field))
}

/// Types whose values are few enough to be told here.
fn takes(shown: &str, text: &str) -> bool {
    match shown {
        "boolean" => ["true", "false", "t", "f", "yes", "no", "on", "off", "1", "0"].contains(&text),
        "json" | "jsonb" => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        _ => true,
    }
}
