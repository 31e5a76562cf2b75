//! The scenario format: a manifest and a world in a few lines, everything else by default.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tourney::domain::{Currency, FeeId, Metadata, OrderId, OrderStatus, PaymentIntentId, PlayerId, SessionId};

mod build;
mod made;

pub(crate) use build::blank;

pub(crate) const LEDGER: &str = "7b0c6c1e-0000-4000-8000-000000000001";
pub(crate) const TOURNAMENT: &str = "utah-invitational-2026";
pub(crate) const NOW: &str = "2026-04-13T10:00:00Z";

/// One scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// `player/fee action findings…`, one for each change; `-/-` where there is no registration.
    pub(crate) expect: Vec<String>,
    /// Substrings of the notes, one for each.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
    #[serde(default)]
    pub(crate) unchanged: u32,
    #[serde(default)]
    pub(crate) unpayable: i64,
    #[serde(default)]
    pub(crate) paid: i64,
    #[serde(default)]
    pub(crate) links_stopping: u32,
    #[serde(default)]
    pub(crate) foreign: u32,
    #[serde(default)]
    pub(crate) refused: bool,
    #[serde(default = "one_player")]
    pub(crate) players: Vec<APlayer>,
    #[serde(default = "yes")]
    pub(crate) open: bool,
    pub(crate) pay_by: Option<String>,
    #[serde(default)]
    pub(crate) policy: APolicy,
    #[serde(default)]
    pub(crate) decisions: Vec<ADecision>,
    #[serde(default)]
    pub(crate) orders: Vec<AnOrder>,
    #[serde(default)]
    pub(crate) sessions: Vec<ASession>,
    #[serde(default)]
    pub(crate) retired: Vec<ARetired>,
    #[serde(default)]
    pub(crate) made: BTreeMap<String, OrderId>,
    #[serde(default)]
    pub(crate) attempts: BTreeMap<String, OrderId>,
    /// What was refunded of payments that stand behind no session here, by intent.
    #[serde(default)]
    pub(crate) refunds: BTreeMap<PaymentIntentId, i64>,
    #[serde(default)]
    pub(crate) unknown: BTreeSet<SessionId>,
    #[serde(default)]
    pub(crate) unmatched: Vec<SessionId>,
    #[serde(default)]
    pub(crate) canary_orders: BTreeSet<OrderId>,
    #[serde(default)]
    pub(crate) canary_sessions: BTreeSet<SessionId>,
    #[serde(default)]
    pub(crate) overlapping: Vec<OrderId>,
    pub(crate) only: Option<Vec<PlayerId>>,
    #[serde(default)]
    pub(crate) allow_mass_retire: bool,
    #[serde(default)]
    pub(crate) first_time: bool,
    /// A round trip has found that the webhook cancels an order when an old session of it expires.
    #[serde(default)]
    pub(crate) webhook_cancels: bool,
    /// Whose renewals make that the plan is refused.
    #[serde(default)]
    pub(crate) renew_refused: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct APlayer {
    pub(crate) id: PlayerId,
    #[serde(default = "one_fee")]
    pub(crate) owes: Vec<(FeeId, i64)>,
    pub(crate) paid: Option<String>,
    pub(crate) renamed_from: Option<PlayerId>,
    pub(crate) email: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct APolicy {
    pub(crate) stale: Option<String>,
    pub(crate) retire: Option<String>,
    pub(crate) withdrawn: Option<String>,
    pub(crate) max_retired: Option<u8>,
    /// `session` or `payment_link`.
    pub(crate) link: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ADecision {
    pub(crate) player: PlayerId,
    pub(crate) fee: FeeId,
    pub(crate) finding: String,
    pub(crate) amount: Option<i64>,
    pub(crate) order: Option<OrderId>,
    pub(crate) session: Option<SessionId>,
    #[serde(default)]
    pub(crate) bill: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnOrder {
    pub(crate) id: OrderId,
    #[serde(default = "player_1")]
    pub(crate) player: PlayerId,
    #[serde(default = "fee_5")]
    pub(crate) fee: FeeId,
    #[serde(default = "usual")]
    pub(crate) amount: i64,
    pub(crate) currency: Option<String>,
    #[serde(default = "pending")]
    pub(crate) status: OrderStatus,
    pub(crate) session: Option<SessionId>,
    pub(crate) intent: Option<String>,
    /// Minutes since it was made.
    pub(crate) age: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ASession {
    pub(crate) id: SessionId,
    /// `open`, `expired`, `expired-free` (nothing was to be paid), `paid`, `processing`, `failed`. Of a Payment Link, whose
    /// id begins with `plink_`, only the first two.
    pub(crate) is: String,
    /// The Payment Link whose visit made it.
    pub(crate) link: Option<SessionId>,
    /// The order that its metadata names as ours do.
    #[serde(rename = "for")]
    pub(crate) order: Option<OrderId>,
    /// Metadata instead of, or besides, ours.
    #[serde(default)]
    pub(crate) metadata: Metadata,
    #[serde(default = "usual")]
    pub(crate) amount: i64,
    pub(crate) currency: Option<String>,
    pub(crate) email: Option<String>,
    /// Of a Payment Link: the `order_id` that its payments get instead of its own; empty for none.
    pub(crate) payments_for: Option<String>,
    /// Of a Payment Link: its first payment does not close it.
    #[serde(default)]
    pub(crate) unlimited: bool,
    pub(crate) intent: Option<String>,
    #[serde(default)]
    pub(crate) refunded: i64,
    #[serde(default)]
    pub(crate) disputed: bool,
    /// Minutes since it was made.
    #[serde(default = "an_hour")]
    pub(crate) age: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ARetired {
    pub(crate) order: OrderId,
    #[serde(default = "player_1")]
    pub(crate) player: PlayerId,
    #[serde(default = "fee_5")]
    pub(crate) fee: FeeId,
    pub(crate) session: Option<SessionId>,
}

fn one_player() -> Vec<APlayer> {
    vec![APlayer { id: player_1(), owes: one_fee(), paid: None, renamed_from: None, email: None }]
}
fn one_fee() -> Vec<(FeeId, i64)> {
    vec![(fee_5(), usual())]
}
fn player_1() -> PlayerId {
    PlayerId(1.into())
}
fn fee_5() -> FeeId {
    FeeId(5.into())
}
/// The amount of a session where Stripe says none.
const UNTOLD: i64 = -1;

const fn usual() -> i64 {
    5500
}
const fn pending() -> OrderStatus {
    OrderStatus::Pending
}
const fn an_hour() -> i64 {
    60
}
const fn yes() -> bool {
    true
}

pub(crate) fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

fn currency(code: Option<&String>) -> Currency {
    code.map_or_else(usd, |code| Currency::parse(code).unwrap())
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}
