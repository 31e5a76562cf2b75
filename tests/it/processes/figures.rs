//! What was tried, in figures that can be written down.

use std::fmt::Display;
use std::sync::Mutex;
use std::time::Instant;

use serde::Serialize;
use serde_json::json;

use crate::support::figures;

/// So many cases of a sweep are under way at once.
const AT_ONCE: usize = 4;

/// What came of a case.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// The program was killed, cut off or had no room.
    pub(super) struck: bool,
    /// Somebody paid before the rerun.
    pub(super) paid: bool,
    /// How many reruns it took.
    pub(super) reruns: usize,
    /// What was wrong.
    pub(super) wrong: Vec<String>,
}

/// One sweep.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    /// What was done to the program, and where its orders stood.
    pub(super) processes: String,
    /// Effects, bytes, pages or moments there are.
    pub(super) points: usize,
    /// Ways in which it was done at each of them.
    pub(super) modes: usize,
    /// Cases that were run.
    pub(super) run: usize,
    /// Of those, in which it came about: the program was killed, cut off or had no room.
    pub(super) struck: usize,
    /// Of those, in which somebody paid before the rerun.
    pub(super) paid: usize,
    /// How many reruns it took: none, one, two.
    pub(super) reruns: [usize; 3],
    /// What was wrong.
    pub(super) violations: usize,
    /// The same in words.
    #[serde(skip)]
    pub(super) wrong: Vec<String>,
}

impl Figures {
    pub(super) fn of(processes: impl Into<String>, points: usize, modes: usize) -> Self {
        Self { processes: processes.into(), points, modes, ..Self::default() }
    }

    /// Tries each case, several at once: they wait for their programs more than they work.
    pub(super) fn each<C: Display + Send>(
        mut self,
        cases: impl IntoIterator<Item = C>,
        try_one: impl Fn(&C) -> Came + Sync,
    ) -> Self {
        let began = Instant::now();
        let cases = Mutex::new(cases.into_iter().collect::<Vec<_>>().into_iter());
        let noted = Mutex::new(&mut self);
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(case) = cases.lock().unwrap().next() else { return };
                        let came = try_one(&case);
                        noted.lock().unwrap().note(&case.to_string(), came);
                    }
                });
            }
        });
        eprintln!("{}: {} cases in {:.1?}", self.processes, self.run, began.elapsed());
        self
    }

    /// Counts a case.
    pub(super) fn note(&mut self, case: &str, came: Came) {
        self.run += 1;
        self.struck += usize::from(came.struck);
        self.paid += usize::from(came.paid);
        self.reruns[came.reruns] += 1;
        self.violations += came.wrong.len();
        self.wrong.extend(came.wrong.into_iter().map(|wrong| format!("{}, {case}: {wrong}", self.processes)));
    }

    /// Nothing was wrong, and something was tried.
    #[track_caller]
    pub(super) fn assert_fine(&self) {
        eprintln!("{}", serde_json::to_string(self).unwrap());
        let told = json!({
            "points": self.points, "modes": self.modes, "cases": self.run, "violations": self.violations,
            "struck": self.struck, "paid before the rerun": self.paid,
        });
        figures::write(&format!("the whole program: {}", self.processes.replace(": ", ", ")), &told);
        assert!(self.struck > 0, "{self:?}");
        assert!(self.wrong.is_empty(), "{} violations:\n{}", self.violations, self.wrong.join("\n"));
    }
}
