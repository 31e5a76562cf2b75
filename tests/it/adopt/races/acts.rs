//! What an application does to its orders, and a run in the middle of which it does it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::course::Course;
use super::shop::{BY_HAND, OWED, Shop};
use crate::story::club::text;
use crate::support::{Outcome, Relay, Then, assert_valid};

/// What the application does to a player's last order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Its own handler records the payment at the session, or one that it says there was.
    Pays,
    /// It records another payment than that at the session.
    PaysOtherwise,
    Cancels,
    /// It puts a session of its own onto the order, which can be paid.
    Relinks,
    Deletes,
    /// It asks another amount.
    Reprices,
    /// It makes another order for the same player and product.
    OrdersAgain,
}

/// What an application may do at any time.
pub(crate) const ACTS: [Act; 6] =
    [Act::Pays, Act::Cancels, Act::Relinks, Act::Deletes, Act::Reprices, Act::OrdersAgain];

impl Act {
    fn to(self, shop: &Shop, player: usize) {
        let [order, _, session, _] = shop.orders_of(player).pop().unwrap();
        let update = |set: String| format!("UPDATE orders SET {set}, note = '{BY_HAND}' WHERE id = {order}");
        let pays = |intent: &str| update(format!("status = 'paid', stripe_payment_intent_id = '{intent}'"));
        let statement = match self {
            Self::Pays if !session.is_empty() => {
                pays(shop.club.session(&session)["payment_intent"].as_str().unwrap_or(&format!("pi_app_{player}")))
            }
            Self::Pays | Self::PaysOtherwise => pays(&format!("pi_app_{player}")),
            Self::Cancels => update("status = 'canceled'".to_owned()),
            Self::Relinks => {
                let session = json!({"amount": OWED, "name": BY_HAND, "metadata": {"order_id": order}});
                update(format!("stripe_checkout_session_id = '{}'", shop.club.script_makes(session)))
            }
            Self::Deletes => {
                shop.club.sql(&format!("DELETE FROM order_lines WHERE order_id = {order}"));
                format!("DELETE FROM orders WHERE id = {order}")
            }
            Self::Reprices => update("amount_cents = 4000".to_owned()),
            Self::OrdersAgain => format!(
                "INSERT INTO orders (player_id, product_id, amount_cents, status, channel, terms_version, gift, note) \
                 VALUES ({player}, 5, {OWED}, 'pending', 'web', 2, false, '{BY_HAND}')"
            ),
        };
        shop.club.sql(&statement);
    }
}

/// A moment of a change: just before the first such statement of a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    name: &'static str,
    stage: usize,
    sql: &'static str,
}

/// See [`Moment`].
pub(crate) const fn before(name: &'static str, stage: usize, sql: &'static str) -> Moment {
    Moment { name, stage, sql }
}

/// A shop whose registrations each meet one act at one moment.
pub(crate) struct Scene {
    shop: Arc<Shop>,
    cases: Vec<(Moment, Act)>,
}

impl Scene {
    /// Each of the acts at each of the moments, in a shop that `stand` has prepared. None where PostgreSQL is not installed.
    pub(crate) fn of(moments: &[Moment], acts: &[Act], stand: fn(&Shop)) -> Option<Self> {
        let cases: Vec<_> = moments.iter().flat_map(|moment| acts.iter().map(|act| (*moment, *act))).collect();
        let shop = Shop::with(cases.len())?;
        stand(&shop);
        Some(Self { shop: Arc::new(shop), cases })
    }

    /// Applies while the application acts, once in each change.
    pub(crate) fn apply(&self) -> Outcome {
        let acted = Arc::new(Mutex::new(0));
        let mut course = Course::default();
        let relay = Relay::start(self.shop.club.database(), {
            let (shop, cases, acted) = (Arc::clone(&self.shop), self.cases.clone(), Arc::clone(&acted));
            move |sql| {
                let place = course.at(sql);
                let acted = &mut *acted.lock().unwrap();
                let case = cases.get(place.change).filter(|_| *acted == place.change);
                let is_it = |moment: &Moment| moment.stage == place.stage && sql.starts_with(moment.sql);
                if let Some((_, act)) = case.filter(|(moment, _)| is_it(moment)) {
                    *acted += 1;
                    act.to(&shop, shop.players[place.change]);
                }
                Then::Pass
            }
        });
        let outcome = self.shop.apply_through(&relay).run();
        assert_eq!(*acted.lock().unwrap(), self.cases.len(), "each met its act: {outcome:?}");
        assert_valid("apply", &outcome.json());
        outcome
    }

    /// The run during which the application acts, the next run, and what is then left to a person: nothing else may be.
    pub(crate) fn tells(&self) -> String {
        let first = self.apply().expect(1);
        assert!(first.stderr.contains("The orders have moved meanwhile: looking again."), "{}", first.stderr);
        let first = self.told(&first.json());
        let again = self.shop.club.tourney(["apply", "--yes", "--json"]).run();
        assert!([Some(0), Some(3)].contains(&again.code()), "{again:?}");
        let second = self.told(&again.json());
        let plan = self.shop.club.tourney(["plan", "--json"]).run().expect(0).json();
        let mut left: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for change in plan["changes"].as_array().unwrap() {
            let findings: Vec<&str> = change["findings"].as_array().unwrap().iter().map(text).collect();
            let player = change["player"].as_u64().unwrap();
            left.entry(player).or_default().push(format!("{} {}", text(&change["action"]), findings.join(" ")));
        }
        let lines = left.iter().flat_map(|(player, lines)| lines.iter().map(move |line| format!("{player}/5 {line}")));
        let lines: Vec<String> = lines.collect();
        assert!(lines.iter().all(|line| line.contains(" attention ")), "{lines:?}");
        self.shop.is_settled(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let mut told = String::new();
        for (at, (moment, act)) in self.cases.iter().enumerate() {
            let _ = writeln!(told, "{act:?} {}:\n  {}\n  {}", moment.name, first[at], second[at]);
            for line in left.get(&(self.shop.players[at] as u64)).into_iter().flatten() {
                let _ = writeln!(told, "  left: {line}");
            }
        }
        told
    }

    /// What a run says of each registration, and how its orders stand then.
    fn told(&self, report: &Value) -> Vec<String> {
        let mut results: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for result in report["results"].as_array().unwrap() {
            let detail = result["detail"].as_str().or_else(|| result["error"]["message"].as_str());
            let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
            let line = format!("{} {}{detail}", text(&result["action"]), text(&result["outcome"]));
            results.entry(result["player"].as_u64().unwrap()).or_default().push(line);
        }
        let line = |player: &usize| {
            let orders = self.shop.orders_of(*player).into_iter();
            let orders =
                orders.map(|[_, status, session, amount]| format!("{status} {amount} {}", self.whose(&session)));
            let results = results.remove(&(*player as u64)).unwrap_or_else(|| vec!["nothing".to_owned()]);
            format!("{} => {}", results.join(", "), orders.collect::<Vec<_>>().join(", "))
        };
        self.shop.players.iter().map(line).collect()
    }

    /// Which session an order holds.
    fn whose(&self, session: &str) -> String {
        if session.is_empty() {
            return "without session".to_owned();
        }
        let session = self.shop.club.stripe(&format!("checkout/sessions/{session}?expand[]=line_items"), None);
        let whose = match session["metadata"]["tourney_attempt"].as_str() {
            Some(_) => "tourney's",
            None if session["line_items"]["data"][0]["description"] == BY_HAND => "the application's",
            None => "the script's",
        };
        format!("{whose} {}", text(&session["status"]))
    }
}
