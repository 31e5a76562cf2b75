//! Numbers of things, for people.

/// A number of things with its noun: `1 order`, `2 orders`.
#[must_use]
pub fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", agreeing(n, "", "s"))
}

/// The word that agrees with a number: that for one thing, or that for none and for many.
#[must_use]
pub const fn agreeing<'a>(n: usize, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "order")), ["0 orders", "1 order", "2 orders"]);
        assert_eq!([0, 1, 2].map(|n| agreeing(n, "waits", "wait")), ["wait", "waits", "wait"]);
    }
}
