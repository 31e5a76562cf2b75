//! `tourney schema`: the manifest's JSON Schema, for editors.

use crate::manifest;
use crate::render::Exit;

use super::Shell;

/// What `schema` takes.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub(super) fn run(_: &Args, shell: &Shell) -> Exit {
    shell.ui.json_data(&manifest::schema());
    Exit::Done
}
