//! The rows and cells of a CSV text, each with its place.

use std::ops::Range;

use crate::manifest::problem::Problems;

/// What may stand between cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A CSV text in its cells.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) header: Line,
    /// Rows in which something stands.
    pub(super) rows: Vec<Line>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) cells: Vec<Cell>,
    /// Its bytes.
    pub(super) at: Range<usize>,
    /// The line on which it begins, from 1.
    pub(super) number: usize,
}

/// One cell: its text without quotes, blanks at its ends and line ends inside, and its bytes.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    /// The same with its line ends.
    pub(super) lines: String,
    pub(super) at: Range<usize>,
}

impl Sheet {
    /// Reads a text; what is wrong with its form is a problem, and where there is no header there is no sheet.
    pub(super) fn read(text: String, problems: &mut Problems) -> Option<Self> {
        let (delimiter, begin) = delimiter(&text);
        let mut lines = lines(&text, delimiter, begin);
        if let Some(open) = unclosed(&text, &lines) {
            let help = "close it, or remove it; a quote inside a quoted cell is written twice";
            problems.add(&open, "", "a quote is opened here and never closed", help);
            return None;
        }
        if lines.is_empty() {
            problems.add(&(0..0), "", "the file is empty", "it begins with a header, and each row below is a player");
            return None;
        }
        let mut header = lines.remove(0);
        let named = header.cells.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        header.cells.truncate(named);
        if let Some(cell) = header.cells.iter().find(|cell| cell.text.contains('@')) {
            let help = "put a row above the first player that says what stands in each column";
            problems.add(&cell.at, "", "there is no header: this row is a player", help);
            return None;
        }
        if lines.is_empty() {
            problems.add(&header.at, "", "there is no player below the header", "each row below it is a player");
            return None;
        }
        Some(Self { header, rows: lines })
    }
}

/// The delimiter, and where the first row begins: Excel's `sep=;` says it, else what the first row has most of.
fn delimiter(text: &str) -> (u8, usize) {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = first.as_bytes()
        && DELIMITERS.contains(delimiter)
    {
        let end = text.find('=').map_or(0, |at| at + 2);
        return (*delimiter, end);
    }
    let count = |delimiter: u8| {
        let mut quoted = false;
        let outside = |byte: &u8| {
            quoted ^= *byte == b'"';
            !quoted && *byte == delimiter
        };
        first.bytes().filter(|byte| byte.is_ascii()).collect::<Vec<_>>().iter().copied().filter(outside).count()
    };
    // The first of those that are equally many.
    let most = DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter));
    (most.unwrap_or(b','), 0)
}

/// Every row in which something stands.
fn lines(text: &str, delimiter: u8, begin: usize) -> Vec<Line> {
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(delimiter).has_headers(false).flexible(true);
    let mut lines: Vec<Line> = Vec::new();
    let (mut number, mut counted) = (1, 0);
    let mut reader = reader.from_reader(&text.as_bytes()[begin..]);
    let mut record = csv::StringRecord::new();
    let bytes = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    // A text in memory that is UTF-8 gives no error.
    while reader.read_record(&mut record).unwrap_or_default() {
        let start = begin + record.position().map_or(0, |at| bytes(at.byte()));
        let behind = begin + bytes(reader.position().byte());
        // The reader counts the end of the row before, and empty rows, to the row that follows.
        let rest = &text[start..];
        let start = start + (rest.len() - rest.trim_start_matches(['\r', '\n']).len());
        number += text[counted..start].matches('\n').count();
        counted = start;
        // Where the two readings of a stray quote differ, the cells end with the row: else each row may be read to the end of
        // the file.
        let spans = spans(text.get(..behind).unwrap_or(text), start, delimiter);
        let end = spans.last().map_or(start, |last| last.end);
        let cell = |(index, cell): (usize, &str)| Cell {
            text: cell.split_whitespace().collect::<Vec<_>>().join(" "),
            lines: cell.to_owned(),
            at: spans.get(index).cloned().unwrap_or(end..end),
        };
        let cells: Vec<Cell> = record.iter().enumerate().map(cell).collect();
        if cells.iter().any(|cell| !cell.text.is_empty()) {
            lines.push(Line { cells, at: start..end, number });
        }
    }
    lines
}

/// Where the cells of a row stand, without their quotes.
fn spans(text: &str, start: usize, delimiter: u8) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let ends = |at: usize| at >= bytes.len() || bytes[at] == b'\n' || bytes[at] == b'\r';
    let (mut spans, mut at) = (Vec::new(), start);
    loop {
        let begin = at;
        let mut quoted = bytes.get(at) == Some(&b'"');
        at += usize::from(quoted);
        while at < bytes.len() && (quoted || !(ends(at) || bytes[at] == delimiter)) {
            // A quote that stands twice closes and opens again.
            quoted ^= bytes[at] == b'"' && (quoted || bytes[begin] == b'"');
            at += 1;
        }
        let is_quoted = bytes.get(begin) == Some(&b'"') && at > begin + 1 && bytes[at - 1] == b'"';
        spans.push(if is_quoted { begin + 1..at - 1 } else { begin..at });
        if ends(at) {
            return spans;
        }
        at += 1;
    }
}

/// A quote that swallows the rest of the file: the last row goes over several lines, and quotes are odd in number.
fn unclosed(text: &str, lines: &[Line]) -> Option<Range<usize>> {
    let last = lines.last()?;
    let row = &text[last.at.clone()];
    let odd = text[last.at.start..].matches('"').count() % 2 == 1;
    let opens = row.find('"').filter(|_| odd && row.contains('\n'))?;
    Some(last.at.start + opens..last.at.start + opens + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, Vec<String>, Vec<String>)> {
        let (delimiter, begin) = delimiter(text);
        let shown = |line: Line| {
            let places = line.cells.iter().map(|cell| text[cell.at.clone()].to_owned()).collect();
            (line.number, line.cells.into_iter().map(|cell| cell.text).collect(), places)
        };
        lines(text, delimiter, begin).into_iter().map(shown).collect()
    }

    #[test]
    fn cells_know_their_text_and_place() {
        let rows = read("a;\"b, \"\"c\"\"\";d\r\n\r\n;;\r\n\"e\r\nf\";g;\r\n  h ;i;j");
        let texts: Vec<_> = rows.iter().map(|(number, texts, _)| (*number, texts.join("|"))).collect();
        assert_eq!(texts, [(1, "a|b, \"c\"|d".into()), (4, "e f|g|".into()), (6, "h|i|j".into())]);
        assert_eq!(rows[0].2, ["a", "b, \"\"c\"\"", "d"]);
        assert_eq!(rows[1].2, ["e\r\nf", "g", ""]);
        assert_eq!(rows[2].2, ["  h ", "i", "j"]);
    }

    #[test]
    fn the_delimiter_is_what_the_header_has_most_of() {
        for (text, expected) in [
            ("a,b;c,d\n", b','),
            ("\"a,b,c\";d;e\n", b';'),
            ("a\tb\n", b'\t'),
            ("a|b\n", b'|'),
            ("sep=;\r\na,b,c\n", b';'),
            ("sep=\t\na,b,c\n", b'\t'),
            ("a\n", b','),
        ] {
            assert_eq!(delimiter(text).0, expected, "{text}");
        }
        assert_eq!(read("sep=;\na;b\n")[0].0, 2);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found() {
        let open = |text: &str| unclosed(text, &lines(text, b',', 0)).is_some();
        assert!(open("a,b\n\"c,d\ne,f\n"));
        assert!(!open("a,b\n\"c\nc\",d\n") && !open("a,b\n6'2\",d\n"));
    }
}
