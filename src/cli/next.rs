//! The next command to type, in the same environment and fit to be typed as it stands.

use std::path::Path;

use super::Shell;
use super::site::DEFAULT_MANIFEST;

impl Shell {
    /// `tourney WORDS…`, with the `-e` that this command was given.
    #[must_use]
    pub(super) fn command<S: AsRef<str>>(&self, words: impl IntoIterator<Item = S>) -> String {
        let env = self.global.env.iter().flat_map(|name| ["-e".to_owned(), name.clone()]);
        command(env.chain(words.into_iter().map(|word| word.as_ref().to_owned())))
    }
}

/// `tourney WORDS…`, in whatever environment that leads to.
#[must_use]
pub(super) fn command<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    let words = words.into_iter().map(|word| quoted(word.as_ref()));
    std::iter::once("tourney".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// The word that names a manifest, unless it is the one that needs no name.
#[must_use]
pub(super) fn manifest(path: &Path) -> Option<String> {
    (path != Path::new(DEFAULT_MANIFEST)).then(|| path.display().to_string())
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+…".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_break_it() {
        for (word, typed) in [
            ("plan.json", "plan.json"),
            ("http://127.0.0.1:1/hook", "http://127.0.0.1:1/hook"),
            ("my plan.json", "'my plan.json'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), typed);
        }
    }
}
