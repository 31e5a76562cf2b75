//! The core's memory: records by kind, in order of creation, with an agenda of what falls due. Every change goes into
//! a journal of puts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::Put;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Kind {
    #[serde(rename = "checkout.session")]
    Session,
    #[serde(rename = "payment_intent")]
    PaymentIntent,
    #[serde(rename = "charge")]
    Charge,
    #[serde(rename = "refund")]
    Refund,
    #[serde(rename = "dispute")]
    Dispute,
    #[serde(rename = "event")]
    Event,
    #[serde(rename = "webhook_endpoint")]
    Endpoint,
    #[serde(rename = "product")]
    Product,
    #[serde(rename = "price")]
    Price,
    #[serde(rename = "payment_link")]
    Link,
    #[serde(rename = "idempotency_key")]
    Key,
    #[serde(rename = "delivery")]
    Delivery,
    #[serde(rename = "fault")]
    Fault,
}

impl Kind {
    pub(super) const ALL: [Self; 13] = [
        Self::Session,
        Self::PaymentIntent,
        Self::Charge,
        Self::Refund,
        Self::Dispute,
        Self::Event,
        Self::Endpoint,
        Self::Product,
        Self::Price,
        Self::Link,
        Self::Key,
        Self::Delivery,
        Self::Fault,
    ];

    /// The word that puts carry, and that Stripe puts into `object`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Session => "checkout.session",
            Self::PaymentIntent => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Event => "event",
            Self::Endpoint => "webhook_endpoint",
            Self::Product => "product",
            Self::Price => "price",
            Self::Link => "payment_link",
            Self::Key => "idempotency_key",
            Self::Delivery => "delivery",
            Self::Fault => "fault",
        }
    }

    /// The word that Stripe puts into "No such …". Of payment links it is known from programs that quote the answer.
    pub(super) const fn spoken(self) -> &'static str {
        match self {
            Self::Link => "payment link",
            other => other.word(),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One record: the object as Stripe shows it, and what it never shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The order of creation within the sandbox: breaks ties between equal `created`.
    pub serial: u64,
    /// Whether it belongs to live mode.
    pub live: bool,
    /// The object.
    pub object: Value,
    /// What is remembered beside it (line items, the metadata of the future payment intent, a secret).
    #[serde(default)]
    pub hidden: Value,
}

impl Record {
    /// A text of the object; empty where there is none.
    pub(super) fn text(&self, field: &str) -> &str {
        self.object[field].as_str().unwrap_or_default()
    }

    /// A number of the object; zero where there is none.
    pub(super) fn number(&self, field: &str) -> i64 {
        self.object[field].as_i64().unwrap_or_default()
    }

    /// The moment at which something happens by itself.
    fn due(&self, kind: Kind) -> Option<i64> {
        match kind {
            Kind::Session if self.text("status") == "open" => Some(self.number("expires_at")),
            Kind::Session => self.hidden["settles_at"].as_i64(),
            Kind::Key => Some(self.number("created") + super::idempotency::LIFE_SECONDS),
            Kind::Delivery => self.object["next_at"].as_i64(),
            _ => None,
        }
    }
}

/// All records.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    records: BTreeMap<Kind, BTreeMap<String, Record>>,
    order: BTreeMap<Kind, BTreeSet<(i64, u64, String)>>,
    agenda: BTreeMap<Kind, BTreeSet<(i64, String)>>,
    journal: Vec<Put>,
}

impl Shelf {
    pub(super) fn get(&self, kind: Kind, id: &str) -> Option<&Record> {
        self.records.get(&kind)?.get(id)
    }

    /// Writes a record and journals it.
    pub(super) fn put(&mut self, kind: Kind, id: &str, record: Record) {
        let document = serde_json::to_value(&record).ok();
        self.journal.push(Put { kind: kind.word().to_owned(), id: id.to_owned(), document });
        self.place(kind, id, record);
    }

    /// Changes a record in place; nothing happens where there is none.
    pub(super) fn update(&mut self, kind: Kind, id: &str, change: impl FnOnce(&mut Record)) {
        if let Some(mut record) = self.get(kind, id).cloned() {
            change(&mut record);
            self.put(kind, id, record);
        }
    }

    pub(super) fn remove(&mut self, kind: Kind, id: &str) {
        if self.lift(kind, id) {
            self.journal.push(Put { kind: kind.word().to_owned(), id: id.to_owned(), document: None });
        }
    }

    /// Removes every record of a kind.
    pub(super) fn clear(&mut self, kind: Kind) {
        for id in self.ids(kind) {
            self.remove(kind, &id);
        }
    }

    /// Takes in a stored put without journalling it.
    pub(super) fn load(&mut self, put: Put) {
        let (Some(kind), Some(document)) = (Kind::parse(&put.kind), put.document) else { return };
        if let Ok(record) = serde_json::from_value(document) {
            self.place(kind, &put.id, record);
        }
    }

    /// The ids of a kind, oldest first.
    pub(super) fn ids(&self, kind: Kind) -> Vec<String> {
        self.order.get(&kind).into_iter().flatten().map(|(_, _, id)| id.clone()).collect()
    }

    /// The records of a kind and mode, newest first.
    pub(super) fn newest(&self, kind: Kind, live: bool) -> impl DoubleEndedIterator<Item = (&str, &Record)> {
        let order = self.order.get(&kind).into_iter().flatten().rev();
        order.filter_map(move |(_, _, id)| self.get(kind, id).filter(|r| r.live == live).map(|r| (id.as_str(), r)))
    }

    /// What fell due by now, earliest first.
    pub(super) fn due(&self, kind: Kind, now: i64) -> Vec<String> {
        let agenda = self.agenda.get(&kind).into_iter().flatten();
        agenda.take_while(|(at, _)| *at <= now).map(|(_, id)| id.clone()).collect()
    }

    /// The changes since the last call.
    pub(super) fn take_journal(&mut self) -> Vec<Put> {
        std::mem::take(&mut self.journal)
    }

    fn place(&mut self, kind: Kind, id: &str, record: Record) {
        self.lift(kind, id);
        self.order.entry(kind).or_default().insert((record.number("created"), record.serial, id.to_owned()));
        if let Some(at) = record.due(kind) {
            self.agenda.entry(kind).or_default().insert((at, id.to_owned()));
        }
        self.records.entry(kind).or_default().insert(id.to_owned(), record);
    }

    fn lift(&mut self, kind: Kind, id: &str) -> bool {
        let Some(old) = self.records.get_mut(&kind).and_then(|of| of.remove(id)) else { return false };
        if let Some(order) = self.order.get_mut(&kind) {
            order.remove(&(old.number("created"), old.serial, id.to_owned()));
        }
        if let (Some(at), Some(agenda)) = (old.due(kind), self.agenda.get_mut(&kind)) {
            agenda.remove(&(at, id.to_owned()));
        }
        true
    }
}
