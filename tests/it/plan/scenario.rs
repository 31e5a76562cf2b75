//! The scenario format: a manifest and a world in a few lines, everything else by default.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tourney::domain::{
    AttemptId, Currency, Email, FeeId, LedgerId, Metadata, Mode, Money, Order, OrderId, OrderStatus, Ownership,
    Payable, PayableKind, PayableState, Payment, PaymentIntentId, PaymentState, PaymentStatus, PlayerId, Registration,
    SessionId, TournamentId,
};
use tourney::ledger::{Attempt, AttemptState, Event, Handler, LedgerFacts, RetiredOrder};
use tourney::manifest::{
    Decision, Fee, Manifest, Owed, PaidElsewhere, Player, Policy, Retire, Stale, Then, Tournament, Withdrawn,
};
use tourney::observe::Observation;
use tourney::plan::Options;

use super::model::terms_of;

mod made;

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

impl Scenario {
    pub(crate) fn options(&self) -> Options {
        Options {
            environment: "sandbox".to_owned(),
            players: self.only.clone(),
            allow_mass_retire: self.allow_mass_retire,
        }
    }

    pub(crate) fn manifest(&self) -> Manifest {
        let fee = |id: i64, name: &str, minor| Fee {
            id: FeeId(id.into()),
            name: name.to_owned(),
            amount: Money::new(minor, usd()),
        };
        Manifest {
            tournament: Tournament {
                id: TournamentId(TOURNAMENT.parse::<String>().map(tourney::domain::Id::Slug).unwrap()),
                name: "Utah Invitational".to_owned(),
                currency: usd(),
                starts: None,
                pay_by: self.pay_by.as_ref().map(|date| date.parse().unwrap()),
                open: self.open,
            },
            fees: vec![fee(5, "17U Elite", 5500), fee(6, "17U Select", 6500), fee(7, "16U Elite", 5500)],
            players: self.players.iter().map(player).collect(),
            policy: self.policy.build(),
            decisions: self.decisions.iter().map(decision).collect(),
            sha256: "0".repeat(64),
        }
    }

    pub(crate) fn observed(&self) -> Observation {
        let payables = self.sessions.iter().map(|session| self.payable(session)).collect();
        Observation {
            at: now(),
            account: "acct_1AB".to_owned(),
            mode: Mode::Test,
            ledger: (!self.first_time).then(|| LedgerId(LEDGER.to_owned())),
            facts: self.facts(),
            payables,
            payments: self
                .refunds
                .iter()
                .map(|(intent, refunded)| (intent.clone(), refund(intent, *refunded)))
                .collect(),
            links_unread: false,
            unknown: self.unknown.clone(),
        }
    }

    fn facts(&self) -> LedgerFacts {
        LedgerFacts {
            applied_name: None,
            orders: self.orders.iter().map(order).collect(),
            retired: self.retired.iter().map(retired).collect(),
            attempts: self.attempts.iter().map(|(id, order)| self.attempt(id, order)).collect(),
            canary_sessions: self.canary_sessions.clone(),
            canary_orders: self.canary_orders.clone(),
            unmatched: self.unmatched.iter().map(event).collect(),
            sessions_made: self.made.iter().map(|(id, order)| (SessionId(id.clone()), order.clone())).collect(),
            overlapping: self.overlapping.clone(),
            foreign_fees: BTreeSet::new(),
            handler: self.webhook_cancels.then(canceling),
        }
    }

    fn registration_of(&self, id: &OrderId) -> Registration {
        let order = self.orders.iter().find(|order| order.id == *id);
        let retired = self.retired.iter().find(|retired| retired.order == *id);
        Registration {
            player: order.map(|o| &o.player).or(retired.map(|r| &r.player)).cloned().unwrap_or_else(player_1),
            fee: order.map(|o| &o.fee).or(retired.map(|r| &r.fee)).cloned().unwrap_or_else(fee_5),
        }
    }

    fn attempt(&self, id: &str, order: &OrderId) -> Attempt {
        Attempt {
            id: AttemptId(id.to_owned()),
            order: order.clone(),
            tournament: TournamentId(tourney::domain::Id::Slug(TOURNAMENT.to_owned())),
            registration: self.registration_of(order),
            key: format!("key-{id}"),
            request: String::new(),
            expires_at: None,
            began_at: ago(1),
            state: AttemptState::Open,
            session: None,
        }
    }

    fn payable(&self, session: &ASession) -> Payable {
        let mut metadata = session.order.as_ref().map_or_else(Metadata::new, |order| {
            let Registration { player, fee } = self.registration_of(order);
            let tournament = TournamentId(tourney::domain::Id::Slug(TOURNAMENT.to_owned()));
            let ledger = LedgerId(LEDGER.to_owned());
            Ownership { order: order.clone(), ledger, attempt: None, tournament, player, fee }.to_metadata()
        });
        metadata.extend(session.metadata.clone().into_iter().map(|(key, value)| (key, value.replace("OURS", LEDGER))));
        metadata.retain(|_, value| !value.is_empty());
        let (state, payment_status, payment) = match session.is.as_str() {
            "open" => (PayableState::Open, PaymentStatus::Unpaid, None),
            "expired" => (PayableState::Expired, PaymentStatus::Unpaid, None),
            "expired-free" => (PayableState::Expired, PaymentStatus::NoPaymentRequired, None),
            "paid" => (PayableState::Complete, PaymentStatus::Paid, Some(PaymentState::Succeeded)),
            "processing" => (PayableState::Complete, PaymentStatus::Unpaid, Some(PaymentState::Processing)),
            "failed" => (PayableState::Complete, PaymentStatus::Unpaid, Some(PaymentState::Failed)),
            other => panic!("{other} is no state of a session"),
        };
        let intent = session.intent.clone().unwrap_or_else(|| format!("pi_{}", session.id));
        let intent = payment.map(|_| PaymentIntentId(intent));
        let mut terms = terms_of(PayableKind::of(&session.id), metadata.clone());
        if let (Some(order), Some(metadata)) = (&session.payments_for, &mut terms.payment_metadata) {
            metadata.insert("order_id".to_owned(), order.clone());
        }
        terms.paid_once = terms.paid_once.map(|once| once && !session.unlimited);
        Payable {
            id: session.id.clone(),
            kind: PayableKind::of(&session.id),
            state,
            payment_status,
            amount: Some(session.amount).filter(|amount| *amount != UNTOLD),
            currency: Some(currency(session.currency.as_ref())),
            mode: Mode::Test,
            metadata,
            terms,
            client_reference_id: None,
            customer_email: session.email.clone(),
            payment: intent.clone().zip(payment).map(|(intent, state)| Payment {
                intent,
                state,
                refunded: session.refunded,
                disputed: session.disputed,
            }),
            payment_intent: intent,
            url: (state == PayableState::Open).then(|| format!("https://checkout.example/{}", session.id)),
            created: (PayableKind::of(&session.id) == PayableKind::Session).then(|| ago(session.age)),
            link: session.link.clone(),
            expires_at: None,
        }
    }
}

impl APolicy {
    fn build(&self) -> Policy {
        let is = |text: &Option<String>, word: &str| text.as_deref() == Some(word);
        let usual = Policy::default();
        Policy {
            stale: if is(&self.stale, "replace") { Stale::Replace } else { usual.stale },
            retire: if is(&self.retire, "delete") { Retire::Delete } else { usual.retire },
            withdrawn: if is(&self.withdrawn, "keep") { Withdrawn::Keep } else { usual.withdrawn },
            max_retired_percent: self.max_retired.unwrap_or(usual.max_retired_percent),
            link: if is(&self.link, "payment_link") { PayableKind::PaymentLink } else { usual.link },
        }
    }
}

fn player(player: &APlayer) -> Player {
    let email = player.email.clone().unwrap_or_else(|| format!("parent{}@example.com", player.id));
    let owed = |(fee, minor): &(FeeId, i64)| Owed { fee: fee.clone(), amount: Money::new(*minor, usd()) };
    Player {
        id: player.id.clone(),
        name: format!("Jordan {}", player.id),
        email: Email::parse(&email).unwrap(),
        owes: player.owes.iter().map(owed).collect(),
        paid: player.paid.clone().map(|how| PaidElsewhere { how, on: None, note: None }),
        renamed_from: player.renamed_from.clone(),
        team: None,
        note: None,
    }
}

fn decision(decision: &ADecision) -> Decision {
    Decision {
        player: decision.player.clone(),
        fee: decision.fee.clone(),
        finding: decision.finding.clone(),
        amount: decision.amount.map(|minor| Money::new(minor, usd())),
        order: decision.order.clone(),
        session: decision.session.clone(),
        then: if decision.bill { Then::Bill } else { Then::Accept },
        note: None,
    }
}

fn order(order: &AnOrder) -> Order {
    Order {
        id: order.id.clone(),
        registration: Registration { player: order.player.clone(), fee: order.fee.clone() },
        amount: Money::new(order.amount, currency(order.currency.as_ref())),
        status: order.status,
        session: order.session.clone(),
        payment_intent: order.intent.clone().map(PaymentIntentId),
        url: None,
        created_at: order.age.map(ago),
    }
}

fn retired(retired: &ARetired) -> RetiredOrder {
    RetiredOrder {
        order: retired.order.clone(),
        registration: Registration { player: retired.player.clone(), fee: retired.fee.clone() },
        session: retired.session.clone(),
        reason: "expired-session".to_owned(),
        at: ago(100),
        made_at: None,
    }
}

fn canceling() -> Handler {
    Handler { endpoint: "https://club.example/webhooks/stripe".to_owned(), found_at: ago(600), cancels: true }
}

fn refund(intent: &PaymentIntentId, refunded: i64) -> Payment {
    Payment { intent: intent.clone(), state: PaymentState::Succeeded, refunded, disputed: false }
}

fn event(session: &SessionId) -> Event {
    Event {
        id: format!("evt_{session}"),
        kind: "checkout.session.completed".to_owned(),
        session: Some(session.clone()),
        payment_intent: None,
        body: "{}".to_owned(),
        received_at: ago(5),
        outcome: None,
    }
}

/// An empty world with an empty manifest.
pub(crate) fn blank() -> Scenario {
    serde_saphyr::from_str("{name: random, expect: [], players: []}").unwrap()
}
