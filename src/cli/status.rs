//! `tourney status`: every registration with its order, payable, payment and link.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::domain::PlayerId;
use crate::plan::{Options, plan, standings};
use crate::render::{Exit, Failure, status as show};

use super::Shell;
use super::plan::{look, player_id};
use super::site::DEFAULT_MANIFEST;

/// What `status` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The manifest
    #[arg(default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
    /// Only these players
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = player_id, allow_negative_numbers = true)]
    player: Option<Vec<PlayerId>>,
    /// Only registrations with findings
    #[arg(long)]
    problems: bool,
}

/// Runs the command.
///
/// # Errors
/// A bad manifest, a wrong environment, a side that does not answer.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let (site, loaded, observed) = look(shell, &args.manifest, args.player.as_deref()).await?;
    let options = Options { players: args.player.clone(), ..site.options() };
    let planned = plan(&loaded.manifest, &observed, &options);
    let mut shown = standings(&loaded.manifest, &observed, &options, &planned);
    shown.retain(|standing| !args.problems || !standing.findings.is_empty());
    if shell.ui.json {
        shell.ui.json_data(&show::json(&planned, &shown));
    } else {
        shell.ui.data(&show::terminal(&planned, &loaded.manifest, &shown, shell.ui.color_out));
    }
    Ok(Exit::Done)
}
