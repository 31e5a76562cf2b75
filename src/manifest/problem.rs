//! What is wrong with a file: every problem at once, each with its place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::source::{Source, name_of, without_secrets};

/// How many problems of a file are shown to people; the others are counted. Scripts get them all.
const SHOWN: usize = 100;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Problem {
    /// The file as the person named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// Where in the structure, for example `players[2].email`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    labels: Vec<(Range<usize>, Option<String>)>,
    text: Option<Arc<Source>>,
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_deref().map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.text.as_ref()?;
        let labels = self.labels.iter().enumerate().map(|(index, (at, text))| {
            let span = (at.start, at.len());
            if index == 0 {
                LabeledSpan::new_primary_with_span(text.clone(), span)
            } else {
                LabeledSpan::new_with_span(text.clone(), span)
            }
        });
        Some(Box::new(labels))
    }
}

/// Everything that is wrong with one file.
#[derive(Clone, Debug)]
pub struct ManifestErrors {
    code: &'static str,
    problems: Vec<Problem>,
    lost: usize,
}

impl ManifestErrors {
    /// The problems in the file's order: all of them, up to a hundred thousand.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The first hundred of them: what is shown to people.
    #[must_use]
    pub fn shown(&self) -> &[Problem] {
        &self.problems[..self.problems.len().min(SHOWN)]
    }

    /// How many more there are than are shown.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.problems.len() - self.shown().len() + self.lost
    }

    /// The file, and how many problems it has; where it holds nothing to point at, only that it is of no use.
    #[must_use]
    pub fn headline(&self) -> String {
        let file = self.problems.first().map_or("the file", |problem| &problem.file);
        match self.problems.len() + self.lost {
            1 if self.problems.iter().all(|problem| problem.text.is_none()) => format!("{file} cannot be used"),
            1 => format!("{file} has a problem"),
            n => format!("{file} has {n} problems"),
        }
    }

    /// The stable error code, `bad-manifest`; `bad-environments` for `environments.yaml`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The same problems under another error code.
    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// A problem with a file as a whole: it is missing, is a folder, cannot be read.
    pub(crate) fn whole_file(file: &str, message: String, help: &str) -> Self {
        let problem = Problem {
            file: name_of(file),
            line: 1,
            column: 1,
            path: String::new(),
            message,
            help: Some(help.to_owned()),
            labels: Vec::new(),
            text: None,
        };
        Self { code: "bad-manifest", problems: vec![problem], lost: 0 }
    }
}

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        match self.hidden() {
            0 => Ok(()),
            n => write!(f, "; the first {SHOWN} are shown, … and {n} more"),
        }
    }
}

impl std::error::Error for ManifestErrors {}

impl Diagnostic for ManifestErrors {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.shown().iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// Collects the problems of one file.
pub(crate) struct Problems {
    source: Arc<Source>,
    found: Vec<Found>,
    lost: usize,
}

struct Found {
    at: Range<usize>,
    also: Option<(Range<usize>, &'static str)>,
    path: String,
    message: String,
    help: Option<String>,
}

/// How many problems are kept of a file: more than any but a hostile one has.
const KEPT: usize = 100_000;

impl Problems {
    pub(crate) fn new(source: Source) -> Self {
        Self { source: Arc::new(source), found: Vec::new(), lost: 0 }
    }

    /// The file they are about.
    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Whether nothing is wrong so far.
    pub(crate) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// One more; `help` says what to write instead.
    pub(crate) fn add(&mut self, at: &Range<usize>, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(at, None, path, message.into(), help.into());
    }

    /// One more that concerns two places: `label` says what stands at the other.
    pub(crate) fn add_pair(
        &mut self,
        at: &Range<usize>,
        (other, label): (&Range<usize>, &'static str),
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(at, Some((other.clone(), label)), path, message.into(), help.into());
    }

    fn push(
        &mut self,
        at: &Range<usize>,
        also: Option<(Range<usize>, &'static str)>,
        path: &str,
        message: String,
        help: String,
    ) {
        if self.found.len() == KEPT {
            self.lost += 1;
            return;
        }
        let help = (!help.is_empty()).then(|| without_secrets(&help));
        let (path, message) = (without_secrets(path), without_secrets(&message));
        self.found.push(Found { at: at.clone(), also, path, message, help });
    }

    /// The value, where nothing was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ManifestErrors> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(self.into_errors()),
        }
    }

    pub(crate) fn into_errors(mut self) -> ManifestErrors {
        self.found.sort_by_key(|found| found.at.start);
        let mut places = Places::default();
        let place = |(index, found): (usize, Found)| {
            let at = places.next(&self.source, found.at.start);
            place(found, at, (index < SHOWN).then_some(&self.source), &self.source.name)
        };
        let problems = self.found.into_iter().enumerate().map(place).collect();
        ManifestErrors { code: "bad-manifest", problems, lost: self.lost }
    }
}

/// Lines and columns of rising places, each found from the one before: a long line is not counted anew for each.
#[derive(Default)]
struct Places {
    last: Option<(usize, (usize, usize))>,
}

impl Places {
    fn next(&mut self, source: &Source, at: usize) -> (usize, usize) {
        let place = self.last.and_then(|(before, place)| source.place_after(before, place, at));
        let place = place.unwrap_or_else(|| source.place(at));
        self.last = Some((at, place));
        place
    }
}

/// A problem with its place; one that people are shown with its line.
fn place(found: Found, (line, column): (usize, usize), shown: Option<&Arc<Source>>, file: &str) -> Problem {
    let here = found.also.as_ref().map(|_| "here".to_owned());
    let labels = shown.map_or_else(Vec::new, |source| {
        let mut labels = vec![(source.label(&found.at), here)];
        labels.extend(found.also.map(|(at, label)| (source.label(&at), Some(label.to_owned()))));
        labels
    });
    Problem {
        file: file.to_owned(),
        line,
        column,
        path: found.path,
        message: found.message,
        help: found.help,
        labels,
        text: shown.map(Arc::clone),
    }
}
