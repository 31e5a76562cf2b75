//! From what a scenario says to the manifest and the world that it means.

use std::collections::BTreeSet;

use tourney::domain::{
    AttemptId, Email, FeeId, LedgerId, Metadata, Mode, Money, Order, OrderId, Ownership, Payable, PayableKind,
    PayableState, Payment, PaymentIntentId, PaymentState, PaymentStatus, Registration, SessionId, TournamentId,
};
use tourney::ledger::{Attempt, AttemptState, Event, Handler, LedgerFacts, RetiredOrder};
use tourney::manifest::{
    Decision, Fee, Manifest, Owed, PaidElsewhere, Player, Policy, Retire, Stale, Then, Tournament, Withdrawn,
};
use tourney::observe::Observation;
use tourney::plan::Options;

use super::super::model::terms_of;

use super::{
    ADecision, APlayer, APolicy, ARetired, ASession, AnOrder, LEDGER, Scenario, TOURNAMENT, UNTOLD, ago, currency,
    fee_5, now, player_1, usd,
};

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
