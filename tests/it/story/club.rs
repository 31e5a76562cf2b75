//! A club as the stories meet it: a manifest, an orders database, and Stripe. The sandbox is served by the test process,
//! so that a story can pay, refund, expire and tamper while the binary comes and goes.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use tokio::runtime::Runtime;
use tourney::sandbox::core::Control;
use tourney::sandbox::{SECRET_KEY, Sandbox, open_at};

use crate::support;
use crate::support::{Folder, Tourney};

/// Three players on two fees. Stories edit it as a person would.
const MANIFEST: &str = "version: 1
tournament: {id: cup, name: Spring Cup, currency: usd, open: true, pay_by: 2999-04-25}
fees:
  - {id: 5, name: 17U Elite, amount: 55.00}
  - {id: 6, name: 17U Select, amount: 65.00}
players:
  - {id: 1001, name: Avery Alder, email: parent01@example.com, fee: 5}
  - {id: 1002, name: Blake Birch, email: parent02@example.com, fee: 6}
  - {id: 1003, name: Casey Cedar, email: parent03@example.com, fee: 5}
";

/// An order's row, as any other program reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) tournament: String,
    pub(crate) player: String,
    pub(crate) fee: String,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) session: Option<String>,
    pub(crate) intent: Option<String>,
}

impl Order {
    /// The recorded session; a story that asks for it knows that there is one.
    pub(crate) fn session(&self) -> &str {
        self.session.as_deref().expect("the order has a session")
    }
}

/// The club. Its parts end in the order in which they stand.
pub(crate) struct Club {
    sandbox: Sandbox,
    http: reqwest::Client,
    runtime: Runtime,
    database: String,
    embedded: bool,
    pub(crate) folder: Folder,
}

impl Club {
    pub(crate) fn on_sqlite() -> Self {
        let folder = Folder::new();
        let database = format!("sqlite://{}", folder.path("orders.db").display());
        Self::new(folder, database, "stripe")
    }

    /// No variable is set: database and sandbox are the embedded ones, which the binary finds served by this process.
    pub(crate) fn embedded() -> Self {
        let folder = Folder::new();
        let database = format!("sqlite://{}", folder.path(".tourney/orders.db").display());
        Self { embedded: true, ..Self::new(folder, database, ".tourney") }
    }

    /// None where PostgreSQL is not installed.
    pub(crate) fn on_postgres() -> Option<Self> {
        support::database().map(Self::on)
    }

    /// On a database that stands already.
    pub(crate) fn on(database: String) -> Self {
        Self::new(Folder::new(), database, "stripe")
    }

    fn new(folder: Folder, database: String, state: &str) -> Self {
        // No TLS is spoken here, but the client will not be built without a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = folder.path(state);
        let sandbox = runtime.block_on(open_at(&state, "127.0.0.1:0".parse().unwrap())).unwrap();
        folder.write("tournament.yaml", MANIFEST);
        Self { sandbox, http: reqwest::Client::new(), runtime, database, embedded: false, folder }
    }

    /// `tourney ARGS…` in the environment that the usual variables make by themselves.
    pub(crate) fn tourney<const N: usize>(&self, args: [&str; N]) -> Tourney {
        self.at_home(self.folder.tourney(args))
    }

    /// A shell command line in the same environment.
    pub(crate) fn in_shell(&self, line: &str) -> Tourney {
        self.at_home(self.folder.sh(line))
    }

    pub(crate) fn at_home(&self, command: Tourney) -> Tourney {
        if self.embedded {
            return command;
        }
        // With such a file beside the manifest, the variables fill the gaps of the environment that it calls `test`.
        let adopted = self.folder.path("environments.yaml").exists();
        let command = if adopted { command.env("TOURNEY_ENV", "test") } else { command };
        command
            .env("DATABASE_URL", &self.database)
            .env("STRIPE_SECRET_KEY", SECRET_KEY)
            .env("STRIPE_API_BASE", self.sandbox.base_url())
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.database.starts_with("sqlite:")
    }

    /// Changes the manifest in the one place where `before` stands.
    #[track_caller]
    pub(crate) fn edit(&self, before: &str, after: &str) {
        let text = self.folder.read("tournament.yaml");
        assert_eq!(text.matches(before).count(), 1, "{before:?} in {text}");
        self.folder.write("tournament.yaml", &text.replace(before, after));
    }

    /// Takes a player's line out of the manifest.
    #[track_caller]
    pub(crate) fn remove_player(&self, id: &str) {
        let text = self.folder.read("tournament.yaml");
        let line = text.lines().find(|line| line.contains(&format!("{{id: {id},"))).expect("the player is there");
        self.edit(&format!("{line}\n"), "");
    }

    /// Writes a section at the manifest's end.
    pub(crate) fn append(&self, section: &str) {
        let text = self.folder.read("tournament.yaml");
        self.folder.write("tournament.yaml", &format!("{text}{section}\n"));
    }
}

/// Runs a statement on a database; gives the rows, every column of which must be text.
pub(crate) async fn run_sql(database: &str, statement: &str) -> Vec<Vec<Option<String>>> {
    let statement = AssertSqlSafe(statement.to_owned());
    if database.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(database).await.unwrap();
        let rows = sqlx::query(statement).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
    } else {
        let mut connection = PgConnection::connect(database).await.unwrap();
        let rows = sqlx::query(statement).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
    }
}

/// The orders database, as another application sees it.
impl Club {
    /// Runs a statement; gives the rows, every column of which must be text.
    pub(crate) fn sql(&self, statement: &str) -> Vec<Vec<Option<String>>> {
        self.runtime.block_on(run_sql(&self.database, statement))
    }

    /// Where it is.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Where Stripe is.
    pub(crate) fn stripe_base(&self) -> &str {
        self.sandbox.base_url()
    }

    /// Waits for something that is done here, not by the binary.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Begins something that goes on here beside the binary.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
        self.runtime.spawn(work)
    }

    /// Every order, the oldest first.
    pub(crate) fn orders(&self) -> Vec<Order> {
        let rows = self.sql(
            "SELECT id, tournament_id, player_id, fee_id, status, CAST(amount_cents AS TEXT), currency, stripe_checkout_session_id, \
             stripe_payment_intent_id FROM orders ORDER BY created_at, id",
        );
        let order = |row: Vec<Option<String>>| {
            let must = |column: usize| row[column].clone().unwrap();
            Order {
                id: must(0),
                tournament: must(1),
                player: must(2),
                fee: must(3),
                status: must(4),
                amount: must(5).parse().unwrap(),
                currency: must(6),
                session: row[7].clone(),
                intent: row[8].clone(),
            }
        };
        rows.into_iter().map(order).collect()
    }

    /// The one live order of a player.
    #[track_caller]
    pub(crate) fn order(&self, player: &str) -> Order {
        let mut orders = self.orders();
        orders.retain(|order| order.player == player && ["pending", "paid"].contains(&order.status.as_str()));
        assert_eq!(orders.len(), 1, "{orders:#?}");
        orders.remove(0)
    }

    /// The order of this id, if its row stands.
    pub(crate) fn row(&self, id: &str) -> Option<Order> {
        self.orders().into_iter().find(|order| order.id == id)
    }

    /// The status of the order of this id.
    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> String {
        self.row(id).expect("the row stands").status
    }

    /// Writes a session onto an order.
    pub(crate) fn record(&self, order: &str, session: &str) {
        self.sql(&format!("UPDATE orders SET stripe_checkout_session_id = '{session}' WHERE id = '{order}'"));
    }

    /// The database's own id.
    pub(crate) fn ledger(&self) -> String {
        self.sql("SELECT ledger_id FROM tourney_ledger")[0][0].clone().unwrap()
    }

    /// All that the database holds.
    pub(crate) fn everything(&self) -> Vec<String> {
        if self.is_sqlite() {
            let bytes = std::fs::read(self.database.trim_start_matches("sqlite://")).unwrap_or_default();
            return vec![hex::encode(bytes)];
        }
        let tables = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                      WHERE table_schema = 'public' ORDER BY 1";
        let tables = self.sql(tables).into_iter().map(|row| row[0].clone().unwrap());
        tables
            .flat_map(|table| {
                let rows = self.sql(&format!("SELECT CAST(t AS TEXT) FROM \"{table}\" t ORDER BY 1"));
                rows.into_iter().map(move |row| format!("{table}: {}", row[0].clone().unwrap()))
            })
            .collect()
    }
}

/// Stripe: what payers, the dashboard and other programs do there.
impl Club {
    /// Does a command of the sandbox (`docs/SANDBOX.md`).
    #[track_caller]
    pub(crate) fn control(&self, command: Value) -> Value {
        self.try_control(serde_json::from_value(command).unwrap()).unwrap()
    }

    /// The same where it may not be possible; then why not.
    pub(crate) fn try_control(&self, command: Control) -> Result<Value, String> {
        self.runtime.block_on(self.sandbox.control(command)).map_err(|error| error.to_string())
    }

    /// The requests since the counts were reset.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.control(json!({"command": "request_log"}))["requests"].as_array().unwrap().clone()
    }

    /// A request to Stripe's API by another program: a POST where there is a form.
    #[track_caller]
    pub(crate) fn stripe(&self, path: &str, form: Option<&str>) -> Value {
        let url = format!("{}/v1/{path}", self.sandbox.base_url());
        let request = match form {
            None => self.http.get(url),
            Some(form) => self.http.post(url).body(form.to_owned()),
        };
        let request = request.bearer_auth(SECRET_KEY).header("content-type", "application/x-www-form-urlencoded");
        let text = self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() });
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer["error"].is_null(), "{answer:#}");
        answer
    }

    /// A session as Stripe shows it.
    #[track_caller]
    pub(crate) fn session(&self, id: &str) -> Value {
        self.stripe(&format!("checkout/sessions/{id}"), None)
    }

    /// The latest sessions of the account, all of them in a story's world.
    pub(crate) fn sessions(&self) -> Vec<Value> {
        self.stripe("checkout/sessions?limit=100", None)["data"].as_array().unwrap().clone()
    }

    /// Whether a session can be paid.
    #[track_caller]
    pub(crate) fn is_open(&self, session: &str) -> bool {
        self.session(session)["status"] == "open"
    }

    /// Time passes until a session expires.
    #[track_caller]
    pub(crate) fn expire(&self, session: &str) {
        self.control(json!({"command": "expire", "session": session}));
    }

    /// A parent pays with a card that succeeds; gives the payment intent. No webhook is registered: nobody is told.
    #[track_caller]
    pub(crate) fn pay(&self, session: &str) -> String {
        self.pay_with(session, "success")
    }

    /// A parent pays, with a test card or a delayed method.
    #[track_caller]
    pub(crate) fn pay_with(&self, session: &str, card: &str) -> String {
        let paid = self.control(json!({"command": "pay", "session": session, "card": card}));
        text(&paid["payment_intent"]).to_owned()
    }

    /// A session that a script made an hour ago, unless `fields` say otherwise; gives its id.
    #[track_caller]
    pub(crate) fn script_makes(&self, fields: Value) -> String {
        let mut seed = json!({"command": "seed_session", "amount": 5500, "created_seconds_ago": 3600});
        seed.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        text(&self.control(seed)["id"]).to_owned()
    }

    /// The session of a player's order is expired, and a script's is recorded in its place. Gives the order as it then is.
    #[track_caller]
    pub(crate) fn script_replaces(&self, player: &str, fields: Value) -> Order {
        let order = self.order(player);
        self.expire(order.session());
        self.record(&order.id, &self.script_makes(fields));
        self.order(player)
    }

    /// The metadata by which a session is this tournament's own.
    pub(crate) fn ours(&self, order: &str, player: &str, fee: &str) -> Value {
        json!({"order_id": order, "tourney_ledger": self.ledger(), "tourney_tournament": "cup",
            "tourney_player": player, "tourney_fee": fee})
    }
}

/// A value that is text.
#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
