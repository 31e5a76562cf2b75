//! Where a command works: the environment resolved, its ledger and Stripe opened, and the one line that says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::config::{EnvKind, Environment, StripeAccess, Vars};
use crate::domain::Mode;
use crate::ledger::{Identity, Ledger as _, Mapping, PlayerRow, RetireHow, Scope, SqlLedger, Terms};
use crate::manifest::{Manifest, Player, Retire};
use crate::observe::{Observation, observe};
use crate::plan::Options;
use crate::render::Failure;
use crate::roster::Known;
use crate::sandbox::core::Control;
use crate::stripe::{CheckoutSettings, HttpWire, Limits, Right, Stripe};
use crate::world::LiveClock;

use super::Shell;
use super::effects::{Effects, Real};
use super::wire::{EmbeddedWire, EnvWire};

/// The manifest where none is named.
pub(super) const DEFAULT_MANIFEST: &str = "tournament.yaml";

/// An opened environment.
pub(super) struct Site<E: Effects = Real> {
    /// What it was resolved from.
    pub env: Environment,
    /// The orders database.
    pub ledger: Arc<E::Ledger>,
    /// Stripe.
    pub stripe: Arc<Stripe<E::Wire, E::Clock>>,
    /// The clock that both go by.
    pub clock: E::Clock,
    /// The Stripe account, `acct_…`.
    pub account: String,
    /// The mode of its key.
    pub mode: Mode,
    /// The database's identity, once an apply has given it one.
    pub identity: Option<Identity>,
}

impl<E: Effects> Site<E> {
    /// Whether its payables are Stripe's own, and no sandbox's.
    pub(super) fn is_stripe(&self) -> bool {
        self.env.stripe.as_ref().is_some_and(|access| access.api_base.is_none())
    }
}

/// Both sides, and whose account it is.
type Connected<E> = (<E as Effects>::Ledger, Stripe<<E as Effects>::Wire, <E as Effects>::Clock>, String);

/// The manifest's path and what it says.
pub(super) struct Loaded {
    /// Its path.
    pub path: PathBuf,
    /// What it says.
    pub manifest: Manifest,
}

impl Loaded {
    /// Which rows of the orders database belong to it.
    #[must_use]
    pub(super) fn scope(&self) -> Scope {
        scope_of(&self.manifest)
    }
}

/// Which rows of the orders database belong to a manifest.
pub(super) fn scope_of(manifest: &Manifest) -> Scope {
    Scope {
        tournament: manifest.tournament.id.clone(),
        fees: manifest.fees.iter().map(|fee| fee.id.clone()).collect(),
        currency: manifest.tournament.currency,
    }
}

/// Resolves the environment of a manifest, offline.
///
/// # Errors
/// As [`crate::config::resolve`].
pub(super) fn resolve(shell: &Shell, manifest: &Path) -> Result<Environment, Failure> {
    let vars = Vars::from(shell.process.vars.clone());
    let asked = shell.global.env.as_deref();
    Ok(crate::config::resolve(manifest, asked, &vars, shell.process.home.as_deref(), shell.ui.interactive)?)
}

/// Reads the manifest; where it is bad, still says where we are.
///
/// # Errors
/// `bad-manifest`, with every problem of the file.
pub(super) fn load(shell: &Shell, env: &Environment, path: &Path) -> Result<Loaded, Failure> {
    let manifest = crate::manifest::read(path).map_err(|errors| refuse(shell, env, errors.into()))?;
    Ok(Loaded { path: path.to_owned(), manifest })
}

/// The first line on stderr, and only then what is to be warned of, and what was logged on the way.
fn say_where(shell: &Shell, env: &Environment, stripe: &str) {
    say_place(shell, env, stripe);
    for warning in &env.warnings {
        shell.ui.note(&format!("warning: {warning}; {}", warning.hint()));
    }
}

/// That line alone, for who tells the warnings otherwise.
pub(super) fn say_place(shell: &Shell, env: &Environment, stripe: &str) {
    shell.ui.always(&format!("{} · {}{stripe}", env.name, env.database));
    shell.log.release();
}

/// A refusal before anything was opened still says where it was meant to be.
#[must_use]
pub(super) fn refuse(shell: &Shell, env: &Environment, failure: Failure) -> Failure {
    say_where(shell, env, "");
    failure
}

impl Site {
    /// Opens ledger and Stripe, asks whose account it is, and says where we are on stderr. Writes nothing.
    ///
    /// # Errors
    /// Where either does not answer, or they do not belong together.
    pub(super) async fn open(shell: &Shell, env: Environment, manifest: Option<&Manifest>) -> Result<Self, Failure> {
        Self::open_through(&Real, shell, env, manifest).await
    }
}

impl<E: Effects> Site<E> {
    /// The same, and every effect goes through these.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) async fn open_through(
        effects: &E,
        shell: &Shell,
        env: Environment,
        manifest: Option<&Manifest>,
    ) -> Result<Self, Failure> {
        let opened = Self::connect(effects, &env, manifest).await;
        let (ledger, stripe, account) = opened.inspect_err(|_| say_where(shell, &env, ""))?;
        let mode = env.stripe.as_ref().map_or(Mode::Test, |stripe| stripe.mode);
        say_where(shell, &env, &format!(" · Stripe {account} ({mode} mode)"));
        let identity = ledger.identity().await?;
        let (ledger, stripe, clock) = (Arc::new(ledger), Arc::new(stripe), effects.clock());
        let site = Self { env, ledger, stripe, clock, account, mode, identity };
        site.check_binding()?;
        Ok(site)
    }

    async fn connect(effects: &E, env: &Environment, manifest: Option<&Manifest>) -> Result<Connected<E>, Failure> {
        let ledger = effects.ledger(ledger_of(env, manifest).await?);
        let (wire, limits) = match &env.kind {
            EnvKind::Sandbox { state } => {
                (EnvWire::Embedded(EmbeddedWire::open(state.clone()).await?), Limits::local())
            }
            EnvKind::Named => wire_of(env)?,
        };
        let stripe = Stripe::new(effects.wire(wire), effects.clock(), limits);
        let account = stripe.account().await?.id;
        Ok((ledger, stripe, account))
    }

    /// Database, account and mode were bound to each other by the first apply.
    fn check_binding(&self) -> Result<(), Failure> {
        let Some(identity) = &self.identity else { return Ok(()) };
        if let Some(account) = identity.account.as_ref().filter(|account| **account != self.account) {
            return Err(wrong_account(account, &self.account));
        }
        match identity.mode {
            Some(mode) if mode != self.mode => Err(wrong_mode(mode, self.mode)),
            _ => Ok(()),
        }
    }

    /// A restricted key that may not write is refused before anything is begun: else every order would be left without
    /// its session. Only such a key is asked about, and nothing is written to learn it.
    ///
    /// # Errors
    /// `stripe-key`, in Stripe's own words; where Stripe does not answer.
    pub(super) async fn check_rights_to_write(&self, rights: &[Right]) -> Result<(), Failure> {
        if !self.env.stripe.as_ref().is_some_and(StripeAccess::is_restricted) {
            return Ok(());
        }
        for right in rights {
            self.stripe.check_right(*right, self.mode).await.map_err(|error| {
                let failure = Failure::from(error);
                Failure { message: format!("{}; nothing was done", failure.message.trim_end_matches('.')), ..failure }
            })?;
        }
        Ok(())
    }

    /// How payables are made here.
    #[must_use]
    pub(super) fn checkout(&self) -> CheckoutSettings {
        CheckoutSettings {
            success_url: self.env.checkout.success_url.clone(),
            cancel_url: self.env.checkout.cancel_url.clone(),
            metadata: self.env.checkout.metadata.clone(),
        }
    }

    /// For the planner.
    #[must_use]
    pub(super) fn options(&self) -> Options {
        Options { environment: self.env.name.clone(), players: None, allow_mass_retire: false }
    }

    /// Reads both sides.
    ///
    /// # Errors
    /// Where either does not answer.
    pub(super) async fn observe(&self, loaded: &Loaded) -> Result<Observation, Failure> {
        Ok(observe(&self.ledger, &self.stripe, &loaded.scope(), &self.account, self.mode).await?)
    }

    /// Tells the embedded sandbox what no API of Stripe's can.
    ///
    /// # Errors
    /// Where the environment is not the embedded sandbox, or it refuses.
    pub(super) async fn control(&self, command: &Control) -> Result<Value, Failure> {
        match E::within(self.stripe.wire()) {
            EnvWire::Embedded(wire) => Ok(wire.control(command).await?),
            EnvWire::Http(_) => Err(Failure::usage("only the embedded sandbox can be told that")),
        }
    }

    /// Ends what this process runs for the environment.
    pub(super) async fn close(&self) {
        if let EnvWire::Embedded(wire) = E::within(self.stripe.wire()) {
            wire.close().await;
        }
    }
}

/// The database is bound to another account.
#[must_use]
pub(super) fn wrong_account(bound: &str, ours: &str) -> Failure {
    Failure::new("wrong-account", format!("this database belongs to Stripe account {bound}, but the key is of {ours}"))
        .hint("right database, wrong key? Nothing was read into a plan and nothing was written")
}

/// The database is bound to the other mode.
#[must_use]
pub(super) fn wrong_mode(bound: Mode, ours: Mode) -> Failure {
    Failure::new("wrong-mode", format!("this database belongs to {bound} mode, but the key is a {ours} key"))
        .hint("right database, wrong key? Nothing was read into a plan and nothing was written")
}

/// Opens the orders database for tourney's own tables alone, and says where we are. Writes nothing.
///
/// # Errors
/// A URL that cannot work.
pub(super) async fn open_ledger(shell: &Shell, env: &Environment) -> Result<SqlLedger, Failure> {
    say_where(shell, env, "");
    Ok(match &env.orders {
        Some(orders) => SqlLedger::beside(&env.database.url(), orders).await?,
        None => SqlLedger::open(&env.database.url(), Mapping::own()).await?,
    })
}

/// Reads the players of the application, and says where we are. Writes nothing.
///
/// # Errors
/// `no-players`, `bad-mapping`, a database that does not answer.
pub(super) async fn players(shell: &Shell, env: &Environment) -> Result<Vec<Known>, Failure> {
    // Its warnings are about keys and pages, of which nothing is asked here.
    say_place(shell, env, "");
    let Some(mapping) = &env.players else {
        let hint = match env.kind {
            EnvKind::Sandbox { .. } => {
                "choose the application's environment with -e; without --match no database is needed"
            }
            EnvKind::Named => {
                "add to it in environments.yaml, in the application's own words, \
                 players: {table: players, columns: {id: id, email: email, name: name}}"
            }
        };
        let message = format!("environment {} maps no players, among whom --match could look", env.name);
        return Err(Failure::new("no-players", message).hint(hint));
    };
    let rows = SqlLedger::players(&env.database.url(), mapping).await?;
    Ok(rows.into_iter().map(|PlayerRow { id, email, name }| Known { id, email, name }).collect())
}

/// Stripe as a named environment reaches it, not asked yet.
///
/// # Errors
/// `no-stripe-key`, or an API base that cannot be one.
pub(super) fn stripe_of(env: &Environment) -> Result<Stripe<EnvWire, LiveClock>, Failure> {
    let (wire, limits) = wire_of(env)?;
    Ok(Stripe::new(wire, LiveClock, limits))
}

/// The wire to it, and how fast it may be asked.
fn wire_of(env: &Environment) -> Result<(EnvWire, Limits), Failure> {
    let Some(stripe) = &env.stripe else {
        return Err(Failure::new("no-stripe-key", format!("environment {} names no Stripe key", env.name))
            .hint("set STRIPE_SECRET_KEY, or write stripe: {secret_key_file: …} in environments.yaml"));
    };
    let base = stripe.api_base.as_deref().unwrap_or(crate::stripe::API_BASE);
    let wire = EnvWire::Http(HttpWire::new(base, &stripe.key)?);
    Ok((wire, Limits::of(stripe.mode)))
}

/// Opens the orders database; an adopted one is judged by what the manifest asks of it.
pub(super) async fn ledger_of(env: &Environment, manifest: Option<&Manifest>) -> Result<SqlLedger, Failure> {
    let url = env.database.url();
    match &env.orders {
        Some(orders) => Ok(SqlLedger::adopt(&url, orders, manifest.map(|one| terms(env, one)).as_ref()).await?),
        None => Ok(SqlLedger::open(&url, Mapping::own()).await?),
    }
}

/// What a manifest, and the canary beside it, ask of an adopted table.
fn terms(env: &Environment, manifest: &Manifest) -> Terms {
    let canary = env.verify_canary.as_ref();
    let flies = canary.map(|canary| canary.player.clone());
    let is_billed = |player: &Player| player.paid.is_none() && player.owes.iter().any(|owed| owed.amount.minor > 0);
    Terms {
        currency: manifest.tournament.currency,
        retire: match manifest.policy.retire {
            Retire::Cancel => RetireHow::Cancel,
            Retire::Delete => RetireHow::Delete,
        },
        link: manifest.policy.link,
        tournament: manifest.tournament.id.clone(),
        fees: manifest.fees.iter().map(|fee| fee.id.clone()).chain(canary.map(|canary| canary.fee.clone())).collect(),
        players: manifest.players.iter().map(|player| player.id.clone()).chain(flies.clone()).collect(),
        billed: manifest.players.iter().filter(|player| is_billed(player)).map(|p| p.id.clone()).chain(flies).collect(),
    }
}
