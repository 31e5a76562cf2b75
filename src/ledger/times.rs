//! Moments in an orders table, whatever its application keeps them in. On our side they are seconds since 1970 UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::sql::Value;

/// How a column keeps a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// Whole seconds since 1970 UTC.
    Seconds,
    /// Whole milliseconds since 1970 UTC.
    Millis,
    /// PostgreSQL's `timestamptz`.
    Zoned,
    /// PostgreSQL's `timestamp`, in UTC.
    Plain,
    /// PostgreSQL's `date`, in UTC.
    Day,
    /// A text in UTC: date, this letter, time, and this mark of the zone.
    Text {
        /// What stands between date and time.
        separator: char,
        /// What stands behind the time: nothing, `Z` or `+00:00`.
        zone: &'static str,
    },
}

/// More than this many seconds are milliseconds: as seconds it would be the year 5138.
const LARGEST_SECONDS: u64 = 100_000_000_000;

impl TimeForm {
    /// ISO 8601, as a program without a habit of its own writes it.
    pub const ISO: Self = Self::Text { separator: 'T', zone: "Z" };
    /// As SQLite's own functions write it.
    pub const SQL: Self = Self::Text { separator: ' ', zone: "" };

    /// The form of a value that stands in the table already; none where it is no moment.
    pub(super) fn like(sample: &str) -> Option<Self> {
        read(sample)?;
        if let Ok(n) = sample.parse::<i64>() {
            return Some(if n.unsigned_abs() >= LARGEST_SECONDS { Self::Millis } else { Self::Seconds });
        }
        let separator = if sample.contains('T') { 'T' } else { ' ' };
        let zone = match sample {
            text if text.ends_with('Z') => "Z",
            text if text.ends_with("+00:00") => "+00:00",
            _ => "",
        };
        Some(Self::Text { separator, zone })
    }

    /// A moment as its column's parameter takes it.
    pub(super) fn write(&self, seconds: i64) -> Option<Value> {
        Some(match self {
            Self::Millis => Value::from(seconds.checked_mul(1000)?),
            Self::Seconds | Self::Zoned | Self::Plain | Self::Day => Value::from(seconds),
            Self::Text { separator, zone } => {
                let at = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC).datetime();
                let text = at.strftime("%Y-%m-%d %H:%M:%S").to_string().replacen(' ', &separator.to_string(), 1);
                Value::from(text + zone)
            }
        })
    }
}

/// Reads a moment in any of the forms; without a zone it is UTC.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let whole = text.split('.').next().unwrap_or_default();
    if let Ok(n) = whole.parse::<i64>() {
        let seconds = if n.unsigned_abs() >= LARGEST_SECONDS { n / 1000 } else { n };
        return Timestamp::from_second(seconds).ok();
    }
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_again() {
        let at = 1_774_958_401;
        for sample in
            ["1774958401", "1774958401000", "2026-03-31 12:00:01", "2026-03-31T12:00:01Z", "2026-03-31T12:00:01+00:00"]
        {
            assert_eq!(read(sample).map(Timestamp::as_second), Some(at), "{sample}");
            let written = match TimeForm::like(sample).and_then(|form| form.write(at)) {
                Some(Value::Text(text)) => text.unwrap(),
                Some(Value::Int(n)) => n.unwrap().to_string(),
                None => panic!("{sample} has a form"),
            };
            assert_eq!(written, sample);
        }
        assert_eq!(read("2026-03-31 12:00:01.123456").map(Timestamp::as_second), Some(at));
        assert_eq!(read("2026-03-31").map(Timestamp::as_second), Some(1_774_915_200));
        assert_eq!(read("soon"), None);
    }
}
