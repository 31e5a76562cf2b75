//! Ids in Stripe's shapes, drawn from the sandbox's own seed and counter.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` characters of `[0-9A-Za-z]`, the same for the same seed, number and purpose.
pub(super) fn draw(seed: u64, number: u64, purpose: &str, length: usize) -> String {
    let blocks = (0u64..).flat_map(|block| Sha256::digest(format!("{seed}/{number}/{purpose}/{block}")));
    blocks.take(length).map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn ids_are_repeatable_and_differ() {
        assert_eq!(draw(1, 2, "pi_", 24), draw(1, 2, "pi_", 24));
        assert_ne!(draw(1, 2, "pi_", 24), draw(1, 3, "pi_", 24));
        assert_ne!(draw(1, 2, "pi_", 24), draw(2, 2, "pi_", 24));
        assert_eq!(draw(7, 7, "x", 58).len(), 58);
    }
}
