//! The header `Stripe-Signature` and the body that came with it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::SecretString;
use sha2::Sha256;
use tourney::stripe::signature::{SignatureError, TOLERANCE, sign, verify};

use super::{Came, Held, ensure};

const SECRETS: [&str; 2] = ["whsec_test_secret", "whsec_other"];
/// `T` of an input, to which it may add.
const NOW: i64 = 1_776_074_400;

/// The header is the first line, the body the rest. `{1}` and `{2}` stand for the signature under one secret or the other
/// over the header's first `t`, `{3}` for one under a secret that is nobody's. What is accepted an independent computation
/// accepts, and what it accepts is accepted.
pub fn signature(bytes: &[u8]) -> Held {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let body = bytes.get(end + 1..).unwrap_or_default();
    let header = filled(&String::from_utf8_lossy(&bytes[..end]), body);
    let secrets: Vec<SecretString> = SECRETS.into_iter().map(SecretString::from).collect();
    let now = Timestamp::from_second(NOW).map_err(|error| error.to_string())?;
    let said = verify(&header, body, &secrets, now, TOLERANCE);
    let expected = expected(&header, body);
    ensure(said.is_ok() == expected, || format!("{said:?}, and {expected} was computed, for {header:?}"))?;
    match said {
        Ok(()) => {
            unlike(&header, body, &secrets, now)?;
            Ok(Came::Taken)
        }
        Err(SignatureError::TooOld(away) | SignatureError::TooNew(away)) => {
            ensure(away > TOLERANCE, || format!("{away} seconds are too many"))?;
            Ok(Came::Refused)
        }
        Err(_) => Ok(Came::Refused),
    }
}

/// What is accepted is so for this body alone, under these secrets alone; and our own signature of it is accepted.
fn unlike(header: &str, body: &[u8], secrets: &[SecretString], now: Timestamp) -> Result<(), String> {
    let mut other = body.to_vec();
    other.push(b'x');
    ensure(verify(header, &other, secrets, now, TOLERANCE).is_err(), || format!("{header:?} fits another body"))?;
    let nobodys = [SecretString::from(""), SecretString::from("whsec_fourth")];
    ensure(verify(header, body, &nobodys, now, TOLERANCE).is_err(), || format!("{header:?} fits without a secret"))?;
    let own = sign(&secrets[0], now, body);
    ensure(verify(&own, body, secrets, now, TOLERANCE).is_ok(), || format!("{own:?} is refused"))
}

fn filled(header: &str, body: &[u8]) -> String {
    let time = time_of(header).unwrap_or_default();
    let mut filled = header.to_owned();
    for (mark, secret) in [("{1}", SECRETS[0]), ("{2}", SECRETS[1]), ("{3}", "whsec_third")] {
        filled = filled.replace(mark, &hex::encode(computed(secret, time, body)));
    }
    filled
}

fn time_of(header: &str) -> Option<&str> {
    header.split(',').map(str::trim).find_map(|part| part.strip_prefix("t="))
}

fn computed(secret: &str, time: &str, body: &[u8]) -> Vec<u8> {
    let signed = [time.as_bytes(), b".", body].concat();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return Vec::new() };
    mac.update(&signed);
    mac.finalize().into_bytes().to_vec()
}

/// By Stripe's words: the first `t`, any of the first sixteen readable `v1`, any secret, 300 seconds to either side.
fn expected(header: &str, body: &[u8]) -> bool {
    let Some(time) = time_of(header) else { return false };
    let Ok(signed_at) = time.parse::<i64>() else { return false };
    let parts = header.split(',').map(str::trim).filter_map(|part| part.strip_prefix("v1="));
    let given: Vec<Vec<u8>> = parts.filter_map(|text| hex::decode(text).ok()).take(16).collect();
    let fits = SECRETS.iter().any(|secret| given.contains(&computed(secret, time, body)));
    fits && (NOW - 300..=NOW + 300).contains(&signed_at)
}
