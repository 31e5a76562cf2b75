//! Whom an application knows, and whom a manifest does, by what a row of a roster may know of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ids::folded;
use super::rows::Row;
use crate::domain::{Email, Id, PlayerId};
use crate::manifest::{Manifest, Player};

/// A player as an application knows them.
#[derive(Clone)]
pub struct Known {
    /// The id, as its table has it.
    pub id: String,
    /// The address, in any writing, where there is one.
    pub email: Option<String>,
    /// The name, where it is known.
    pub name: Option<String>,
}

/// One player that an address may lead to.
#[derive(Default)]
pub(super) struct Candidate {
    /// None where it cannot stand in a manifest.
    pub(super) id: Option<PlayerId>,
    /// Names, as they are compared, and as the application writes them.
    pub(super) names: BTreeMap<String, String>,
    /// Addresses.
    addresses: HashSet<String>,
}

impl Candidate {
    pub(super) fn is_called(&self, row: &Row) -> bool {
        self.names.contains_key(&folded(&row.name))
    }
}

/// The application's players by id and by address. A table may have several rows of one player.
pub(super) struct Application {
    players: BTreeMap<String, Candidate>,
    addresses: HashMap<String, Vec<String>>,
    /// Whether it has names at all.
    pub(super) names: bool,
}

impl Application {
    pub(super) fn of(known: &[Known]) -> Self {
        let (mut players, mut addresses) = (BTreeMap::<String, Candidate>::new(), HashMap::<_, Vec<String>>::new());
        for one in known {
            let player = players.entry(one.id.clone()).or_default();
            // A text such as 0017 would be taken for another id than it is.
            let id = Id::parse(&one.id).ok().filter(|id| id.to_string() == one.id);
            player.id = id.map(PlayerId);
            let name = one.name.as_ref().map(|name| (folded(name), name.clone()));
            player.names.extend(name);
            let Some(address) = one.email.as_deref().map(address).filter(|address| !address.is_empty()) else {
                continue;
            };
            if player.addresses.insert(address.clone()) {
                addresses.entry(address).or_default().push(one.id.clone());
            }
        }
        let names = known.iter().any(|one| one.name.is_some());
        Self { players, addresses, names }
    }

    pub(super) fn has(&self, id: &PlayerId) -> bool {
        self.players.contains_key(&id.to_string())
    }

    /// The players of an address, by their ids.
    pub(super) fn at(&self, email: &Email) -> Vec<(&str, &Candidate)> {
        let ids = self.addresses.get(&address(email.expose())).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<_> =
            ids.iter().filter_map(|id| self.players.get(id).map(|player| (id.as_str(), player))).collect();
        // Numbers by their value, texts by their letters.
        found.sort_by(|one, other| (&one.1.id, one.0).cmp(&(&other.1.id, other.0)));
        found
    }
}

/// The manifest's players, by what a row may know of them.
pub(super) struct People<'m> {
    /// Their ids, and those that they had before.
    pub(super) ids: HashSet<&'m PlayerId>,
    names: HashMap<String, Vec<&'m Player>>,
    addresses: HashMap<String, Vec<&'m Player>>,
}

impl<'m> People<'m> {
    pub(super) fn of(manifest: &'m Manifest) -> Self {
        let (mut names, mut addresses) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for player in &manifest.players {
            names.entry(folded(&player.name)).or_default().push(player);
            addresses.entry(address(player.email.expose())).or_default().push(player);
        }
        let former = manifest.players.iter().filter_map(|player| player.renamed_from.as_ref());
        let ids = manifest.players.iter().map(|player| &player.id).chain(former).collect();
        Self { ids, names, addresses }
    }

    pub(super) fn called(&self, name: &str) -> &[&'m Player] {
        self.names.get(&folded(name)).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn at(&self, email: &Email) -> &[&'m Player] {
        self.addresses.get(&address(email.expose())).map(Vec::as_slice).unwrap_or_default()
    }
}

/// An address as it is compared.
pub(super) fn address(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}
