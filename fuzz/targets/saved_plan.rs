//! A saved plan.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tourney::plan::Saved;

use super::{Came, Held, ensure, said};

/// Bytes that are taken say the same when they are saved again, and no byte of them can be another one. An input whose seal
/// does not fit is tried with one that does: a digest proves no author, so what stands behind it must hold as well.
pub fn saved_plan(bytes: &[u8]) -> Held {
    let as_it_is = check(bytes)?;
    let sealed = sealed(bytes).map_or(Ok(Came::Refused), |text| check(text.as_bytes()))?;
    Ok(if as_it_is == Came::Taken { as_it_is } else { sealed })
}

fn check(bytes: &[u8]) -> Held {
    let saved = match Saved::parse(bytes) {
        Ok(Some(saved)) => saved,
        Ok(None) => return Ok(Came::Refused),
        Err(error) => {
            let words = error.to_string();
            ensure(words.chars().count() < 1_000, || format!("{} bytes are said", words.len()))?;
            said::shown(&words.escape_debug().to_string())?;
            return Ok(Came::Refused);
        }
    };
    ensure(is_sealed(bytes), || "taken with a seal that is not its digest".to_owned())?;
    let text = saved.to_text();
    let again = Saved::parse(text.as_bytes()).map_err(|error| format!("saved again it is refused: {error}\n{text}"))?;
    ensure(again.as_ref() == Some(&saved), || format!("saved again it says something else:\n{text}"))?;
    ensure(again.is_some_and(|again| again.to_text() == text), || format!("saved again it is another text:\n{text}"))?;
    let _ = saved.manifest_path(Path::new("plans/plan.json"));
    ensure(saved.options("test").environment == "test", || "another environment".to_owned())?;
    flipped(&saved, text.as_bytes(), bytes.len())
}

/// One bit at eight places that the input decides.
fn flipped(saved: &Saved, text: &[u8], seed: usize) -> Held {
    for round in 0..8_usize {
        let at = seed.wrapping_mul(31).wrapping_add(round.wrapping_mul(7_919)) % text.len();
        let mut damaged = text.to_vec();
        damaged[at] ^= 1 << (round % 8);
        let same = damaged[at].is_ascii_whitespace() && text[at].is_ascii_whitespace();
        if let Ok(Some(other)) = Saved::parse(&damaged) {
            ensure(same && other == *saved, || format!("byte {at} may be another one"))?;
        }
    }
    Ok(Came::Taken)
}

/// The document without its seal, and the seal.
fn opened(bytes: &[u8]) -> Option<(Value, Option<Value>)> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    let seal = value.as_object_mut()?.shift_remove("sha256");
    Some((value, seal))
}

fn digest(value: &Value) -> Value {
    hex::encode(Sha256::digest(value.to_string())).into()
}

fn is_sealed(bytes: &[u8]) -> bool {
    opened(bytes).is_some_and(|(value, seal)| seal == Some(digest(&value)))
}

fn sealed(bytes: &[u8]) -> Option<String> {
    let (mut value, _) = opened(bytes)?;
    let seal = digest(&value);
    value.as_object_mut()?.insert("sha256".to_owned(), seal);
    Some(value.to_string())
}
