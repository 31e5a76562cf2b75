//! The worlds in which faults are injected, each with the manifest that is applied to it.

use std::time::Duration;

use tourney::domain::{
    AttemptId, Email, Id, Metadata, Money, OrderId, PayableKind, PlayerId, Registration, RunId, SessionId, key,
};
use tourney::ledger::{AttemptFor, Begun, Canary, Event, Guard, Lock, LockHolder, Rendered, SeedOrder, Written};
use tourney::manifest::Manifest;
use tourney::sandbox::core::{Control, Seed, TestCard};
use tourney::stripe::{Bill, CheckoutSettings, LIFETIME, Limits, create_player_checkout_session, render};
use tourney::world::Clock as _;
use tourney::world::faulty::{Fault, Faults, Mode, Side, Site};

use super::books::Books;
use super::world::{Ended, World};

/// The 21 of the incident.
const UTAH: &str = include_str!("../../../plans/utah-invitational.yaml");

const HEAD: &str = "version: 1
tournament: {id: cup, name: Cup, currency: usd}
fees:
  - {id: 5, name: 17U Elite, amount: 55.00}
  - {id: 6, name: 17U Select, amount: 65.00}
players:
";

/// A world, and the manifest that is applied under faults.
pub(crate) struct Scene<B> {
    pub(crate) name: &'static str,
    pub(crate) world: World<B>,
    pub(crate) manifest: Manifest,
    /// Whether faults also strike at glances at the clock, which are many.
    pub(crate) with_glances: bool,
}

pub(crate) fn parse(text: &str) -> Manifest {
    tourney::manifest::parse("tournament.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"))
}

fn player(id: i64, rest: &str) -> String {
    format!("  - {{id: {id}, name: Player {id}, email: parent{id}@example.com, {rest}}}\n")
}

/// A cup with a line for each of these players.
fn cup(players: &[(i64, &str)], policy: &str) -> Manifest {
    let players: String = players.iter().map(|(id, rest)| player(*id, rest)).collect();
    parse(&format!("{HEAD}{players}policy: {{{policy}}}\n"))
}

/// For every registration a pending order whose session lacks `order_id` and has expired.
pub(crate) async fn incident<B: Books>(name: &'static str, link: PayableKind) -> Scene<B> {
    let world = World::<B>::new().await;
    let text = format!("{UTAH}\npolicy: {{link: {}}}\n", link.word());
    let manifest = parse(&text);
    let all: Vec<_> = manifest.registrations().map(|(player, owed)| (player.id.clone(), owed.clone())).collect();
    let mut orders = Vec::new();
    for (number, (player, owed)) in all.into_iter().enumerate() {
        let registration = Registration { player, fee: owed.fee };
        orders.push(scripted(&world, &manifest, registration, owed.amount, number));
    }
    world.books.seed(&orders).await;
    Scene { name, world, manifest, with_glances: false }
}

/// An order as the one-off scripts made it: its session has expired and names no order.
fn scripted<B: Books>(
    world: &World<B>,
    manifest: &Manifest,
    registration: Registration,
    amount: Money,
    number: usize,
) -> (SeedOrder, u128) {
    let session = made_by_script(world, amount.minor, 48, &Metadata::new());
    let tournament = manifest.tournament.id.clone();
    let created_at = world.clock.now() - Duration::from_hours(48);
    (SeedOrder { tournament, registration, amount, session, created_at }, 1_000 + number as u128)
}

/// A session that somebody made so many hours ago.
fn made_by_script<B: Books>(world: &World<B>, amount: i64, hours: i64, metadata: &Metadata) -> SessionId {
    let seed = serde_json::json!({"amount": amount, "created_seconds_ago": hours * 3_600, "metadata": metadata});
    let seed: Seed = serde_json::from_value(seed).unwrap();
    SessionId::from(world.control(Control::SeedSession(Box::new(seed)))["id"].as_str().unwrap())
}

/// Three players: one whose link died, one who is new, one whose address changed. Stripe may be asked as often as in test
/// mode.
pub(crate) async fn small<B: Books>(name: &'static str, link: PayableKind) -> Scene<B> {
    let mut world = World::<B>::new().await;
    let policy = format!("link: {}", link.word());
    world.applied(&cup(&[(3, "fee: 5")], &policy)).await;
    world.limits = Limits::of(tourney::domain::Mode::Test);
    let mut manifest = cup(&[(1, "fee: 5"), (2, "fee: 5"), (3, "fee: 5")], &policy);
    let registration = Registration { player: PlayerId(1.into()), fee: manifest.fees[0].id.clone() };
    let order = scripted(&world, &manifest, registration, manifest.fees[0].amount, 0);
    world.books.seed(&[order]).await;
    manifest.players[2].email = Email::parse("new3@example.com").unwrap();
    world.pass(Duration::from_mins(20));
    Scene { name, world, manifest, with_glances: true }
}

/// Who plays in the world that needs every kind of change, before and after the manifest was edited.
const BEFORE: [(i64, &str); 17] = [
    (2, "fee: 5"),
    (3, "fee: 5"),
    (4, "fee: 5"),
    (5, "fee: 5"),
    (6, "fee: 5"),
    (7, "fee: 5"),
    (8, "fee: 5"),
    (9, "fee: 5"),
    (11, "fee: 5"),
    (12, "fee: 5"),
    (13, "fee: 5"),
    (17, "fee: 5"),
    (18, "fee: 5"),
    (19, "fee: 5"),
    (20, "fee: 5"),
    (21, "fee: 5"),
    (22, "fee: 5"),
];

/// Who is added by a run that crashes.
const LEFT: [(i64, &str); 2] = [(14, "fee: 5"), (15, "fee: 6")];

/// What the manifest says then. Player 5 has left.
const AFTER: [(i64, &str); 20] = [
    (1, "fee: 5"),                    // replaced: the session expired and names no order
    (2, "fee: 5"),                    // renewed: the session expired
    (3, "fee: 5"),                    // repaired: the link is open and names no order
    (4, "fee: 5"),                    // expired: a second session can be paid
    (66, "fee: 5, renamed_from: 6"),  // renamed
    (7, "fee: 5"),                    // recorded: paid, and the webhook was lost; a second session is open
    (8, "fee: 5"),                    // recorded: refunded
    (9, "fee: 5, paid: {how: cash}"), // settled elsewhere
    (10, "fee: 6"),                   // created
    (11, "fee: 5, amount: 40.00"),    // attention: paid, and the manifest asks another amount
    (12, "fee: 5, amount: 40.00"),    // decided
    (13, "fee: 5"),                   // recorded from a stored event
    (14, "fee: 5"),                   // an attempt was left: the answer was never heard
    (15, "fee: 6"),                   // an attempt was left: the request was never sent
    (17, "fee: 6"),                   // retired and created: another fee
    (18, "fee: 5, note: x"),          // renewed: the address changed
    (19, "fee: 5, amount: 50.00"),    // replaced: the amount changed
    (20, "fee: 5"),                   // nothing
    (21, "fee: 5"),                   // nothing: a payment is on its way, and an event says that it is complete
    (22, "fee: 5"),                   // attention: paid twice, and an event tells of the second payment
];

/// A world that needs every kind of change.
pub(crate) async fn everything<B: Books>(name: &'static str, link: PayableKind, retire: &str) -> Scene<B> {
    let policy = format!("link: {}, retire: {retire}, max_retired: 100%", link.word());
    let world = World::<B>::new().await;
    let before = cup(&BEFORE, &policy);
    let manifest = edited(&policy);
    world.applied(&before).await;
    for player in [8, 11, 12, 22] {
        world.pay(&session_of(&world, &before, player).await);
    }
    world.applied(&before).await;
    leave(&world, &policy).await;
    pay_and_tell(&world, &before).await;
    world.pass(Duration::from_mins(20));
    disturb(&world, &before, &manifest).await;
    hatch(&world, &before).await;
    world.pass(Duration::from_mins(20));
    Scene { name, world, manifest, with_glances: false }
}

/// What parents do, and what is heard of it: nothing of player 7; events that are stored and not worked off of three others.
async fn pay_and_tell<B: Books>(world: &World<B>, manifest: &Manifest) {
    world.pay(&session_of(world, manifest, 7).await);
    let paid = world.pay(&session_of(world, manifest, 13).await);
    let on_its_way = world.pay_with(TestCard::DelayedSuccess, &session_of(world, manifest, 21).await);
    let second = world.pay(&second_of(world, manifest, 22).await);
    for (number, session) in [paid, on_its_way, second].into_iter().enumerate() {
        let event = Event {
            id: format!("evt_{number}"),
            kind: "checkout.session.completed".to_owned(),
            session: Some(session),
            payment_intent: None,
            body: format!(r#"{{"id": "evt_{number}", "type": "checkout.session.completed", "livemode": false}}"#),
            received_at: world.clock.now(),
            outcome: None,
        };
        world.books.store_event(&event).await.unwrap();
    }
}

/// A second session for a player's order, made by a script that knew its id.
async fn second_of<B: Books>(world: &World<B>, manifest: &Manifest, player: i64) -> SessionId {
    let order = world.order(manifest, player).await;
    made_by_script(world, order.amount.minor, 1, &Metadata::from([(key::ORDER.to_owned(), order.id.to_string())]))
}

fn edited(policy: &str) -> Manifest {
    let players: String = AFTER.iter().map(|(id, rest)| player(*id, rest)).collect();
    let players = players.replace("parent18@example.com", "new18@example.com");
    let decision = "{player: 12, fee: 5, finding: paid-amount-differs, amount: 55.00, note: early price}";
    parse(&format!("{HEAD}{players}policy: {{{policy}}}\ndecisions:\n  - {decision}\n"))
}

async fn session_of<B: Books>(world: &World<B>, manifest: &Manifest, player: i64) -> SessionId {
    world.order(manifest, player).await.session.unwrap()
}

/// What happens at Stripe and in the database behind tourney's back.
async fn disturb<B: Books>(world: &World<B>, before: &Manifest, manifest: &Manifest) {
    let fee = &manifest.fees[0];
    let first = Registration { player: PlayerId(1.into()), fee: fee.id.clone() };
    let order = scripted(world, manifest, first, fee.amount, 1);
    world.books.seed(&[order]).await;
    let client = world.client();
    let gone = session_of(world, before, 2).await;
    match PayableKind::of(&gone) {
        PayableKind::Session => drop(world.control(Control::Expire { session: gone.to_string() })),
        PayableKind::PaymentLink => drop(client.close(&gone).await.unwrap()),
    }
    let unnamed = Metadata::from([(key::ORDER.to_owned(), String::new())]);
    client.update_metadata(&session_of(world, before, 3).await, &unnamed).await.unwrap();
    for player in [4, 7] {
        second_of(world, before, player).await;
    }
    // Somebody else's.
    made_by_script(world, 700, 1, &Metadata::new());
    let refunded = world.order(before, 8).await.payment_intent.unwrap();
    world.control(Control::Refund { session: None, payment_intent: Some(refunded.to_string()), amount: None });
}

/// A run that crashed while it made payables: of the first the answer was lost each time, the second was never asked for.
async fn leave<B: Books>(world: &World<B>, policy: &str) {
    let all: Vec<(i64, &str)> = BEFORE.iter().copied().chain(LEFT).collect();
    let create = if policy.contains("payment_link") { "POST /v1/payment_links" } else { "POST /v1/checkout/sessions" };
    let at = |nth| Site { side: Side::Wire, operation: create.to_owned(), nth };
    let tries = world.limits.tries;
    let lost = Fault { times: tries, ..Fault::once(at(1), Mode::LoseAnswer) };
    let faults = Faults::new(vec![lost, Fault::once(at(tries + 1), Mode::CrashBefore)]);
    let ended = world.apply(&cup(&all, policy), &faults).await;
    assert!(matches!(ended, Ended::Crashed), "{} {:?}", ended.told(), faults.trace());
}

/// A `verify` that broke off: its canary stands and nobody knows its session.
async fn hatch<B: Books>(world: &World<B>, manifest: &Manifest) {
    let (books, client, now) = (&world.books, world.client(), world.clock.now());
    let run = RunId("00000000-0000-4000-8000-00000000cafe".to_owned());
    let holder = LockHolder { run: run.clone(), who: "verify".to_owned(), since: now, heartbeat: now };
    let guard = match books.lock_holder().await.unwrap() {
        Some(dead) => books.take_over(&holder, &dead.run, now).await.unwrap(),
        None => books.lock(&holder, now).await.unwrap(),
    };
    let Lock::Acquired(guard) = guard else { panic!("{guard:?}") };
    let tournament = manifest.tournament.id.clone();
    let registration =
        Registration { player: PlayerId(Id::Slug("tourney-canary".to_owned())), fee: manifest.fees[0].id.clone() };
    let canary = Canary {
        run: run.clone(),
        tournament: tournament.clone(),
        registration: registration.clone(),
        order: None,
        sessions: vec![],
    };
    assert_eq!(books.begin_canary(&canary).await.unwrap(), Written::Done);
    let amount = manifest.fees[0].amount;
    let bill = Bill {
        ledger: books.identity().await.unwrap().unwrap().ledger,
        attempt: AttemptId(run.to_string()),
        tournament,
        tournament_name: manifest.tournament.name.clone(),
        registration: registration.clone(),
        fee_name: manifest.fees[0].name.clone(),
        player_name: "Canary".to_owned(),
        email: Email::parse("canary@example.com").unwrap(),
        amount,
        checkout: CheckoutSettings {
            success_url: "https://club.example/thanks".to_owned(),
            ..CheckoutSettings::default()
        },
        lifetime: LIFETIME,
    };
    begin_and_send(books, &client, &guard, &bill, AttemptFor::New { registration, amount }, now).await;
}

async fn begin_and_send<B: Books>(
    books: &B,
    client: &tourney::stripe::Stripe<tourney::world::sim::SimWire, tourney::world::sim::SimClock>,
    guard: &Guard,
    bill: &Bill,
    subject: AttemptFor,
    now: jiff::Timestamp,
) {
    let rendered = |order: &OrderId| {
        let request = render(bill, order, now);
        Rendered { body: request.body, expires_at: request.expires_at }
    };
    let begun = books.begin_attempt(guard, &bill.tournament, &bill.attempt, &subject, now, &rendered).await.unwrap();
    let Begun::Begun(attempt) = begun else { panic!("{begun:?}") };
    let request = render(bill, &attempt.order, now);
    create_player_checkout_session(client, &attempt.order, &request, &attempt.key).await.unwrap();
}
