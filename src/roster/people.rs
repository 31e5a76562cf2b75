//! The rows of one child: a child who owes several fees may stand in several rows.

use std::collections::HashMap;

use super::columns::{Field, Used};
use super::ids::folded;
use super::rows::Row;
use crate::domain::PlayerId;
use crate::manifest::problem::Problems;

/// Name and address as they are compared.
type Person = (String, String);

/// One player for the rows of each child: those of one id, else of one name and address. What they say must fit together.
/// With `one_fee` every row owes the same.
pub(super) fn gather(rows: Vec<Row>, used: &Used, one_fee: bool, problems: &mut Problems) -> Vec<Row> {
    let mut gathered = Gathered { used, one_fee, problems, players: Vec::new() };
    let (mut ids, mut people) = (HashMap::new(), HashMap::new());
    // Whoever has an id is told apart by it: only then is it certain whose a row without one can be.
    let (with, without): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.id.is_some());
    for row in with {
        gathered.with_id(row, &mut ids, &mut people);
    }
    for row in without {
        gathered.without_id(row, &mut people);
    }
    gathered.finish()
}

struct Gathered<'g> {
    used: &'g Used,
    one_fee: bool,
    problems: &'g mut Problems,
    /// The rows of each player.
    players: Vec<Vec<Row>>,
}

impl Gathered<'_> {
    fn with_id(&mut self, row: Row, ids: &mut HashMap<PlayerId, usize>, people: &mut HashMap<Person, Vec<usize>>) {
        let Some(id) = row.id.clone() else { return };
        let Some(index) = ids.get(&id).copied() else {
            ids.insert(id, self.players.len());
            people.entry(person(&row)).or_default().push(self.players.len());
            self.players.push(vec![row]);
            return;
        };
        let first = &self.players[index][0];
        if person(first) == person(&row) {
            self.players[index].push(row);
            return;
        }
        let message = format!("player {id} stands twice; first in line {}", first.line);
        let help = "keep one of the two rows; the rows of one player have the same name and address";
        self.problems.add_pair(&row.at, (&first.at, "first here"), &self.used.title(Field::Id), message, help);
    }

    fn without_id(&mut self, row: Row, people: &mut HashMap<Person, Vec<usize>>) {
        let known = people.entry(person(&row)).or_default();
        match known.as_slice() {
            [] => {
                known.push(self.players.len());
                self.players.push(vec![row]);
            }
            [index] => self.players[*index].push(row),
            [index, ..] => {
                let first = &self.players[*index][0];
                let message = format!(
                    "the name and e-mail address of line {} stand here again, of players with several ids",
                    first.line
                );
                let title = self.used.title(Field::Name);
                let help = "write the id of the one that is meant";
                self.problems.add_pair(&row.at, (&first.at, "first here"), &title, message, help);
            }
        }
    }

    /// One row for each player, in the roster's order.
    fn finish(mut self) -> Vec<Row> {
        let mut players: Vec<Row> = Vec::with_capacity(self.players.len());
        for mut rows in std::mem::take(&mut self.players) {
            rows.sort_by_key(|row| row.line);
            let mut rows = rows.into_iter();
            let Some(mut whole) = rows.next() else { continue };
            let mut places = vec![(whole.line, whole.at.clone()); whole.owes.len()];
            for row in rows {
                self.join(&mut whole, row, &mut places);
            }
            players.push(whole);
        }
        players.sort_by_key(|row| row.line);
        players
    }

    /// Another row of a player; `places` has the row of each fee so far.
    fn join(&mut self, whole: &mut Row, row: Row, places: &mut Vec<(usize, std::ops::Range<usize>)>) {
        for due in row.owes {
            let Some(twice) = whole.owes.iter().position(|other| other.fee == due.fee) else {
                whole.owes.push(due);
                places.push((row.line, row.at.clone()));
                continue;
            };
            let (line, first) = &places[twice];
            let (message, field) = match whole.id.as_ref().or(row.id.as_ref()) {
                Some(id) => (format!("player {id} stands twice; first in line {line}"), Field::Id),
                None => (format!("the name and e-mail address of line {line} stand here again"), Field::Name),
            };
            let help = match self.one_fee {
                true => {
                    "keep one of the two rows: with --fee every row owes the same; --fee-column NAME reads several fees"
                }
                false => "keep one of the two rows, or write another fee in one of them",
            };
            let message = format!("{message}, with fee {}", due.fee);
            self.problems.add_pair(&row.at, (first, "first here"), &self.used.title(field), message, help);
        }
        whole.id = whole.id.take().or(row.id);
        whole.team = both(whole.team.take(), row.team);
        whole.note = both(whole.note.take(), row.note);
    }
}

/// More than any manifest takes, in bytes: a text of more than 200 characters is refused, however much more is added to it.
const ENOUGH: usize = 1_000;

/// What two rows say for people: once where it is the same.
fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(_)) if one.len() > ENOUGH => Some(one),
        (Some(one), Some(other)) if one != other && !one.split("; ").any(|part| part == other) => {
            Some(format!("{one}; {other}"))
        }
        (one, other) => one.or(other),
    }
}

fn person(row: &Row) -> Person {
    (folded(&row.name), row.email.expose().to_ascii_lowercase())
}
