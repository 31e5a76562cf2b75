//! What was tried, in figures that can be written down.

use serde_json::json;
use tourney::world::faulty::Mode;

use super::case::Came;
use crate::support::figures;

/// One sweep over one world.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// What was tried, in which world, on which ledger.
    pub(crate) sweep: String,
    /// Effects of the run without faults: requests, transactions, sleeps.
    pub(crate) effects: usize,
    /// Cases there are: a fault at an effect, or two.
    pub(crate) cases: usize,
    /// Cases that were run.
    pub(crate) run: usize,
    /// Of those, in which a run crashed.
    pub(crate) crashed: usize,
    /// How many reruns it took: none, one, two.
    pub(crate) reruns: [usize; 3],
    /// Payments that came in between.
    pub(crate) paid: usize,
    /// What was wrong.
    pub(crate) violations: usize,
    /// The first things that were wrong.
    pub(crate) wrong: Vec<String>,
}

/// How much is shown of what is wrong.
const SHOWN: usize = 12;

impl Figures {
    /// Counts a case.
    pub(crate) fn note(&mut self, came: Came) {
        self.run += 1;
        self.crashed += usize::from(came.crashed);
        self.reruns[came.reruns] += 1;
        self.violations += came.wrong.len();
        let room = SHOWN.saturating_sub(self.wrong.len());
        self.wrong.extend(came.wrong.into_iter().take(room));
    }

    /// Nothing was wrong, and something was tried.
    #[track_caller]
    pub(crate) fn assert_fine(&self) {
        let [none, one, two] = self.reruns;
        let told = json!({
            "points": self.effects,
            "modes": if self.paid > 0 { 2 } else { Mode::ALL.len() },
            "cases": self.run,
            "violations": self.violations,
            "in all": self.cases,
            "crashed": self.crashed,
            "payments": self.paid,
            "without a rerun": none,
            "with one": one,
            "with two": two,
        });
        eprintln!("{}: {told}", self.sweep);
        figures::write(&self.sweep, &told);
        assert!(self.run > 0 && self.effects > 0, "{self:?}");
        assert!(self.wrong.is_empty(), "{} violations:\n{}", self.violations, self.wrong.join("\n"));
    }
}
