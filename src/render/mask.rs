//! Secrets are blanked in whatever is said to people. What only tells how a secret begins, or what a URL looks like, is
//! no secret and stays: else the hint that says what to write says nothing.

use std::ops::Range;

/// What stands in a secret's place, however long that is.
const BLANK: &str = "***";
/// How Stripe's secrets begin, so long that they are looked for inside a word too.
const WITHIN: [&str; 5] = ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"];
/// The same at a word's beginning, where the mode is left out or misspelt.
const AT_FIRST: [&str; 2] = ["sk_", "rk_"];

/// The text without the secrets in it: what follows the beginning of a key or a webhook secret, a URL's password, and a
/// query's `password=`. Doing it twice changes nothing more.
pub(super) fn without_secrets(text: &str) -> String {
    without_keys(&without_parameters(&without_passwords(text)))
}

fn without_passwords(text: &str) -> String {
    after_each(text, "://", |rest| {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).unwrap_or(rest.len());
        let at = rest[..end].rfind('@')?;
        let colon = rest[..at].find(':')?;
        Some(colon + 1..at)
    })
}

fn without_parameters(text: &str) -> String {
    after_each(text, "password=", |rest| {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\''));
        Some(0..end.unwrap_or(rest.len()))
    })
}

/// Blanks after each `mark` what `secret` finds in the text behind it; an empty secret is none.
fn after_each(text: &str, mark: &str, secret: impl Fn(&str) -> Option<Range<usize>>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, behind) = rest.split_at(at + mark.len());
        shown.push_str(before);
        rest = behind;
        if let Some(secret) = secret(behind).filter(|secret| !secret.is_empty()) {
            shown.push_str(&behind[..secret.start]);
            shown.push_str(BLANK);
            rest = &behind[secret.end..];
        }
    }
    shown + rest
}

fn without_keys(text: &str) -> String {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
        let piece = &rest[..word.max(first.len_utf8())];
        match beginning(piece).filter(|begins| is_secret(&piece[*begins..])) {
            Some(begins) => {
                shown.push_str(&piece[..begins]);
                shown.push_str(BLANK);
            }
            None => shown.push_str(piece),
        }
        rest = &rest[piece.len()..];
    }
    shown
}

/// Where in a word the beginning of a key ends.
fn beginning(word: &str) -> Option<usize> {
    let within = WITHIN.iter().filter_map(|prefix| word.find(prefix).map(|at| at + prefix.len())).min();
    within.or_else(|| AT_FIRST.iter().find(|prefix| word.starts_with(*prefix)).map(|prefix| prefix.len()))
}

/// `sk_test` and `sk_live` name a kind of key.
fn is_secret(rest: &str) -> bool {
    !matches!(rest, "" | "test" | "live")
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn what_follows_a_beginning_is_blanked() {
        for (text, shown) in [
            ("a sk_test_51H-x_Y b", "a sk_test_*** b"),
            ("old-rk_live_1x", "old-rk_live_***"),
            ("'whsec_a1b2'\u{1b}", "'whsec_***'\u{1b}"),
            ("sk_51Hsecret", "sk_***"),
            ("sk_test_whsec_a", "sk_test_***"),
            ("whsec_\u{e9}t\u{e9}", "whsec_***"),
            ("postgres://club:p:w@rd@db1/club?x=1", "postgres://club:***@db1/club?x=1"),
            ("https://sk_live_1:x@h/ and http://:pw@h", "https://sk_live_***:***@h/ and http://:***@h"),
            ("postgres://db1/club?password=x/y&z=1", "postgres://db1/club?password=***&z=1"),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(without_secrets(shown), shown, "twice");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "those begin with sk_test_, sk_live_, rk_test_ or rk_live_",
            "API keys sk_… or rk_…, sk_test or sk_test_…, webhook secrets whsec_…",
            "postgres://user@host/database, http://127.0.0.1:4242/a@b, https://club.example:8000",
            "task_list, risk_x, desk_1, password=",
            "",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
