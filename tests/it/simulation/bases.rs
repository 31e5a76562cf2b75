//! Where schedules begin: worlds that stood before the operators came. Each is made once, and copied.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tourney::domain::{Metadata, PlayerId, Registration, SessionId, key};
use tourney::invariants::{Violation, check};
use tourney::ledger::SeedOrder;
use tourney::observe::Observation;
use tourney::sandbox::SECRET_KEY;
use tourney::sandbox::core::{Control, Core, Seed};
use tourney::world::Clock as _;
use tourney::world::sim::{SimClock, SimStripe, State};

use super::manifests::{manifest, scope};
use super::world::{World, observe_now};

/// The day of the incident.
const NOW: &str = "2026-04-13T10:00:00Z";

/// A world that can be copied.
pub(crate) struct Base {
    pub(crate) name: &'static str,
    pub(crate) now: Timestamp,
    pub(crate) core: Core,
    pub(crate) ledger: State,
    pub(crate) account: String,
    pub(crate) secret: String,
    pub(crate) observed: Observation,
    /// What was wrong there before.
    pub(crate) broken: Vec<Violation>,
}

/// All of them.
pub(crate) fn bases() -> &'static [Base] {
    static ALL: OnceLock<Vec<Base>> = OnceLock::new();
    ALL.get_or_init(|| {
        let applied = |number| move |world: &mut World| world.apply_alone(manifest(number));
        vec![
            base("nothing stands", |_| {}),
            base("one order stands, with a session", applied(0)),
            base("one order stands, with a payment link", applied(10)),
            base("two orders stand, their sessions have expired", |world| {
                world.apply_alone(manifest(5));
                world.clock.advance(Duration::from_hours(25));
            }),
            base("a script made an order whose session expired and names no order", incident),
            base("one order stands with two sessions", |world| {
                world.apply_alone(manifest(0));
                let order = world.ledger.snapshot().orders.into_keys().next().unwrap();
                made_by_script(world, 1, &Metadata::from([(key::ORDER.to_owned(), order.to_string())]));
            }),
        ]
    })
}

fn base(name: &'static str, prepare: impl FnOnce(&mut World)) -> Base {
    let clock = SimClock::new(NOW.parse().unwrap(), 0);
    let mut core = Core::new(1);
    let (account, secret) = (core.account_id().to_owned(), endpoint(&mut core, &clock));
    let empty = Base {
        name,
        now: clock.now(),
        observed: observe_now(core.clone(), State::default(), clock.now(), &account),
        core,
        ledger: State::default(),
        account,
        secret,
        broken: Vec::new(),
    };
    let mut world = World::of(&empty, false);
    // Whoever runs here draws other ids than those who come later.
    world.next = 1_000_000;
    prepare(&mut world);
    world.clock.advance(Duration::from_mins(20));
    let (core, now) = (
        world.shared.stripe.with_core(|core, now| {
            core.tick(now);
            core.clone()
        }),
        world.clock.now(),
    );
    let ledger = world.ledger.snapshot();
    let observed = observe_now(core.clone(), ledger.clone(), now, &empty.account);
    let broken = check(&scope().tournament, &observed);
    Base { now, core, ledger, observed, broken, ..empty }
}

/// The webhook endpoint; gives its secret.
fn endpoint(core: &mut Core, clock: &SimClock) -> String {
    use tourney::sandbox::core::{Begun, Call};
    let events = ["completed", "expired", "async_payment_succeeded", "async_payment_failed"];
    let events: String = events.iter().map(|event| format!("&enabled_events[]=checkout.session.{event}")).collect();
    let call = Call {
        method: "POST".to_owned(),
        path: "/v1/webhook_endpoints".to_owned(),
        query: String::new(),
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {SECRET_KEY}")),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ],
        body: format!("url=https%3A%2F%2Fclub.example%2Fwebhooks%2Fstripe{events}").into_bytes(),
    };
    let now = clock.now().as_second();
    let Begun::Working(ticket) = core.begin(now, call) else { panic!("no endpoint") };
    let answer = core.finish(now, ticket).0;
    let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    answer["secret"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// A session of 55.00 USD that somebody made so many hours ago.
fn made_by_script(world: &World, hours: i64, metadata: &Metadata) -> SessionId {
    let seed = json!({"amount": 5_500, "created_seconds_ago": hours * 3_600, "metadata": metadata});
    let seed: Seed = serde_json::from_value(seed).unwrap();
    SessionId::from(world.control(Control::SeedSession(Box::new(seed))).unwrap()["id"].as_str().unwrap())
}

fn incident(world: &mut World) {
    world.apply_alone(manifest(4));
    let session = made_by_script(world, 48, &Metadata::new());
    let manifest = manifest(0);
    let fee = &manifest.fees[0];
    let order = SeedOrder {
        tournament: manifest.tournament.id.clone(),
        registration: Registration { player: PlayerId(1.into()), fee: fee.id.clone() },
        amount: fee.amount,
        session,
        created_at: world.clock.now() - Duration::from_hours(48),
    };
    world.ledger.seed(&[(order, 1_000)]).unwrap();
}

/// The Stripe of a world that begins here.
pub(crate) fn stripe_of(base: &Base, clock: &SimClock) -> SimStripe {
    SimStripe::new(base.core.clone(), clock.clone())
}

pub(crate) fn ledger_of(base: &Base) -> Arc<tourney::world::sim::MemoryLedger> {
    Arc::new(base.ledger.clone().into())
}
