//! The manifest's text with its players changed, and every other byte as it was.

use std::collections::HashSet;
use std::ops::Range;

use super::columns::Field;
use super::merge::{BY_HAND, Changed, Merged, NOT_EDITED};
use super::owes;
use super::rows::Row;
use super::yaml;
use crate::manifest::Manifest;
use crate::manifest::problem::Problems;
use crate::manifest::source::Source;
use crate::manifest::tree::{self, Node, Value};

/// The text after; where a place cannot be edited, the problem is told at its row.
pub(super) fn edited(text: &str, model: &Manifest, merged: &Merged, problems: &mut Problems) -> Option<String> {
    let root = tree::parse(text, &mut Problems::new(Source::new("", text)))?;
    let mut edits = Edits::default();
    let Some(list) = List::of(text, &root) else {
        problems.add(&(0..0), "", NOT_EDITED, BY_HAND);
        return None;
    };
    for changed in &merged.changed {
        let unclear = changed.owing.unclear.as_deref();
        if unclear.is_some() || list.change(changed, &mut edits).is_none() {
            let fields: Vec<&str> = changed.changes.iter().map(|change| change.field.key()).collect();
            let message = format!("player {}: {} cannot be changed here", changed.id, fields.join(", "));
            let message = unclear.map_or(message.clone(), |why| format!("{message}: {why}"));
            problems.add(&changed.row.at, "", message, "make this change by hand, and import again");
        }
    }
    let leaving = if merged.remove { &merged.absent[..] } else { &[] };
    let added: Vec<Vec<(&str, String)>> = merged.added.iter().map(|added| pairs(added, model)).collect();
    if list.replace(leaving, &added, &mut edits).is_none() {
        problems.add(&(0..0), "", NOT_EDITED, BY_HAND);
    }
    problems.is_empty().then(|| edits.apply(text))
}

/// What a new entry holds.
fn pairs(added: &super::Added, model: &Manifest) -> Vec<(&'static str, String)> {
    let Row { name, email, owes, team, note, .. } = &added.row;
    let pairs = [
        (Field::Id, Some(yaml::id(&added.id.0))),
        (Field::Name, Some(yaml::text(name))),
        (Field::Email, Some(yaml::text(email.expose()))),
    ];
    let more = [(Field::Team, team.as_deref().map(yaml::text)), (Field::Note, note.as_deref().map(yaml::text))];
    let filled = |(field, value): (Field, Option<String>)| Some((field.key(), value?));
    let owed = owes::pairs(owes, model);
    pairs.into_iter().filter_map(filled).chain(owed).chain(more.into_iter().filter_map(filled)).collect()
}

/// Pieces of a text and what takes their place.
#[derive(Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, at: Range<usize>, with: impl Into<String>) {
        self.0.push((at, with.into()));
    }

    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    fn apply(mut self, text: &str) -> String {
        // Stable: what is inserted at one place keeps its order.
        self.0.sort_by_key(|(at, _)| (at.start, at.end));
        let (mut edited, mut done) = (String::with_capacity(text.len()), 0);
        for (at, with) in self.0 {
            edited.push_str(text.get(done..at.start).unwrap_or_default());
            edited.push_str(&with);
            done = at.end.max(done);
        }
        edited + text.get(done..).unwrap_or_default()
    }
}

/// The list of players as it is written.
pub(super) struct List<'t> {
    pub(super) text: &'t str,
    key: &'t Node,
    node: &'t Node,
    items: &'t [Node],
    /// The line end of this file.
    pub(super) end: &'static str,
}

impl<'t> List<'t> {
    fn of(text: &'t str, root: &'t Node) -> Option<Self> {
        let (key, node) = pairs_of(root)?.iter().find(|(key, _)| is_key(key, "players"))?;
        let Value::List(items) = &node.value else { return None };
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(Self { text, key, node, items, end })
    }

    /// Whether an entry is written in brackets.
    pub(super) fn is_flow(&self, entry: &Node) -> bool {
        self.text[entry.at.start..].starts_with('{')
    }

    /// Whether the list is written in brackets. The reader's place of a list without indentation is its first value's.
    fn is_in_brackets(&self) -> Option<bool> {
        let before = self.text.get(self.colon()?..self.items.first()?.at.start)?;
        Some(before.trim_start().starts_with('['))
    }

    /// Changes the values of an entry; none where one of them is written as something else than a plain pair.
    fn change(&self, changed: &Changed, edits: &mut Edits) -> Option<()> {
        let entry = self.items.get(changed.index)?;
        let pairs = pairs_of(entry)?;
        self.owe(entry, pairs, &changed.owing, edits)?;
        let texts = changed.changes.iter().filter(|change| !matches!(change.field, Field::Fee | Field::Amount));
        for change in texts {
            self.set(entry, pairs, change.field.key(), &change.yaml, edits)?;
        }
        Some(())
    }

    /// Writes the value of a pair, which is there or not.
    pub(super) fn set(
        &self,
        entry: &Node,
        pairs: &[(Node, Node)],
        key: &str,
        yaml: &str,
        edits: &mut Edits,
    ) -> Option<()> {
        let Some((at, value)) = pairs.iter().find(|(one, _)| is_key(one, key)) else {
            return self.insert(entry, pairs, key, yaml, edits);
        };
        value.scalar()?;
        edits.replace(self.written(at, value), yaml);
        Some(())
    }

    /// A new pair in an entry: behind the last of those that hold one value.
    fn insert(&self, entry: &Node, pairs: &[(Node, Node)], key: &str, yaml: &str, edits: &mut Edits) -> Option<()> {
        let before = |one: &Node| Field::ALL.iter().any(|field| is_key(one, field.key()));
        let singles = pairs.iter().filter(|(one, value)| before(one) && value.scalar().is_some());
        let last = singles.map(|(_, value)| self.end_of(value)).max()?;
        if self.is_flow(entry) {
            edits.insert(last, format!(", {key}: {yaml}"));
        } else {
            let indent = self.column(pairs.first()?.0.at.start);
            edits.insert(self.line_end(last), format!("{}{}{key}: {yaml}", self.end, " ".repeat(indent)));
        }
        Some(())
    }

    /// Takes entries out and puts new ones at the end.
    fn replace(&self, leaving: &[usize], added: &[Vec<(&str, String)>], edits: &mut Edits) -> Option<()> {
        if leaving.is_empty() && added.is_empty() {
            return Some(());
        }
        match self.items.last() {
            None => self.begin(added, edits),
            Some(_) if self.is_in_brackets()? => self.replace_in_brackets(leaving, added, edits),
            Some(last) => self.replace_in_block(last, leaving, added, edits),
        }
    }

    /// `players: []` becomes a list with lines.
    fn begin(&self, added: &[Vec<(&str, String)>], edits: &mut Edits) -> Option<()> {
        let colon = self.colon()?;
        edits.replace(colon..self.node.at.end, "");
        let lines: String = added.iter().map(|pairs| format!("{}{}", self.end, self.block(2, pairs))).collect();
        edits.insert(self.line_end(self.node.at.end), lines);
        Some(())
    }

    fn replace_in_brackets(&self, leaving: &[usize], added: &[Vec<(&str, String)>], edits: &mut Edits) -> Option<()> {
        let (first, last) = (self.items.first()?, self.items.last()?);
        let new = added.iter().map(|pairs| flow(pairs));
        if leaving.is_empty() {
            edits.insert(last.at.end, new.map(|entry| format!(", {entry}")).collect::<String>());
            return Some(());
        }
        let leaving: HashSet<&usize> = leaving.iter().collect();
        let kept = self.items.iter().enumerate().filter(|(index, _)| !leaving.contains(index));
        // Written anew, these would lose the values that differ: the next reading would tell.
        let kept = kept.map(|(_, item)| self.text[item.at.clone()].to_owned());
        let all: Vec<String> = kept.chain(new).collect();
        let inside = |at: &Range<usize>| at.start >= first.at.start && at.end <= last.at.end;
        if edits.0.iter().any(|(at, _)| inside(at)) {
            return None;
        }
        edits.replace(first.at.start..last.at.end, all.join(", "));
        Some(())
    }

    fn replace_in_block(
        &self,
        last: &Node,
        leaving: &[usize],
        added: &[Vec<(&str, String)>],
        edits: &mut Edits,
    ) -> Option<()> {
        for index in leaving {
            edits.replace(self.extent(self.items.get(*index)?)?, "");
        }
        if leaving.len() == self.items.len() && added.is_empty() {
            edits.insert(self.colon()?, " []");
            return Some(());
        }
        let extent = self.extent(last)?;
        let dash = self.column(self.dash(last)?);
        let flows = self.is_flow(last);
        let entry = |pairs: &Vec<(&str, String)>| match flows {
            true => format!("{}- {}", " ".repeat(dash), flow(pairs)),
            false => self.block(dash, pairs),
        };
        let stays = !leaving.contains(&(self.items.len() - 1));
        let unended = stays && !self.text[..extent.end].ends_with('\n');
        let lines = added.iter().map(entry);
        let lines: String = if unended {
            lines.map(|line| format!("{}{line}", self.end)).collect()
        } else {
            lines.map(|line| format!("{line}{}", self.end)).collect()
        };
        edits.insert(extent.end, lines);
        Some(())
    }

    /// An entry of several lines whose dash stands in this column.
    fn block(&self, dash: usize, pairs: &[(&str, String)]) -> String {
        let indent = format!("{}{}  ", self.end, " ".repeat(dash));
        let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        format!("{}- {}", " ".repeat(dash), lines.join(&indent))
    }

    /// Behind the colon of `players:`.
    fn colon(&self) -> Option<usize> {
        self.text[self.key.at.end..].find(':').map(|at| self.key.at.end + at + 1)
    }

    /// The dash of an entry in a list with lines.
    pub(super) fn dash(&self, entry: &Node) -> Option<usize> {
        self.text[..entry.at.start].trim_end().strip_suffix('-').map(str::len)
    }

    /// The whole lines of an entry: from its dash to the last line that is indented further, blank lines behind it left out.
    fn extent(&self, entry: &Node) -> Option<Range<usize>> {
        let dash = self.dash(entry)?;
        let start = self.text[..dash].rfind('\n').map_or(0, |at| at + 1);
        Some(start..self.deeper(self.after_line(self.end_of(entry)), dash - start))
    }

    /// From the beginning of a line, behind the last one that is indented further, with only such and blank ones between.
    fn deeper(&self, from: usize, than: usize) -> usize {
        let (mut end, mut at) = (from, from);
        while at < self.text.len() {
            let next = self.after_line(at);
            let line = &self.text[at..next];
            let indent = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() {
                if indent <= than {
                    break;
                }
                end = next;
            }
            at = next;
        }
        end
    }

    /// Where a value stands. Of a text of several lines (`>-`, `|`) the reader gives the place of its lines and of the blank
    /// ones behind them, without the sign above.
    pub(super) fn written(&self, key: &Node, value: &Node) -> Range<usize> {
        let between = &self.text[key.at.end..value.at.start];
        let sign = between.find(':').map_or("", |colon| between[colon + 1..].trim_start());
        let start = if sign.starts_with(['|', '>']) { value.at.start - sign.len() } else { value.at.start };
        start..self.end_of(value)
    }

    /// Where the last value of an entry ends.
    pub(super) fn end_of(&self, node: &Node) -> usize {
        match &node.value {
            Value::List(list) => list.iter().map(|node| self.end_of(node)).max().unwrap_or_default().max(node.at.end),
            Value::Map(pairs) => {
                let ends = pairs.iter().map(|(key, value)| self.end_of(value).max(key.at.end));
                ends.max().unwrap_or_default().max(node.at.end)
            }
            _ => node.at.start + self.text[node.at.clone()].trim_end().len(),
        }
    }

    pub(super) fn column(&self, at: usize) -> usize {
        let start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        self.text[start..at].chars().count()
    }

    /// Before the end of the line in which a byte stands.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let line = rest.split('\n').next().unwrap_or_default();
        at + line.trim_end_matches('\r').len()
    }

    /// Behind it.
    fn after_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }
}

/// An entry on one line.
fn flow(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

pub(super) fn pairs_of(node: &Node) -> Option<&[(Node, Node)]> {
    match &node.value {
        Value::Map(pairs) => Some(pairs),
        _ => None,
    }
}

pub(super) fn is_key(node: &Node, name: &str) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == name)
}
