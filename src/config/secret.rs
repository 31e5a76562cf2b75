//! Secrets: read from where they stand, and named as what they are where they stand in the wrong place.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::error::ConfigError;
use super::file::repository;
use super::warning::Warning;
use crate::domain::Mode;

/// The largest secret file, in bytes.
const MAX_SECRET: u64 = 4096;

/// What Windows editors write before the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A secret's text, and where it stands.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: String,
}

/// Reads a secret file: one line.
pub(super) fn read(path: &Path, warnings: &mut Vec<Warning>) -> Result<Found, ConfigError> {
    let origin = path.display().to_string();
    let fail = |why: String| ConfigError::BadSecret { origin: origin.clone(), why };
    let meta = std::fs::metadata(path).map_err(|error| fail(format!("the secret file cannot be read: {error}")))?;
    if !meta.is_file() || meta.len() > MAX_SECRET {
        return Err(fail("this is not a file with one secret in it".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(format!("the secret file cannot be read: {error}")))?;
    if bytes.contains(&0) {
        return Err(fail("the secret file is saved as UTF-16, or holds no text: save it as UTF-8".to_owned()));
    }
    let whole = String::from_utf8(bytes).map_err(|_| fail("the secret file holds no text".to_owned()))?;
    let text = whole.trim_start_matches(BYTE_ORDER_MARK).trim();
    if text.is_empty() {
        return Err(fail("the secret file is empty".to_owned()));
    }
    if text.lines().count() > 1 {
        return Err(fail("the secret file has more than one line: only the secret belongs into it".to_owned()));
    }
    if let Some(what) = padding(&whole) {
        warnings.push(Warning::Padded { file: origin.clone(), what });
    }
    if is_open_to_others(&meta) {
        warnings.push(Warning::OpenToOthers { file: origin.clone() });
    }
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real.parent().and_then(repository).is_some() {
        warnings.push(Warning::InRepository { file: origin.clone() });
    }
    Ok(Found { text: text.to_owned(), origin })
}

/// What an editor has put around a secret, beside the line end that every editor writes.
fn padding(whole: &str) -> Option<&'static str> {
    let (line, _) = whole.split_once('\n').unwrap_or((whole, ""));
    if whole.starts_with(BYTE_ORDER_MARK) {
        Some("begins with a byte order mark")
    } else if line.ends_with('\r') {
        Some("has a Windows line end")
    } else if line.trim() != line {
        Some("has blanks around the secret")
    } else {
        None
    }
}

#[cfg(unix)]
fn is_open_to_others(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

/// The place of a secret file: `~` is the home folder, a relative path begins at `environments.yaml`.
pub(super) fn place(path: &str, base: &Path, home: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let Some(rest) = path.strip_prefix("~/") else { return Ok(base.join(path)) };
    home.map(|home| home.join(rest)).ok_or_else(|| ConfigError::BadSecret {
        origin: path.to_owned(),
        why: "there is no home folder that ~ could stand for".to_owned(),
    })
}

/// A key for Stripe's API and its mode.
pub(super) fn api_key(found: Found) -> Result<(SecretString, Mode, String), ConfigError> {
    let Found { text, origin } = found;
    if let Some(why) = slip(&text) {
        return Err(ConfigError::BadSecret { origin, why: why.to_owned() });
    }
    let why = match Mode::of_key(&text) {
        Some(mode) if is_plain(&text) && text.len() > 8 => return Ok((SecretString::from(text), mode, origin)),
        Some(_) => "this key has been cut off or has signs that no key has",
        None if text.starts_with("pk_") => "this is a publishable key, and a secret key is needed",
        None if text.starts_with("whsec_") => "this is a webhook secret, and a secret key is needed",
        None if text.starts_with("mk_") => "this is the id of a key, and the key itself is needed",
        None => "this is no secret key of Stripe: those begin with sk_test_, sk_live_, rk_test_ or rk_live_",
    };
    Err(ConfigError::BadSecret { origin, why: why.to_owned() })
}

/// A webhook secret.
pub(super) fn webhook(found: Found) -> Result<SecretString, ConfigError> {
    let Found { text, origin } = found;
    let why = if let Some(why) = slip(&text) {
        why
    } else if text.starts_with("whsec_") && is_plain(&text) && text.len() > 6 {
        return Ok(SecretString::from(text));
    } else if text.starts_with("whsec_") {
        "this webhook secret has been cut off or has signs that no secret has"
    } else if text.starts_with("we_") {
        "this is the endpoint's id, and its signing secret is needed"
    } else if ["sk_", "rk_"].iter().any(|prefix| text.starts_with(prefix)) {
        "this is a secret key of the API, and the endpoint's webhook secret is needed"
    } else if text.starts_with("pk_") {
        "this is a publishable key, and the endpoint's webhook secret is needed"
    } else {
        "this is no webhook secret: those begin with whsec_"
    };
    Err(ConfigError::BadSecret { origin, why: why.to_owned() })
}

/// What people write around a secret, or in its place.
fn slip(text: &str) -> Option<&'static str> {
    const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    if text.contains('=') {
        return Some("this is a line of an .env file (NAME=…): write only what stands behind the equals sign");
    }
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return Some("this stands in quotes: write the secret without them");
    }
    if text.contains('*') || text.contains("...") || text.contains('…') {
        return Some(
            "this is a placeholder, or a secret that the dashboard shows in part: reveal it and copy all of it",
        );
    }
    None
}

/// Visible ASCII only: anything else cannot be sent in a header.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
