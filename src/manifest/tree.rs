//! YAML as a tree of values that know their places; nothing is interpreted yet.
//!
//! A scalar keeps its text as written: amounts never pass through a float, and `007` or `yes` can be told from what a
//! YAML reader would make of them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Options, Spanned};

use super::fields::shorten;
use super::problem::Problems;
use super::source::Source;

/// The largest file, in bytes: more than a hundred players for every kilobyte of a real manifest would need.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_NODES: usize = 500_000;
const MAX_ALIASES: usize = 100;
const MAX_REPLAYED: usize = 10_000;
const MAX_DEPTH: usize = 24;
/// How many aliases without an anchor are told before the rest of the file is left unread: each costs one more reading.
const MAX_UNREAD: usize = 10;

/// One value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Its bytes in the text; of a list or mapping without brackets, the rest of the line on which it begins.
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
    /// Something that could not be read, and was told: nothing more is said of it.
    Unread,
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
    /// Whether it could not be read, and that was told.
    pub(crate) const fn is_unread(&self) -> bool {
        matches!(self.value, Value::Unread)
    }

    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// What it is, in words.
    pub(crate) fn what(&self) -> &'static str {
        match &self.value {
            Value::Null | Value::Unread => "nothing",
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

/// Reads one YAML document. A text that is no YAML, or is hostile, gives one problem; an alias without an anchor does not
/// keep the rest from being read.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut text = Cow::Borrowed(text);
    let mut unread = BTreeSet::new();
    loop {
        let error = match serde_saphyr::from_str_with_options::<Raw>(&text, options()) {
            Ok(raw) => return Some(raw.into_node(&Text { text: &text, source: problems.source(), unread: &unread })),
            Err(error) => error,
        };
        let Some(at) = unknown_alias(&error, &text, problems.source()).filter(|_| unread.len() < MAX_UNREAD) else {
            add_syntax_error(&error, &text, problems);
            return None;
        };
        let alias = text.get(at.clone()).unwrap_or_default().to_owned();
        let help = format!("write the value out, or write &{} before the one that it repeats", shorten(&alias[1..]));
        problems.add(&at, "", format!("the alias {} names nothing in this file", shorten(&alias)), help);
        unread.insert(at.start);
        // A word of the same length stands in its place, so that everything else keeps its own.
        text.to_mut().replace_range(at, &"x".repeat(alias.len()));
    }
}

/// Where an alias stands that has no anchor.
fn unknown_alias(error: &serde_saphyr::Error, text: &str, source: &Source) -> Option<Range<usize>> {
    let serde_saphyr::Error::UnknownAnchor { location } = error.without_snippet() else { return None };
    let start = place_of(location, text, source).start;
    let rest = text.get(start..).filter(|rest| rest.starts_with('*'))?;
    let end = rest.find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(rest.len());
    (end > 1).then_some(start..start + end)
}

fn add_syntax_error(error: &serde_saphyr::Error, text: &str, problems: &mut Problems) {
    let at = error.location().map_or(0..0, |location| place_of(&location, text, problems.source()));
    let message = error.without_snippet().to_string();
    let message = message.lines().next().unwrap_or_default();
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let (line, _) = problems.source().place(at.start);
    let says_so = message.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).any(|w| w == "tab" || w == "tabs");
    if let Some(tab) = indenting_tab(text, line, says_so) {
        problems.add(&(tab..tab + 1), "", "a tab cannot indent YAML", "indent with spaces");
        return;
    }
    let (message, help) = in_plain_words(message);
    problems.add(&at, "", message, help);
}

/// The tab that a syntax error is about: the library notices it a line before or after, or says that there is one.
fn indenting_tab(text: &str, line: usize, says_so: bool) -> Option<usize> {
    let mut at = 0;
    for (index, content) in text.split_inclusive('\n').enumerate() {
        let indent = content.len() - content.trim_start_matches([' ', '\t']).len();
        let near = (index + 1).abs_diff(line) <= 1 || (says_so && index + 1 >= line);
        if let Some(tab) = content[..indent].find('\t').filter(|_| near && !content.trim().is_empty()) {
            return Some(at + tab);
        }
        at += content.len();
    }
    None
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
        // Whoever asked for an amount or an id says that it is none.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
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

/// The text that was read, and where in it stands what could not be.
struct Text<'t> {
    text: &'t str,
    source: &'t Source,
    unread: &'t BTreeSet<usize>,
}

impl Raw {
    fn into_node(self, text: &Text<'_>) -> Node {
        let written = bytes(&self.0.defined, text.text);
        let at = bytes(&self.0.referenced, text.text);
        if text.unread.contains(&at.start) {
            return Node { value: Value::Unread, at };
        }
        let plain = |kind| {
            let text = text.text.get(written.clone()).unwrap_or_default().to_owned();
            Value::Scalar(Scalar { text, kind })
        };
        let value = match self.0.value {
            Shape::Null => Value::Null,
            Shape::Text(text) => Value::Scalar(Scalar { text, kind: Kind::Text }),
            Shape::Bool => plain(Kind::Bool),
            Shape::Int => plain(Kind::Int),
            Shape::Float => plain(Kind::Float),
            Shape::List(list) => Value::List(list.into_iter().map(|raw| raw.into_node(text)).collect()),
            Shape::Map(map) => {
                let pair = |(key, value): (Self, Self)| (key.into_node(text), value.into_node(text));
                Value::Map(map.into_iter().map(pair).collect())
            }
        };
        let at = match &value {
            Value::List(list) => text.collection(at.start, list.last()),
            Value::Map(map) => text.collection(at.start, map.last().map(|(_, value)| value)),
            _ => at,
        };
        Node { value, at }
    }
}

impl Text<'_> {
    /// Where a list or mapping stands: from bracket to bracket, else the rest of its first line. Its last item, whose
    /// place is known, is not read again: so that nesting costs nothing.
    fn collection(&self, start: usize, last: Option<&Node>) -> Range<usize> {
        let rest = self.text.get(start..).unwrap_or_default();
        let close = match rest.as_bytes().first() {
            Some(b'[') => ']',
            Some(b'{') => '}',
            _ => return self.source.line_from(start),
        };
        let after = last.map_or(start + 1, |last| last.at.end.max(start + 1));
        let tail = self.text.get(after..).unwrap_or_default();
        start..tail.find(close).map_or(start + 1, |end| after + end + 1)
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
