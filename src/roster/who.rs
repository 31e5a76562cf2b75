//! Who in a roster is whom in a manifest.

use std::collections::HashMap;

use super::ids::{folded, made};
use super::rows::Row;
use crate::domain::{Email, PlayerId};
use crate::manifest::Player;

/// The players of a manifest, by what a row may know of them.
struct People<'p> {
    ids: HashMap<&'p PlayerId, usize>,
    persons: HashMap<(String, String), usize>,
    /// None where several have that address.
    addresses: HashMap<String, Option<usize>>,
    /// How many rows of the roster have an address.
    in_roster: HashMap<String, usize>,
}

/// By what a row is known to be a player.
#[derive(Clone, Copy)]
enum Rule {
    Id,
    Person,
    Address,
}

/// For each row the player that it is, by their place in the manifest: by id, else by name and address, else by an address
/// that only one has.
pub(super) fn whose(rows: &[Row], players: &[Player]) -> Vec<Option<usize>> {
    let people = People::of(rows, players);
    let mut whose = vec![None; rows.len()];
    let mut taken = vec![false; players.len()];
    // What is more certain takes its players before anything less certain may.
    for rule in [Rule::Id, Rule::Person, Rule::Address] {
        for (row, player) in rows.iter().zip(&mut whose).filter(|(_, player)| player.is_none()) {
            *player = people.find(rule, row).filter(|index| !taken[*index]);
            if let Some(index) = *player {
                taken[index] = true;
            }
        }
    }
    whose
}

/// The id of a row: the roster's, else one that is made.
pub(super) fn id_of(row: &Row) -> PlayerId {
    row.id.clone().unwrap_or_else(|| made(&row.name, &row.email))
}

impl<'p> People<'p> {
    fn of(rows: &[Row], players: &'p [Player]) -> Self {
        let (mut ids, mut persons, mut addresses) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (index, player) in players.iter().enumerate() {
            // A former id leads to its player too, unless somebody has it now.
            if let Some(former) = &player.renamed_from {
                ids.entry(former).or_insert(index);
            }
            persons.entry((folded(&player.name), address(&player.email))).or_insert(index);
            addresses.entry(address(&player.email)).and_modify(|only| *only = None).or_insert(Some(index));
        }
        ids.extend(players.iter().enumerate().map(|(index, player)| (&player.id, index)));
        let mut in_roster = HashMap::new();
        for row in rows {
            *in_roster.entry(address(&row.email)).or_default() += 1;
        }
        Self { ids, persons, addresses, in_roster }
    }

    fn find(&self, rule: Rule, row: &Row) -> Option<usize> {
        match rule {
            Rule::Id => self.ids.get(&id_of(row)).copied(),
            Rule::Person => self.persons.get(&(folded(&row.name), address(&row.email))).copied(),
            // Nobody else may have that address, on either side: siblings must not be taken for each other. A row with an
            // id of its own is somebody else than a player with another id.
            Rule::Address => {
                let address = address(&row.email);
                let alone = row.id.is_none() && self.in_roster.get(&address) == Some(&1);
                self.addresses.get(&address).copied().flatten().filter(|_| alone)
            }
        }
    }
}

fn address(email: &Email) -> String {
    email.expose().to_ascii_lowercase()
}
