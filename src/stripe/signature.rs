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

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const SIGNED_AT: i64 = 1_776_074_400;
    /// `printf '1776074400.%s' "$BODY" | openssl dgst -sha256 -hmac whsec_test_secret`
    const SIGNATURE: &str = "91e1c484df97b88109282c8001c2159ca7e609cd3336e4742cf847eed6b402ca";
    /// The same with `whsec_other`.
    const BY_OTHER: &str = "03282e44553c1eefe54475b8be19ff9a638ed14876901805dbd13e1635f1b331";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    fn verified(header: &str, now: i64) -> Result<(), SignatureError> {
        verify(header, BODY, &secrets(&["whsec_test_secret"]), at(now), TOLERANCE)
    }

    #[test]
    fn signs_as_openssl_and_python_do() {
        let secret = SecretString::from("whsec_test_secret");
        assert_eq!(sign(&secret, at(SIGNED_AT), BODY), format!("t={SIGNED_AT},v1={SIGNATURE}"));
        // Python's hmac over bytes that are no UTF-8, and over nothing.
        let mut odd = "Zoë 🏀\n".as_bytes().to_vec();
        odd.extend([0xff, 0x00]);
        let odd = sign(&secret, at(SIGNED_AT), &odd);
        assert!(odd.ends_with("v1=5b0ae1b8460e35572701acf9209a1306ea4e2b10094a803d6182d3b9a1e4cd8f"), "{odd}");
        let empty = sign(&secret, at(SIGNED_AT), b"");
        assert!(empty.ends_with("v1=92e902b9d7d78a40837366f4a07d5a56388f0b7232cb96782f67ace49dd464dc"), "{empty}");
    }

    #[test]
    fn the_tolerance_ends_at_300_seconds_to_either_side() {
        let header = format!("t={SIGNED_AT},v1={SIGNATURE}");
        for away in [0, 299, 300] {
            assert_eq!(verified(&header, SIGNED_AT + away), Ok(()), "{away}");
            assert_eq!(verified(&header, SIGNED_AT - away), Ok(()), "-{away}");
        }
        assert_eq!(verified(&header, SIGNED_AT + 301), Err(SignatureError::TooOld(301)));
        assert_eq!(verified(&header, SIGNED_AT - 301), Err(SignatureError::TooNew(301)));
    }

    #[test]
    fn any_v1_under_any_secret_will_do_and_other_schemes_are_ignored() {
        let wrong = "0".repeat(64);
        for header in [
            format!("t={SIGNED_AT},v1={wrong},v1={SIGNATURE}"),
            format!("t={SIGNED_AT},v1={SIGNATURE},v0={wrong}"),
            format!("v1={SIGNATURE},t={SIGNED_AT}"),
            format!("t={SIGNED_AT}, v1={SIGNATURE} "),
            format!("t={SIGNED_AT},v2=x,v1=zz,v1={SIGNATURE}"),
        ] {
            assert_eq!(verified(&header, SIGNED_AT), Ok(()), "{header}");
        }
        let rolled = secrets(&["whsec_test_secret", "whsec_other"]);
        let header = format!("t={SIGNED_AT},v1={BY_OTHER}");
        assert_eq!(verify(&header, BODY, &rolled, at(SIGNED_AT), TOLERANCE), Ok(()));
        assert_eq!(verified(&header, SIGNED_AT), Err(SignatureError::NoMatch));
    }

    #[test]
    fn what_is_no_signature_is_refused_and_never_panics() {
        let t = format!("t={SIGNED_AT}");
        for (header, why) in [
            (String::new(), SignatureError::NoTime),
            (",=,==,t".to_owned(), SignatureError::NoTime),
            (format!("t=,v1={SIGNATURE}"), SignatureError::NoTime),
            (format!("t=99999999999999999999,v1={SIGNATURE}"), SignatureError::NoTime),
            (format!("t={SIGNED_AT}.0,v1={SIGNATURE}"), SignatureError::NoTime),
            (format!("v1={SIGNATURE}"), SignatureError::NoTime),
            (t.clone(), SignatureError::NoSignature),
            (format!("{t},v0={SIGNATURE}"), SignatureError::NoSignature),
            (format!("{t},v1=not hex"), SignatureError::NoSignature),
            (format!("{t},v1="), SignatureError::NoMatch),
            (format!("{t},v1={}", &SIGNATURE[..62]), SignatureError::NoMatch),
            (format!("{t},v1={SIGNATURE}00"), SignatureError::NoMatch),
            (format!("t={},v1={SIGNATURE}", SIGNED_AT + 1), SignatureError::NoMatch),
            (format!("t=-9223372036854775808,v1={SIGNATURE}"), SignatureError::NoMatch),
            (format!("t=+{SIGNED_AT},v1={SIGNATURE}"), SignatureError::NoMatch),
            ("v1=,".repeat(10_000) + &t, SignatureError::NoMatch),
        ] {
            assert_eq!(verified(&header, SIGNED_AT), Err(why), "{}", header.chars().take(90).collect::<String>());
        }
    }

    #[test]
    fn without_a_secret_nothing_is_accepted() {
        let anybodys = sign(&SecretString::from("x"), at(SIGNED_AT), BODY);
        for secrets in [secrets(&[]), secrets(&[""])] {
            assert_eq!(verify(&anybodys, BODY, &secrets, at(SIGNED_AT), TOLERANCE), Err(SignatureError::NoMatch));
        }
        assert_eq!(sign(&SecretString::from(""), at(SIGNED_AT), BODY), format!("t={SIGNED_AT},v1="));
    }
}
