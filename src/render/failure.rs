//! What a command that failed says: one shape for every room's errors. What looks like a secret is blanked here once more,
//! since a message may repeat what a person typed in the wrong place.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};
use serde_json::{Value, json};

use super::Exit;
use super::mask::without_secrets;

/// A failure as people and scripts see it.
#[derive(Debug)]
pub struct Failure {
    /// The stable code, for example `plan-outdated`.
    pub code: String,
    /// The exit code.
    pub exit: Exit,
    /// What happened, where, and what was already done.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// A diagnostic that shows the place in a file, where there is one.
    pub diagnostic: Option<miette::Report>,
    /// More for scripts, beside code, message and hint.
    pub details: Option<Box<Value>>,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            exit: Exit::Failed,
            message: message.into(),
            hint: None,
            diagnostic: None,
            details: None,
        }
    }

    /// A wrong command line: exit code 64.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("usage", message) }.hint("tourney --help lists commands and flags")
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Shows the places in a file.
    #[must_use]
    pub fn showing(mut self, diagnostic: impl miette::Diagnostic + Send + Sync + 'static) -> Self {
        self.diagnostic = Some(miette::Report::new(diagnostic));
        self
    }

    /// Another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// `{"error": {"code", "message", "hint"}}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let hint = self.hint.as_deref().map(without_secrets);
        let mut error = json!({"code": self.code, "message": without_secrets(&self.message), "hint": hint});
        if let (Some(details), Some(map)) = (&self.details, error.as_object_mut()) {
            map.insert("details".to_owned(), (**details).clone());
        }
        json!({ "error": error })
    }

    /// For a terminal.
    #[must_use]
    pub fn to_text(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(120);
        let mut text = String::new();
        let shown = match &self.diagnostic {
            Some(report) => handler.render_report(&mut text, report.as_ref()),
            None => {
                let mut plain =
                    miette::MietteDiagnostic::new(without_secrets(&self.message)).with_code(self.code.clone());
                if let Some(hint) = &self.hint {
                    plain = plain.with_help(without_secrets(hint));
                }
                handler.render_report(&mut text, &plain)
            }
        };
        if shown.is_err() {
            text.clear();
            let _ = writeln!(text, "{}: {}", self.code, self.message);
        }
        without_secrets(&text)
    }
}
