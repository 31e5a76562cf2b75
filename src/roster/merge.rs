//! Rows against the manifest's players: who is whom, who comes, who goes, and what differs.

use std::collections::{HashMap, HashSet};

use super::columns::Field;
use super::ids::folded;
use super::owes::{Owing, are, ids};
use super::rows::Row;
use super::who::{id_of, whose};
use super::yaml;
use crate::domain::{Email, FeeId, PlayerId};
use crate::manifest::problem::Problems;
use crate::manifest::{Manifest, ManifestErrors, Player};

/// A player who comes.
#[derive(Clone, Debug)]
pub struct Added {
    /// The line of the roster, from 1.
    pub line: usize,
    /// As the roster says, else made from name and address.
    pub id: PlayerId,
    /// The name.
    pub name: String,
    /// The address.
    pub email: Email,
    /// What is owed, at least one.
    pub fees: Vec<FeeId>,
    pub(super) row: Row,
}

/// A player of whom something differs.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The line of the roster, from 1.
    pub line: usize,
    /// The player.
    pub id: PlayerId,
    /// The name as the roster has it.
    pub name: String,
    /// What differs, at least one.
    pub changes: Vec<Change>,
    /// What is different in what is owed.
    pub(super) owing: Owing,
    pub(super) index: usize,
    pub(super) row: Row,
}

/// One value that differs, as people may see it: addresses are masked.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which.
    pub field: Field,
    /// What the manifest says; none where it says nothing.
    pub from: Option<String>,
    /// What the roster says.
    pub to: String,
    /// The same as the manifest writes it; nothing of what is owed, which [`Owing`] has.
    pub(super) yaml: String,
}

/// What is to become of the manifest's players.
pub(super) struct Merged {
    pub(super) added: Vec<Added>,
    pub(super) changed: Vec<Changed>,
    /// Players, by their place in the manifest, who are in no row.
    pub(super) absent: Vec<usize>,
    /// Whether those leave.
    pub(super) remove: bool,
    pub(super) remarks: Vec<String>,
}

/// Works the rows into the manifest's players. With `one_fee` the roster speaks of that one alone.
pub(super) fn merge(rows: &[Row], manifest: &Manifest, remove: bool, one_fee: bool) -> Merged {
    let whose = whose(rows, &manifest.players);
    let present: HashSet<usize> = whose.iter().copied().flatten().collect();
    let absent: Vec<usize> = (0..manifest.players.len()).filter(|index| !present.contains(index)).collect();
    let gone = absent.iter().map(|index| &manifest.players[*index]).map(|player| (folded(&player.name), player));
    let gone: HashMap<String, &Player> = gone.collect();
    let mut merged = Merged { added: Vec::new(), changed: Vec::new(), absent, remove, remarks: Vec::new() };
    for (row, player) in rows.iter().zip(whose) {
        match player {
            Some(index) => merged.compare(row, index, &manifest.players[index], one_fee),
            None => merged.add(row, gone.get(&folded(&row.name)).copied()),
        }
    }
    merged
}

impl Merged {
    /// `same` is in no row and has the name of this one.
    fn add(&mut self, row: &Row, same: Option<&Player>) {
        let id = id_of(row);
        if let Some(same) = same {
            self.remarks.push(format!(
                "line {}: {id} is new, and {}, who has the same name and another address, is not in the roster: if they are \
                 one person, change the address in the manifest and import again",
                row.line, same.id
            ));
        }
        self.added.push(Added {
            line: row.line,
            id,
            name: row.name.clone(),
            email: row.email.clone(),
            fees: row.owes.iter().map(|due| due.fee.clone()).collect(),
            row: row.clone(),
        });
    }

    fn compare(&mut self, row: &Row, index: usize, player: &Player, one_fee: bool) {
        if let Some(id) = row.id.as_ref().filter(|id| **id != player.id && player.renamed_from.as_ref() != Some(*id)) {
            self.remarks.push(format!(
                "line {}: the roster calls this player {id}; {} is kept, since orders hang on it (renamed_from moves them)",
                row.line, player.id
            ));
        }
        let owing = Owing::of(&row.owes, player);
        if !owing.kept.is_empty() && !one_fee && !owing.is_unclear() {
            self.remarks.push(format!(
                "line {}: {} owes fee {} in the manifest, of which the roster says nothing: it is kept (to end it, remove it \
                 in the manifest)",
                row.line,
                player.id,
                ids(&owing.kept)
            ));
        }
        let changes = differences(row, player, &owing);
        if !changes.is_empty() {
            let (line, id, name) = (row.line, player.id.clone(), row.name.clone());
            self.changed.push(Changed { line, id, name, changes, owing, index, row: row.clone() });
        }
    }

    /// The players who stay, by their place in the manifest before.
    fn kept(&self, before: &Manifest) -> Vec<usize> {
        let leaving: HashSet<&usize> = self.absent.iter().filter(|_| self.remove).collect();
        (0..before.players.len()).filter(|index| !leaving.contains(index)).collect()
    }

    fn changed(&self) -> HashMap<usize, &Changed> {
        self.changed.iter().map(|changed| (changed.index, changed)).collect()
    }

    /// Whether the manifest, read again, says exactly what was meant; anything else is a problem of the row.
    pub(super) fn check(&self, before: &Manifest, after: &Manifest, problems: &mut Problems) {
        let (kept, changed) = (self.kept(before), self.changed());
        let whole = (&before.tournament, &before.fees, &before.policy, &before.decisions)
            == (&after.tournament, &after.fees, &after.policy, &after.decisions);
        if !whole || after.players.len() != kept.len() + self.added.len() {
            problems.add(&(0..0), "", NOT_EDITED, BY_HAND);
            return;
        }
        for (index, now) in kept.iter().zip(&after.players) {
            let changed = changed.get(index);
            let was = &before.players[*index];
            let fine = changed.map_or(now == was, |changed| changed.is_done(was, now, before));
            if !fine {
                problems.add(&changed.map_or(0..0, |changed| changed.row.at.clone()), "", NOT_EDITED, BY_HAND);
            }
        }
        for (added, now) in self.added.iter().zip(&after.players[kept.len()..]) {
            if !added.is_done(now, before) {
                problems.add(&added.row.at, "", NOT_EDITED, BY_HAND);
            }
        }
    }

    /// What the new text would have wrong, at the rows that it came from.
    pub(super) fn blame(&self, errors: &ManifestErrors, before: &Manifest, problems: &mut Problems) {
        let (kept, changed) = (self.kept(before), self.changed());
        for problem in errors.problems() {
            let place = problem.path.strip_prefix("players[").and_then(|rest| rest.split(']').next()?.parse().ok());
            let row = place.and_then(|place: usize| match kept.get(place) {
                Some(index) => changed.get(index).map(|changed| &changed.row),
                None => self.added.get(place - kept.len()).map(|added| &added.row),
            });
            let at = row.map_or(0..0, |row| row.at.clone());
            let message = format!("the manifest would be wrong: {problem}");
            problems.add(&at, "", message, problem.help.clone().unwrap_or_default());
        }
    }
}

pub(super) const NOT_EDITED: &str = "the manifest is written in a way that cannot be edited here without touching more";
pub(super) const BY_HAND: &str =
    "make this change by hand (anchors and nested styles are in the way), and import again";

impl Changed {
    /// Whether a player, read again, is the old one with these differences and no other.
    fn is_done(&self, was: &Player, now: &Player, manifest: &Manifest) -> bool {
        let mut meant = was.clone();
        for change in &self.changes {
            match change.field {
                Field::Name => meant.name.clone_from(&self.row.name),
                Field::Email => meant.email = self.row.email.clone(),
                Field::Team => meant.team.clone_from(&self.row.team),
                Field::Note => meant.note.clone_from(&self.row.note),
                Field::Fee | Field::Amount | Field::Id => meant.owes.clone_from(&now.owes),
            }
        }
        meant == *now && self.owing.is_done(&was.owes, &now.owes, manifest)
    }
}

impl Added {
    fn is_done(&self, now: &Player, manifest: &Manifest) -> bool {
        let Row { name, email, owes, team, note, .. } = &self.row;
        let same = (&now.id, &now.name, &now.email, &now.team, &now.note) == (&self.id, name, email, team, note);
        same && are(owes, &now.owes, manifest) && now.paid.is_none() && now.renamed_from.is_none()
    }
}

/// What the roster says otherwise. An empty cell says nothing.
fn differences(row: &Row, player: &Player, owing: &Owing) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = |field, from: Option<String>, to: String, yaml| changes.push(Change { field, from, to, yaml });
    if row.name != player.name {
        change(Field::Name, Some(player.name.clone()), row.name.clone(), yaml::text(&row.name));
    }
    if !player.email.same_as(row.email.expose()) {
        let (from, to) = (player.email.to_string(), row.email.to_string());
        change(Field::Email, Some(from), to, yaml::text(row.email.expose()));
    }
    for (field, from, to) in owing.shown(player) {
        change(field, from, to, String::new());
    }
    for (field, ours, theirs) in [(Field::Team, &player.team, &row.team), (Field::Note, &player.note, &row.note)] {
        if let Some(text) = theirs.as_ref().filter(|_| ours != theirs) {
            change(field, ours.clone(), text.clone(), yaml::text(text));
        }
    }
    changes
}
