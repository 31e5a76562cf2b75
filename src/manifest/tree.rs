//! YAML as a tree of values that know their places; nothing is interpreted yet.
//!
//! A scalar keeps its text as written: amounts never pass through a float, and `007` or `yes` can be told from what a
//! YAML reader would make of them.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Location, Options, Spanned};

use super::problem::Problems;
use super::source::Source;

/// The largest file, in bytes: more than a hundred players for every kilobyte of a real manifest would need.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_NODES: usize = 500_000;
const MAX_ALIASES: usize = 100;
const MAX_REPLAYED: usize = 10_000;
const MAX_DEPTH: usize = 24;

/// One value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Its bytes in the text; of a list or mapping, where it begins.
    pub(crate) at: Range<usize>,
}

#[derive(Debug)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, its entries in the file's order, repeated keys included.
    Map(Vec<(Node, Node)>),
}

/// A scalar with its text: what stands between the quotes, or as it stands where there are none.
#[derive(Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

/// What a scalar is to YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Int,
    Float,
}

impl Node {
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// What it is, in words.
    pub(crate) fn what(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Scalar(scalar) => match scalar.kind {
                Kind::Text => "a text",
                Kind::Bool => "true or false",
                Kind::Int => "an integer",
                Kind::Float => "a decimal",
            },
        }
    }
}

/// Reads one YAML document. A text that is no YAML, or is hostile, gives one problem.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    match serde_saphyr::from_str_with_options::<Raw>(text, options()) {
        Ok(raw) => Some(raw.into_node(text, problems.source())),
        Err(error) => {
            let at = error.location().map_or(0..0, |location| place_of(&location, text, problems.source()));
            let message = error.without_snippet().to_string();
            let message = message.lines().next().unwrap_or_default();
            let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
            let (message, help) = in_plain_words(message);
            problems.add(&at, "", message, help);
            None
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 2 * MAX_NODES,
            max_nodes: MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_events: MAX_REPLAYED,
            max_recorded_anchor_bytes: MAX_BYTES,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_documents: 1,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// The library's words for what people meet, in ours.
fn in_plain_words(message: &str) -> (String, String) {
    let lower = message.to_ascii_lowercase();
    let known = [
        (
            "multiple",
            "there is more than one YAML document in the file",
            "remove the line `---`: one file, one tournament",
        ),
        (
            "document",
            "there is more than one YAML document in the file",
            "remove the line `---`: one file, one tournament",
        ),
        ("alias", "the file uses YAML aliases beyond all measure", "write the values out"),
        ("anchor", "the file uses YAML anchors beyond all measure", "write the values out"),
        ("depth", "the file is nested too deeply", "nothing in the file needs more than a few levels"),
        ("nesting", "the file is nested too deeply", "nothing in the file needs more than a few levels"),
        ("recursion", "the file is nested too deeply", "nothing in the file needs more than a few levels"),
        ("budget", "the file is larger than any real one", "split it into several tournaments"),
        ("tab", "a tab cannot indent YAML", "indent with spaces"),
    ];
    let known = known.into_iter().find(|(word, ..)| lower.contains(word));
    known.map_or_else(
        || {
            let text: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
            (format!("this is not YAML: {text}"), "mind indentation, colons and quotes around this place".to_owned())
        },
        |(_, message, help)| (message.to_owned(), help.to_owned()),
    )
}

/// Where a syntax error is; the scanner's own errors know line and column only.
fn place_of(location: &Location, text: &str, source: &Source) -> Range<usize> {
    if location.span().byte_len().is_some_and(|len| len > 0) {
        return bytes(location, text);
    }
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let at = source.byte_at(number(location.line()), number(location.column()));
    at..at
}

fn bytes(location: &Location, text: &str) -> Range<usize> {
    let span = location.span();
    let start = span.byte_offset().map_or(0, |at| usize::try_from(at).unwrap_or(0)).min(text.len());
    let len = span.byte_len().map_or(0, |len| usize::try_from(len).unwrap_or(0));
    start..start.saturating_add(len).min(text.len())
}

/// What the deserializer hands over, before its scalars are read from the text.
struct Raw(Spanned<Shape>);

enum Shape {
    Null,
    Text(String),
    Bool,
    Int,
    Float,
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
}

impl Raw {
    fn into_node(self, text: &str, source: &Source) -> Node {
        let written = bytes(&self.0.defined, text);
        let plain =
            |kind| Value::Scalar(Scalar { text: text.get(written.clone()).unwrap_or_default().to_owned(), kind });
        let value = match self.0.value {
            Shape::Null => Value::Null,
            Shape::Text(text) => Value::Scalar(Scalar { text, kind: Kind::Text }),
            Shape::Bool => plain(Kind::Bool),
            Shape::Int => plain(Kind::Int),
            Shape::Float => plain(Kind::Float),
            Shape::List(list) => Value::List(list.into_iter().map(|raw| raw.into_node(text, source)).collect()),
            Shape::Map(map) => {
                let pair = |(key, value): (Self, Self)| (key.into_node(text, source), value.into_node(text, source));
                Value::Map(map.into_iter().map(pair).collect())
            }
        };
        let at = bytes(&self.0.referenced, text);
        let at = if matches!(value, Value::List(_) | Value::Map(_)) { source.line_from(at.start) } else { at };
        Node { value, at }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Int)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Int)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Shape, E> {
        Ok(Shape::Int)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Shape, E> {
        Ok(Shape::Int)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Shape::Map(entries))
    }
}
