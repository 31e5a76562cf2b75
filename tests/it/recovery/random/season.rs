//! One season of a small club: the incident, payers who look and pay, runs that are killed, and what must hold of it all at
//! any moment and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tourney::ledger::{Ledger as _, Mapping, SqlLedger};
use tourney::sandbox::core::Control;
use tourney::world::{Clock as _, LiveClock};

use super::chance::Chance;
use crate::adopt::app::{installed, script};
use crate::story::club::{Club, text};
use crate::support::{Relay, Then, Tourney};

/// Where the orders stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    Sqlite,
    Postgres,
    /// The table of an application, on PostgreSQL.
    Adopted,
}

/// Whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Stripe,
    Database,
}

/// Committed players, each for the one fee: as many as a run has in hand at once.
const PLAYERS: [&str; 4] = ["1001", "1002", "1003", "1004"];
/// What each owes, in cents.
const OWED: i64 = 5_500;

/// An order's row.
#[derive(Clone, Debug)]
struct Row {
    id: String,
    player: String,
    status: String,
    session: Option<String>,
    intent: Option<String>,
}

/// A registration's payable: a link with what its visits made, or a session of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    player: String,
    order: String,
    /// The link's id, also where only a visit of it is open; else the session's.
    id: String,
    /// Active, or a session that no visit made.
    whole: bool,
}

pub(super) struct Season {
    club: Club,
    ground: Ground,
    /// Orders that were seen as paid, with their payment.
    paid: BTreeMap<String, Option<String>>,
    /// What payers have paid: the payment of each player.
    payments: BTreeMap<String, String>,
}

impl Season {
    /// The incident: every player's order is pending, and its session has expired without `order_id`. None where PostgreSQL
    /// is not installed.
    pub(super) fn begin(ground: Ground) -> Option<Self> {
        let club = match ground {
            // No limit of requests a second holds there: what the others do at intervals comes at once.
            Ground::Sqlite => Club::embedded(),
            Ground::Postgres | Ground::Adopted => Club::on_postgres()?,
        };
        let players = PLAYERS.iter().fold(String::new(), |mut text, id| {
            let _ = writeln!(text, "  - {{id: {id}, name: Player {id}, email: parent{id}@example.com, fee: 5}}");
            text
        });
        let manifest = format!(
            "version: 1\ntournament: {{id: cup, name: Spring Cup, currency: usd}}\n\
             fees: [{{id: 5, name: 17U Elite, amount: 55.00}}]\nplayers:\n{players}"
        );
        club.folder.write("tournament.yaml", &manifest);
        match ground {
            Ground::Adopted => {
                installed(&club);
                script(&club, "INSERT INTO players (id, name) VALUES (1004, 'E')");
            }
            Ground::Sqlite | Ground::Postgres => club.block_on(async {
                let ledger = SqlLedger::open(club.database(), Mapping::own()).await.unwrap();
                ledger.prepare(LiveClock.random()).await.unwrap();
            }),
        }
        let season = Self { club, ground, paid: BTreeMap::new(), payments: BTreeMap::new() };
        season.scripts_bill();
        Some(season)
    }

    fn scripts_bill(&self) {
        let rows = PLAYERS.map(|player| {
            let past = json!({"amount": OWED, "created_seconds_ago": 604_800, "expired_seconds_ago": 518_400});
            let session = self.club.script_makes(past);
            match self.ground {
                Ground::Adopted => format!("({player}, 5, {OWED}, 'pending', 'script', '{session}', '2026-03-01')"),
                _ => format!("('club-{player}', 'cup', '{player}', '5', {OWED}, 'usd', 'pending', '{session}', 1, 1)"),
            }
        });
        let columns = match self.ground {
            Ground::Adopted => {
                "player_id, product_id, amount_cents, status, source, stripe_checkout_session_id, created_at"
            }
            _ => {
                "id, tournament_id, player_id, fee_id, amount_cents, currency, status, stripe_checkout_session_id, \
                 created_at, updated_at"
            }
        };
        self.club.sql(&format!("INSERT INTO orders ({columns}) VALUES {}", rows.join(", ")));
    }

    /// Writes the policy about links, whatever it was before.
    pub(super) fn policy(&self, link: &str) {
        let manifest = self.club.folder.read("tournament.yaml");
        let manifest = manifest.split("policy:").next().unwrap();
        self.club.folder.write("tournament.yaml", &format!("{manifest}policy: {{link: {link}}}\n"));
    }

    /// An apply, through the relay of what loses an answer.
    pub(super) fn apply(&self, relay: Option<&mut Option<Relay>>) -> Tourney {
        let apply = self.club.tourney(["apply", "--yes", "--json"]);
        match relay {
            Some(Some(relay)) => apply.env("DATABASE_URL", relay.url()),
            _ => apply,
        }
    }

    /// The answer to one write of the next run is lost after it was done. SQLite is no server: there it is Stripe's.
    pub(super) fn loses_an_answer(&self, side: Side, chance: &mut Chance) -> Option<Relay> {
        let mut skip = chance.below(20);
        if side == Side::Database && self.ground != Ground::Sqlite {
            return Some(Relay::start(self.club.database(), move |sql| {
                let lost = sql == "COMMIT" && skip == 0;
                skip = skip.saturating_sub(u64::from(sql == "COMMIT"));
                // Only once: another follows only after many.
                if lost {
                    skip = 1_000;
                    return Then::CutAfter;
                }
                Then::Pass
            }));
        }
        self.club.control(json!({"command": "fault", "method": "POST", "when": "after", "what": "cut", "skip": skip}));
        None
    }

    pub(super) fn answers_again(&self) {
        self.club.control(json!({"command": "clear_faults"}));
    }

    /// Every payable there is.
    #[track_caller]
    pub(super) fn payable(&self) -> BTreeSet<Source> {
        let rows = self.rows();
        let source = |payable: &Value, id: &Value, whole: bool| {
            let order = payable["metadata"]["order_id"].as_str().unwrap_or_else(|| panic!("no order_id: {payable:#}"));
            let row = rows.iter().find(|row| row.id == order);
            let player = row.unwrap_or_else(|| panic!("of no order: {payable:#} {rows:#?}")).player.clone();
            Source { player, order: order.to_owned(), id: text(id).to_owned(), whole }
        };
        let links = self.links();
        let mut found: BTreeSet<Source> = links.iter().map(|link| source(link, &link["id"], true)).collect();
        for session in self.listed("checkout/sessions?status=open") {
            let link = &session["payment_link"];
            if link.is_null() {
                found.insert(source(&session, &session["id"], true));
            } else if !links.iter().any(|active| active["id"] == *link) {
                found.insert(source(&session, link, false));
            }
        }
        found
    }

    fn links(&self) -> Vec<Value> {
        self.listed("payment_links?active=true")
    }

    #[track_caller]
    fn listed(&self, what: &str) -> Vec<Value> {
        let page = self.club.stripe(&format!("{what}&limit=100"), None);
        assert_eq!(page["has_more"], false, "a season is small");
        page["data"].as_array().unwrap().clone()
    }

    /// The orders in scope.
    fn rows(&self) -> Vec<Row> {
        let scope = if self.ground == Ground::Adopted {
            "product_id = 5 AND created_at >= '2026-01-01'"
        } else {
            "tournament_id = 'cup'"
        };
        let rows = self.club.sql(&format!(
            "SELECT CAST(id AS TEXT), CAST(player_id AS TEXT), CAST(status AS TEXT), stripe_checkout_session_id, \
             stripe_payment_intent_id FROM orders WHERE {scope} ORDER BY id"
        ));
        let row = |row: Vec<Option<String>>| {
            let [id, player, status, session, intent] = <[_; 5]>::try_from(row).unwrap();
            Row { id: id.unwrap(), player: player.unwrap(), status: status.unwrap(), session, intent }
        };
        rows.into_iter().map(row).collect()
    }

    /// How many have paid.
    pub(super) fn payments(&self) -> usize {
        self.payments.len()
    }
}

/// Payers. A run may be at work meanwhile, and faster.
impl Season {
    /// Somebody who has not paid opens a link, and leaves it at that.
    pub(super) fn somebody_looks(&self, chance: &mut Chance) {
        if let Some(link) = chance.of(&self.links()) {
            self.visit(text(&link["id"]));
        }
    }

    /// Somebody who has not paid pays at whatever is open: a link, a session, or a visit of a link that is closed by now.
    pub(super) fn somebody_pays(&mut self, chance: &mut Chance) {
        let sessions = self.listed("checkout/sessions?status=open");
        let open: Vec<Value> = self.links().into_iter().chain(sessions).collect();
        let owes = |one: &&Value| {
            let player = one["metadata"]["tourney_player"].as_str();
            player.is_some_and(|player| !self.payments.contains_key(player))
        };
        let open: Vec<&Value> = open.iter().filter(owes).collect();
        let Some(payable) = chance.of(&open) else { return };
        let id = text(&payable["id"]);
        let session = if id.starts_with("plink_") { self.visit(id) } else { Some(id.to_owned()) };
        let paid = session.and_then(|session| {
            let pay: Control =
                serde_json::from_value(json!({"command": "pay", "session": session, "card": "success"})).unwrap();
            self.club.try_control(pay).ok()
        });
        if let Some(paid) = paid {
            let player = text(&payable["metadata"]["tourney_player"]).to_owned();
            self.payments.insert(player, text(&paid["payment_intent"]).to_owned());
        }
    }

    /// None where the link is closed by now.
    fn visit(&self, link: &str) -> Option<String> {
        let visit: Control = serde_json::from_value(json!({"command": "visit", "link": link})).unwrap();
        self.club.try_control(visit).ok().map(|visit| text(&visit["id"]).to_owned())
    }
}

/// What must hold.
impl Season {
    /// At any moment, however a run was broken off: a registration has one live order at most and one payable at most, no link
    /// is without its `order_id`, here and on its payments, or can be paid twice, and nothing that was paid goes back.
    #[track_caller]
    pub(super) fn is_sound(&mut self) {
        let rows = self.rows();
        let mut live = BTreeSet::new();
        for row in rows.iter().filter(|row| ["pending", "paid"].contains(&row.status.as_str())) {
            assert!(live.insert(&row.player), "two live orders: {rows:#?}");
        }
        for (order, intent) in &self.paid {
            let row = rows.iter().find(|row| row.id == *order).unwrap_or_else(|| panic!("paid and gone: {order}"));
            assert_eq!((row.status.as_str(), &row.intent), ("paid", intent), "paid goes back: {row:?}");
        }
        let paid = rows.iter().filter(|row| row.status == "paid");
        self.paid = paid.map(|row| (row.id.clone(), row.intent.clone())).collect();
        let mut payable = BTreeMap::new();
        for source in self.payable() {
            if let Some(other) = payable.insert(source.player.clone(), source.clone()) {
                panic!("payable twice: {other:?} and {source:?}\n{rows:#?}");
            }
        }
        for link in self.links() {
            assert!(link["metadata"]["order_id"].is_string(), "no order_id: {link:#}");
            assert_eq!(link["metadata"], link["payment_intent_data"]["metadata"], "{link:#}");
            assert_eq!(link["restrictions"]["completed_sessions"]["limit"], 1, "{link:#}");
        }
    }

    /// The next run ends well and leaves nothing to do: who has paid is recorded once and is billed no more, and everybody
    /// else is payable at one payable of the kind that policy asks for. Gives how long the run took.
    #[track_caller]
    pub(super) fn converges(&mut self, policy: &str) -> Duration {
        let began = Instant::now();
        self.apply(None).run().expect(0);
        let lasted = began.elapsed();
        self.is_sound();
        let rows = self.rows();
        let attempts = self.club.sql("SELECT order_id FROM tourney_attempts WHERE state = 'open'");
        assert_eq!(attempts, Vec::<Vec<_>>::new());
        let recorded: BTreeMap<&String, &String> = rows
            .iter()
            .filter(|row| row.status == "paid")
            .map(|row| (&row.player, row.intent.as_ref().expect("it was paid at Stripe")))
            .collect();
        assert_eq!(recorded, self.payments.iter().collect(), "each payment is recorded, once");
        assert_eq!(self.listed("checkout/sessions?status=complete").len(), recorded.len(), "nobody pays twice");
        let mut payable: BTreeMap<String, Source> =
            self.payable().into_iter().map(|source| (source.player.clone(), source)).collect();
        for row in rows.iter().filter(|row| row.status == "pending") {
            let source = payable.remove(&row.player).unwrap_or_else(|| panic!("not payable: {row:?}"));
            let link = policy == "payment_link";
            assert_eq!((&source.order, source.whole), (&row.id, true), "{source:?}");
            assert_eq!(source.id.starts_with("plink_"), link, "{source:?}");
            // Which link an order has, an application's column does not say.
            assert_eq!(row.session.as_ref(), (!link).then_some(&source.id), "{row:?}");
        }
        assert!(payable.is_empty(), "payable besides: {payable:?}");
        let live = rows.iter().filter(|row| row.status != "canceled").count();
        assert_eq!((live, rows.len()), (PLAYERS.len(), 2 * PLAYERS.len()), "each order was replaced once: {rows:#?}");
        self.club.plans(&[]);
        lasted
    }
}
