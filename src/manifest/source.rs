//! The text of a file, its lines, and how a piece of it is shown.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// How much of a long line is shown on either side of a value, in bytes.
const WINDOW: usize = 120;

/// A file's text as it may be shown: what could command a terminal is blanked, byte for byte, so that places stay right.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file's name as the person gave it.
    pub(crate) name: String,
    shown: String,
    starts: Vec<usize>,
}

impl Source {
    /// Takes a text; the lines are indexed once, so that finding a place never scans the text again.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let shown = printable(text);
        let starts = std::iter::once(0).chain(shown.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.to_owned(), shown, starts }
    }

    /// Blanks a piece, so that it is never shown.
    pub(crate) fn hide(&mut self, piece: Range<usize>) {
        if let Some(secret) = self.shown.get(piece.clone()) {
            let blank: String = secret.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
            self.shown.replace_range(piece, &blank);
        }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line_of(at);
        let start = self.starts[line];
        let before = self.shown.get(start..at.min(self.shown.len())).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }

    /// The byte at a line and column, both from 1.
    pub(crate) fn byte_at(&self, line: usize, column: usize) -> usize {
        let Some(start) = line.checked_sub(1).and_then(|line| self.starts.get(line)) else { return self.shown.len() };
        let rest = self.shown.get(*start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        start + line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at)
    }

    /// The rest of the line from a byte on, without trailing blanks and comment: what to underline of a whole section.
    pub(crate) fn line_from(&self, at: usize) -> Range<usize> {
        let rest = self.shown.get(at..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        at..at + line.len()
    }

    /// What of a piece is underlined: what stands on its first line, and not without end.
    pub(crate) fn label(&self, piece: &Range<usize>) -> Range<usize> {
        let line_end = self.line_from(piece.start).end.max(piece.start);
        piece.start..self.boundary(piece.end.min(line_end).min(piece.start + WINDOW)).max(piece.start)
    }

    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The nearest place at or below `at` where a character begins.
    fn boundary(&self, at: usize) -> usize {
        (0..=at.min(self.shown.len())).rev().find(|at| self.shown.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// What a terminal would obey rather than show: control characters and the overrides of writing direction.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push(c),
            '\t' | '\r' => shown.push(' '),
            c if is_unprintable(c) => (0..c.len_utf8()).for_each(|_| shown.push('?')),
            c => shown.push(c),
        }
    }
    shown
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset().saturating_add(span.len());
        if end > self.shown.len() {
            return Err(MietteError::OutOfBounds);
        }
        let (first, last) = (self.line_of(span.offset()), self.line_of(end.saturating_sub(1).max(span.offset())));
        let line_end = self.starts.get(last + 1).map_or(self.shown.len(), |next| next - 1);
        let from = self.boundary(self.starts[first].max(span.offset().saturating_sub(WINDOW)));
        let to = self.boundary(line_end.min(end.saturating_add(WINDOW))).max(end);
        // miette takes the place that it names from a reading without context.
        let (_, column) = self.place(if lines_before == 0 { span.offset() } else { from });
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.shown.as_bytes()[from..to],
            (from, to - from).into(),
            first,
            column - 1,
            last - first + 1,
        )))
    }
}
