//! The ids that an application has given its players, found by the addresses of a roster (`--match email`).
//!
//! An address is no proof of who somebody is: wherever more than one child could be meant, a person decides. What they write
//! into the manifest by hand holds from then on.

use std::collections::{HashMap, HashSet};

use super::columns::{Field, Used};
use super::ids::folded;
use super::known::{Application, Candidate, Known, People, address};
use super::rows::Row;
use crate::domain::PlayerId;
use crate::manifest::fields::shorten;
use crate::manifest::problem::Problems;
use crate::manifest::{Manifest, Player};

/// So many ids are shown of those that an address has.
const SHOWN: usize = 10;

/// Gives every row the id that the application has for its player. What is not certain is told at the row, everything at
/// once; what a person should look at is a remark.
pub(super) fn look_up(
    rows: &mut [Row],
    known: &[Known],
    manifest: &Manifest,
    used: &Used,
    problems: &mut Problems,
) -> Vec<String> {
    let application = Application::of(known);
    let mut in_roster: HashMap<String, usize> = HashMap::new();
    for row in rows.iter() {
        *in_roster.entry(address(row.email.expose())).or_default() += 1;
    }
    let people = People::of(manifest);
    let mut search = Search { application, in_roster, people, used, problems, remarks: Vec::new() };
    for row in rows.iter_mut() {
        let found = match row.id.clone() {
            Some(id) => search.checked(row, &id).then_some(id),
            None => search.found(row),
        };
        row.id = found;
    }
    search.each_once(rows);
    search.agree(rows);
    search.remarks
}

struct Search<'s> {
    application: Application,
    /// How many players of the roster have an address.
    in_roster: HashMap<String, usize>,
    people: People<'s>,
    used: &'s Used,
    problems: &'s mut Problems,
    remarks: Vec<String>,
}

impl Search<'_> {
    /// The id of a row that has none; none where no one player is certain, which is told.
    fn found(&mut self, row: &Row) -> Option<PlayerId> {
        let candidates = self.application.at(&row.email);
        let fits: Vec<_> = candidates.iter().filter(|(_, player)| player.is_called(row)).copied().collect();
        let one = match (candidates.as_slice(), fits.as_slice()) {
            ([one], _) if self.is_alone(row) => Some(*one),
            (_, [one]) => Some(*one),
            _ => None,
        };
        let by_hand = self.by_hand(row, &candidates);
        let (message, help) = match (by_hand, one) {
            (Some(id), one) => {
                if let Some((other, _)) = one.filter(|(_, player)| player.id.as_ref() != Some(&id)) {
                    let (line, other) = (row.line, shorten(other));
                    self.remarks
                        .push(format!("line {line}: the address leads to {other}; {id} of the manifest is kept"));
                }
                return Some(id);
            }
            (None, Some((text, player))) => match self.agreed(row, text, player) {
                Ok((id, remark)) => {
                    self.remarks.extend(remark);
                    return Some(id);
                }
                Err(told) => told,
            },
            (None, None) => self.doubt(row, &candidates, fits.len()),
        };
        self.tell(row, Field::Email, message, help);
        None
    }

    /// Whether no other player of the roster has this one's address.
    fn is_alone(&self, row: &Row) -> bool {
        self.in_roster.get(&address(row.email.expose())) == Some(&1)
    }

    /// What a person has written into the manifest: a player of this name, with this address or an id that the address leads
    /// to, whom the application knows.
    fn by_hand(&self, row: &Row, candidates: &[(&str, &Candidate)]) -> Option<PlayerId> {
        let leads = |id: &PlayerId| candidates.iter().any(|(_, candidate)| candidate.id.as_ref() == Some(id));
        let is_it = |player: &&&Player| {
            leads(&player.id) || (player.email.same_as(row.email.expose()) && self.application.has(&player.id))
        };
        let mut players = self.people.called(&row.name).iter().filter(is_it);
        players.next().filter(|_| players.next().is_none()).map(|player| player.id.clone())
    }

    /// The id of the one player that an address leads to, with a remark where the application calls them otherwise. Where the
    /// manifest does so too, it is another child.
    fn agreed(
        &self,
        row: &Row,
        text: &str,
        player: &Candidate,
    ) -> Result<(PlayerId, Option<String>), (String, String)> {
        let Row { line, name, email, .. } = row;
        let Some(id) = player.id.clone() else {
            let message =
                format!("the id {:?} that the application has for {email} can stand in no manifest", shorten(text));
            let help = "an id is an integer, or at most 64 letters, digits, dots, - and _: map another column as `id`";
            return Err((message, help.to_owned()));
        };
        let other = player.names.iter().next().filter(|_| !player.names.keys().any(|known| alike(known, name)));
        let Some((key, theirs)) = other else { return Ok((id, None)) };
        let theirs = shorten(theirs);
        if self.people.called(key).iter().any(|player| player.id == id) {
            let message =
                format!("{email} leads to player {id}, who is {theirs:?} in the application and in the manifest");
            let help = "if they are one child, write this name into the manifest; else write this player into it by hand with \
                        the right id, or give the roster a column of ids";
            return Err((message, help.to_owned()));
        }
        let remark =
            format!("line {line}: player {id} is {theirs:?} in the application, and {name:?} here: one child?");
        Ok((id, Some(remark)))
    }

    /// Why no one player is certain, and what to do.
    fn doubt(&self, row: &Row, candidates: &[(&str, &Candidate)], fits: usize) -> (String, String) {
        const BY_HAND: &str =
            "write the player into the manifest by hand with the right id, or give the roster a column of ids";
        let Row { email, name, .. } = row;
        if candidates.is_empty() {
            let message = format!("no player of the application has the address {email}");
            return (message, format!("correct the address here or in the application; or {BY_HAND}"));
        }
        let ids: Vec<String> = candidates.iter().take(SHOWN).map(|(id, _)| shorten(id)).collect();
        let more = if candidates.len() > SHOWN { ", …" } else { "" };
        let players = if ids.len() == 1 { "one player".to_owned() } else { format!("{} players", candidates.len()) };
        let called = match (self.application.names, fits) {
            (false, _) => String::new(),
            (true, 0) => format!(", none of them called {name:?}"),
            (true, fits) => format!(", and {fits} of them are called {name:?}"),
        };
        let rows = if ids.len() == 1 { ", and other rows have that address too" } else { "" };
        let message = format!("{email} leads to {players} of the application: {}{more}{called}{rows}", ids.join(", "));
        let help = match self.application.names {
            true => format!("correct the name here or in the application; or {BY_HAND}"),
            false => format!("{BY_HAND}; or map `name` among `players.columns`, and names decide"),
        };
        (message, help)
    }

    /// Whether the id of a row is one that the application has, and not contradicted by the address.
    fn checked(&mut self, row: &Row, id: &PlayerId) -> bool {
        if !self.application.has(id) {
            let help = "correct the id; or leave the cell empty, and the address decides";
            self.tell(row, Field::Id, format!("the application has no player {id}"), help);
            return false;
        }
        let candidates = self.application.at(&row.email);
        if candidates.is_empty() {
            let line = row.line;
            self.remarks.push(format!("line {line}: the application has another address for player {id}, or none"));
        } else if !candidates.iter().any(|(_, candidate)| candidate.id.as_ref() == Some(id)) {
            let ids: Vec<String> = candidates.iter().take(SHOWN).map(|(id, _)| shorten(id)).collect();
            let message =
                format!("this row has the id {id}, and its address {} leads to {}", row.email, ids.join(", "));
            self.tell(row, Field::Id, message, "correct the id or the address, here or in the application");
            return false;
        }
        true
    }

    /// Two rows cannot be one player: what one player owes stands in rows of one name and address.
    fn each_once(&mut self, rows: &[Row]) {
        let mut seen: HashMap<&PlayerId, &Row> = HashMap::new();
        for row in rows {
            let Some(id) = &row.id else { continue };
            let Some(first) = seen.insert(id, row) else { continue };
            let message = format!("the application's player {id} is found for line {} too", first.line);
            let help = "keep one of the two rows; the rows of one player have the same name and address";
            let title = self.used.title(Field::Email);
            self.problems.add_pair(&row.at, (&first.at, "first here"), &title, message, help);
        }
    }

    /// A player of the manifest who has another id would be billed a second time beside the one that was found.
    fn agree(&mut self, rows: &[Row]) {
        let found: HashSet<&PlayerId> = rows.iter().filter_map(|row| row.id.as_ref()).collect();
        for row in rows {
            let Some(id) = row.id.as_ref().filter(|id| !self.people.ids.contains(id)) else { continue };
            let others = || self.people.at(&row.email).iter().filter(|player| !found.contains(&player.id));
            let person = others().find(|player| folded(&player.name) == folded(&row.name)).copied();
            // One whom the application knows is somebody else, a sibling; one whom it does not may be this child.
            let strangers: Vec<&&Player> = others().filter(|player| !self.application.has(&player.id)).collect();
            let stranger = strangers.first().copied().filter(|_| self.is_alone(row) && strangers.len() == 1);
            let Some(Player { id: other, .. }) = person.or(stranger.copied()) else { continue };
            let (message, help) = self.disagreement(id, other, person.is_some());
            self.tell(row, Field::Email, message, help);
        }
    }

    /// What is to be done about a player whom the manifest calls `other`; `certain` where name and address are the same.
    fn disagreement(&self, id: &PlayerId, other: &PlayerId, certain: bool) -> (String, String) {
        let rename = format!("write `id: {id}` and `renamed_from: {other}` in the manifest");
        if certain && self.application.has(other) {
            let message =
                format!("the manifest calls this player {other}, and the roster {id}: the application has both");
            return (message, "write the right one into the manifest, or into the roster".to_owned());
        }
        if certain {
            let message = format!(
                "the manifest calls this player {other}, which the application does not know: there it is {id}"
            );
            return (message, format!("{rename}: orders made under {other} then move along; and import again"));
        }
        let message = format!(
            "the manifest has player {other} of this address, whom the application does not know, and the address leads to \
             {id}: are they one child?"
        );
        (
            message,
            format!(
                "if so, {rename}, with this name; else give {other} the id that the application has; and import again"
            ),
        )
    }

    fn tell(&mut self, row: &Row, field: Field, message: impl Into<String>, help: impl Into<String>) {
        self.problems.add(&row.at, &self.used.title(field), message, help);
    }
}

/// Whether one of two names has all the words of the other: `Jordan B. Example` and `Example, Jordan`.
fn alike(one: &str, other: &str) -> bool {
    let words = |name: &str| -> HashSet<String> {
        let name = folded(name);
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    one.is_subset(&other) || other.is_subset(&one)
}
