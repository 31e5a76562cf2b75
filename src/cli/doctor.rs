//! `tourney doctor`: everything that can be known of an environment without writing anywhere.

mod ledger;
mod stripe;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::Value;

use crate::doctor::{self, Check};
use crate::domain::PayableKind;
use crate::render::{Exit, Failure, doctor as show};

use super::Shell;
use super::site::{self, DEFAULT_MANIFEST};

const NOTES: &str = "A check is ok, a warning (it works, and something is to be done), failed, or does not apply here; \
in JSON its level says which. The exit code is 1 where a check failed. Nothing is written: not in the database, not at \
Stripe, and the embedded sandbox is not started. Whether a restricted key may write is learnt by asking Stripe to expire a \
session that does not exist; where the manifest's policy is Payment Links, also to change a link, a price and a product that do \
not exist.";

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
    let links = manifest.as_ref().is_some_and(|manifest| manifest.policy.link == PayableKind::PaymentLink);
    let database = ledger::look(&env, manifest.as_ref()).await;
    let asked = stripe::ask(&env).await;
    let account = asked.account();
    let mode = env.stripe.as_ref().map(|access| access.mode);
    let shown = account.zip(mode).map(|(account, mode)| format!(" · Stripe {} ({mode} mode)", account.id));
    site::say_place(shell, &env, &shown.unwrap_or_default());
    let mut checks = vec![
        Check::ok("configuration", format!("environment {}", env.name)),
        doctor::secret_files(&env),
        doctor::pages(&env),
    ];
    checks.extend(ledger::checks(&env, database, account.map(|account| account.id.as_str())));
    checks.extend(stripe::checks(&env, &asked, links).await);
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
    // A file, or a mapping, is wrong in several places at once.
    let problems = details.as_deref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let places: Vec<String> = problems.iter().map(place).collect();
    let detail = if places.is_empty() { message } else { places.join("\n") };
    let of_file = problems.iter().any(|problem| problem["file"].is_string());
    let hint = hint.filter(|_| !of_file).unwrap_or_else(|| "correct what it names".to_owned());
    Check::failure(name, detail, hint)
}

/// One of several problems: of a file with its place in it, of a mapping with its key.
fn place(problem: &Value) -> String {
    let text = |key: &str| problem[key].as_str().unwrap_or_default();
    let path = match text("path") {
        "" => String::new(),
        path => format!("{path}: "),
    };
    let file = match text("file") {
        "" => String::new(),
        file => format!("{file}:{}:{}: ", problem["line"], problem["column"]),
    };
    let help = match text("help") {
        "" => String::new(),
        help => format!("; {help}"),
    };
    format!("{file}{path}{}{help}", text("message"))
}

/// Checks that could not be made; why.
fn unmade<'n>(names: impl IntoIterator<Item = &'n &'static str>, why: &str) -> Vec<Check> {
    names.into_iter().map(|name| Check::skipped(name, why)).collect()
}
