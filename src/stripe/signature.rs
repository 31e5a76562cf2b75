//! Webhook signatures, scheme `v1` (stripe/facts.md, Webhooks): HMAC-SHA256 over `"{t}.{raw body}"`, keyed with the whole
//! secret, `whsec_` included.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header that carries a signature.
pub const HEADER: &str = "Stripe-Signature";
/// How far a signature's time may lie from now, to either side, in seconds.
pub const TOLERANCE: u64 = 300;
/// More than this many `v1` in a header is nobody's secret being rolled.
const MOST_SIGNATURES: usize = 16;

/// Why a body is not taken for Stripe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header has no readable `t`.
    #[error("the Stripe-Signature header has no time (t=…)")]
    NoTime,
    /// The header has no readable `v1`.
    #[error("the Stripe-Signature header has no readable v1 signature")]
    NoSignature,
    /// No signature matches any secret.
    #[error(
        "no signature matches: the body was changed on its way, or the endpoint's secret is another one (the Stripe CLI's \
         and the Dashboard's differ, and an API key is none)"
    )]
    NoMatch,
    /// Signed too long ago.
    #[error("signed {0} seconds ago, which is more than {TOLERANCE}: a replay, or this machine's clock is wrong")]
    TooOld(u64),
    /// Signed too far in the future.
    #[error("signed {0} seconds in the future, which is more than {TOLERANCE}: this machine's clock is wrong")]
    TooNew(u64),
}

/// The header for a body signed at `t`.
#[must_use]
pub fn sign(secret: &SecretString, t: Timestamp, body: &[u8]) -> String {
    let t = t.as_second().to_string();
    let signature = mac(secret, &t, body).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default();
    format!("t={t},v1={signature}")
}

/// Checks a raw body against the header that came with it: any `v1` under any of the secrets will do; other schemes are
/// ignored. The comparison takes the same time wherever it fails.
///
/// # Errors
/// [`SignatureError`]; a stale time is told only for a signature that matches.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    now: Timestamp,
    tolerance: u64,
) -> Result<(), SignatureError> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let t = parts().find(|(name, _)| *name == "t").map(|(_, t)| t).ok_or(SignatureError::NoTime)?;
    let signed_at: i64 = t.parse().map_err(|_| SignatureError::NoTime)?;
    let signatures: Vec<Vec<u8>> = parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, text)| hex::decode(text).ok())
        .take(MOST_SIGNATURES)
        .collect();
    if signatures.is_empty() {
        return Err(SignatureError::NoSignature);
    }
    let matches = |secret: &SecretString| {
        mac(secret, t, body)
            .is_some_and(|mac| signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()))
    };
    if !secrets.iter().any(matches) {
        return Err(SignatureError::NoMatch);
    }
    let away = now.as_second().abs_diff(signed_at);
    match away > tolerance {
        false => Ok(()),
        true if signed_at < now.as_second() => Err(SignatureError::TooOld(away)),
        true => Err(SignatureError::TooNew(away)),
    }
}

/// None for an empty secret, with which anybody could sign.
fn mac(secret: &SecretString, t: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let secret = secret.expose_secret().as_bytes();
    if secret.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(t.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}
