//! The command line: one file per command, each with its `Args` and its `run`.

mod apply;
mod ask;
mod completions;
mod demo;
mod doctor;
mod effects;
mod history;
mod import;
mod init;
mod links;
mod log;
mod man;
mod next;
mod out;
mod plan;
mod process;
mod sandbox;
mod schema;
mod seed;
mod show;
mod signals;
mod site;
mod status;
mod unlock;
mod validate;
mod verify;
mod wire;

use std::ffi::OsString;
use std::io::Write as _;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand};
use jiff::SignedDuration;

use crate::render::{ColorChoice, Exit, Failure, Ui};

#[cfg(feature = "faults")]
pub use effects::Trouble;
pub use process::Process;

use effects::{Effects, Real};
use log::Log;
use signals::Signals;

/// Where the orders and Stripe are, for who has no environments.yaml yet.
const VARIABLES: &str = "\
Without environments.yaml, these variables make the environment `test`; with one, they fill its gaps: DATABASE_URL \
(postgres://… or postgresql://…, or sqlite://path), STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_BASE, \
TOURNEY_WEBHOOK_URL, TOURNEY_SUCCESS_URL. TOURNEY_ENV is as -e.";

/// Plan and apply tournament billing through Stripe, so that no paid order stays pending.
#[derive(Debug, Parser)]
#[command(name = "tourney", version, max_term_width = 100, after_long_help = VARIABLES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Global {
    /// The environment to work in; the embedded sandbox where nothing says otherwise
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub env: Option<String>,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what must be said
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice: each request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented manifest, environments.yaml and .gitignore; never overwrites
    Init(init::Args),
    /// Check manifests offline
    Validate(validate::Args),
    /// Print the manifest's JSON Schema, for editors
    Schema(schema::Args),
    /// Show what is stale, missing or wrong, and what apply would do; changes nothing
    Plan(plan::Args),
    /// Converge: make, renew, repair, retire and record what the plan says
    Apply(apply::Args),
    /// Run the embedded Stripe-compatible server on its own, or put a scene into it
    Sandbox(sandbox::Args),
    /// Tell the whole story on a throw-away sandbox: the incident, plan, apply, a payment, verify
    Demo(demo::Args),
    /// Audit every payable at Stripe, then prove the webhook with a signed round trip
    Verify(verify::Args),
    /// Show every registration: order, payable, payment, link and how long it lives
    Status(status::Args),
    /// Show one page on a player, e-mail address, order, cs_…, plink_… or pi_…, and the next command to type
    Show(show::Args),
    /// Print the payable links as CSV or JSON, to be sent
    Links(links::Args),
    /// Take the players of a roster spreadsheet (CSV) into a manifest
    Import(import::Args),
    /// Show who applied what, when, and what came of it
    History(history::Args),
    /// Show who holds the lock; --force releases it
    Unlock(unlock::Args),
    /// Check database, schema, key, account, webhook endpoint and its events, secret and clock; writes nothing
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual pages
    Man(man::Args),
}

/// What every command is given: the global flags, the process it runs in, and where output goes.
pub struct Shell {
    /// The flags.
    pub global: Global,
    /// Variables and home.
    pub process: Process,
    /// The streams.
    pub ui: Ui,
    log: Log,
    signals: Signals,
}

/// Runs a command line to its exit code: the whole program.
#[must_use]
pub fn main(args: Vec<OsString>, process: Process) -> Exit {
    main_through(args, process, &Real)
}

/// The same, and its `apply` meets with trouble. The program that is shipped has no way here: this is built with the
/// feature `faults` alone.
#[cfg(feature = "faults")]
#[must_use]
pub fn main_in_trouble(args: Vec<OsString>, process: Process, trouble: &Trouble) -> Exit {
    main_through(args, process, trouble)
}

fn main_through<E: Effects>(args: Vec<OsString>, process: Process, effects: &E) -> Exit {
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return misparsed(&args, process.var("NO_COLOR").is_some(), &error),
    };
    let ui = Ui::new(
        cli.global.json,
        cli.global.quiet,
        cli.global.verbose,
        cli.global.color,
        process.var("NO_COLOR").is_some(),
    );
    let log = Log::default();
    if says_where(&cli.command) {
        log.hold_back();
    }
    log::begin(cli.global.verbose, ui.color_err, &log);
    crate::stripe::install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&ui, &Failure::new("io", format!("no runtime could be started: {error}"))),
    };
    let signals = runtime.block_on(async { Signals::listen() });
    let shell = Shell { global: cli.global, process, ui, log, signals };
    let exit = runtime.block_on(to_the_end(&shell, cli.command, effects));
    if exit == Exit::Interrupted {
        // Whoever interrupts does not wait for what cannot be dropped, such as a name that is being looked up.
        runtime.shutdown_background();
    }
    exit
}

/// Runs a command to its exit code, whatever comes between, and shows what failed.
async fn to_the_end<E: Effects>(shell: &Shell, command: Command, effects: &E) -> Exit {
    let (ui, log) = (shell.ui.clone(), shell.log.clone());
    tokio::spawn(shell.signals.clone().or_exit(move |failure| {
        log.release();
        failed(&ui, failure);
    }));
    let ended = shell.signals.or_interrupted(run(shell, command, effects)).await;
    shell.log.release();
    let ended = ended.and_then(|exit| shell.ui.written().map(|()| exit));
    match ended {
        Ok(exit) => exit,
        Err(failure) if failure.exit == Exit::Interrupted && !shell.signals.may_tell() => failure.exit,
        Err(failure) => failed(&shell.ui, &failure),
    }
}

/// Whether a command says where we are before anything else.
const fn says_where(command: &Command) -> bool {
    match command {
        Command::Plan(_)
        | Command::Apply(_)
        | Command::Verify(_)
        | Command::Status(_)
        | Command::Show(_)
        | Command::Links(_)
        | Command::History(_)
        | Command::Unlock(_)
        | Command::Doctor(_) => true,
        Command::Sandbox(args) => args.command.is_some(),
        Command::Import(args) => args.looks_up(),
        _ => false,
    }
}

async fn run<E: Effects>(shell: &Shell, command: Command, effects: &E) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&args, shell),
        Command::Validate(args) => validate::run(&args, shell),
        Command::Schema(args) => Ok(schema::run(&args, shell)),
        Command::Plan(args) => plan::run(&args, shell).await,
        Command::Apply(args) => apply::run(&args, shell, effects).await,
        Command::Sandbox(args) => sandbox(&args, shell).await,
        Command::Demo(args) => demo::run(&args, shell).await,
        Command::Verify(args) => verify::run(&args, shell).await,
        Command::Status(args) => status::run(&args, shell).await,
        Command::Show(args) => show::run(&args, shell).await,
        Command::Links(args) => links::run(&args, shell).await,
        Command::Import(args) => import::run(&args, shell).await,
        Command::History(args) => history::run(&args, shell).await,
        Command::Unlock(args) => unlock::run(&args, shell).await,
        Command::Doctor(args) => doctor::run(&args, shell).await,
        Command::Completions(args) => Ok(completions::run(&args, shell)),
        Command::Man(args) => man::run(&args, shell),
    }
}

/// Serves the sandbox until a signal comes, or puts a scene into it.
async fn sandbox(args: &sandbox::Args, shell: &Shell) -> Result<Exit, Failure> {
    match &args.command {
        Some(sandbox::Command::Seed(seed)) => seed::run(&seed.scene, shell).await,
        None => {
            sandbox::run(args, &shell.ui, shell.signals.asked_to_stop()).await?;
            Ok(Exit::Done)
        }
    }
}

/// The longest time that can be asked for: more is a slip, and far more would be past the end of all calendars.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Reads a time such as `30s`, a day at most.
fn duration(text: &str) -> Result<SignedDuration, String> {
    let span: SignedDuration = text.parse().map_err(|_| "write a time such as 0s, 30s or 2m".to_owned())?;
    match span {
        span if span.is_negative() => Err("a time cannot be negative".to_owned()),
        span if span > LONGEST => Err("a time here is 24h at most".to_owned()),
        span => Ok(span),
    }
}

/// Shows a failure: on stdout as JSON where `--json` asks for it and nothing stands there yet, else on stderr for a person.
fn failed(ui: &Ui, failure: &Failure) -> Exit {
    let document = ui.json && !ui.has_data();
    if document {
        ui.json_data(&failure.to_json());
    }
    if !document || ui.written().is_err() {
        ui.always(&failure.to_text(ui.color_err));
    }
    failure.exit
}

/// Help and version are data; anything else that clap says is a wrong command line: 64, never 2.
fn misparsed(args: &[OsString], no_color: bool, error: &clap::Error) -> Exit {
    let ui = Ui::new(args.iter().any(|arg| arg == "--json"), false, 0, ColorChoice::Auto, no_color);
    if !error.use_stderr() {
        ui.wrote(error.print().and_then(|()| std::io::stdout().flush()));
        return ui.written().map_or_else(|failure| failed(&ui, &failure), |()| Exit::Done);
    }
    if ui.json {
        return failed(&ui, &Failure::usage(complaint(error)));
    }
    let text = error.render();
    let text = if ui.color_err { text.ansi().to_string() } else { text.to_string() };
    ui.always(&text);
    Exit::Usage
}

/// What clap complains of, in one line: its first paragraph.
fn complaint(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}
