//! `tourney validate`: checks manifests offline.

use std::path::PathBuf;

use serde::Serialize;

use crate::domain::{Money, counted};
use crate::manifest::{self, Manifest, ManifestErrors};
use crate::render::{Exit, Failure};

use super::Shell;
use super::site::DEFAULT_MANIFEST;

/// What `validate` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The manifests
    #[arg(value_name = "MANIFEST", default_value = DEFAULT_MANIFEST)]
    manifests: Vec<PathBuf>,
}

/// What came of one file, for JSON.
#[derive(Debug, Serialize)]
struct Report<'r> {
    file: String,
    valid: bool,
    tournament: Option<&'r str>,
    players: usize,
    registrations: usize,
    amount: i64,
    currency: Option<&'r str>,
    problems: Vec<Shown<'r>>,
}

/// One problem, for JSON.
#[derive(Debug, Serialize)]
struct Shown<'r> {
    line: usize,
    column: usize,
    path: &'r str,
    message: &'r str,
    help: Option<&'r str>,
}

/// Runs the command: one line for each good manifest, or all of it as JSON.
///
/// # Errors
/// `bad-manifest` for the last bad one; those before it have been shown. With `--json` a bad manifest is an error as for
/// every command; of several manifests each has its place in `manifests` beside the error of the first bad one.
pub(super) fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let results: Vec<_> = args.manifests.iter().map(|path| (path, manifest::read(path))).collect();
    let all_good = results.iter().all(|(_, result)| result.is_ok());
    if shell.ui.json && (all_good || results.len() > 1) {
        let reports: Vec<_> = results.iter().map(|(path, result)| report(path.display().to_string(), result)).collect();
        let mut document = serde_json::json!({ "format_version": 1, "manifests": reports });
        if let Some(errors) = results.iter().find_map(|(_, result)| result.as_ref().err()) {
            document["error"] = Failure::from(errors.clone()).to_json()["error"].take();
        }
        shell.ui.json_data(&document);
        return Ok(if all_good { Exit::Done } else { Exit::Failed });
    }
    let mut failure: Option<Failure> = None;
    for (path, result) in results {
        match result {
            Ok(manifest) => shell.ui.data(&format!("{}: {}\n", path.display(), summary(&manifest))),
            Err(errors) => {
                if let Some(earlier) = failure.replace(errors.into()) {
                    shell.ui.always(&earlier.to_text(shell.ui.color_err));
                }
            }
        }
    }
    failure.map_or(Ok(Exit::Done), Err)
}

/// `Utah Invitational · 21 players · 21 registrations · $1,235.00`.
fn summary(manifest: &Manifest) -> String {
    let players = counted(manifest.players.len(), "player");
    let registrations = counted(manifest.registrations().count(), "registration");
    format!("{} · {players} · {registrations} · {}", manifest.tournament.name, owed(manifest))
}

/// What all registrations come to, whoever has paid.
fn owed(manifest: &Manifest) -> Money {
    let minor = manifest.registrations().map(|(_, owed)| owed.amount.minor).sum();
    Money::new(minor, manifest.tournament.currency)
}

fn report(file: String, result: &Result<Manifest, ManifestErrors>) -> Report<'_> {
    let manifest = result.as_ref().ok();
    let problems = result.as_ref().err().map_or(&[][..], ManifestErrors::problems);
    Report {
        file,
        valid: manifest.is_some(),
        tournament: manifest.map(|manifest| manifest.tournament.name.as_str()),
        players: manifest.map_or(0, |manifest| manifest.players.len()),
        registrations: manifest.map_or(0, |manifest| manifest.registrations().count()),
        amount: manifest.map_or(0, |manifest| owed(manifest).minor),
        currency: manifest.map(|manifest| manifest.tournament.currency.code()),
        problems: problems
            .iter()
            .map(|problem| Shown {
                line: problem.line,
                column: problem.column,
                path: &problem.path,
                message: &problem.message,
                help: problem.help.as_deref(),
            })
            .collect(),
    }
}
