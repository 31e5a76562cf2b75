//! What a player owes, by the roster and by the manifest: what differs, and how that is edited.

use super::columns::Field;
use super::edit::{Edits, List, is_key, pairs_of};
use super::rows::Due;
use super::yaml;
use crate::domain::FeeId;
use crate::manifest::tree::{Node, Value};
use crate::manifest::{Manifest, Owed, Player};

/// What differs in what a player owes.
#[derive(Clone, Debug, Default)]
pub(super) struct Owing {
    /// Fees that the manifest lacks.
    new: Vec<Due>,
    /// Whether they take the place of its one fee.
    instead: bool,
    /// Fees of both that have another amount.
    amounts: Vec<Due>,
    /// Fees of the manifest of which the roster says nothing.
    pub(super) kept: Vec<FeeId>,
    /// Why nobody but a person can say what is owed.
    pub(super) unclear: Option<String>,
}

impl Owing {
    /// A single fee is replaced by what the roster says; to several, what the roster has besides is added. A fee of which the
    /// roster says nothing is never taken away.
    pub(super) fn of(due: &[Due], player: &Player) -> Self {
        let owed = |fee: &FeeId| player.owes.iter().find(|owed| owed.fee == *fee);
        let (both, new): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| owed(&due.fee).is_some());
        let said = |fee: &FeeId| due.iter().any(|due| due.fee == *fee);
        let kept: Vec<FeeId> = player.owes.iter().map(|owed| &owed.fee).filter(|fee| !said(fee)).cloned().collect();
        let differs = |due: &&Due| {
            let ours = owed(&due.fee).map(|owed| owed.amount);
            due.amount.is_some() && due.amount != ours
        };
        let mut owing = Self {
            instead: !new.is_empty() && both.is_empty() && player.owes.len() == 1,
            new: new.into_iter().cloned().collect(),
            amounts: both.into_iter().filter(differs).cloned().collect(),
            kept,
            unclear: None,
        };
        owing.unclear = owing.doubt(due, player);
        owing
    }

    fn doubt(&self, due: &[Due], player: &Player) -> Option<String> {
        let roster = ids(due.iter().map(|due| &due.fee));
        if !self.new.is_empty() && !self.instead && !self.kept.is_empty() {
            let kept = ids(&self.kept);
            return Some(format!(
                "the roster has the fees {roster}, the manifest {}, and whether {kept} is still owed is for a person",
                ids(player.owes.iter().map(|owed| &owed.fee))
            ));
        }
        let grows = self.instead && self.new.len() > 1 || !self.instead && !self.new.is_empty();
        (grows && player.paid.is_some())
            .then(|| format!("the roster has the fees {roster}, and `paid` in the manifest would hold for all of them"))
    }

    pub(super) fn is_unclear(&self) -> bool {
        self.unclear.is_some()
    }

    /// For people: the field, what the manifest says and what the roster does.
    pub(super) fn shown(&self, player: &Player) -> Vec<(Field, Option<String>, String)> {
        let mut shown = Vec::new();
        if !self.new.is_empty() {
            let before: Vec<&FeeId> = player.owes.iter().map(|owed| &owed.fee).collect();
            let after = before.iter().copied().filter(|_| !self.instead).chain(self.new.iter().map(|due| &due.fee));
            shown.push((Field::Fee, Some(ids(before.iter().copied())), ids(after)));
        }
        let several = player.owes.len() + self.new.len() > 1 && !self.is_single();
        for due in self.amounts.iter().chain(&self.new) {
            let Some(amount) = due.amount else { continue };
            let ours = player.owes.iter().find(|owed| owed.fee == due.fee || self.is_single());
            let which = if several { format!("{}: ", due.fee) } else { String::new() };
            let from = ours.map(|owed| format!("{which}{}", owed.amount));
            shown.push((Field::Amount, from, format!("{which}{amount}")));
        }
        shown
    }

    /// Whether one fee takes the place of one.
    fn is_single(&self) -> bool {
        self.instead && self.new.len() == 1
    }

    /// Whether what is owed now is what was owed with these differences and no other.
    pub(super) fn is_done(&self, was: &[Owed], now: &[Owed], manifest: &Manifest) -> bool {
        if let [due] = self.new.as_slice()
            && self.instead
        {
            // An amount of its own stays with the player.
            let [owed] = now else { return false };
            return owed.fee == due.fee && due.amount.is_none_or(|amount| amount == owed.amount);
        }
        let stays = if self.instead { 0 } else { was.len() };
        let Some((before, after)) = now.split_at_checked(stays) else { return false };
        let amount = |owed: &Owed| {
            let changed = self.amounts.iter().find(|due| due.fee == owed.fee).and_then(|due| due.amount);
            changed.unwrap_or(owed.amount)
        };
        let kept = before.iter().zip(was).all(|(now, was)| now.fee == was.fee && now.amount == amount(was));
        kept && are(&self.new, after, manifest)
    }
}

/// Whether fees are owed as the roster has them.
pub(super) fn are(due: &[Due], owed: &[Owed], manifest: &Manifest) -> bool {
    let amount = |due: &Due| due.amount.or(manifest.fee(&due.fee).map(|fee| fee.amount));
    let same = |(due, owed): (&Due, &Owed)| due.fee == owed.fee && amount(due) == Some(owed.amount);
    due.len() == owed.len() && due.iter().zip(owed).all(same)
}

/// Ids as a list for people.
pub(super) fn ids<'f>(fees: impl IntoIterator<Item = &'f FeeId>) -> String {
    fees.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The pairs of a new entry.
pub(super) fn pairs(owes: &[Due], model: &Manifest) -> Vec<(&'static str, String)> {
    let own = |due: &Due| due.amount.filter(|amount| model.fee(&due.fee).is_none_or(|fee| fee.amount != *amount));
    if let [due] = owes {
        let amount = own(due).map(|amount| (Field::Amount.key(), yaml::amount(amount)));
        return std::iter::once((Field::Fee.key(), yaml::id(&due.fee.0))).chain(amount).collect();
    }
    let items: Vec<String> = owes.iter().map(|due| item(&Due { amount: own(due), ..due.clone() })).collect();
    vec![(FEES, format!("[{}]", items.join(", ")))]
}

/// The key of several fees.
const FEES: &str = "fees";

/// A fee among several.
fn item(due: &Due) -> String {
    let id = yaml::id(&due.fee.0);
    due.amount.map_or(id.clone(), |amount| item_of(&id, &yaml::amount(amount)))
}

fn item_of(id: &str, amount: &str) -> String {
    format!("{{id: {id}, amount: {amount}}}")
}

impl List<'_> {
    /// Edits what a player owes; none where it is written in a way that would lose something.
    pub(super) fn owe(&self, entry: &Node, pairs: &[(Node, Node)], owing: &Owing, edits: &mut Edits) -> Option<()> {
        if owing.new.is_empty() && owing.amounts.is_empty() {
            return Some(());
        }
        if let Some((key, value)) = pair(pairs, FEES) {
            return self.owe_among(key, value, owing, edits);
        }
        let (key, value) = pair(pairs, Field::Fee.key())?;
        value.scalar()?;
        if let (true, [due]) = (owing.instead, owing.new.as_slice()) {
            edits.replace(self.written(key, value), yaml::id(&due.fee.0));
            return self.owe_own(entry, pairs, due, edits);
        }
        if let (true, [due]) = (owing.new.is_empty(), owing.amounts.as_slice()) {
            return self.owe_own(entry, pairs, due, edits);
        }
        let mut items: Vec<String> = owing.new.iter().map(item).collect();
        let own = pair(pairs, Field::Amount.key());
        if !owing.instead {
            let id = &self.text[self.written(key, value)];
            let amount = match (owing.amounts.as_slice(), own) {
                ([due], _) => due.amount.map(yaml::amount),
                (_, Some((key, value))) => Some(self.text[self.written(key, value)].to_owned()),
                _ => None,
            };
            items.insert(0, amount.map_or(id.to_owned(), |amount| item_of(id, &amount)));
        }
        edits.replace(key.at.clone(), FEES);
        edits.replace(self.written(key, value), format!("[{}]", items.join(", ")));
        if own.is_some() { self.remove(entry, pairs, Field::Amount.key(), edits) } else { Some(()) }
    }

    /// The amount beside a single fee.
    fn owe_own(&self, entry: &Node, pairs: &[(Node, Node)], due: &Due, edits: &mut Edits) -> Option<()> {
        let Some(amount) = due.amount else { return Some(()) };
        self.set(entry, pairs, Field::Amount.key(), &yaml::amount(amount), edits)
    }

    /// Edits the list of several fees.
    fn owe_among(&self, key: &Node, list: &Node, owing: &Owing, edits: &mut Edits) -> Option<()> {
        let Value::List(items) = &list.value else { return None };
        if owing.instead {
            return None;
        }
        for due in &owing.amounts {
            let id = due.fee.to_string();
            let is_it = |item: &&Node| {
                let id_of = pairs_of(item).map_or(Some(*item), |pairs| pair(pairs, Field::Id.key()).map(|(_, id)| id));
                id_of.and_then(Node::scalar).is_some_and(|scalar| scalar.text == id)
            };
            let place = items.iter().find(is_it)?;
            match pairs_of(place) {
                Some(pairs) => self.owe_own(place, pairs, due, edits)?,
                None => edits.replace(place.at.start..self.end_of(place), item(due)),
            }
        }
        let last = items.last()?;
        let between = self.text.get(key.at.end..last.at.start)?;
        let in_brackets = between.trim_start_matches([':', ' ', '\t']).starts_with('[');
        for due in &owing.new {
            if in_brackets {
                edits.insert(self.end_of(last), format!(", {}", item(due)));
            } else {
                let indent = " ".repeat(self.column(self.dash(last)?));
                edits.insert(self.line_end(self.end_of(last)), format!("{}{indent}- {}", self.end, item(due)));
            }
        }
        Some(())
    }

    /// Takes a pair out of an entry: its whole line, or as much of it as no comment stands on.
    fn remove(&self, entry: &Node, pairs: &[(Node, Node)], name: &str, edits: &mut Edits) -> Option<()> {
        let index = pairs.iter().position(|(key, _)| is_key(key, name))?;
        let (key, value) = &pairs[index];
        let (start, end) = (key.at.start, self.end_of(value));
        if self.is_flow(entry) {
            // From the value before to the end of this one, or from this one to the next.
            let (from, to) = match index.checked_sub(1).map(|before| self.end_of(&pairs[before].1)) {
                Some(before) => (before, end),
                None => (start, pairs.get(1)?.0.at.start),
            };
            let rest = if index == 0 { &self.text[end..to] } else { &self.text[from..start] };
            (rest.trim() == ",").then(|| edits.replace(from..to, ""))?;
            return Some(());
        }
        let line = self.text[..start].rfind('\n')?;
        let line_end = self.line_end(end);
        self.text[line..start].trim().is_empty().then_some(())?;
        let rest = &self.text[end..line_end];
        match rest.trim_start() {
            "" => edits.replace(self.line_end(self.text[..line].rfind('\n').map_or(0, |at| at + 1))..line_end, ""),
            comment if comment.starts_with('#') => edits.replace(start..line_end - comment.len(), ""),
            _ => return None,
        }
        Some(())
    }
}

fn pair<'n>(pairs: &'n [(Node, Node)], name: &str) -> Option<(&'n Node, &'n Node)> {
    pairs.iter().find(|(key, _)| is_key(key, name)).map(|(key, value)| (key, value))
}
