//! `tourney doctor`: everything that can be known of an environment without writing anywhere.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use jiff::SignedDuration;
use serde_json::Value;

use crate::config::{EnvKind, Environment};
use crate::doctor::{self, Check, Endpoints, endpoints};
use crate::domain::Mode;
use crate::ledger::{Identity, Ledger as _, SchemaState};
use crate::manifest::Manifest;
use crate::render::{Exit, Failure, doctor as show};
use crate::stripe::{Account, Readable, Stripe, StripeError};
use crate::world::{Clock as _, LiveClock};

use super::Shell;
use super::site::{self, DEFAULT_MANIFEST};
use super::wire::EnvWire;

const NOTES: &str = "A check is ok, a warning (it works, and something is to be done), failed, or does not apply here. In JSON a \
warning has passed and has a hint. The exit code is 1 where a check failed. Nothing is written: not in the database, not at \
Stripe, and the embedded sandbox is not started.";

/// How far back deliveries are looked at.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What `doctor` takes.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// The manifest, from whose folder the environment is found
    #[arg(long, value_name = "FILE", default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Only where the command line names no environment, or one that does not exist: all else is a check that failed.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let env = match site::resolve(shell, &args.manifest) {
        Ok(env) => env,
        Err(failure) if failure.exit == Exit::Failed => {
            let name = shell.global.env.as_deref();
            return Ok(tell(shell, name, &[failed("configuration", failure)]));
        }
        Err(failure) => return Err(failure),
    };
    // Where there is a manifest, a mapping is judged by what it asks.
    let manifest = crate::manifest::read(&args.manifest).ok();
    let ledger = look_at_ledger(&env, manifest.as_ref()).await;
    let (stripe, account) = match &env.kind {
        EnvKind::Sandbox { .. } => (None, None),
        EnvKind::Named => ask_for_account(&env).await,
    };
    let (account, asked) = (account.as_ref().and_then(|one| one.as_ref().ok()), account.as_ref());
    let mode = env.stripe.as_ref().map(|access| access.mode);
    let shown = account.zip(mode).map(|(account, mode)| format!(" · Stripe {} ({mode} mode)", account.id));
    site::say_place(shell, &env, &shown.unwrap_or_default());
    let mut checks = vec![
        Check::ok("configuration", format!("environment {}", env.name)),
        doctor::secret_files(&env),
        doctor::pages(&env),
    ];
    checks.extend(of_ledger(&env, &ledger, account.map(|account| account.id.as_str())));
    match (stripe, asked) {
        (Some(stripe), Some(Ok(account))) => checks.extend(of_stripe(&env, &stripe, account).await),
        (_, Some(Err(failure))) => checks.extend(without_stripe(failure)),
        _ => checks.extend(sandboxed()),
    }
    checks.push(doctor::webhook_secret(&env));
    Ok(tell(shell, Some(&env.name), &checks))
}

fn tell(shell: &Shell, environment: Option<&str>, checks: &[Check]) -> Exit {
    if shell.ui.json {
        shell.ui.json_data(&show::json(environment, checks));
    } else {
        shell.ui.data(&show::terminal(checks, shell.ui.color_out));
    }
    if show::passed(checks) { Exit::Done } else { Exit::Failed }
}

/// What any command would have failed with, as a check.
fn failed(name: &'static str, failure: impl Into<Failure>) -> Check {
    let Failure { message, hint, details, .. } = failure.into();
    // A file is wrong in several places at once.
    let places = details.as_deref().and_then(Value::as_array).map(|all| all.iter().map(place).collect::<Vec<_>>());
    let detail = places.filter(|all| all.len() > 1).map_or(message, |all| all.join("; "));
    Check::failure(name, detail, hint.unwrap_or_else(|| "mend what it names".to_owned()))
}

/// One of several problems of a file.
fn place(problem: &Value) -> String {
    let text = |key: &str| problem[key].as_str().unwrap_or_default();
    let path = match text("path") {
        "" => String::new(),
        path => format!("{path}: "),
    };
    format!("{}:{}:{}: {path}{}", text("file"), problem["line"], problem["column"], text("message"))
}

/// What the database says.
struct Looked {
    state: SchemaState,
    identity: Option<Identity>,
}

async fn look_at_ledger(env: &Environment, manifest: Option<&Manifest>) -> Result<Looked, Failure> {
    let ledger = site::ledger_of(env, manifest).await?;
    let state = ledger.schema_state().await?;
    Ok(Looked { state, identity: ledger.identity().await? })
}

fn of_ledger(env: &Environment, looked: &Result<Looked, Failure>, account: Option<&str>) -> Vec<Check> {
    let Looked { state, identity } = match looked {
        Ok(looked) => looked,
        Err(failure) => {
            let hint = failure.hint.clone().unwrap_or_default();
            return vec![
                Check::failure("database", format!("{}: {}", env.database, failure.message), hint),
                Check::skipped("schema", "not made: the database did not answer"),
                Check::skipped("binding", "not made: the database did not answer"),
            ];
        }
    };
    let binding = match (&env.kind, env.stripe.as_ref()) {
        (EnvKind::Named, Some(access)) => doctor::binding(identity.as_ref(), account, access.mode),
        (EnvKind::Named, None) => Check::skipped("binding", "not made: there is no key"),
        (EnvKind::Sandbox { .. }, _) => {
            Check::skipped("binding", "the embedded sandbox has a database and an account of its own")
        }
    };
    vec![doctor::database(env, state), doctor::schema(state), binding]
}

/// Whose key it is, or why that cannot be known.
async fn ask_for_account(env: &Environment) -> (Option<Stripe<EnvWire, LiveClock>>, Option<Result<Account, Failure>>) {
    let stripe = match site::stripe_of(env) {
        Ok(stripe) => stripe,
        Err(failure) => return (None, Some(Err(failure))),
    };
    let account = stripe.account().await.map_err(Failure::from);
    (Some(stripe), Some(account))
}

async fn of_stripe(env: &Environment, stripe: &Stripe<EnvWire, LiveClock>, account: &Account) -> Vec<Check> {
    let mode = env.stripe.as_ref().map_or(Mode::Test, |access| access.mode);
    let mut checks = vec![doctor::account(account, mode)];
    checks.extend(env.stripe.as_ref().map(|access| doctor::key(access, env.mode_declared)));
    checks.push(may_read(stripe).await);
    checks.push(doctor::clock(stripe.ahead()));
    let wanted = env.webhook.as_ref().and_then(|webhook| webhook.url.as_deref());
    let now = stripe.now().unwrap_or_else(|| LiveClock.now());
    let told = async {
        let registered = stripe.webhook_endpoints().await?;
        let since = now.checked_sub(WEEK).ok();
        let events = stripe.events(&Endpoints::KINDS, since).await?;
        Ok::<_, StripeError>(endpoints(&Endpoints {
            wanted,
            registered: &registered,
            events: &events,
            now,
            live: mode.is_live(),
        }))
    };
    checks.extend(told.await.unwrap_or_else(|error| {
        let hint = "let the key read Webhook Endpoints and Events, or look at them in Stripe's dashboard";
        let mut names = Endpoints::CHECKS.into_iter();
        let first = names.next().map(|name| Check::warning(name, format!("Stripe did not tell: {error}"), hint));
        first.into_iter().chain(names.map(|name| Check::skipped(name, "not made: Stripe did not tell"))).collect()
    }));
    checks
}

/// What the key may not read is found out by reading; a restricted key alone has limits.
async fn may_read(stripe: &Stripe<EnvWire, LiveClock>) -> Check {
    let mut refused = Vec::new();
    for list in Readable::ALL {
        match stripe.try_reading(list).await {
            Err(StripeError::Rejected { status: 401 | 403, .. }) => refused.push((list.name(), list.is_needed())),
            Err(error) => return failed("permissions", error),
            Ok(()) => {}
        }
    }
    doctor::permissions(&refused)
}

/// Without an answer from Stripe one check fails, and the others are not made.
fn without_stripe(failure: &Failure) -> Vec<Check> {
    let hint = failure.hint.clone().unwrap_or_default();
    let first = Check::failure("stripe", failure.message.clone(), hint);
    let others = ["key", "permissions", "clock"].into_iter().chain(Endpoints::CHECKS);
    let others = others.map(|name| Check::skipped(name, "not made: Stripe did not answer"));
    std::iter::once(first).chain(others).collect()
}

/// The embedded sandbox is served by each command that needs it, and has nothing that could be set up wrongly.
fn sandboxed() -> Vec<Check> {
    let all = ["stripe", "key", "permissions", "clock"].into_iter().chain(Endpoints::CHECKS);
    all.map(|name| Check::skipped(name, "does not apply to the embedded sandbox")).collect()
}
