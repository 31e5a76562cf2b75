//! The checks of a round trip. Every one of them is told in every outcome: made, or not made and why.

use super::Check;

/// All checks of a round trip, in the order in which they are told.
const NAMES: [&str; 12] = [
    "left-over-canary",
    "canary",
    "tampered-body",
    "wrong-secret",
    "stale-timestamp",
    "unknown-event-type",
    "expired-predecessor",
    "signed-event",
    "order-paid",
    "payment-intent",
    "duplicate-event",
    "clean-up",
];
/// The check for which all this is done.
const PROOF: &str = "order-paid";
/// Told last, after the canary is gone.
const LAST: &str = "other-orders";

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Logbook {
    made: Vec<Check>,
    over: Option<String>,
    /// Somebody wished it to end: that nothing was proved is no failure.
    stopped: bool,
}

impl Logbook {
    /// Writes down what one check found.
    pub(super) fn note(&mut self, check: Check) {
        self.made.retain(|other| other.name != check.name);
        self.made.push(check);
    }

    /// From here on nothing more can be proved with this canary. The first reason stands.
    pub(super) fn ends(&mut self, why: impl Into<String>) {
        self.over.get_or_insert_with(|| why.into());
    }

    /// Somebody wished it to end.
    pub(super) fn stops(&mut self, why: &str) {
        self.stopped = true;
        self.ends(why);
    }

    /// Whether nothing more can be proved.
    pub(super) const fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// The trip broke off: the check that was next has failed.
    pub(super) fn breaks(&mut self, why: &str) {
        if let Some(next) = NAMES.iter().find(|name| !self.made.iter().any(|check| check.name == **name)) {
            self.note(Check::new(next, false, format!("broke off: {why}")));
        }
        self.ends(format!("the trip broke off: {why}"));
    }

    /// All checks, those that were not made with the reason. A trip that never saw its order paid, and found nothing wrong
    /// before, has proved nothing: that is a failure.
    pub(super) fn finish(mut self) -> Vec<Check> {
        let why = self.over.take().unwrap_or_else(|| "nothing asked for it".to_owned());
        let failed = self.made.iter().any(|check| check.passed == Some(false));
        if !failed && !self.stopped && !self.made.iter().any(|check| check.name == PROOF) {
            self.note(Check::new(PROOF, false, format!("the good event was never sent: {why}")));
        }
        let told = |name: &str| {
            let made = self.made.iter().find(|check| check.name == name).cloned();
            made.unwrap_or_else(|| Check::none(name, format!("not made: {why}")))
        };
        NAMES.iter().chain([&LAST]).map(|name| told(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_that_ended_before_its_proof_has_failed() {
        let mut log = Logbook::default();
        log.note(Check::new("tampered-body", true, "refused"));
        log.ends("somebody else canceled the canary");
        let checks = log.finish();
        let proof = checks.iter().find(|check| check.name == PROOF).unwrap();
        assert!(proof.passed == Some(false) && proof.detail.contains("somebody else"), "{proof:?}");
    }

    #[test]
    fn every_check_is_told_whatever_happens() {
        let mut log = Logbook::default();
        log.note(Check::none("left-over-canary", "none"));
        log.note(Check::new("clean-up", true, "gone"));
        log.breaks("no answer");
        log.ends("a later reason");
        let checks = log.finish();
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, [&NAMES[..], &[LAST]].concat());
        assert_eq!((checks[1].passed, checks[2].passed, checks[11].passed), (Some(false), None, Some(true)));
        assert_eq!(checks[12].detail, "not made: the trip broke off: no answer");
    }
}
