//! `tourney history`: who applied what, when, and what came of it. Reads the orders database alone.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;

use crate::ledger::{Ledger as _, Run, SqlLedger};
use crate::render::{Exit, Failure, history as show};

use super::Shell;
use super::site::{self, DEFAULT_MANIFEST};

/// How far back a run is looked for by the beginning of its id.
const SEARCHED: u32 = 10_000;

/// What `history` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A run, by its id or the beginning of it: shows its steps
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    run: Option<String>,
    /// How many runs, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "run")]
    limit: u32,
    /// The manifest, from whose folder the environment is found
    #[arg(long, value_name = "FILE", default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// A wrong environment, a database that does not answer, a run that is not there.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let env = site::resolve(shell, &args.manifest)?;
    let ledger = site::open_ledger(shell, &env).await?;
    if let Some(prefix) = &args.run {
        let run = find(&ledger, prefix).await?;
        let steps = ledger.steps(&run.id).await?;
        if shell.ui.json {
            shell.ui.json_data(&show::run_json(&env.name, &run, &steps));
        } else {
            shell.ui.data(&show::run(&run, &steps));
        }
    } else {
        let runs = ledger.runs(args.limit).await?;
        if shell.ui.json {
            shell.ui.json_data(&show::json(&env.name, &runs));
        } else {
            shell.ui.data(&show::terminal(&runs));
        }
    }
    Ok(Exit::Done)
}

/// The one run whose id begins so.
async fn find(ledger: &SqlLedger, prefix: &str) -> Result<Run, Failure> {
    let mut runs = ledger.runs(SEARCHED).await?;
    runs.retain(|run| run.id.as_str().starts_with(prefix));
    match runs.len() {
        1 => Ok(runs.remove(0)),
        0 => {
            Err(Failure::new("not-found", format!("no run begins with {prefix}"))
                .hint("tourney history lists the runs"))
        }
        _ => {
            let ids: Vec<&str> = runs.iter().take(5).map(|run| run.id.as_str()).collect();
            Err(Failure::new("ambiguous", format!("{} runs begin with {prefix}: {}", runs.len(), ids.join(", ")))
                .hint("write more of the id"))
        }
    }
}
