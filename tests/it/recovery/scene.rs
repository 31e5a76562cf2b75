//! A tournament in trouble: a manifest, a database and a served sandbox, and what must hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use tokio::runtime::Runtime;
use tourney::domain::{Metadata, Mode, OrderStatus, Payable, Registration, SessionId, key};
use tourney::ledger::{Ledger as _, LedgerFacts, Mapping, SeedOrder, SqlLedger};
use tourney::manifest::Manifest;
use tourney::observe::{Observation, observe};
use tourney::sandbox::core::{Control, Seed, TestCard};
use tourney::sandbox::{SECRET_KEY, Sandbox};
use tourney::stripe::{HttpWire, Limits, Stripe};
use tourney::world::{Clock as _, LiveClock};

use crate::faults::scope;
use crate::support::{Folder, Outcome, Tourney, database, wait_until};

/// The 21 of the incident.
pub(crate) const UTAH: &str = include_str!("../../../plans/utah-invitational.yaml");

/// Four players on one fee.
pub(crate) const CUP: &str = "version: 1
tournament: {id: cup, name: Cup, currency: usd}
fees: [{id: 5, name: 17U Elite, amount: 55.00}]
players:
  - {id: 1, name: Avery Alder, email: parent1@example.com, fee: 5}
  - {id: 2, name: Devon Dogwood, email: parent2@example.com, fee: 5}
  - {id: 3, name: Finley Fir, email: parent3@example.com, fee: 5}
  - {id: 4, name: Indigo Juniper, email: parent4@example.com, fee: 5}
";

/// The manifest's name in the scene's folder.
pub(crate) const MANIFEST: &str = "tournament.yaml";

/// Everything that a command meets. Fields are dropped in their order: the sandbox before its runtime.
pub(crate) struct Scene {
    pub(crate) folder: Folder,
    sandbox: Sandbox,
    pub(crate) ledger: SqlLedger,
    pub(crate) stripe: Stripe<HttpWire, LiveClock>,
    account: String,
    database: String,
    runtime: Runtime,
}

impl Scene {
    pub(crate) fn sqlite(manifest: &str) -> Self {
        let folder = Folder::new();
        let database = format!("sqlite://{}", folder.path("orders.db").display());
        Self::on(folder, database, manifest)
    }

    /// None where PostgreSQL is not installed.
    pub(crate) fn postgres(manifest: &str) -> Option<Self> {
        Some(Self::on(Folder::new(), database()?, manifest))
    }

    fn on(folder: Folder, database: String, manifest: &str) -> Self {
        folder.write(MANIFEST, manifest);
        Self::resume(folder, database)
    }

    /// Goes on with what is in a folder and in a database.
    pub(crate) fn resume(folder: Folder, database: String) -> Self {
        tourney::stripe::install_tls();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sandbox, ledger) = runtime.block_on(async {
            let sandbox = tourney::sandbox::open(&folder.path("sandbox")).await.unwrap();
            let ledger = SqlLedger::open(&database, Mapping::own()).await.unwrap();
            ledger.prepare(LiveClock.random()).await.unwrap();
            (sandbox, ledger)
        });
        let wire = HttpWire::new(sandbox.base_url(), &SecretString::from(SECRET_KEY)).unwrap();
        let stripe = Stripe::new(wire, LiveClock, Limits::local());
        let account = runtime.block_on(stripe.account()).unwrap().id;
        runtime.block_on(ledger.bind(&account, Mode::Test)).unwrap();
        Self { folder, sandbox, ledger, stripe, account, database, runtime }
    }

    /// Ends what is at work here, and leaves the folder and the database.
    pub(crate) fn close(self) -> (Folder, String) {
        self.runtime.block_on(async {
            self.sandbox.close().await;
            drop(self.ledger);
        });
        let folder = self.folder.path("");
        let at_work = |folder: &Path| {
            let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
            files.any(|file| ["-wal", "-shm", "-journal"].iter().any(|end| file.to_string_lossy().ends_with(end)))
        };
        wait_until("SQLite has closed its files", || {
            ![&folder, &folder.join("sandbox")].iter().any(|one| at_work(one))
        });
        (self.folder, self.database)
    }

    /// The database's URL.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Waits for something that is done here, not by the binary.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn control(&self, command: Control) -> Value {
        self.block_on(self.sandbox.control(command)).unwrap()
    }

    pub(crate) fn manifest(&self) -> Manifest {
        tourney::manifest::read(&self.folder.path(MANIFEST)).unwrap()
    }

    /// Makes the incident: for every registration a pending order whose session lacks `order_id` and has expired.
    pub(crate) fn incident(&self) {
        for (registration, email, amount) in self.registrations() {
            self.order(&registration, amount, &self.session(&email, amount, 48, Some(24)));
        }
    }

    /// One of each: an expired session, an open one that lacks `order_id`, an open one for another address, and a paid one.
    pub(crate) fn one_of_each(&self) -> [SessionId; 4] {
        let [one, two, three, four] = <[_; 4]>::try_from(self.registrations()).unwrap();
        let place =
            |(registration, email, amount): &(Registration, String, i64), email_at_stripe: Option<&str>, dead| {
                let session = self.session(email_at_stripe.unwrap_or(email), *amount, if dead { 48 } else { 1 }, None);
                let order = self.order(registration, *amount, &session);
                (session, order)
            };
        let (expired, _) = place(&one, None, true);
        let (lacking, _) = place(&two, None, false);
        let (renamed, order) = place(&three, Some("old@example.com"), false);
        self.name(&renamed, &order);
        let (paid, order) = place(&four, None, false);
        self.name(&paid, &order);
        self.pay(&paid);
        [expired, lacking, renamed, paid]
    }

    pub(crate) fn pay(&self, session: &SessionId) {
        self.control(Control::Pay { session: session.to_string(), card: TestCard::Success, email: None });
    }

    /// Writes `order_id` into a session's metadata.
    pub(crate) fn name(&self, session: &SessionId, order: &str) {
        let metadata = Metadata::from([(key::ORDER.to_owned(), order.to_owned())]);
        self.block_on(self.stripe.update_metadata(session, &metadata)).unwrap();
    }

    pub(crate) fn session(
        &self,
        email: &str,
        amount: i64,
        hours_old: i64,
        expired_hours_ago: Option<i64>,
    ) -> SessionId {
        let seed = serde_json::json!({"amount": amount, "email": email, "created_seconds_ago": hours_old * 3600,
            "expired_seconds_ago": expired_hours_ago.map(|hours| hours * 3600)});
        let seed: Seed = serde_json::from_value(seed).unwrap();
        SessionId::from(self.control(Control::SeedSession(Box::new(seed)))["id"].as_str().unwrap())
    }

    pub(crate) fn order(&self, registration: &Registration, amount: i64, session: &SessionId) -> String {
        let manifest = self.manifest();
        let order = SeedOrder {
            tournament: manifest.tournament.id.clone(),
            registration: registration.clone(),
            amount: tourney::domain::Money::new(amount, manifest.tournament.currency),
            session: session.clone(),
            created_at: Timestamp::now() - SignedDuration::from_hours(48),
        };
        self.block_on(self.ledger.seed(&[(order, LiveClock.random())])).unwrap()[0].to_string()
    }

    fn registrations(&self) -> Vec<(Registration, String, i64)> {
        let manifest = self.manifest();
        let owed = manifest.registrations().map(|(player, owed)| {
            let registration = Registration { player: player.id.clone(), fee: owed.fee.clone() };
            (registration, player.email.expose().to_owned(), owed.amount.minor)
        });
        owed.collect()
    }

    /// The same with a fault, or none.
    pub(crate) fn tourney_faults<const N: usize>(&self, args: [&str; N], fault: &str) -> Tourney {
        self.in_environment(self.folder.tourney_faults(args)).env("TOURNEY_FAULT", fault)
    }

    /// A command in the environment of the database and the served sandbox.
    pub(crate) fn tourney<const N: usize>(&self, args: [&str; N]) -> Tourney {
        self.in_environment(self.folder.tourney(args))
    }

    pub(crate) fn in_environment(&self, command: Tourney) -> Tourney {
        command
            .env("DATABASE_URL", &self.database)
            .env("STRIPE_API_BASE", self.sandbox.base_url())
            .env("STRIPE_SECRET_KEY", SECRET_KEY)
            .env("TOURNEY_SUCCESS_URL", "https://club.example/thanks")
    }

    pub(crate) fn apply(&self) -> Outcome {
        self.tourney(["apply", "--yes", "--json"]).run()
    }

    /// How many requests have come to this method and path (a template, `{id}` for ids).
    pub(crate) fn requests(&self, name: &str) -> u64 {
        self.control(Control::Stats)["counts"][name].as_u64().unwrap_or_default()
    }

    /// How many requests have come at all.
    pub(crate) fn all_requests(&self) -> u64 {
        let counts = self.control(Control::Stats)["counts"].clone();
        counts.as_object().unwrap().values().filter_map(Value::as_u64).sum()
    }

    /// How many times a session was asked to be made.
    pub(crate) fn creates(&self) -> u64 {
        self.requests("POST /v1/checkout/sessions")
    }

    /// The same of Payment Links.
    pub(crate) fn links_created(&self) -> u64 {
        self.requests("POST /v1/payment_links")
    }

    /// Writes the manifest's policy about links, whatever it was before.
    pub(crate) fn link_policy(&self, link: &str) {
        let text = self.folder.read(MANIFEST);
        let manifest = text.split("policy:").next().unwrap_or_default();
        self.folder.write(MANIFEST, &format!("{manifest}policy: {{link: {link}}}\n"));
    }

    pub(crate) fn wait_for_creates(&self, count: u64) {
        wait_until("sessions are being made", || self.creates() >= count);
    }

    pub(crate) fn latency(&self, ms: u64) {
        self.control(Control::Latency { ms });
    }

    pub(crate) fn facts(&self) -> LedgerFacts {
        self.block_on(self.ledger.read(&scope(&self.manifest()))).unwrap()
    }

    /// What both sides hold now.
    pub(crate) fn observe(&self) -> Observation {
        let scope = scope(&self.manifest());
        self.block_on(observe(&self.ledger, &self.stripe, &scope, &self.account, Mode::Test)).unwrap()
    }

    /// Every session at Stripe.
    pub(crate) fn sessions(&self) -> Vec<Payable> {
        self.block_on(self.stripe.list_sessions(None, None)).unwrap()
    }

    /// Every active Payment Link at Stripe.
    pub(crate) fn links(&self) -> Vec<Payable> {
        self.block_on(self.stripe.list_active_payment_links()).unwrap()
    }

    /// What a payer can pay at: open sessions, but for visits of active links, and those links.
    pub(crate) fn open(&self) -> Vec<Payable> {
        let links = self.links();
        let visit = |session: &Payable| links.iter().any(|link| session.link.as_ref() == Some(&link.id));
        let sessions = self.sessions().into_iter().filter(|session| session.is_open() && !visit(session));
        sessions.collect::<Vec<_>>().into_iter().chain(links).collect()
    }

    /// At any moment, however broken off: nobody can pay for a registration at two payables of ours, and none of our links
    /// lacks its order's id.
    #[track_caller]
    pub(crate) fn assert_payable_once(&self) {
        let facts = self.facts();
        let mut open = BTreeSet::new();
        for payable in self.open() {
            let order = payable.metadata.get(key::ORDER).cloned();
            let holder = facts.orders.iter().find(|order| order.session.as_ref() == Some(&payable.id));
            let order = order.or_else(|| holder.map(|order| order.id.to_string()));
            let order = order.unwrap_or_else(|| panic!("no order_id: {payable:?}"));
            let known = facts.orders.iter().find(|known| known.id.to_string() == order);
            let registration = known.map(|order| order.registration.clone());
            let registration = registration.unwrap_or_else(|| panic!("an order that is not there: {payable:?}"));
            assert!(open.insert(registration), "payable twice: {payable:?}");
        }
        let links = self.links();
        assert!(links.iter().all(|link| link.metadata.contains_key(key::ORDER)), "{links:?}");
    }

    /// Every registration has one live order; every pending one has one open session or link, which carries its id and
    /// amount; every paid one has its payment; nothing else can be paid, no attempt is open, and nothing is left to do.
    #[track_caller]
    pub(crate) fn assert_converged(&self) {
        let facts = self.facts();
        let live: Vec<_> = facts.orders.iter().filter(|order| order.status.is_live()).collect();
        let registrations: Vec<_> = live.iter().map(|order| order.registration.clone()).collect();
        let wanted: BTreeSet<_> = self.registrations().into_iter().map(|(registration, ..)| registration).collect();
        assert_eq!(registrations.len(), wanted.len(), "one live order each: {registrations:?}");
        assert_eq!(registrations.into_iter().collect::<BTreeSet<_>>(), wanted);
        let open = self.open().into_iter();
        let mut open: BTreeMap<SessionId, Payable> = open.map(|payable| (payable.id.clone(), payable)).collect();
        for order in live {
            if order.status == OrderStatus::Paid {
                assert!(order.payment_intent.is_some(), "{order:?}");
                continue;
            }
            let session = order.session.as_ref().and_then(|id| open.remove(id));
            let session = session.unwrap_or_else(|| panic!("not payable: {order:?}"));
            assert_eq!(session.metadata.get(key::ORDER), Some(&order.id.to_string()));
            assert_eq!(session.money(), Some(order.amount));
        }
        assert!(open.is_empty(), "payable besides: {open:?}");
        assert!(facts.attempts.is_empty(), "{:?}", facts.attempts);
        self.tourney(["plan", "--detailed-exitcode"]).run().expect(0);
    }

    /// After the incident: each order was replaced once, and for each a session was made once.
    #[track_caller]
    pub(crate) fn assert_replaced_once(&self) {
        self.assert_converged();
        let registrations = self.registrations().len();
        assert_eq!(self.facts().orders.len(), 2 * registrations, "no order was made twice");
        assert_eq!(self.sessions().len(), 2 * registrations, "no session was made twice");
    }
}
