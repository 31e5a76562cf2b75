//! Keys: who asks, and in which mode.

use super::call::Call;
use super::error::ApiError;

/// The mode of the request's key: true for live.
///
/// # Errors
/// 401 in Stripe's words; a key is never shown whole.
pub(super) fn mode(call: &Call) -> Result<bool, ApiError> {
    let Some(key) = key(call) else {
        return Err(unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication \
             for details, or we can help at https://support.stripe.com/.",
        ));
    };
    for (prefix, live) in [("sk_test_", false), ("rk_test_", false), ("sk_live_", true), ("rk_live_", true)] {
        if key.strip_prefix(prefix).is_some_and(well_formed) {
            return Ok(live);
        }
    }
    if key.starts_with("pk_") {
        let message = format!(
            "This API call cannot be made with a publishable API key ({}). Please use a secret API key. You can find a \
             list of your API keys at https://dashboard.stripe.com/account/apikeys.",
            mask(&key)
        );
        return Err(unauthorized(&message).code("secret_key_required"));
    }
    Err(unauthorized(&format!("Invalid API Key provided: {}", mask(&key))))
}

/// The request's key; none where there is none, or an empty one.
pub(super) fn key(call: &Call) -> Option<String> {
    call.header("authorization").and_then(key_of).filter(|key| !key.is_empty())
}

/// Whether a key is a well-formed one of the kind that can be restricted.
pub(super) fn is_restricted(key: &str) -> bool {
    ["rk_test_", "rk_live_"].iter().any(|prefix| key.strip_prefix(prefix).is_some_and(well_formed))
}

/// What may stand behind a key's prefix.
fn well_formed(suffix: &str) -> bool {
    !suffix.is_empty() && suffix.len() <= 255 && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unauthorized(message: &str) -> ApiError {
    ApiError::invalid(message).status(401)
}

/// The key of a `Bearer` header, or the user name of a `Basic` one.
fn key_of(header: &str) -> Option<String> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(base64(rest.trim())?).ok()?;
    Some(decoded.split(':').next().unwrap_or_default().to_owned())
}

/// Standard base64 (RFC 4648), padding optional; the user name of a `Basic` header is all it is for.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

/// As Stripe masks: a recognisable beginning, stars, the last four characters; of a short key nothing but stars.
fn mask(key: &str) -> String {
    let chars: Vec<char> = key.chars().collect();
    if chars.len() < 16 {
        return "*".repeat(chars.len().max(4));
    }
    let head = if key.get(3..8).is_some_and(|m| m == "test_" || m == "live_") { 8 } else { 0 };
    let stars = chars.len() - head - 4;
    format!(
        "{}{}{}",
        chars[..head].iter().collect::<String>(),
        "*".repeat(stars),
        chars[chars.len() - 4..].iter().collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::{Call, mask, mode};

    fn with(header: &str) -> Call {
        Call { headers: vec![("authorization".to_owned(), header.to_owned())], ..Call::default() }
    }

    #[test]
    fn bearer_and_basic_name_the_mode() {
        assert_eq!(mode(&with("Bearer sk_test_51abc")), Ok(false));
        assert_eq!(mode(&with("Bearer rk_live_abc")), Ok(true));
        // sk_test_1:
        assert_eq!(mode(&with("Basic c2tfdGVzdF8xOg==")), Ok(false));
    }

    #[test]
    fn a_refused_key_is_masked() {
        for key in ["pk_test_51HiddenSecretPart", "sk_prod_51HiddenSecretPart", "hunter2"] {
            let error = mode(&with(&format!("Bearer {key}"))).unwrap_err();
            assert_eq!(error.status, 401);
            assert!(!error.message.contains("Hidden") && !error.message.contains("hunter"), "{}", error.message);
        }
        assert_eq!(mask("pk_test_51HiddenSecretPart"), "pk_test_**************Part");
        assert!(mode(&Call::default()).unwrap_err().message.starts_with("You did not provide an API key."));
    }
}
