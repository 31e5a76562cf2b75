//! The sections `tournament`, `fees` and `policy`.

use std::collections::HashMap;
use std::ops::Range;

use super::fields::{Fields, shorten};
use super::model::{Fee, Policy, Retire, Stale, Tournament, Withdrawn};
use super::problem::Problems;
use super::read::items;
use super::scalars::{amount, boolean, choice, currency, date, id, scalar, text};
use super::tree::Node;
use crate::domain::{Currency, FeeId, Money, PayableKind, TournamentId};

/// The tournament, and its currency even where something else is wrong with it.
pub(super) fn tournament(node: &Node, problems: &mut Problems) -> (Option<Tournament>, Option<Currency>) {
    let known = ["id", "name", "currency", "starts", "pay_by", "open"];
    let Some(fields) = Fields::of(node, "tournament", &known, problems) else { return (None, None) };
    let id = fields.need("id", "utah-invitational-2026", problems).and_then(|n| id(n, "tournament.id", problems));
    let name = fields.need("name", "Utah Invitational", problems).and_then(|n| text(n, "tournament.name", problems));
    let money = fields.need("currency", "usd", problems).and_then(|n| currency(n, "tournament.currency", problems));
    let starts = fields.get("starts", problems).and_then(|n| date(n, "tournament.starts", problems));
    let pay_by = fields.get("pay_by", problems).and_then(|n| date(n, "tournament.pay_by", problems));
    let open = fields.get("open", problems).and_then(|n| boolean(n, "tournament.open", problems)).unwrap_or(true);
    let tournament = id.zip(name).zip(money).map(|((id, name), currency)| Tournament {
        id: TournamentId(id),
        name,
        currency,
        starts,
        pay_by,
        open,
    });
    (tournament, money)
}

/// The fees, and what the players need to know of them even where some are wrong.
pub(super) struct Fees {
    /// All of them, where nothing is wrong.
    pub(super) valid: Option<Vec<Fee>>,
    /// What each costs, where its amount is right.
    pub(super) known: HashMap<FeeId, Option<Money>>,
    /// Whether an id could not be read, so that a player's fee may be that one.
    pub(super) some_unread: bool,
    /// Their ids, the first ten: put together once, for any number of players may name one that is not there.
    names: String,
}

impl Fees {
    /// Whether a fee is known not to be among them.
    pub(super) fn lack(&self, id: &FeeId) -> bool {
        !self.some_unread && !self.known.contains_key(id)
    }

    /// Their ids, the first ten.
    pub(super) fn names(&self) -> &str {
        &self.names
    }
}

pub(super) fn fees(node: &Node, currency: Option<Currency>, problems: &mut Problems) -> Fees {
    let mut fees = Fees { valid: None, known: HashMap::new(), some_unread: false, names: String::new() };
    let Some(list) = items(node, "fees", problems) else {
        fees.some_unread = true;
        return fees;
    };
    if list.is_empty() {
        problems.add(&node.at, "fees", "there is no fee", "add at least one: - {id: 1, name: Entry, amount: 55.00}");
    }
    let mut seen: HashMap<FeeId, &Range<usize>> = HashMap::new();
    let mut valid = Vec::with_capacity(list.len());
    for (index, node) in list.iter().enumerate() {
        let Some(fields) = Fields::of(node, &format!("fees[{index}]"), &["id", "name", "amount"], problems) else {
            fees.some_unread = true;
            continue;
        };
        let id_node = fields.need("id", "5", problems);
        let id = id_node.and_then(|n| id(n, &fields.path_of("id"), problems)).map(FeeId);
        let name = fields.need("name", "17U Elite", problems).and_then(|n| text(n, &fields.path_of("name"), problems));
        let money = fields.need("amount", "55.00", problems);
        let amount = money.and_then(|n| amount(n, &fields.path_of("amount"), currency, problems));
        let (Some(id), Some(id_node)) = (id, id_node) else {
            fees.some_unread = true;
            continue;
        };
        if let Some(first) = seen.insert(id.clone(), &id_node.at) {
            let (path, message) = (fields.path_of("id"), format!("fee {id} stands twice"));
            problems.add_pair(&id_node.at, (first, "first here"), &path, message, "give every fee its own id");
        }
        fees.known.insert(id.clone(), amount);
        valid.extend(name.zip(amount).map(|(name, amount)| Fee { id, name, amount }));
    }
    let mut names: Vec<String> = fees.known.keys().map(ToString::to_string).collect();
    names.sort();
    names.truncate(10);
    fees.names = names.join(", ");
    fees.valid = (!list.is_empty() && valid.len() == list.len()).then_some(valid);
    fees
}

pub(super) fn policy(node: &Node, problems: &mut Problems) -> Option<Policy> {
    let fields = Fields::of(node, "policy", &["link", "stale", "retire", "withdrawn", "max_retired"], problems)?;
    let usual = Policy::default();
    let mut value = |name: &str| fields.get(name, problems);
    let nodes = (value("stale"), value("retire"), value("withdrawn"), value("max_retired"), value("link"));
    // Each is read before any of them ends it: all errors are told at once.
    let stale = nodes.0.map_or(Some(usual.stale), |node| {
        choice(node, "policy.stale", &[("renew", Stale::Renew), ("replace", Stale::Replace)], problems)
    });
    let retire = nodes.1.map_or(Some(usual.retire), |node| {
        choice(node, "policy.retire", &[("cancel", Retire::Cancel), ("delete", Retire::Delete)], problems)
    });
    let withdrawn = nodes.2.map_or(Some(usual.withdrawn), |node| {
        choice(node, "policy.withdrawn", &[("retire", Withdrawn::Retire), ("keep", Withdrawn::Keep)], problems)
    });
    let max_retired =
        nodes.3.map_or(Some(usual.max_retired_percent), |node| percent(node, "policy.max_retired", problems));
    let kinds = [PayableKind::Session, PayableKind::PaymentLink].map(|kind| (kind.word(), kind));
    let link = nodes.4.map_or(Some(usual.link), |node| choice(node, "policy.link", &kinds, problems));
    Some(Policy {
        link: link?,
        stale: stale?,
        retire: retire?,
        withdrawn: withdrawn?,
        max_retired_percent: max_retired?,
    })
}

fn percent(node: &Node, path: &str, problems: &mut Problems) -> Option<u8> {
    let scalar = scalar(node, path, "a percentage such as 30%", problems)?;
    let digits = scalar.text.strip_suffix('%').filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let percent = digits.and_then(|text| text.parse().ok()).filter(|percent| *percent <= 100);
    if percent.is_none() {
        let message = format!("{:?} is not a percentage", shorten(&scalar.text));
        problems.add(&node.at, path, message, "write a whole number from 0% to 100% with its sign, for example 30%");
    }
    percent
}
