//! Parse, read the environment, run, map the outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let process = tourney::cli::Process::of_this_process();
    tourney::cli::main(std::env::args_os().collect(), process).into()
}
