//! Times and spans as people and scripts read them.

use jiff::{SignedDuration, Timestamp};

/// RFC 3339 in UTC, to the second.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// To the minute, in UTC: `2026-04-13 10:00`.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long, in the two largest units: `3 h 20 min`, `2 d 4 h`, `less than a minute`.
pub(crate) fn span(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, rest) {
        (..=0, ..=0, ..=0) => "less than a minute".to_owned(),
        (..=0, ..=0, minutes) => format!("{minutes} min"),
        (..=0, hours, 0) => format!("{hours} h"),
        (..=0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let told = |seconds| span(SignedDuration::from_secs(seconds));
        assert_eq!(told(3 * 3600 + 20 * 60 + 59), "3 h 20 min");
        assert_eq!(told(24 * 3600 - 1), "23 h 59 min");
        assert_eq!(told(24 * 3600), "1 d");
        assert_eq!(told(52 * 3600 + 60), "2 d 4 h");
        assert_eq!(told(3600), "1 h");
        assert_eq!(told(61), "1 min");
        assert_eq!(told(59), "less than a minute");
        assert_eq!(told(-100), "less than a minute");
    }

    #[test]
    fn a_time_is_told_to_the_second_or_to_the_minute() {
        let at: Timestamp = "2026-04-13T10:00:07.123456Z".parse().unwrap();
        assert_eq!(instant(at), "2026-04-13T10:00:07Z");
        assert_eq!(minute(at), "2026-04-13 10:00");
    }
}
