//! The section `decisions`: which findings a person may decide, and what was decided.

use std::collections::HashMap;
use std::ops::Range;

use super::fields::Fields;
use super::model::{Decision, Then};
use super::players::Checked;
use super::problem::Problems;
use super::read::items;
use super::scalars::{amount, choice, id, text};
use super::tree::Node;
use crate::domain::{FeeId, OrderId, PlayerId, SessionId};

/// The codes of the findings that need a person, hence the ones a `decisions` entry may name.
pub const DECIDABLE: [&str; 9] = [
    "unknown-session",
    "wrong-metadata",
    "refunded-at-stripe",
    "ad-hoc-payment",
    "settled-before",
    "paid-withdrawn",
    "paid-other-fee",
    "paid-amount-differs",
    "disputed",
];

/// The decidable findings after which a registration may be billed again (`then: bill`).
pub const BILLABLE: [&str; 5] =
    ["settled-before", "refunded-at-stripe", "ad-hoc-payment", "paid-other-fee", "wrong-metadata"];

/// The decidable findings about a registration that the manifest has. Any other may be about an order that still stands
/// on a fee which has left the manifest.
const OF_COMMITTED: [&str; 1] = ["settled-before"];

pub(super) fn decisions(node: &Node, checked: &Checked<'_>, problems: &mut Problems) -> Option<Vec<Decision>> {
    let list = items(node, "decisions", problems)?;
    let mut seen: HashMap<Subject, &Range<usize>> = HashMap::new();
    let mut decisions = Vec::with_capacity(list.len());
    for (index, node) in list.iter().enumerate() {
        let path = format!("decisions[{index}]");
        let Some(decision) = decision(node, &path, checked, problems) else { continue };
        if let Some(first) = seen.insert(subject(&decision), &node.at) {
            let message = "this is decided twice";
            problems.add_pair(&node.at, (first, "first here"), &path, message, "keep one of the two");
        }
        decisions.push(decision);
    }
    (decisions.len() == list.len()).then_some(decisions)
}

/// What a decision is about: two about the same contradict or repeat each other.
type Subject = (PlayerId, FeeId, String, Option<i64>, Option<OrderId>, Option<SessionId>);

fn subject(decision: &Decision) -> Subject {
    let Decision { player, fee, finding, amount, order, session, .. } = decision;
    let amount = amount.map(|money| money.minor);
    (player.clone(), fee.clone(), finding.clone(), amount, order.clone(), session.clone())
}

fn decision(node: &Node, path: &str, checked: &Checked<'_>, problems: &mut Problems) -> Option<Decision> {
    let known = ["player", "fee", "finding", "amount", "order", "session", "then", "note"];
    let fields = Fields::of(node, path, &known, problems)?;
    let player = fields.need("player", "1017", problems).and_then(|n| id(n, &fields.path_of("player"), problems));
    let fee_node = fields.need("fee", "5", problems);
    let fee = fee_node.and_then(|n| id(n, &fields.path_of("fee"), problems)).map(FeeId);
    let words = DECIDABLE.map(|code| (code, code));
    let finding = fields.need("finding", "paid-amount-differs", problems);
    let finding = finding.and_then(|n| choice(n, &fields.path_of("finding"), &words, problems));
    let amount =
        fields.get("amount", problems).map(|n| amount(n, &fields.path_of("amount"), checked.currency, problems));
    let order = fields.get("order", problems).map(|n| id(n, &fields.path_of("order"), problems));
    let session = fields.get("session", problems).map(|n| session(n, &fields.path_of("session"), problems));
    let then = fields.get("then", problems).map_or(Some(Then::Accept), |n| {
        let path = fields.path_of("then");
        let then = choice(n, &path, &[("accept", Then::Accept), ("bill", Then::Bill)], problems)?;
        if then == Then::Bill && finding.is_some_and(|code| !BILLABLE.contains(&code)) {
            let help = format!("leave it out; it may stand with {}", BILLABLE.join(", "));
            problems.add(&n.at, &path, "after this finding nobody is billed again", help);
        }
        Some(then)
    });
    if let (Some(fee), Some(node), Some(code)) = (&fee, fee_node, finding) {
        check_fee(fee, node, &fields.path_of("fee"), (code, then), checked, problems);
    }
    let note = fields.get("note", problems).and_then(|n| text(n, &fields.path_of("note"), problems));
    Some(Decision {
        player: PlayerId(player?),
        fee: fee?,
        finding: finding?.to_owned(),
        amount: absent_or_read(amount)?,
        order: absent_or_read(order)?.map(OrderId),
        session: absent_or_read(session)?,
        then: then?,
        note,
    })
}

/// A fee that is not in the manifest is accepted where an order may still stand on it: it may have left since, and what was
/// paid on it is still there to be decided. Nobody is billed on it, and a decision that meets nothing is a note of the plan.
fn check_fee(
    fee: &FeeId,
    node: &Node,
    path: &str,
    (finding, then): (&str, Option<Then>),
    checked: &Checked<'_>,
    problems: &mut Problems,
) {
    let Some(fees) = checked.fees.filter(|fees| fees.lack(fee)) else { return };
    if OF_COMMITTED.contains(&finding) || then == Some(Then::Bill) {
        let help = format!("this is decided about what the manifest still has: write one of {}", fees.names());
        problems.add(&node.at, path, format!("there is no fee {fee}"), help);
    }
}

/// None where a value stands that could not be read.
#[allow(clippy::option_option, reason = "absent, unread and read are three things")]
fn absent_or_read<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    value.map_or(Some(None), |read| read.map(Some))
}

fn session(node: &Node, path: &str, problems: &mut Problems) -> Option<SessionId> {
    let text = text(node, path, problems)?;
    if ["cs_", "plink_"].iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Some(SessionId(text));
    }
    problems.add(
        &node.at,
        path,
        "this is no session id",
        "write it as Stripe shows it: cs_test_…, cs_live_… or plink_…",
    );
    None
}
