//! `tourney plan`: what is stale, missing or wrong, and what `apply` would do. Changes nothing.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use crate::config::Environment;
use crate::domain::{Id, Order, PlayerId};
use crate::manifest::Manifest;
use crate::observe::Observation;
use crate::plan::{Options, Plan, plan};
use crate::render::{Exit, Failure, mass_retire, plan as show, renew_refused};

use super::Shell;
use super::out::Out;
use super::site::{self, DEFAULT_MANIFEST, Loaded, Site};

/// What `plan` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The manifest
    #[arg(default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
    /// Save the plan for `tourney apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print Markdown with ids only: no names, addresses or links
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Exit with 2 where there are changes, with 3 where only decisions are open
    #[arg(long)]
    detailed_exitcode: bool,
    /// Only these players
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = player_id, allow_negative_numbers = true)]
    player: Option<Vec<PlayerId>>,
    /// Plan even where a great share of the live orders would be retired
    #[arg(long)]
    allow_mass_retire: bool,
}

/// What is to be typed where a manifest was taken for a player.
const MANIFEST_FIRST: &str =
    "this is a file, and --player takes every word after it for an id: put MANIFEST before --player";

/// Reads an id as the manifest writes it.
pub(super) fn player_id(text: &str) -> Result<PlayerId, String> {
    match Id::parse(text) {
        _ if is_file(text) => Err(MANIFEST_FIRST.to_owned()),
        Ok(id) => Ok(PlayerId(id)),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a word was meant for a manifest. A file may have the name of a player without an ending.
fn is_file(text: &str) -> bool {
    let path = Path::new(text);
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    yaml || (text.contains(['.', '/']) && path.is_file())
}

/// Runs the command.
///
/// # Errors
/// A bad manifest, a wrong environment, a side that does not answer, the guard on mass retirement, renewals that the
/// application's webhook would undo.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    if args.out.as_deref().is_some_and(|out| is_same_file(out, &args.manifest)) {
        return Err(Failure::usage("--out names the manifest itself, and would replace it"));
    }
    let env = site::resolve(shell, &args.manifest)?;
    let out = args.out.as_deref().map(Out::at).transpose().map_err(|failure| site::refuse(shell, &env, failure))?;
    let (site, loaded, observed) = look_in(shell, env, &args.manifest, args.player.as_deref()).await?;
    let options = Options { players: args.player.clone(), allow_mass_retire: args.allow_mass_retire, ..site.options() };
    let planned = plan(&loaded.manifest, &observed, &options);
    // Saved before it is shown, so that with --json a failure to save is the one document on stdout.
    let refused = refusal(&loaded.manifest, &planned);
    if let Some(out) = out.filter(|_| refused.is_none()) {
        out.save(&args.manifest, &planned, &observed, &options)?;
    }
    if !shell.ui.json || refused.is_none() {
        print(args, shell, &loaded.manifest, &planned);
    }
    if let Some(failure) = refused {
        return Err(failure);
    }
    if let Some(out) = &args.out {
        let out = out.display().to_string();
        shell.ui.note(&format!("Saved to {out}: carry it out with {}", shell.command(["apply", &out])));
    }
    Ok(if args.detailed_exitcode { detailed(&planned) } else { Exit::Done })
}

/// Opens the environment, reads both sides and closes it again: all that a command does that only looks.
///
/// # Errors
/// A bad manifest, a wrong environment, a side that does not answer, a player whom nobody knows.
pub(super) async fn look(
    shell: &Shell,
    manifest: &Path,
    players: Option<&[PlayerId]>,
) -> Result<(Site, Loaded, Observation), Failure> {
    look_in(shell, site::resolve(shell, manifest)?, manifest, players).await
}

async fn look_in(
    shell: &Shell,
    env: Environment,
    manifest: &Path,
    players: Option<&[PlayerId]>,
) -> Result<(Site, Loaded, Observation), Failure> {
    let loaded = site::load(shell, &env, manifest)?;
    let site = Site::open(shell, env, Some(&loaded.manifest)).await?;
    let observed = site.observe(&loaded).await;
    site.close().await;
    let observed = observed?;
    check_players(&loaded.manifest, &observed.facts.orders, players)?;
    Ok((site, loaded, observed))
}

/// A name on the command line that leads nowhere is a typo, not an empty plan. A player who left is known by an order.
pub(super) fn check_players(
    manifest: &Manifest,
    orders: &[Order],
    players: Option<&[PlayerId]>,
) -> Result<(), Failure> {
    for player in players.unwrap_or_default() {
        let committed =
            manifest.players.iter().any(|one| one.id == *player || one.renamed_from.as_ref() == Some(player));
        if !committed && !orders.iter().any(|order| order.registration.player == *player) {
            let unknown = format!("--player {player}: the manifest has no such player, nor has any order");
            let is_file = Path::new(&player.to_string()).is_file();
            return Err(if is_file { Failure::usage(unknown).hint(MANIFEST_FIRST) } else { Failure::usage(unknown) });
        }
    }
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn print(args: &Args, shell: &Shell, manifest: &Manifest, planned: &Plan) {
    if shell.ui.json {
        shell.ui.json_data(&show::json(planned));
    } else if args.markdown {
        shell.ui.data(&show::markdown(planned));
    } else {
        shell.ui.data(&show::terminal(planned, manifest, shell.ui.color_out));
    }
}

/// Why a plan may not be carried out, whoever agrees to it.
pub(super) fn refusal(manifest: &Manifest, planned: &Plan) -> Option<Failure> {
    let mass = planned.mass_retire.map(|mass| mass_retire(mass, manifest.players.is_empty()));
    mass.or_else(|| planned.renew_refused.as_ref().map(renew_refused))
}

/// 2 where there are changes, 3 where only decisions are open, else 0.
fn detailed(planned: &Plan) -> Exit {
    if planned.changes.iter().any(|change| !change.steps.is_empty()) {
        Exit::Changes
    } else if planned.summary.attention > 0 {
        Exit::Attention
    } else {
        Exit::Done
    }
}
