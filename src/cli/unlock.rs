//! `tourney unlock`: who holds the lock; `--force` releases it. Works on the orders database alone.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ledger::{LEASE_SECONDS, Ledger as _, LockHolder};
use crate::render::{Exit, Failure, instant, span};
use crate::world::{Clock as _, LiveClock};

use super::Shell;
use super::next;
use super::process::is_gone;
use super::site::{self, DEFAULT_MANIFEST};

/// What `unlock` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Release the lock at once, whoever holds it: that run can write nothing any more
    #[arg(long)]
    force: bool,
    /// Needless, since --force does not ask; taken as by apply
    #[arg(short, long, requires = "force")]
    yes: bool,
    /// The manifest, from whose folder the environment is found
    #[arg(long, value_name = "FILE", default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// A wrong environment, a database that does not answer.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let env = site::resolve(shell, &args.manifest)?;
    let ledger = site::open_ledger(shell, &env).await?;
    let held = ledger.lock_holder().await?;
    let now = LiveClock.now();
    let Some(holder) = held else {
        print(shell, &env.name, None, false, "Nobody holds the lock.\n");
        return Ok(Exit::Done);
    };
    if !args.force {
        let text = format!("{}\n{}\n", description(&holder, now), advice(args, shell, &holder, now));
        print(shell, &env.name, Some((&holder, now)), false, &text);
        return Ok(Exit::Done);
    }
    let (released, text) = match ledger.force_unlock().await? {
        Some(was) => (true, format!("Released: {} held the lock and can write nothing any more.\n", was.who)),
        None => (false, "The lock was given back meanwhile: nobody holds it.\n".to_owned()),
    };
    print(shell, &env.name, Some((&holder, now)), released, &text);
    Ok(Exit::Done)
}

fn description(holder: &LockHolder, now: Timestamp) -> String {
    format!(
        "Held by {} since {} (run {}); last sign of life {} ago.",
        holder.who,
        instant(holder.since),
        holder.run,
        span(now.duration_since(holder.heartbeat)),
    )
}

/// By the rules of the run that takes the lock next: its process is known to be gone, or its lease is over.
fn is_lapsed(holder: &LockHolder, now: Timestamp) -> bool {
    is_gone(&holder.who) || now.duration_since(holder.heartbeat).as_secs() > LEASE_SECONDS
}

fn advice(args: &Args, shell: &Shell, holder: &LockHolder, now: Timestamp) -> String {
    if is_lapsed(holder, now) {
        return "It is dead, or has given no sign of life for too long: the next apply takes the lock by itself."
            .to_owned();
    }
    let manifest = next::manifest(&args.manifest).into_iter().flat_map(|path| ["--manifest".to_owned(), path]);
    let release = shell.command(["unlock".to_owned(), "--force".to_owned()].into_iter().chain(manifest));
    format!("It is at work, or died less than {LEASE_SECONDS} seconds ago: wait, or release the lock with {release}.")
}

fn print(shell: &Shell, environment: &str, holder: Option<(&LockHolder, Timestamp)>, released: bool, text: &str) {
    if !shell.ui.json {
        shell.ui.data(text);
        return;
    }
    let holder = holder.map(|(holder, now)| -> Value {
        json!({
            "run": holder.run,
            "who": holder.who,
            "since": instant(holder.since),
            "heartbeat": instant(holder.heartbeat),
            "lapsed": is_lapsed(holder, now),
        })
    });
    let document = json!({"format_version": 1, "environment": environment, "holder": holder, "released": released});
    shell.ui.json_data(&document);
}
