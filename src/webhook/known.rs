//! The few values that are read of an event. All others are skipped, whatever they are: a number that fits no type, or a
//! depth without end, in a field that nobody reads, keeps no payment from being recorded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The fields of an event's data that are read, at whatever depth.
const READ: [&str; 3] = ["object", "id", "payment_intent"];

/// A value, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// The fields of an object that are read.
    Fields(Vec<(String, Known)>),
    /// Nothing, or what is not read.
    #[default]
    Other,
}

impl Known {
    /// The value of a field: of one that stands there twice, the last.
    pub(super) fn at(&self, name: &str) -> &Self {
        match self {
            Self::Fields(fields) => {
                fields.iter().rev().find(|(field, _)| field == name).map_or(&Self::Other, |(_, at)| at)
            }
            _ => &Self::Other,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) const fn is_true(&self) -> Option<bool> {
        if let Self::Bool(yes) = self { Some(*yes) } else { None }
    }
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Known, E> {
        Ok(Known::Bool(yes))
    }

    fn visit_str<E>(self, text: &str) -> Result<Known, E> {
        Ok(Known::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Known, E> {
        Ok(Known::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Known, E> {
        Ok(Known::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Known, E> {
        Ok(Known::Other)
    }

    fn visit_unit<E>(self) -> Result<Known, E> {
        Ok(Known::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Known, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Known::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Known, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = values.next_key::<String>()? {
            if READ.contains(&name.as_str()) {
                fields.push((name, values.next_value()?));
            } else {
                values.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Known::Fields(fields))
    }
}
