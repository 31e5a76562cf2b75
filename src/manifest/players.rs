//! The section `players`.

use std::collections::HashMap;
use std::ops::Range;

use super::fields::Fields;
use super::model::{Owed, PaidElsewhere, Player};
use super::problem::Problems;
use super::read::items;
use super::scalars::{amount, date, email, id, text};
use super::tournament::Fees;
use super::tree::{Node, Value};
use crate::domain::{Currency, FeeId, Money, PlayerId};

/// What players are checked against, as far as it could be read.
pub(super) struct Checked<'c> {
    pub(super) currency: Option<Currency>,
    pub(super) fees: Option<&'c Fees>,
}

impl Checked<'_> {
    /// The amount of a fee; a fee that does not exist is a problem.
    fn fee(&self, node: &Node, id: &FeeId, path: &str, problems: &mut Problems) -> Option<Money> {
        let fees = self.fees?;
        if let Some(amount) = fees.known.get(id) {
            return *amount;
        }
        if !fees.some_unread {
            let help = format!("add it to `fees`, or write one of those there: {}", fees.names());
            problems.add(&node.at, path, format!("there is no fee {id}"), help);
        }
        None
    }
}

/// Where ids stand, to find those that stand twice.
#[derive(Default)]
struct Ids<'n> {
    players: HashMap<PlayerId, &'n Range<usize>>,
    renamed: Vec<(PlayerId, Option<PlayerId>, &'n Range<usize>, String)>,
}

pub(super) fn players(node: &Node, checked: &Checked<'_>, problems: &mut Problems) -> Option<Vec<Player>> {
    let list = items(node, "players", problems)?;
    let mut ids = Ids::default();
    let mut players = Vec::with_capacity(list.len());
    for (index, node) in list.iter().enumerate() {
        players.extend(player(node, &format!("players[{index}]"), checked, &mut ids, problems));
    }
    check_renamed(&ids, problems);
    (players.len() == list.len()).then_some(players)
}

fn player<'n>(
    node: &'n Node,
    path: &str,
    checked: &Checked<'_>,
    ids: &mut Ids<'n>,
    problems: &mut Problems,
) -> Option<Player> {
    let known = ["id", "name", "email", "fee", "fees", "amount", "paid", "renamed_from", "team", "note"];
    let fields = Fields::of(node, path, &known, problems)?;
    let id_node = fields.need("id", "1017", problems);
    let player_id = id_node.and_then(|n| id(n, &fields.path_of("id"), problems)).map(PlayerId);
    if let (Some(id), Some(node)) = (&player_id, id_node)
        && let Some(first) = ids.players.insert(id.clone(), &node.at)
    {
        let message = format!("player {id} stands twice");
        let help = "keep one of the two, or give them different ids";
        problems.add_pair(&node.at, (first, "first here"), &fields.path_of("id"), message, help);
    }
    let name = fields.need("name", "Jordan Example", problems).and_then(|n| text(n, &fields.path_of("name"), problems));
    let address = fields.need("email", "parent17@example.com", problems);
    let email = address.and_then(|n| email(n, &fields.path_of("email"), problems));
    let owes = owes(&fields, checked, problems);
    let paid = fields.get("paid", problems).map(|n| paid(n, &fields.path_of("paid"), problems));
    let renamed = fields.get("renamed_from", problems);
    let renamed_from = renamed.and_then(|n| id(n, &fields.path_of("renamed_from"), problems)).map(PlayerId);
    if let (Some(from), Some(node)) = (&renamed_from, renamed) {
        ids.renamed.push((from.clone(), player_id.clone(), &node.at, fields.path_of("renamed_from")));
    }
    let team = fields.get("team", problems).and_then(|n| text(n, &fields.path_of("team"), problems));
    let note = fields.get("note", problems).and_then(|n| text(n, &fields.path_of("note"), problems));
    Some(Player {
        id: player_id?,
        name: name?,
        email: email?,
        owes: owes?,
        paid: paid.flatten(),
        renamed_from,
        team,
        note,
    })
}

/// A former id belongs to one player, and to nobody else who is still there.
fn check_renamed(ids: &Ids<'_>, problems: &mut Problems) {
    let mut seen: HashMap<&PlayerId, &Range<usize>> = HashMap::new();
    for (from, own, at, path) in &ids.renamed {
        if own.as_ref() == Some(from) {
            problems.add(
                at,
                path,
                "a player cannot be renamed from its own id",
                "write the former id, or leave it out",
            );
        } else if let Some(other) = ids.players.get(from) {
            let message = format!("player {from} is still in the manifest");
            let help = "remove that player, or this `renamed_from`";
            problems.add_pair(at, (*other, "stands here"), path, message, help);
        }
        if let Some(first) = seen.insert(from, *at) {
            let message = format!("two players are renamed from {from}");
            problems.add_pair(at, (first, "first here"), path, message, "only one of them can be that player");
        }
    }
}

/// What a player owes: `fee` with an optional `amount`, or `fees`.
fn owes(fields: &Fields<'_>, checked: &Checked<'_>, problems: &mut Problems) -> Option<Vec<Owed>> {
    let own = fields.get("amount", problems);
    let own_path = fields.path_of("amount");
    match (fields.key("fee"), fields.key("fees")) {
        (Some(fee), Some(fees)) => {
            let help = "keep `fee` for one, `fees` for several";
            let message = "`fee` and `fees` cannot stand together";
            problems.add_pair(&fees.at, (&fee.at, "`fee` stands here"), &fields.path_of("fees"), message, help);
            None
        }
        (None, None) => {
            problems.add(
                &fields.at,
                &fields.path,
                "this player owes nothing: `fee` is missing",
                "add `fee: ` with a fee's id",
            );
            None
        }
        (Some(_), None) => {
            let path = fields.path_of("fee");
            let node = fields.get("fee", problems)?;
            let fee = FeeId(id(node, &path, problems)?);
            let usual = checked.fee(node, &fee, &path, problems);
            let amount = match own {
                Some(own) => amount(own, &own_path, checked.currency, problems)?,
                None => usual?,
            };
            Some(vec![Owed { fee, amount }])
        }
        (None, Some(_)) => {
            if let Some(own) = own {
                let help = "write it with the fee: fees: [{id: 7, amount: 40.00}]";
                problems.add(&own.at, &own_path, "`amount` stands only beside a single `fee`", help);
            }
            several(fields.get("fees", problems)?, &fields.path_of("fees"), checked, problems)
        }
    }
}

/// `fees: [5, {id: 7, amount: 40.00}]`.
fn several(node: &Node, path: &str, checked: &Checked<'_>, problems: &mut Problems) -> Option<Vec<Owed>> {
    let list = items(node, path, problems)?;
    if list.is_empty() {
        problems.add(&node.at, path, "this player owes nothing: the list is empty", "write the ids of fees: [5, 7]");
        return None;
    }
    let mut seen: HashMap<FeeId, &Range<usize>> = HashMap::new();
    let mut owes = Vec::with_capacity(list.len());
    for (index, node) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Some((fee, at, owed)) = one_of_several(node, &path, checked, problems) else { continue };
        if let Some(first) = seen.insert(fee.clone(), at) {
            let message = format!("fee {fee} stands twice for this player");
            problems.add_pair(at, (first, "first here"), &path, message, "keep one of the two");
        }
        owes.extend(owed.map(|amount| Owed { fee, amount }));
    }
    (owes.len() == list.len()).then_some(owes)
}

fn one_of_several<'n>(
    node: &'n Node,
    path: &str,
    checked: &Checked<'_>,
    problems: &mut Problems,
) -> Option<(FeeId, &'n Range<usize>, Option<Money>)> {
    if !matches!(node.value, Value::Map(_)) {
        let fee = FeeId(id(node, path, problems)?);
        let usual = checked.fee(node, &fee, path, problems);
        return Some((fee, &node.at, usual));
    }
    let fields = Fields::of(node, path, &["id", "amount"], problems)?;
    let own = fields.get("amount", problems).map(|n| amount(n, &fields.path_of("amount"), checked.currency, problems));
    let id_node = fields.need("id", "7", problems)?;
    let fee = FeeId(id(id_node, &fields.path_of("id"), problems)?);
    let usual = checked.fee(id_node, &fee, &fields.path_of("id"), problems);
    Some((fee, &id_node.at, own.unwrap_or(usual)))
}

/// `paid: {how: cash, on: 2026-04-12, note: …}`.
fn paid(node: &Node, path: &str, problems: &mut Problems) -> Option<PaidElsewhere> {
    let fields = Fields::of(node, path, &["how", "on", "note"], problems)?;
    let how = fields.need("how", "cash", problems).and_then(|n| text(n, &fields.path_of("how"), problems));
    let on = fields.get("on", problems).and_then(|n| date(n, &fields.path_of("on"), problems));
    let note = fields.get("note", problems).and_then(|n| text(n, &fields.path_of("note"), problems));
    Some(PaidElsewhere { how: how?, on, note })
}
