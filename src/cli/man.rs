//! `tourney man`: the manual pages.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_mangen::Man;

use crate::render::{Exit, Failure};

use super::{Cli, Shell};

/// What `man` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Write a page for each command into this folder, instead of printing them all
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A folder that cannot be written.
pub(super) fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&mut pages, &command, "tourney").map_err(|error| broken(Path::new("the page"), &error))?;
    match &args.out {
        None => {
            for (_, page) in &pages {
                shell.ui.data(&String::from_utf8_lossy(page));
            }
        }
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| broken(folder, &error))?;
            for (name, page) in &pages {
                let file = folder.join(format!("{name}.1"));
                std::fs::write(&file, page).map_err(|error| broken(&file, &error))?;
            }
            shell.ui.note(&format!("{} pages written to {}", pages.len(), folder.display()));
        }
    }
    Ok(Exit::Done)
}

/// The page of a command, then those of its own commands.
fn add(pages: &mut Vec<(String, Vec<u8>)>, command: &clap::Command, name: &str) -> std::io::Result<()> {
    let mut page = Vec::new();
    Man::new(command.clone()).title(name).render(&mut page)?;
    pages.push((name.to_owned(), page));
    command.get_subcommands().try_for_each(|sub| add(pages, sub, &format!("{name}-{}", sub.get_name())))
}

fn broken(what: &Path, error: &std::io::Error) -> Failure {
    Failure::new("io", format!("{} could not be written: {error}", what.display()))
}
