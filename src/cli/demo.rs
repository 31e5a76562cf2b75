//! `tourney demo`: the whole story on a throw-away sandbox, each command with its real output.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use clap::Args as ClapArgs;
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::config::VARIABLES;
use crate::domain::{Mode, Order, OrderStatus};
use crate::ledger::{Ledger as _, Mapping, Scope, SqlLedger};
use crate::manifest::Manifest;
use crate::render::{Exit, Failure};
use crate::sandbox::Sandbox;
use crate::stripe::{HttpWire, Limits, Stripe};
use crate::webhook::{DEFAULT_PATH, Receiver};
use crate::world::{Clock as _, LiveClock};

use super::Shell;
use super::signals::interrupted;

/// The story's manifest, as reviewed.
const MANIFEST: &str = include_str!("../../plans/utah-invitational.yaml");
/// What `demo` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Leave the folder behind, to go on in it
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
///
/// # Errors
/// Where a command of the story does not end as it must.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let folder = Folder::make()?;
    let story = Story { shell, folder: &folder.0 };
    let told = story.tell().await;
    if args.keep {
        shell.ui.note(&format!("The story's folder: {}", folder.0.display()));
        std::mem::forget(folder);
    }
    told.map(|()| Exit::Done)
}

/// A folder that goes when the story ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("tourney-demo-{:016x}", LiveClock.random() >> 64));
        std::fs::create_dir(&path)
            .and_then(|()| std::fs::write(path.join("tournament.yaml"), MANIFEST))
            .map_err(|error| Failure::new("io", format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A temporary folder that cannot be removed is the system's to clear.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The story as it is told.
struct Story<'a> {
    shell: &'a Shell,
    folder: &'a Path,
}

impl Story<'_> {
    async fn tell(&self) -> Result<(), Failure> {
        let state = self.folder.join(".tourney");
        let sandbox = crate::sandbox::open(&state).await?;
        let told = self.tell_with(&sandbox, &state).await;
        sandbox.close().await;
        told
    }

    async fn tell_with(&self, sandbox: &Sandbox, state: &Path) -> Result<(), Failure> {
        self.says("A club made 21 payment links by hand, without order_id, and all of them have died unpaid.")?;
        self.tourney(&["sandbox", "seed", "incident"], 0).await?;
        self.says("What is wrong? Nothing is changed by looking.")?;
        self.tourney(&["plan"], 0).await?;
        self.says("Put it right, through the one helper that always sets order_id.")?;
        self.tourney(&["apply", "--yes"], 0).await?;
        self.says("Once more: a second run has nothing to do.")?;
        self.tourney(&["plan", "--detailed-exitcode"], 0).await?;
        self.parent_pays(sandbox, state).await?;
        self.says("And the proof: every session audited, then a signed webhook round trip.")?;
        self.tourney(&["verify"], 0).await
    }

    fn says(&self, line: &str) -> Result<(), Failure> {
        self.prints(&format!("\n# {line}\n"))
    }

    /// A story that cannot be written down is not gone on with.
    fn prints(&self, text: &str) -> Result<(), Failure> {
        self.shell.ui.data(text);
        self.shell.ui.written()
    }

    /// Runs a command of this very program in the story's folder; its output goes where ours goes.
    async fn tourney(&self, args: &[&str], expected: i32) -> Result<(), Failure> {
        self.prints(&format!("$ tourney {}\n", args.join(" ")))?;
        let program = std::env::current_exe().map_err(|error| Failure::new("io", error.to_string()))?;
        let mut command = tokio::process::Command::new(program);
        command.args(args).current_dir(self.folder).stdin(Stdio::null()).kill_on_drop(true);
        for name in VARIABLES {
            command.env_remove(name);
        }
        let status = command.status().await.map_err(|error| Failure::new("io", error.to_string()))?;
        match status.code() {
            Some(code) if code == expected => return Ok(()),
            // The terminal has told it before us.
            Some(code) if code == Exit::Interrupted as i32 => return Err(interrupted()),
            _ => {}
        }
        Err(Failure::new("demo", format!("tourney {} ended with {status}, not with {expected}", args.join(" "))))
    }

    /// A parent pays on the hosted page; Stripe's event turns the order paid.
    async fn parent_pays(&self, sandbox: &Sandbox, state: &Path) -> Result<(), Failure> {
        let manifest = crate::manifest::parse("tournament.yaml", MANIFEST.as_bytes())?;
        let ledger = Arc::new(
            SqlLedger::open(&format!("sqlite://{}", state.join("orders.db").display()), Mapping::own()).await?,
        );
        let order = first_pending(&ledger, &manifest).await?;
        let url = order.url.clone().unwrap_or_default();
        let name = manifest.player(&order.registration.player).map_or("", |player| player.name.as_str());
        self.says(&format!(
            "A parent opens {name}'s link and pays with a test card. Stripe sends its signed webhook."
        ))?;
        let key = SecretString::from(sandbox.secret_key());
        let stripe = Arc::new(Stripe::new(HttpWire::new(sandbox.base_url(), &key)?, LiveClock, Limits::local()));
        let broken = |error: std::io::Error| Failure::new("io", format!("no receiver could be started: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let endpoint = stripe.register_endpoint(&format!("http://{address}{DEFAULT_PATH}")).await?;
        let receiver = Receiver {
            sessions: Arc::clone(&stripe),
            ledger: Arc::clone(&ledger),
            clock: LiveClock,
            secrets: vec![endpoint.secret.clone()],
            mode: Mode::Test,
            path: DEFAULT_PATH.to_owned(),
        };
        let serving =
            crate::webhook::serve(listener, crate::webhook::router(Arc::new(receiver)), std::future::pending());
        tokio::select! {
            paid = self.pay(sandbox, &url, &ledger, &order) => paid?,
            ended = serving => return Err(broken(ended.err().unwrap_or_else(|| std::io::Error::other("it ended")))),
        }
        stripe.unregister_endpoint(&endpoint).await?;
        self.says("The order has turned paid.")?;
        self.tourney(&["status", "--player", &order.registration.player.to_string()], 0).await
    }

    /// Pays on the hosted page as a browser would, and waits until the order is paid.
    async fn pay(&self, sandbox: &Sandbox, url: &str, ledger: &SqlLedger, order: &Order) -> Result<(), Failure> {
        let card = "4242 4242 4242 4242";
        let answer = sandbox.pay_on_page(url, card).await?;
        self.prints(&format!("POST {url}\n  card={card}\n  {answer}\n"))?;
        let deadline = LiveClock.now() + jiff::SignedDuration::from_secs(30);
        loop {
            let now = ledger.order(&order.id).await?;
            if now.is_some_and(|order| order.status == OrderStatus::Paid) {
                return Ok(());
            }
            if LiveClock.now() > deadline {
                return Err(Failure::new("demo", "the webhook did not turn the order paid within 30 s"));
            }
            LiveClock.sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// The first order that waits for its payment.
async fn first_pending(ledger: &SqlLedger, manifest: &Manifest) -> Result<Order, Failure> {
    let scope = Scope {
        tournament: manifest.tournament.id.clone(),
        fees: manifest.fees.iter().map(|fee| fee.id.clone()).collect(),
        currency: manifest.tournament.currency,
    };
    let mut orders = ledger.read(&scope).await?.orders;
    orders.retain(|order| order.status == OrderStatus::Pending);
    orders.sort_by(|a, b| a.registration.cmp(&b.registration));
    orders.into_iter().next().ok_or_else(|| Failure::new("demo", "no order waits for its payment"))
}
