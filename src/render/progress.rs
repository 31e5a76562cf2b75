//! A run as it goes: a progress bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::apply::{ChangeOutcome, ChangeResult, Watch};

use super::Ui;

/// Watches a run for a person.
pub struct Progress<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
}

impl<'a> Progress<'a> {
    /// Hidden where `-q` asks for silence; lines where stderr is no terminal.
    #[must_use]
    pub fn new(ui: &'a Ui) -> Self {
        let bar = if ui.quiet || !ui.err_is_terminal { ProgressBar::hidden() } else { ProgressBar::new(0) };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self { ui, bar }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress<'_> {
    fn begins(&self, changes: usize) {
        self.bar.set_length(changes as u64);
    }

    fn finished(&self, result: &ChangeResult) {
        self.bar.inc(1);
        let subject = result
            .registration
            .as_ref()
            .map_or_else(|| result.session.as_ref().map(ToString::to_string).unwrap_or_default(), ToString::to_string);
        let line = match (result.outcome, &result.error, &result.detail) {
            (ChangeOutcome::Failed, Some(error), _) => {
                format!("{subject}: {} failed: {}", result.action.word(), error.message)
            }
            (ChangeOutcome::Skipped, _, Some(why)) => format!("{subject}: {} skipped: {why}", result.action.word()),
            _ if self.ui.err_is_terminal => return self.bar.set_message(subject),
            _ => format!("{subject}: {} done", result.action.word()),
        };
        self.says(&line);
    }

    fn says(&self, line: &str) {
        self.bar.suspend(|| self.ui.note(line));
    }
}
