//! `tourney init`: the files of a new tournament. It never overwrites.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::render::{Exit, Failure};

use super::Shell;

/// What `init` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder; it is made where it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// A file that is written, and why it stands there.
const FILES: [(&str, &str); 3] = [
    ("tournament.yaml", include_str!("init/tournament.yaml")),
    ("environments.yaml", include_str!("init/environments.yaml")),
    (".gitignore", "# The embedded sandbox: its database and its Stripe.\n.tourney/\n"),
];

/// Runs the command: writes the files that are not there yet, says what it did, and what to type next.
///
/// # Errors
/// Where a file cannot be written; what was written before has been said.
pub(super) fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    std::fs::create_dir_all(&args.dir).map_err(|error| unwritten(&args.dir, &error))?;
    for (name, text) in FILES {
        let path = args.dir.join(name);
        let written = write_new(&path, text).map_err(|error| unwritten(&path, &error))?;
        let said = if written { "wrote" } else { "left alone (it was there)" };
        shell.ui.note(&format!("{said} {}", path.display()));
    }
    shell.ui.note(&next_steps(&args.dir));
    Ok(Exit::Done)
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new("io", format!("{} cannot be written: {error}", path.display())).hint("choose another folder")
}

/// Whether the file was written; one that is there is left alone.
fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn next_steps(dir: &Path) -> String {
    let cd = if dir == Path::new(".") { String::new() } else { format!("  cd {}\n", dir.display()) };
    format!(
        "\nNext:\n{cd}  tourney validate    # after writing your players into tournament.yaml\n  \
         tourney plan        # what would happen, on the embedded sandbox\n  \
         tourney apply       # make it so"
    )
}
