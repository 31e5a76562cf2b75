//! `tourney completions`: the shell completes commands and flags.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell as Dialect;

use crate::render::Exit;

use super::{Cli, Shell};

/// What `completions` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    dialect: Dialect,
}

/// Runs the command.
pub(super) fn run(args: &Args, shell: &Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.dialect, &mut Cli::command(), "tourney", &mut script);
    shell.ui.data(&String::from_utf8_lossy(&script));
    Exit::Done
}
