//! A club with orders, a Stripe account and a running receiver.

use std::future::pending;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tourney::domain::{
    AttemptId, Currency, Email, FeeId, Id, Mode, Money, Order, OrderId, OrderStatus, PlayerId, Registration, RunId,
    SessionId, TournamentId,
};
use tourney::ledger::{
    AttemptFor, Begun, Event, Guard, Ledger, Lock, LockHolder, Mapping, Rendered, Scope, SqlLedger, Written,
};
use tourney::sandbox::core as sandbox;
use tourney::sandbox::core::{Control, Core, TestCard};
use tourney::stripe::{
    Bill, CheckoutSettings, LIFETIME, Limits, Stripe, create_player_checkout_session, render, signature,
};
use tourney::webhook::{DEFAULT_PATH, Receiver, router, serve};
use tourney::world::{Clock, Wire, WireAnswer, WireError, WireRequest};

/// Monday, ten o'clock.
pub(crate) const NOW: i64 = 1_776_074_400;
pub(crate) const SECRET: &str = "whsec_club";
/// The secret that is being rolled out.
pub(crate) const OLD_SECRET: &str = "whsec_club_before";

/// A clock that the test moves.
#[derive(Clone)]
pub(crate) struct Hands {
    second: Arc<AtomicI64>,
    /// Whether the time for a body, which is ten seconds, is up: at once or never.
    pub(crate) impatient: Arc<watch::Sender<bool>>,
}

impl Hands {
    pub(crate) fn second(&self) -> i64 {
        self.second.load(Ordering::SeqCst)
    }

    fn forward(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second()).unwrap()
    }

    fn random(&self) -> u128 {
        0x5eed
    }

    async fn sleep(&self, duration: Duration) {
        if duration == Duration::from_secs(10) {
            self.impatient.subscribe().wait_for(|now| *now).await.unwrap();
        }
        self.forward(i64::try_from(duration.as_secs()).unwrap() + 1);
    }
}

/// The sandbox's core as a wire.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) core: Arc<Mutex<Core>>,
    hands: Hands,
}

impl Account {
    pub(crate) fn control(&self, command: Control) -> Value {
        self.core.lock().unwrap().control(self.hands.second(), command).unwrap().0
    }

    /// Deliveries that are due.
    pub(crate) fn due(&self) -> Vec<sandbox::Delivery> {
        self.core.lock().unwrap().due(self.hands.second())
    }
}

impl Wire for Account {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        let mut headers = vec![("authorization".to_owned(), "Bearer sk_test_club".to_owned())];
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        headers.extend(request.idempotency_key.map(|key| ("idempotency-key".to_owned(), key)));
        let call = sandbox::Call {
            method: request.method.as_str().to_owned(),
            path: request.path,
            query: request.query.unwrap_or_default(),
            body: request.body.unwrap_or_default().into_bytes(),
            headers,
        };
        let (mut core, now) = (self.core.lock().unwrap(), self.hands.second());
        let answer = match core.begin(now, call) {
            sandbox::Begun::Answered(answer, _) => answer,
            sandbox::Begun::Working(ticket) => core.finish(now, ticket).0,
        };
        if answer.cut {
            return Err(WireError::Lost("cut".to_owned()));
        }
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(WireAnswer { status: answer.status, headers, body: answer.body.into_bytes() })
    }
}

type Client = Stripe<Account, Hands>;

/// The whole club.
pub(crate) struct Club {
    pub(crate) account: Account,
    pub(crate) ledger: SqlLedger,
    pub(crate) stripe: Client,
    pub(crate) hands: Hands,
    pub(crate) url: String,
    guard: Guard,
    http: reqwest::Client,
    database: String,
    _receiver: Running,
    _folder: Option<TempDir>,
}

/// A receiver that listens until it is dropped.
pub(crate) struct Running {
    url: String,
    http: reqwest::Client,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    /// POSTs a body under this header; the status.
    pub(crate) async fn post(&self, header: &str, body: &str) -> u16 {
        let request = self.http.post(&self.url).header(signature::HEADER, header).body(body.to_owned());
        request.send().await.unwrap().status().as_u16()
    }
}

pub(crate) fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::parse("usd").unwrap())
}

pub(crate) fn tournament() -> TournamentId {
    TournamentId(Id::slug("utah").unwrap())
}

/// A player's, for the fee that all owe.
pub(crate) fn registration(player: i64) -> Registration {
    Registration { player: PlayerId(player.into()), fee: FeeId(5.into()) }
}

impl Club {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("orders.db").display());
        Self { _folder: Some(folder), ..Self::on(database).await }
    }

    /// With its orders in this database, which is empty.
    pub(crate) async fn on(database: String) -> Self {
        let hands = Hands { second: Arc::new(AtomicI64::new(NOW)), impatient: Arc::default() };
        let account = Account { core: Arc::new(Mutex::new(Core::new(7))), hands: hands.clone() };
        let stripe = Stripe::new(account.clone(), hands.clone(), Limits::local());
        let ledger = SqlLedger::open(&database, Mapping::own()).await.unwrap();
        ledger.prepare(7).await.unwrap();
        ledger.bind("acct_1", Mode::Test).await.unwrap();
        let run = RunId::from("run-1");
        let holder = LockHolder { run, who: "ana@host".to_owned(), since: hands.now(), heartbeat: hands.now() };
        let Lock::Acquired(guard) = ledger.lock(&holder, hands.now()).await.unwrap() else { panic!("locked") };
        tourney::stripe::install_tls();
        let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
        let running = receive(&account, &database, &[SECRET, OLD_SECRET], &http).await;
        let url = running.url.clone();
        Self { account, ledger, stripe, hands, url, guard, http, database, _receiver: running, _folder: None }
    }

    /// Another receiver for the same orders.
    pub(crate) async fn receiver(&self, secret: &str) -> Running {
        self.receiver_on(&self.database, secret).await
    }

    /// A receiver on another database.
    pub(crate) async fn receiver_on(&self, database: &str, secret: &str) -> Running {
        receive(&self.account, database, &[secret], &self.http).await
    }

    /// An order of 55 dollars with its session, made as `apply` makes it.
    pub(crate) async fn bill(&self, player: i64) -> (OrderId, SessionId) {
        self.bill_as(&tournament(), &format!("attempt-{player}"), player).await
    }

    /// The same in another tournament or by an attempt of this name.
    pub(crate) async fn bill_as(&self, tournament: &TournamentId, attempt: &str, player: i64) -> (OrderId, SessionId) {
        let registration = registration(player);
        let attempt = AttemptId(attempt.to_owned());
        let bill = Bill {
            ledger: self.ledger.identity().await.unwrap().unwrap().ledger,
            attempt: attempt.clone(),
            tournament: tournament.clone(),
            tournament_name: "Utah Invitational".to_owned(),
            registration: registration.clone(),
            fee_name: "17U Elite".to_owned(),
            player_name: "Jordan Example".to_owned(),
            email: Email::parse(&format!("parent{player}@example.com")).unwrap(),
            amount: usd(5500),
            checkout: CheckoutSettings { success_url: "https://club.example/thanks".to_owned(), ..Default::default() },
            lifetime: LIFETIME,
        };
        let now = self.stripe.time().await.unwrap();
        let render = move |order: &OrderId| {
            let request = render(&bill, order, now);
            Rendered { body: request.body, expires_at: request.expires_at }
        };
        let subject = AttemptFor::New { registration, amount: usd(5500) };
        let begun = self.ledger.begin_attempt(&self.guard, tournament, &attempt, &subject, now, &render).await;
        let Begun::Begun(attempt) = begun.unwrap() else { panic!("not begun") };
        let request = tourney::stripe::PayableRequest { body: attempt.request.clone(), expires_at: attempt.expires_at };
        let made = create_player_checkout_session(&self.stripe, &attempt.order, &request, &attempt.key).await.unwrap();
        assert_eq!(self.ledger.record_session(&self.guard, &attempt.id, &made).await.unwrap(), Written::Done);
        (attempt.order, made.id)
    }

    pub(crate) async fn retire(&self, order: &OrderId) {
        let seen = self.order(order).await.seen();
        let how = tourney::ledger::RetireHow::Cancel;
        self.ledger.retire(&self.guard, &seen, how, "withdrawn", self.hands.now()).await.unwrap();
    }

    pub(crate) fn pay(&self, session: &SessionId, card: TestCard) {
        self.account.control(Control::Pay {
            session: session.0.clone(),
            card,
            email: Some("p@example.com".to_owned()),
        });
    }

    pub(crate) async fn order(&self, id: &OrderId) -> Order {
        self.ledger.order(id).await.unwrap().unwrap()
    }

    pub(crate) async fn status(&self, id: &OrderId) -> OrderStatus {
        self.order(id).await.status
    }

    /// Events about a payment that matched no order.
    pub(crate) async fn unmatched(&self) -> Vec<Event> {
        let scope = Scope { tournament: tournament(), fees: vec![FeeId(5.into())], currency: usd(0).currency };
        self.ledger.read(&scope).await.unwrap().unmatched
    }

    /// POSTs a body under this header; the status and what was said.
    pub(crate) async fn post(&self, header: Option<&str>, body: impl Into<reqwest::Body>) -> (u16, String) {
        let mut request = self.http.post(&self.url).body(body);
        if let Some(header) = header {
            request = request.header(signature::HEADER, header);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Signs an event as Stripe would, and POSTs it.
    pub(crate) async fn send(&self, event: &str) -> (u16, String) {
        self.post(Some(&self.sign(event.as_bytes())), event.to_owned()).await
    }

    pub(crate) fn sign(&self, body: &[u8]) -> String {
        signature::sign(&SecretString::from(SECRET), self.hands.now(), body)
    }

    pub(crate) fn request(&self, method: reqwest::Method, url: &str) -> reqwest::RequestBuilder {
        self.http.request(method, url)
    }
}

/// A running receiver, with a client and a connection of its own.
async fn receive(account: &Account, database: &str, secrets: &[&str], http: &reqwest::Client) -> Running {
    let receiver = Receiver {
        sessions: Stripe::new(account.clone(), account.hands.clone(), Limits::local()),
        ledger: SqlLedger::open(database, Mapping::own()).await.unwrap(),
        clock: account.hands.clone(),
        secrets: secrets.iter().map(|secret| SecretString::from(*secret)).collect(),
        mode: Mode::Test,
        path: DEFAULT_PATH.to_owned(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{DEFAULT_PATH}", listener.local_addr().unwrap());
    let app = router(Arc::new(receiver));
    let task = tokio::spawn(async move { serve(listener, app, pending()).await.unwrap() });
    Running { url, http: http.clone(), task }
}

/// An event of this type about a session.
pub(crate) fn event(id: &str, kind: &str, session: &str) -> Value {
    json!({
        "id": id, "object": "event", "type": kind, "livemode": false, "created": NOW, "api_version": "2026-09-30.endive",
        "data": {"object": {"id": session, "object": "checkout.session", "payment_status": "paid", "status": "complete"}}
    })
}

/// `checkout.session.completed` about a session, as text.
pub(crate) fn completed(id: &str, session: &SessionId) -> String {
    event(id, "checkout.session.completed", session.as_str()).to_string()
}
