//! Where output goes: data to stdout, everything else to stderr.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use clap::ValueEnum;

use super::Failure;
use super::mask::without_secrets;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams, and how much is said on them.
#[derive(Clone, Debug)]
pub struct Ui {
    /// Whether data is printed as JSON.
    pub json: bool,
    /// `-q`: only data, errors, and where we are.
    pub quiet: bool,
    /// `-v`, counted.
    pub verbose: u8,
    /// Whether stdout is coloured.
    pub color_out: bool,
    /// Whether stderr is coloured.
    pub color_err: bool,
    /// Whether stderr is a terminal: a progress bar may move there.
    pub err_is_terminal: bool,
    /// Whether a person can be asked: stdin and stderr are terminals.
    pub interactive: bool,
    stdout: Arc<Stdout>,
}

/// What became of the data so far.
#[derive(Debug, Default)]
struct Stdout {
    /// Whether any was printed.
    begun: AtomicBool,
    /// Why some of it could not be written, the first time.
    failed: OnceLock<io::Error>,
}

impl Ui {
    /// Decides about colour from the choice, `NO_COLOR` and the terminals.
    #[must_use]
    pub fn new(json: bool, quiet: bool, verbose: u8, choice: ColorChoice, no_color: bool) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let paint = |terminal: bool| match choice {
            ColorChoice::Auto => terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        Self {
            json,
            quiet,
            verbose,
            color_out: paint(out),
            color_err: paint(err),
            err_is_terminal: err,
            interactive: io::stdin().is_terminal() && err,
            stdout: Arc::default(),
        }
    }

    /// Prints data to stdout. What could not be written is told by [`Ui::written`].
    pub fn data(&self, text: &str) {
        let mut out = io::stdout().lock();
        self.stdout.begun.store(true, Ordering::Relaxed);
        self.wrote(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Takes note of what came of writing data. A reader that went away (a closed pipe) is no failure.
    pub fn wrote(&self, result: io::Result<()>) {
        if let Err(error) = result
            && error.kind() != ErrorKind::BrokenPipe
        {
            // Whatever comes after the first failure follows from it.
            let _ = self.stdout.failed.set(error);
        }
    }

    /// Whether all data so far was written, or nobody wanted it any more.
    ///
    /// # Errors
    /// `io`.
    pub fn written(&self) -> Result<(), Failure> {
        let failed = |error| Failure::new("io", format!("the output could not be written: {error}"));
        self.stdout.failed.get().map_or(Ok(()), |error| {
            Err(failed(error)
                .hint("make room, or write elsewhere; what was done before is done, and tourney history shows it"))
        })
    }

    /// Whether data was printed: a JSON document after it would be a second one.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.stdout.begun.load(Ordering::Relaxed)
    }

    /// Prints a JSON document and a line feed to stdout.
    pub fn json_data(&self, value: &serde_json::Value) {
        self.data(&format!("{value:#}\n"));
    }

    /// Prints a line to stderr that `-q` silences.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.always(text);
        }
    }

    /// Prints a line to stderr, whatever the verbosity. A secret that was typed for a file's name is not repeated.
    pub fn always(&self, text: &str) {
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "{}", without_secrets(text.trim_end_matches('\n')));
    }

    /// Asks a person on the terminal; the answer without its line feed, none at the end of input. While it waits, stderr
    /// is free for others.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        let _ = write!(io::stderr(), "{question} ");
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer).ok()?;
        (read > 0).then(|| answer.trim().to_owned())
    }
}
