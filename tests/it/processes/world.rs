//! A small club that needs most kinds of changes, kept as it is and copied for each case; and what must hold there.

use tourney::domain::{Metadata, PayableKind, PlayerId, Registration, SessionId, key};
use tourney::invariants::{Violation, beyond, since};
use tourney::ledger::Ledger as _;
use tourney::observe::Observation;
use tourney::sandbox::core::Control;

use crate::faults::{Picture, broken, picture, unrested};
use crate::recovery::scene::{MANIFEST, Scene};
use crate::support::{Folder, Tourney, copy_of};

/// After whatever happens an apply converges in so many reruns.
pub(super) const RERUNS: usize = 2;

/// The manifest that is applied first.
const BEFORE: &str = "23456";

/// Who is added by a run that is killed.
const LEFT: &str = "  - {id: 8, name: Player 8, email: parent8@example.com, fee: 5}\n";

/// What changes: 1 is replaced (a script's session has expired and names no order), 2 renewed (what could be paid is closed), 3
/// repaired (it names no order), 4 replaced (another amount is asked), 5 recorded (paid, and nobody has heard), 66 renamed, 7
/// created, and of 8 an attempt is left; 9 has left.
pub(super) const CHANGED: &str = "players:
  - {id: 1, name: Player 1, email: parent1@example.com, fee: 5}
  - {id: 2, name: Player 2, email: parent2@example.com, fee: 5}
  - {id: 3, name: Player 3, email: parent3@example.com, fee: 5}
  - {id: 4, name: Player 4, email: parent4@example.com, fee: 5, amount: 40.00}
  - {id: 5, name: Player 5, email: parent5@example.com, fee: 5}
  - {id: 66, name: Player 6, email: parent6@example.com, fee: 5, renamed_from: 6}
  - {id: 7, name: Player 7, email: parent7@example.com, fee: 5}
  - {id: 8, name: Player 8, email: parent8@example.com, fee: 5}
";

/// What is done there.
const ACTIONS: [&str; 7] = ["create", "replace", "renew", "repair", "rename", "record_payment", "retire"];

/// A manifest of a cup. `players` are their lines, with the heading.
pub(super) fn cup(id: &str, players: &str, link: PayableKind) -> String {
    format!(
        "version: 1\ntournament: {{id: {id}, name: Cup, currency: usd}}\n\
         fees: [{{id: 5, name: 17U Elite, amount: 55.00}}]\n\
         {players}policy: {{link: {}, max_retired: 100%}}\n",
        link.word()
    )
}

/// The lines of players by their numbers, each for the one fee.
pub(super) fn players(numbers: &str) -> String {
    let line = |id: char| format!("  - {{id: {id}, name: Player {id}, email: parent{id}@example.com, fee: 5}}\n");
    format!("players:\n{}", numbers.chars().map(line).collect::<String>())
}

/// What is known of a world.
pub(super) struct Known {
    pub(super) name: String,
    /// What it holds.
    before: Observation,
    /// What is broken there already.
    broken: Vec<Violation>,
    /// What an apply makes of it that nothing goes wrong for, where that was learned.
    wanted: Option<Picture>,
}

/// A world as it was left.
pub(super) struct Template {
    folder: Folder,
    database: String,
    pub(super) known: Known,
}

impl Template {
    /// None where the database is not installed.
    pub(super) fn changing(on: fn(&str) -> Option<Scene>, link: PayableKind) -> Option<Self> {
        let scene = on(&cup("cup", &players(&format!("{BEFORE}9")), link))?;
        scene.apply().expect(0);
        let left = format!("{}{LEFT}", players(&format!("{BEFORE}9")));
        scene.folder.write(MANIFEST, &cup("cup", &left, link));
        let create = if link == PayableKind::Session { "checkout/sessions" } else { "payment_links" };
        let killed =
            scene.tourney_faults(["apply", "--yes"], &format!("crash after at wire POST /v1/{create} #1")).run();
        assert!(killed.was_killed(), "{killed:?}");
        disturb(&scene);
        scene.folder.write(MANIFEST, &cup("cup", CHANGED, link));
        Some(Self::of(scene, link.word()))
    }

    /// What is there, to be copied.
    fn of(scene: Scene, name: &str) -> Self {
        let known = Known::of(&scene, name);
        let (folder, database) = scene.close();
        Self { folder, database, known }
    }

    /// The same world with another file in its folder.
    pub(super) fn with(self, name: &str, text: &str) -> Self {
        self.folder.write(name, text);
        self
    }

    /// A world that goes on by itself.
    pub(super) fn copy(&self) -> Scene {
        let folder = self.folder.copy();
        let database = match self.database.starts_with("sqlite") {
            true => format!("sqlite://{}", folder.path("orders.db").display()),
            false => copy_of(&self.database),
        };
        Scene::resume(folder, database)
    }

    /// Learns what an apply comes to that nothing goes wrong for, and the effects that it passes.
    pub(super) fn learn(&mut self) -> Vec<String> {
        let scene = self.copy();
        let apply = apply(&scene, "").env("TOURNEY_TRACE", scene.folder.path("trace"));
        let report = apply.run().expect(0).json();
        let needed = |action: &str| report["summary"][action].as_u64() > Some(0);
        assert!(ACTIONS.iter().all(|action| needed(action)) && report["recovered"] == 1, "{report:#}");
        let (manifest, after) = (scene.manifest(), scene.observe());
        assert_eq!(unrested(&manifest, &after), []);
        self.known.wanted = Some(picture(&manifest, &after));
        scene.folder.read("trace").lines().map(ToOwned::to_owned).collect()
    }
}

impl Known {
    /// What is there now.
    pub(super) fn of(scene: &Scene, name: &str) -> Self {
        let name = format!("{}, {name}", if scene.database().starts_with("sqlite") { "SQLite" } else { "PostgreSQL" });
        let before = scene.observe();
        Self { name, broken: broken(&scene.manifest(), &before), before, wanted: None }
    }

    /// What is wrong at any moment, however a run broke off.
    pub(super) fn is_wrong(&self, scene: &Scene) -> Vec<String> {
        let (manifest, now) = (scene.manifest(), scene.observe());
        let new = beyond(&self.broken, broken(&manifest, &now));
        let became = since(&manifest.tournament.id, &self.before, &now);
        new.into_iter().chain(became).map(|violation| violation.to_string()).collect()
    }

    /// Runs it again with nothing in its way, until nothing is left to do. Gives how often, and what is wrong on the way and in
    /// the end: all must be as if nothing had happened, unless somebody has paid meanwhile, and the audit agrees.
    pub(super) fn reruns(&self, scene: &Scene, paid: bool) -> (usize, Vec<String>) {
        let mut wrong = self.is_wrong(scene);
        let mut said = String::new();
        for rerun in 1..=RERUNS {
            let ended = scene.apply();
            wrong.extend(self.is_wrong(scene));
            let (manifest, now) = (scene.manifest(), scene.observe());
            let left = unrested(&manifest, &now);
            said = format!("{:?} {left:?} {}{}", ended.code(), ended.stdout, ended.stderr);
            if ended.code() == Some(0) && left.is_empty() {
                let (is, canaries) = (picture(&manifest, &now), scene.block_on(scene.ledger.open_canaries()).unwrap());
                let elsewhere = self.wanted.as_ref().filter(|wanted| !paid && **wanted != is);
                wrong.extend(elsewhere.map(|wanted| format!("it ends elsewhere: {}", is.unlike(wanted))));
                wrong.extend(canaries.iter().map(|canary| format!("a canary is left: {}", canary.run)));
                let audit = scene.tourney(["verify", "--audit-only"]).run();
                if audit.code() != Some(0) {
                    wrong.push(format!("the audit: {:?} {}{}", audit.code(), audit.stdout, audit.stderr));
                }
                return (rerun, wrong);
            }
        }
        wrong.push(format!("it is not over after {RERUNS} reruns: {said}"));
        (RERUNS, wrong)
    }
}

/// An apply with a fault, or none; one registration after the other, so that a site means the same effect in every run.
pub(super) fn apply(scene: &Scene, fault: &str) -> Tourney {
    scene.tourney_faults(["apply", "--yes", "--json", "--parallelism", "1"], fault)
}

/// What happens at Stripe and in the database behind tourney's back.
fn disturb(scene: &Scene) {
    let order = |player: i64| {
        let orders = scene.facts().orders.into_iter();
        let mut its = orders.filter(|order| order.registration.player == PlayerId(player.into()));
        its.next().unwrap().session.unwrap()
    };
    let fee = scene.manifest().fees[0].id.clone();
    let expired = scene.session("parent1@example.com", 5_500, 48, Some(24));
    scene.order(&Registration { player: PlayerId(1.into()), fee }, 5_500, &expired);
    let closed = order(2);
    match PayableKind::of(&closed) {
        PayableKind::Session => drop(scene.control(Control::Expire { session: closed.to_string() })),
        PayableKind::PaymentLink => drop(scene.block_on(scene.stripe.close(&closed)).unwrap()),
    }
    let unnamed = Metadata::from([(key::ORDER.to_owned(), String::new())]);
    scene.block_on(scene.stripe.update_metadata(&order(3), &unnamed)).unwrap();
    pay(scene, &order(5));
}

/// Somebody pays at a session, or at a visit of a link.
pub(super) fn pay(scene: &Scene, payable: &SessionId) {
    let session = match PayableKind::of(payable) {
        PayableKind::Session => payable.clone(),
        PayableKind::PaymentLink => {
            let visit = serde_json::json!({"command": "visit", "link": payable.to_string()});
            let visit = scene.control(serde_json::from_value(visit).unwrap());
            SessionId::from(visit["id"].as_str().unwrap())
        }
    };
    let pay = serde_json::json!({"command": "pay", "session": session.to_string(), "card": "success",
        "email": "parent5@example.com"});
    scene.control(serde_json::from_value(pay).unwrap());
}
