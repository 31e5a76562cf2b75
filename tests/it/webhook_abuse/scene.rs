//! A club with a receiver on a real database, and orders in every state that an event can find them in.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tourney::domain::{Id, OrderId, PaymentIntentId, RunId, SessionId, TournamentId, key};
use tourney::ledger::{Canary, Ledger, Written};
use tourney::sandbox::core::{Begun, Call, Control, TestCard};
use tourney::settle::{settle, settle_elsewhere};

use super::dump::{Beside, Dump};
use crate::support::database;
use crate::webhook::club::{Club, registration, tournament};

/// An order and the session that events tell of.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) order: OrderId,
    pub(crate) session: SessionId,
    pub(crate) intent: Option<PaymentIntentId>,
}

pub(crate) struct Scene {
    pub(crate) club: Club,
    pub(crate) beside: Beside,
    /// The orders that nothing has happened to yet, by their state.
    standing: BTreeMap<String, Subject>,
    players: i64,
    events: u32,
    _folder: Option<TempDir>,
}

/// The words for the states of [`Scene::subject`], all of which stand there from the beginning.
const STATES: [&str; 25] = [
    "paid",
    "unpaid",
    "declined",
    "processing",
    "arrived",
    "failed",
    "expired",
    "recorded",
    "recorded-without-intent",
    "refunded",
    "refunded-at-stripe",
    "refunded-first",
    "disputed",
    "canceled",
    "cash",
    "canary",
    "another-tournament",
    "less",
    "more",
    "another-currency",
    "nameless",
    "stranger",
    "another-ledger",
    "second",
    "contradiction",
];

impl Scene {
    pub(crate) async fn on_sqlite() -> Self {
        // In memory where there is such a place: what is to be seen here has nothing to do with the disk.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let url = format!("sqlite://{}", folder.path().join("orders.db").display());
        Self { _folder: Some(folder), ..Self::on(url).await }
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        Some(Self::on(database()?).await)
    }

    async fn on(url: String) -> Self {
        let club = Club::on(url.clone()).await;
        let beside = Beside::connect(&url).await;
        let mut scene = Self { club, beside, standing: BTreeMap::new(), players: 0, events: 0, _folder: None };
        for state in STATES {
            scene.subject(state).await;
        }
        scene.asked();
        scene
    }

    /// Host and port of the receiver.
    pub(crate) fn authority(&self) -> &str {
        self.club.url.trim_start_matches("http://").split('/').next().unwrap()
    }

    /// An id for an event that no other has.
    pub(crate) fn event_id(&mut self) -> String {
        self.events += 1;
        format!("evt_case_{}", self.events)
    }

    pub(crate) async fn dump(&mut self) -> Dump {
        self.beside.dump().await
    }

    /// Something happened to it, so the next one that asks gets another.
    pub(crate) fn spent(&mut self, state: &str) {
        self.standing.remove(state);
    }

    /// An order in this state.
    pub(crate) async fn subject(&mut self, state: &str) -> Subject {
        if let Some(subject) = self.standing.get(state) {
            return subject.clone();
        }
        self.players += 1;
        let player = self.players;
        let (order, session) = match state {
            "another-tournament" => {
                let other = TournamentId(Id::slug("elsewhere").unwrap());
                self.club.bill_as(&other, &format!("attempt-{player}"), player).await
            }
            "canary" => self.canary(player).await,
            _ => self.club.bill(player).await,
        };
        let session = self.brought_to(state, &order, session).await;
        let intent = self.get(&format!("/v1/checkout/sessions/{session}"))["payment_intent"].as_str().map(Into::into);
        let subject = Subject { order, session, intent };
        self.standing.insert(state.to_owned(), subject.clone());
        subject
    }

    async fn canary(&self, player: i64) -> (OrderId, SessionId) {
        let run = format!("canary-{player}");
        let mut canary = Canary {
            run: RunId::from(run.as_str()),
            tournament: tournament(),
            registration: registration(player),
            order: None,
            sessions: Vec::new(),
        };
        assert_eq!(self.club.ledger.begin_canary(&canary).await.unwrap(), Written::Done);
        let (order, session) = self.club.bill_as(&tournament(), &run, player).await;
        (canary.order, canary.sessions) = (Some(order.clone()), vec![session.clone()]);
        self.club.ledger.journal_canary(&canary).await.unwrap();
        (order, session)
    }

    /// Does at Stripe and in the database what leads to this state; the session that the events are about.
    async fn brought_to(&mut self, state: &str, order: &OrderId, session: SessionId) -> SessionId {
        let club = &self.club;
        let pay = |card: TestCard| club.pay(&session, card);
        let settle_delayed = |succeed: bool| {
            club.account.control(Control::SettleDelayed { session: session.0.clone(), succeed });
        };
        let named = |name: &str| (key::ORDER, name.to_owned());
        let by_script =
            |amount: i64, currency: &str, metadata: &[(&str, String)]| paid_by_script(club, amount, currency, metadata);
        match state {
            "unpaid" => {}
            "paid" | "another-tournament" | "canary" => pay(TestCard::Success),
            "declined" => {
                let declined = Control::Pay { session: session.0.clone(), card: TestCard::Decline, email: None };
                drop(club.account.core.lock().unwrap().control(club.hands.second(), declined));
            }
            "processing" => pay(TestCard::DelayedSuccess),
            "arrived" => {
                pay(TestCard::DelayedSuccess);
                settle_delayed(true);
            }
            "failed" => {
                pay(TestCard::DelayedFailure);
                settle_delayed(false);
            }
            "expired" => drop(club.account.control(Control::Expire { session: session.0.clone() })),
            "recorded" | "refunded" | "refunded-at-stripe" | "disputed" | "second" | "recorded-without-intent" => {
                pay(TestCard::Success);
                settle(&club.stripe, &club.ledger, &session).await.unwrap();
                return self.after_it_was_recorded(state, order, session).await;
            }
            "refunded-first" => {
                pay(TestCard::Success);
                refund(club, &session);
            }
            "canceled" => {
                club.retire(order).await;
                pay(TestCard::Success);
            }
            "cash" => {
                let seen = club.order(order).await.seen();
                assert_eq!(settle_elsewhere(&club.ledger, &seen).await.unwrap(), Written::Done);
                return by_script(5500, "usd", &[named(&order.to_string())]);
            }
            "less" => return by_script(5499, "usd", &[named(&order.to_string())]),
            "more" => return by_script(5501, "usd", &[named(&order.to_string())]),
            "another-currency" => return by_script(5500, "eur", &[named(&order.to_string())]),
            "nameless" => return by_script(5500, "usd", &[]),
            "stranger" => return by_script(5500, "usd", &[named("31337")]),
            "another-ledger" => {
                let theirs = (key::LEDGER, "00000000-0000-4000-8000-000000000000".to_owned());
                return by_script(5500, "usd", &[named(&order.to_string()), theirs]);
            }
            "contradiction" => {
                // It names one player's order and is recorded on another's.
                let (another, _) = club.bill(100_000 + self.players).await;
                let made = by_script(5500, "usd", &[named(&another.to_string())]);
                let sql = format!("UPDATE orders SET stripe_checkout_session_id = '{made}' WHERE id = '{order}'");
                self.beside.execute(&sql).await;
                return made;
            }
            other => panic!("no order can be {other}"),
        }
        session
    }

    async fn after_it_was_recorded(&mut self, state: &str, order: &OrderId, session: SessionId) -> SessionId {
        let club = &self.club;
        match state {
            "recorded" => {}
            "recorded-without-intent" => {
                let sql = format!("UPDATE orders SET stripe_payment_intent_id = NULL WHERE id = '{order}'");
                self.beside.execute(&sql).await;
            }
            "refunded-at-stripe" => refund(club, &session),
            "refunded" => {
                refund(club, &session);
                let seen = club.order(order).await.seen();
                assert_eq!(club.ledger.mark_refunded(&seen).await.unwrap(), Written::Done);
            }
            "disputed" => {
                let intent = club.order(order).await.payment_intent.unwrap();
                club.account.control(Control::Dispute { payment_intent: intent.to_string() });
            }
            _ => return paid_by_script(club, 5500, "usd", &[(key::ORDER, order.to_string())]),
        }
        session
    }

    /// What Stripe shows under a path.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let call = Call {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: Vec::new(),
            headers: vec![("authorization".to_owned(), "Bearer sk_test_club".to_owned())],
        };
        let (mut core, now) = (self.club.account.core.lock().unwrap(), self.club.hands.second());
        let answer = match core.begin(now, call) {
            Begun::Answered(answer, _) => answer,
            Begun::Working(ticket) => core.finish(now, ticket).0,
        };
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The event of this type about a subject: Stripe's own where there is one; else another of Stripe's, about the
    /// session as it is now.
    pub(crate) fn event(&self, kind: &str, subject: &Subject) -> Value {
        let all = self.events_of(kind);
        let about = |event: &Value| {
            let object = &event["data"]["object"];
            let intent = subject.intent.as_ref().map(|intent| intent.as_str());
            object["id"] == subject.session.as_str()
                || (intent.is_some()
                    && (object["id"].as_str() == intent || object["payment_intent"].as_str() == intent))
        };
        all.iter().find(|event| about(event)).cloned().unwrap_or_else(|| {
            let another = all.into_iter().next();
            let mut event = another.unwrap_or_else(|| self.events_of("checkout.session.completed").remove(0));
            event["type"] = json!(kind);
            event["data"] = json!({"object": self.get(&format!("/v1/checkout/sessions/{}", subject.session))});
            event
        })
    }

    fn events_of(&self, kind: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/v1/events?limit=100&type={kind}{after}"));
            let data = page["data"].as_array().unwrap().clone();
            let last = data.last().and_then(|event| event["id"].as_str()).unwrap_or_default().to_owned();
            found.extend(data);
            if page["has_more"] != true {
                return found;
            }
            after = format!("&starting_after={last}");
        }
    }

    /// How many requests Stripe was sent since this was asked last, and how many of them could write.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let log = self.club.account.control(Control::RequestLog);
        self.club.account.control(Control::ResetStats);
        let requests = log["requests"].as_array().unwrap();
        (requests.len(), requests.iter().filter(|request| request["method"] != "GET").count())
    }

    /// Each pending order whose session is paid is paid by its own event: so it could be all along.
    pub(crate) async fn all_could_be_paid(&mut self) -> Result<(), String> {
        for state in ["paid", "arrived", "canary", "another-tournament", "refunded-first"] {
            let subject = self.subject(state).await;
            let mut event = self.event("checkout.session.completed", &subject);
            event["id"] = json!(self.event_id());
            let (status, said) = self.club.send(&event.to_string()).await;
            let order = self.club.order(&subject.order).await;
            if (status, order.status.to_string().as_str(), &order.payment_intent) != (200, "paid", &subject.intent) {
                return Err(format!("{state}: its own event gives {status} {said}, {order:?}"));
            }
        }
        Ok(())
    }
}

fn refund(club: &Club, session: &SessionId) {
    club.account.control(Control::Refund { session: Some(session.0.clone()), payment_intent: None, amount: None });
}

/// A paid session at Stripe that no helper made.
fn paid_by_script(club: &Club, amount: i64, currency: &str, metadata: &[(&str, String)]) -> SessionId {
    let metadata: Map<String, Value> =
        metadata.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let seed = json!({"command": "seed_session", "amount": amount, "currency": currency, "metadata": metadata});
    let made = club.account.control(serde_json::from_value(seed).unwrap());
    let session = SessionId::from(made["id"].as_str().unwrap_or_else(|| panic!("{made}")));
    club.pay(&session, TestCard::Success);
    session
}
