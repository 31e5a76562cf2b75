//! `tourney` whose `apply` meets with trouble, for tests of the whole program. It is never shipped.
//!
//! `TOURNEY_FAULT` names the fault in the words in which it is shown, for example `crash after at ledger begin_attempt #1`; a
//! crash is a SIGKILL of the program itself. `TOURNEY_TRACE` names a file: a program that ends writes there each effect that it
//! has passed, one a line. `TOURNEY_MOST_PAGES` is how far a SQLite file may grow before the disk is full.

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use rustix::process::{Signal, getpid, kill_process};
use tourney::cli::Trouble;
use tourney::world::faulty::{Fault, Faults, Mode, Side, Site};

const FAULT: &str = "TOURNEY_FAULT";
const TRACE: &str = "TOURNEY_TRACE";
const MOST_PAGES: &str = "TOURNEY_MOST_PAGES";
/// Of a command line that is wrong, as of `tourney`.
const USAGE: u8 = 64;
/// Unoptimised futures within futures need more room than a main thread has.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    let running = thread::Builder::new().stack_size(STACK).spawn(run);
    running.map_or(ExitCode::FAILURE, |running| running.join().unwrap_or(ExitCode::FAILURE))
}

fn run() -> ExitCode {
    let process = tourney::cli::Process::of_this_process();
    let (planned, pages) = (process.var(FAULT).map(parse), process.var(MOST_PAGES).map(str::parse));
    let (None | Some(Some(_)), None | Some(Ok(_))) = (&planned, &pages) else { return ExitCode::from(USAGE) };
    let faults = Faults::new(planned.flatten().into_iter().collect());
    let trouble = Trouble { faults: faults.clone(), most_pages: pages.and_then(Result::ok) };
    if end_with(&faults).is_err() {
        return ExitCode::FAILURE;
    }
    let trace = process.var(TRACE).map(|path| Path::new(path).to_owned());
    let exit = tourney::cli::main_in_trouble(std::env::args_os().collect(), process, &trouble);
    let passed: String = faults.trace().iter().map(|site| format!("{site}\n")).collect();
    match trace.map(|path| std::fs::write(path, passed)) {
        Some(Err(_)) => ExitCode::FAILURE,
        _ => exit.into(),
    }
}

/// Kills this program where it crashes: no effect begins after that, and nothing in it hears of its end.
fn end_with(faults: &Faults) -> std::io::Result<()> {
    let crashed = faults.crashed();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    thread::Builder::new().spawn(move || {
        runtime.block_on(crashed);
        // Nobody is there to be told where even this is refused: then the program hangs, and whoever waits for it says so.
        let _ = kill_process(getpid(), Signal::KILL);
    })?;
    Ok(())
}

/// Reads `MODE at SIDE OPERATION #NTH`.
fn parse(text: &str) -> Option<Fault> {
    let (mode, site) = text.split_once(" at ")?;
    let mode = Mode::ALL.iter().copied().find(|known| known.word() == mode)?;
    let (side, rest) = site.split_once(' ')?;
    let side = match side {
        "wire" => Side::Wire,
        "ledger" => Side::Ledger,
        "clock" => Side::Clock,
        _ => return None,
    };
    let (operation, nth) = rest.rsplit_once(" #")?;
    Some(Fault::once(Site { side, operation: operation.to_owned(), nth: nth.parse().ok()? }, mode))
}
