//! Which types can hold what, and how their values travel.

use crate::ledger::mapping::{Codec, Holds, TypeName};
use crate::ledger::times::TimeForm;

use super::catalogue::{ColumnFacts, Kind};

/// What a column is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An id of any kind.
    Id,
    /// An amount in minor units.
    Minor,
    /// An amount in major units.
    Major,
    /// A status, or a currency.
    Word,
    /// A session, a payment intent, a link.
    Text,
    /// A moment.
    Time,
}

impl Role {
    /// What such a column must be, for people.
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Id => "name a column of integers, text or UUIDs",
            Self::Minor => {
                "name a column of integers; for a numeric column of whole currency units write `amount_unit: major`"
            }
            Self::Major => "name a numeric column with the currency's decimals, or leave `amount_unit: major` out",
            Self::Word => "name a column of text, of integers or of an enum",
            Self::Text => "name a column of text",
            Self::Time => "name a timestamp, a text or an integer column, or leave it out",
        }
    }
}

/// How the values of a column travel in a role; none where its type cannot hold them.
pub(super) fn codec(facts: &ColumnFacts, role: Role, postgres: bool, sample: Option<&str>) -> Option<Codec> {
    let typed = |holds| {
        Some(if postgres { Codec::Typed(TypeName { parts: facts.type_path.clone(), holds }) } else { Codec::Text })
    };
    match (role, facts.kind) {
        (Role::Id | Role::Word | Role::Text, Kind::Text) => Some(Codec::Text),
        (Role::Id | Role::Word | Role::Minor, Kind::Integer) => Some(Codec::Integer),
        (Role::Id, Kind::Uuid) => typed(Holds::Uuid),
        (Role::Id | Role::Word, Kind::Number) if facts.scale.unwrap_or(0) == 0 => typed(Holds::Number),
        (Role::Minor, Kind::Number) if facts.scale.unwrap_or(0) == 0 => typed(Holds::Number),
        (Role::Major, Kind::Number) => typed(Holds::Number),
        (Role::Word, Kind::Enum) => typed(Holds::Words(facts.words.clone())),
        (Role::Time, kind) => time(kind, sample).map(Codec::Time),
        _ => None,
    }
}

/// A constant's codec: any type that has a text form, as long as the text is one of its values.
pub(super) fn constant(facts: &ColumnFacts, postgres: bool) -> Codec {
    let holds = match facts.kind {
        Kind::Enum => Holds::Words(facts.words.clone()),
        Kind::Uuid => Holds::Uuid,
        Kind::Number | Kind::Float => Holds::Number,
        Kind::Integer => return Codec::Integer,
        Kind::Text => return Codec::Text,
        _ => Holds::Anything,
    };
    if postgres { Codec::Typed(TypeName { parts: facts.type_path.clone(), holds }) } else { Codec::Text }
}

fn time(kind: Kind, sample: Option<&str>) -> Option<TimeForm> {
    let habit = |default: TimeForm| match sample {
        Some(sample) => TimeForm::like(sample),
        None => Some(default),
    };
    let is_number = |form: &TimeForm| matches!(form, TimeForm::Seconds | TimeForm::Millis);
    match kind {
        Kind::Zoned => Some(TimeForm::Zoned),
        Kind::Plain => Some(TimeForm::Plain),
        Kind::Day => Some(TimeForm::Day),
        Kind::Integer => habit(TimeForm::Seconds).filter(is_number),
        Kind::Text => habit(TimeForm::ISO).filter(|form| !is_number(form)),
        Kind::Loose => habit(TimeForm::SQL),
        _ => None,
    }
}
