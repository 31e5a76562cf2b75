//! Mutations of corpus files, drawn from a seed: what a fuzzer does, without its feedback.

use std::path::Path;

/// Numbers from a seed (splitmix64), of one case of one target.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64, target: &str, case: usize) -> Self {
        let mut state = seed;
        for byte in target.bytes().chain(case.to_le_bytes()) {
            state = state.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte);
        }
        Self(state)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`; zero where that is zero.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn of<'o, T>(&mut self, of: &'o [T]) -> &'o T {
        &of[self.below(of.len())]
    }

    /// A piece of so many bytes, at most 64.
    fn piece(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + 1 + self.below(64)).min(length)
    }
}

/// Words that mean something to one of the formats; libFuzzer reads the same file.
pub(super) struct Dictionary(Vec<Vec<u8>>);

impl Dictionary {
    /// Reads `"word"`, one in a line, with `\\`, `\"` and `\xNN`.
    pub(super) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let words = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(unescaped);
        let words: Vec<Vec<u8>> = words.collect();
        assert!(words.len() > 50, "the dictionary has {} words", words.len());
        Self(words)
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (byte, length) = match rest.as_bytes() {
            [b'\\', b'x', ..] => (vec![u8::from_str_radix(&rest[2..4], 16).unwrap()], 4),
            [b'\\', escaped, ..] => (vec![*escaped], 2),
            _ => (c.to_string().into_bytes(), c.len_utf8()),
        };
        bytes.extend(byte);
        rest = &rest[length..];
    }
    bytes
}

/// The longest that a mutation may get, in bytes.
const LONGEST: usize = 64 * 1024;

/// One file with one to four things done to it, mostly one: what is done more to is seldom taken.
pub(super) fn mutated(files: &[Vec<u8>], dictionary: &Dictionary, draw: &mut Draw) -> Vec<u8> {
    let mut bytes = draw.of(files).clone();
    let times = [1, 1, 1, 2, 3, 4][draw.below(6)];
    for _ in 0..times {
        mutate(&mut bytes, files, dictionary, draw);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn mutate(bytes: &mut Vec<u8>, files: &[Vec<u8>], dictionary: &Dictionary, draw: &mut Draw) {
    let at = draw.below(bytes.len() + 1);
    match draw.below(13) {
        0 if at < bytes.len() => bytes[at] ^= 1 << draw.below(8),
        1 if at < bytes.len() => bytes[at] = draw.next().to_le_bytes()[0],
        2 => drop(bytes.splice(at..at, draw.of(&dictionary.0).clone())),
        3 | 4 => {
            let word = word(bytes, at);
            drop(bytes.splice(word, draw.of(&dictionary.0).clone()));
        }
        5 => drop(bytes.drain(draw.piece(bytes.len()))),
        6 => {
            let piece = bytes[draw.piece(bytes.len())].to_vec();
            drop(bytes.splice(at..at, piece.repeat(1 + draw.below(4))));
        }
        7 => {
            let other = draw.of(files);
            let piece = other[draw.piece(other.len())].to_vec();
            drop(bytes.splice(at..at, piece));
        }
        8 => bytes.truncate(at),
        9 | 10 => {
            let (line, other) = (line(bytes, at), draw.below(bytes.len() + 1));
            let text = bytes[line.clone()].to_vec();
            // A line again elsewhere, or in another one's place.
            let to = self::line(bytes, other);
            let to = if draw.below(2) == 0 { to.start..to.start } else { to };
            drop(bytes.splice(to, text));
        }
        11 => drop(bytes.drain(line(bytes, at))),
        _ => {
            let mut rest = bytes.split_off(at);
            let other = draw.of(files);
            rest.splice(.., other[draw.below(other.len() + 1)..].iter().copied());
            bytes.extend(rest);
        }
    }
}

/// The letters and digits around a place.
fn word(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-@".contains(byte);
    let start = at - bytes[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    start..at + bytes[at..].iter().take_while(|byte| is_word(byte)).count()
}

/// The line around a place, with its end.
fn line(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
    start..end
}
