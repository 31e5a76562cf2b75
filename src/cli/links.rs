//! `tourney links`: the payable links, to be sent.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::domain::PlayerId;
use crate::plan::{Options, plan, standings};
use crate::render::{Exit, Failure, links as show};

use super::Shell;
use super::plan::{look, player_id};
use super::site::DEFAULT_MANIFEST;

const NOTES: &str = "The output holds whole e-mail addresses, and links at which anybody can pay: it is for sending, \
not for sharing. Only links of pending orders with which nothing is wrong are printed: a link that apply would close, or \
at which a payment would not be matched, must reach nobody. expires_at is when a session's link dies (kind session); it is \
empty, in JSON null, for a Payment Link (kind payment_link), which lives until it is paid or closed, and whose page shows the \
payer's address filled in. In CSV, amounts are in the currency's major unit, and a field \
that a spreadsheet would take for a formula (it begins with = + - or @) has an apostrophe in front.";

/// What `links` takes.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// The manifest
    #[arg(default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
    /// How to print them; --json is the same as --format json
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Only these players
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = player_id, allow_negative_numbers = true)]
    player: Option<Vec<PlayerId>>,
}

/// How links are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each, for a spreadsheet or a mail merge; where nothing is said
    Csv,
    /// With the plan's head
    Json,
}

/// Runs the command.
///
/// # Errors
/// A bad manifest, a wrong environment, a side that does not answer.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let json = match (args.format, shell.ui.json) {
        (Some(Format::Csv), true) => return Err(Failure::usage("--format csv and --json exclude each other")),
        (format, json) => json || format == Some(Format::Json),
    };
    let (site, loaded, observed) = look(shell, &args.manifest, args.player.as_deref()).await?;
    let options = Options { players: args.player.clone(), ..site.options() };
    let planned = plan(&loaded.manifest, &observed, &options);
    let links = show::links(&loaded.manifest, &standings(&loaded.manifest, &observed, &options, &planned));
    if json {
        shell.ui.json_data(&show::json(&planned, &links));
    } else {
        let broken = |error: csv::Error| Failure::new("io", format!("the links could not be written: {error}"));
        shell.ui.data(&show::csv(&links).map_err(broken)?);
    }
    for warning in show::warnings(&links, planned.head.observed_at) {
        shell.ui.always(&warning);
    }
    Ok(Exit::Done)
}
