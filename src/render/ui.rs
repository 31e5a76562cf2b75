//! Where output goes: data to stdout, everything else to stderr.

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;

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
}

impl Ui {
    /// Decides about colour from the choice, `NO_COLOR` and the terminals.
    #[must_use]
    pub fn new(json: bool, quiet: bool, verbose: u8, choice: ColorChoice, no_color: bool) -> Self {
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
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
            interactive: std::io::stdin().is_terminal() && err,
        }
    }

    /// Prints data to stdout. A reader that went away (a closed pipe) is no error of ours.
    pub fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
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
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}", without_secrets(text.trim_end_matches('\n')));
    }

    /// Asks a person on the terminal; the answer without its line feed, none at the end of input. While it waits, stderr
    /// is free for others.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        let _ = write!(std::io::stderr(), "{question} ");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer).ok()?;
        (read > 0).then(|| answer.trim().to_owned())
    }
}
