//! Every fault, and every pair of faults.

use std::collections::BTreeSet;

use tourney::world::faulty::{Fault, Side, Site};

use super::books::Books;
use super::case::{Case, each_once, of_use, strikes};
use super::figures::Figures;
use super::worlds::Scene;

/// The variable that asks for every case.
const ALL: &str = "TOURNEY_FAULTS";

/// Of so many cases of a kind, one is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) faults: usize,
    /// First faults of a pair, and second ones.
    pub(crate) pairs: (usize, usize),
    pub(crate) moments: usize,
}

impl Share {
    pub(crate) const WHOLE: Self = Self { faults: 1, pairs: (1, 1), moments: 1 };

    fn of<B: Books>() -> Self {
        if std::env::var(ALL).is_ok_and(|text| text == "all") { Self::WHOLE } else { B::SHARE }
    }
}

impl<B: Books> Scene<B> {
    /// The faults that are run: one of so many, and whatever is the first of its kind on the wire or at the clock. Every method of
    /// the ledger is struck in every mode by itself, too.
    pub(crate) fn chosen(&self, sites: &[Site], share: usize) -> (usize, Vec<Fault>) {
        let all: Vec<Fault> = sites.iter().flat_map(|site| strikes(site, self.world.limits.tries)).collect();
        let mut met = BTreeSet::new();
        let mut first = |fault: &Fault| {
            // What changes something is also struck for as long as it is tried.
            let lasts = fault.times > 1 && fault.site.operation.starts_with("POST");
            fault.site.side != Side::Ledger
                && met.insert((fault.site.side, fault.site.operation.clone(), fault.mode, lasts))
        };
        let count = all.len();
        let chosen = all.into_iter().enumerate().filter(|(at, fault)| first(fault) || at.is_multiple_of(share));
        (count, chosen.map(|(_, fault)| fault).collect())
    }

    fn figures(&self, what: &str, sites: &[Site]) -> Figures {
        let sweep = format!("{what}: {} ({})", self.name, B::NAME);
        Figures { sweep, effects: sites.len(), ..Figures::default() }
    }

    /// One fault at each effect of the run, in each mode, once and lasting.
    pub(crate) async fn every_fault(&self) -> Figures {
        let known = self.know().await;
        let sites = of_use(&known.trace, self.with_glances);
        let (cases, chosen) = self.chosen(&sites, Share::of::<B>().faults);
        let mut figures = Figures { cases, ..self.figures("a fault at every effect", &sites) };
        for fault in chosen {
            figures.note(self.try_case(&Case::one(fault), &known).await);
        }
        figures
    }

    /// Every parent pays just before an effect, be it heard of or not: at each of them.
    pub(crate) async fn every_moment(&self) -> Figures {
        let known = self.know().await;
        let sites = of_use(&known.trace, false);
        let mut figures = self.figures("everybody pays before every effect", &sites);
        for (at, case) in sites.iter().flat_map(|site| [(site, true), (site, false)]).enumerate() {
            figures.cases += 1;
            if at.is_multiple_of(Share::of::<B>().moments) {
                let case = Case { paid_at: Some((case.0.clone(), case.1)), ..Case::default() };
                let came = self.try_case(&case, &known).await;
                figures.paid += came.paid;
                figures.note(came);
            }
        }
        assert!(figures.paid > 0, "{figures:?}");
        figures
    }

    /// Two faults: the second at each effect that the first one leaves to come, in the same run or in its rerun. Of so many
    /// first faults one is taken, and of so many second ones.
    pub(crate) async fn every_pair(&self) -> Figures {
        let (firsts, share) = Share::of::<B>().pairs;
        let known = self.know().await;
        let sites = of_use(&known.trace, false);
        let mut figures = self.figures("every pair of faults", &sites);
        for first in sites.iter().flat_map(each_once).step_by(firsts) {
            let came = self.try_case(&Case::one(first.clone()), &known).await;
            let cases = seconds(&first, &came.traces);
            figures.cases += cases.len();
            for case in cases.iter().skip(figures.cases % share).step_by(share) {
                figures.note(self.try_case(case, &known).await);
            }
        }
        figures
    }
}

/// What can come second, by what was passed after the first fault.
fn seconds(first: &Fault, traces: &[Vec<Site>]) -> Vec<Case> {
    let run = traces.first().map_or(&[][..], Vec::as_slice);
    let after = run.iter().position(|site| *site == first.site).map_or(run.len(), |at| at + 1);
    let later = of_use(&run[after..], false);
    let same =
        later.iter().flat_map(each_once).map(|second| Case { run: vec![first.clone(), second], ..Case::default() });
    let rerun = of_use(traces.get(1).map_or(&[][..], Vec::as_slice), false);
    let next = rerun.iter().flat_map(each_once).map(|second| Case {
        run: vec![first.clone()],
        rerun: vec![second],
        ..Case::default()
    });
    same.chain(next).collect()
}
