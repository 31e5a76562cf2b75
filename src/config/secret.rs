//! Secrets: read from where they stand, and named as what they are where they stand in the wrong place.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::error::ConfigError;
use super::file::repository;
use crate::domain::Mode;

/// The largest secret file, in bytes.
const MAX_SECRET: u64 = 4096;

/// A secret's text, and where it stands.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: String,
}

/// Reads a secret file: one line.
pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Result<Found, ConfigError> {
    let origin = path.display().to_string();
    let fail = |why: String| ConfigError::BadSecret { origin: origin.clone(), why };
    let meta = std::fs::metadata(path).map_err(|error| fail(format!("the secret file cannot be read: {error}")))?;
    if !meta.is_file() || meta.len() > MAX_SECRET {
        return Err(fail("this is not a file with one secret in it".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(format!("the secret file cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| fail("the secret file holds no text".to_owned()))?;
    let text = text.trim_end_matches(['\n', '\r']).to_owned();
    if text.trim().is_empty() {
        return Err(fail("the secret file is empty".to_owned()));
    }
    if text.lines().count() > 1 {
        return Err(fail("the secret file has more than one line".to_owned()));
    }
    if is_open_to_others(&meta) {
        warnings.push(format!("{origin} can be read by others: chmod 600 {origin}"));
    }
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real.parent().and_then(repository).is_some() {
        warnings.push(format!("{origin} stands inside a repository: keep secrets outside, for example in ~/secrets"));
    }
    Ok(Found { text, origin })
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
    let why = match Mode::of_key(&text) {
        Some(mode) if is_plain(&text) && text.len() > 8 => return Ok((SecretString::from(text), mode, origin)),
        Some(_) => "this key has been cut off or has signs that no key has",
        None if text.starts_with("pk_") => "this is a publishable key, and a secret key is needed",
        None if text.starts_with("whsec_") => "this is a webhook secret, and a secret key is needed",
        None => "this is no secret key of Stripe: those begin with sk_test_, sk_live_, rk_test_ or rk_live_",
    };
    Err(ConfigError::BadSecret { origin, why: why.to_owned() })
}

/// A webhook secret.
pub(super) fn webhook(found: Found) -> Result<SecretString, ConfigError> {
    let Found { text, origin } = found;
    let why = if text.starts_with("whsec_") && is_plain(&text) && text.len() > 6 {
        return Ok(SecretString::from(text));
    } else if ["sk_", "rk_"].iter().any(|prefix| text.starts_with(prefix)) {
        "this is a secret key of the API, and the endpoint's webhook secret is needed"
    } else if text.starts_with("pk_") {
        "this is a publishable key, and the endpoint's webhook secret is needed"
    } else {
        "this is no webhook secret: those begin with whsec_"
    };
    Err(ConfigError::BadSecret { origin, why: why.to_owned() })
}

/// Visible ASCII only: anything else cannot be sent in a header.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
