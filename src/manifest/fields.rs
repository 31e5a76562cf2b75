//! A mapping with known keys: unknown, repeated and missing ones are problems.

use std::ops::Range;

use super::problem::Problems;
use super::tree::{Node, Value};

/// The entries of one mapping under their known keys.
pub(crate) struct Fields<'n> {
    entries: Vec<(&'static str, &'n Node, &'n Node)>,
    /// Where in the structure, for example `players[2]`.
    pub(crate) path: String,
    /// Where the mapping begins.
    pub(crate) at: Range<usize>,
}

impl<'n> Fields<'n> {
    /// Reads a mapping; none where the value is something else.
    pub(crate) fn of(node: &'n Node, path: &str, known: &[&'static str], problems: &mut Problems) -> Option<Self> {
        if node.is_unread() {
            return None;
        }
        let Value::Map(pairs) = &node.value else {
            let help = format!("write a mapping with the keys {}", join(known));
            problems.add(&node.at, path, format!("this is {}, not a mapping", node.what()), help);
            return None;
        };
        let mut fields = Self { entries: Vec::new(), path: path.to_owned(), at: node.at.clone() };
        for (key, value) in pairs {
            fields.take_in(key, value, known, problems);
        }
        Some(fields)
    }

    fn take_in(&mut self, key: &'n Node, value: &'n Node, known: &[&'static str], problems: &mut Problems) {
        if key.is_unread() {
            return;
        }
        let Some(text) = key.scalar().map(|scalar| scalar.text.as_str()) else {
            problems.add(&key.at, &self.path, "a key must be a word", format!("the keys here are {}", join(known)));
            return;
        };
        let Some(name) = known.iter().find(|name| **name == text) else {
            let message = format!("unknown key {:?}", shorten(text));
            problems.add(&key.at, &self.path, message, instead(text, known));
            return;
        };
        if let Some((_, first, _)) = self.entries.iter().find(|(other, ..)| other == name) {
            let path = self.path_of(name);
            let help = "keep one of the two";
            problems.add_pair(&key.at, (&first.at, "first here"), &path, "this key stands twice", help);
            return;
        }
        self.entries.push((*name, key, value));
    }

    /// The value of an optional key. A key with nothing behind it is a problem.
    pub(crate) fn get(&self, name: &str, problems: &mut Problems) -> Option<&'n Node> {
        self.value(name, "write one, or leave the key out", problems)
    }

    /// The value of a required key.
    pub(crate) fn need(&self, name: &'static str, example: &str, problems: &mut Problems) -> Option<&'n Node> {
        if !self.has(name) {
            problems.add(
                &self.at,
                &self.path,
                format!("the key `{name}` is missing"),
                format!("add `{name}: {example}`"),
            );
        }
        self.value(name, &format!("write one: `{name}: {example}`"), problems)
    }

    fn value(&self, name: &str, help: &str, problems: &mut Problems) -> Option<&'n Node> {
        let (_, key, value) = self.entries.iter().find(|(other, ..)| *other == name)?;
        if matches!(value.value, Value::Null) {
            problems.add(&key.at, &self.path_of(name), "there is no value behind this key", help);
            return None;
        }
        Some(value)
    }

    /// Whether the key stands there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.key(name).is_some()
    }

    /// Where the key stands.
    pub(crate) fn key(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(other, ..)| *other == name).map(|(_, key, _)| *key)
    }

    /// The path of one of its keys.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// What to write in place of a word that is not known.
pub(crate) fn instead(text: &str, known: &[&str]) -> String {
    if text == "<<" {
        return "merge keys are not read: write the keys out".to_owned();
    }
    let lower: String = text.chars().take(40).flat_map(char::to_lowercase).collect();
    let near = known.iter().map(|name| (strsim::damerau_levenshtein(&lower, name), name)).min();
    match near {
        Some((distance, name)) if distance <= 2.max(name.len() / 3) && distance < name.len() => {
            format!("did you mean `{name}`?")
        }
        _ => format!("known here: {}", join(known)),
    }
}

/// Words as a list for people.
pub(crate) fn join(words: &[&str]) -> String {
    words.join(", ")
}

/// A piece of a file that is fit for a message: short, and without control characters.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().filter(|c| !super::source::is_unprintable(*c)).take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
