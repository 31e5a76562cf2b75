//! Placeholders: `<<word>>`, innermost first. What they stand for may be any bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::webhook::club::{OLD_SECRET, SECRET};

/// What can be filled in.
pub(crate) trait Words {
    /// What a word stands for; none where it does not know it.
    fn word(&self, word: &str) -> Option<Vec<u8>>;
}

/// A template with everything filled in.
pub(crate) fn fill(template: &str, words: &dyn Words) -> Vec<u8> {
    let mut bytes = template.as_bytes().to_vec();
    while let Some(end) = find(&bytes, b">>") {
        let Some(start) = bytes[..end].windows(2).rposition(|two| two == b"<<") else { break };
        let word = String::from_utf8(bytes[start + 2..end].to_vec()).unwrap();
        let value = common(&word).or_else(|| words.word(&word));
        let value = value.unwrap_or_else(|| panic!("nobody knows <<{word}>>"));
        bytes.splice(start..end + 2, value);
    }
    bytes
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// `times N TEXT`, `hex DIGITS`, `zeros`: what means the same everywhere.
fn common(word: &str) -> Option<Vec<u8>> {
    let (name, rest) = word.split_once(' ').unwrap_or((word, ""));
    match name {
        "times" => {
            let (count, text) = rest.split_once(' ').unwrap();
            Some(text.as_bytes().repeat(count.parse().unwrap()))
        }
        "hex" => Some(hex::decode(rest).unwrap()),
        "zeros" => Some(vec![b'0'; 64]),
        _ => None,
    }
}

/// What a signature's template may say.
#[derive(Debug)]
pub(crate) struct Signing<'a> {
    pub(crate) now: i64,
    pub(crate) body: &'a [u8],
    /// An event about something else.
    pub(crate) other: &'a [u8],
}

impl Words for Signing<'_> {
    fn word(&self, word: &str) -> Option<Vec<u8>> {
        let (name, rest) = word.split_once(' ').unwrap_or((word, ""));
        if let Some(moved) = name.strip_prefix("now") {
            return Some((self.now + moved_by(moved)).to_string().into_bytes());
        }
        (name == "v1").then(|| self.signature(rest).into_bytes())
    }
}

fn moved_by(text: &str) -> i64 {
    if text.is_empty() { 0 } else { text.parse().unwrap() }
}

impl Signing<'_> {
    /// `v1 [at=±N] [secret=NAME] [over=WHAT] [t=TEXT] [first=N] [flip=N] [upper] [reverse]`
    fn signature(&self, arguments: &str) -> String {
        let (mut t, mut secret, mut over) = (self.now.to_string(), SECRET.to_owned(), self.body.to_vec());
        let mut last: Vec<Box<dyn Fn(String) -> String>> = Vec::new();
        for argument in arguments.split_whitespace() {
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            let value = value.to_owned();
            match name {
                "at" => t = (self.now + moved_by(&value)).to_string(),
                "t" => t = value,
                "secret" => secret = self.secret(&value),
                "over" => over = self.over(&value),
                "first" => last.push(Box::new(move |text| text[..value.parse().unwrap()].to_owned())),
                "flip" => last.push(Box::new(move |text| flipped(&text, value.parse().unwrap()))),
                "upper" => last.push(Box::new(|text| text.to_uppercase())),
                "reverse" => last.push(Box::new(|text| text.chars().rev().collect())),
                other => panic!("nobody knows {other} of a signature"),
            }
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{t}.").as_bytes());
        mac.update(&over);
        last.iter().fold(hex::encode(mac.finalize().into_bytes()), |text, change| change(text))
    }

    fn secret(&self, name: &str) -> String {
        match name {
            "old" => OLD_SECRET.to_owned(),
            "blank" => " ".to_owned(),
            "none" => String::new(),
            "without-prefix" => SECRET.trim_start_matches("whsec_").to_owned(),
            "cut" => SECRET[..SECRET.len() - 1].to_owned(),
            "upper" => SECRET.to_uppercase(),
            "newline" => format!("{SECRET}\n"),
            "quoted" => format!("\"{SECRET}\""),
            "hex" => hex::encode(SECRET),
            literal => literal.to_owned(),
        }
    }

    fn over(&self, what: &str) -> Vec<u8> {
        let text = String::from_utf8_lossy(self.body).into_owned();
        let written_anew = || serde_json::from_str::<serde_json::Value>(&text).unwrap();
        match what {
            "nothing" => Vec::new(),
            "newline" => format!("{text}\n").into_bytes(),
            "crlf" => text.replace('\n', "\r\n").into_bytes(),
            "compact" => written_anew().to_string().into_bytes(),
            "sorted" => {
                let mut value = written_anew();
                value.sort_all_objects();
                value.to_string().into_bytes()
            }
            "other" => self.other.to_vec(),
            "half" => self.body[..self.body.len() / 2].to_vec(),
            "twice" => self.body.repeat(2),
            other => panic!("nobody knows over={other}"),
        }
    }
}

/// Another digit at this place.
fn flipped(text: &str, at: usize) -> String {
    let digit = if text.as_bytes()[at] == b'0' { "1" } else { "0" };
    format!("{}{digit}{}", &text[..at], &text[at + 1..])
}
