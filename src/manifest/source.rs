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
    /// Takes a text; what looks like a secret is blanked; the lines are indexed once, so that finding a place never scans the text again.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let shown = without_secrets(&printable(text));
        let starts = std::iter::once(0).chain(shown.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name_of(name), shown, starts }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line_of(at);
        let start = self.starts[line];
        let before = self.shown.get(start..at.min(self.shown.len())).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }

    /// The same from the place of an earlier byte, where both stand on one line.
    pub(crate) fn place_after(&self, before: usize, place: (usize, usize), at: usize) -> Option<(usize, usize)> {
        let (line, column) = place;
        let between = self.shown.get(before..at).filter(|_| self.line_of(at) + 1 == line)?;
        Some((line, column + between.chars().count()))
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

/// What a terminal would obey rather than show: control characters, further ends of lines and the overrides of writing
/// direction.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What leaves no mark where it stands alone: blanks, joiners, fillers and selectors.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        )
        || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{2800}')
        || matches!(c, '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// A file's name as it may be shown: a name too can hold what commands a terminal, or a key that was pasted there.
pub(crate) fn name_of(name: &str) -> String {
    without_secrets(&printable(name)).replace('\n', "?")
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

/// The beginnings of what Stripe keeps secret.
const SECRETS: [&str; 3] = ["sk_", "rk_", "whsec_"];
/// The same, so long that they are looked for inside a word too.
const WITHIN: [&str; 5] = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"];

/// Whether a value is a secret of Stripe.
pub(crate) fn is_secret(text: &str) -> bool {
    SECRETS.iter().any(|prefix| text.starts_with(prefix))
}

/// The text with every secret in it blanked, byte for byte: keys, webhook secrets, passwords in URLs.
pub(crate) fn without_secrets(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
        let value = if shown.ends_with("password=") { value(rest) } else { 0 };
        let piece = if value > 0 || is_secret(rest) {
            let len = value.max(word);
            shown.extend(std::iter::repeat_n('*', len));
            len
        } else if let Some(len) = password(rest) {
            shown.push_str("://");
            shown.extend(std::iter::repeat_n('*', len - 3));
            len
        } else {
            let whole = if word == 0 { c.len_utf8() } else { word };
            let secret = WITHIN.iter().filter_map(|prefix| rest[..whole].find(prefix)).min();
            let piece = secret.unwrap_or(whole);
            shown.push_str(&rest[..piece]);
            piece
        };
        rest = &rest[piece..];
    }
    shown
}

/// How many bytes of a value in a URL's query stand at the beginning.
fn value(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'')).unwrap_or(text.len())
}

/// How many bytes of `://user:password` stand at the beginning.
fn password(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("://")?;
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).unwrap_or(rest.len());
    let at = rest[..end].rfind('@')?;
    rest[..at].contains(':').then_some(at + 3)
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
