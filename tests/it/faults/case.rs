//! One case: faults in a run and in its rerun, and the judgement of what they left.

use std::time::Duration;

use tourney::invariants::{Rule, Violation, beyond, since};
use tourney::observe::Observation;
use tourney::world::faulty::{Fault, Faults, Side, Site};

use super::books::Books;
use super::world::{Ended, Picture, World, broken, picture, unrested};
use super::worlds::Scene;

/// After a fault an apply converges in so many reruns.
const RERUNS: usize = 2;
/// How often a ledger write is tried.
const WRITES: u32 = 4;

/// What strikes the first run, and what strikes its rerun.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) run: Vec<Fault>,
    pub(crate) rerun: Vec<Fault>,
    /// Where the first run is held while every parent pays, and whether the receiver hears of it.
    pub(crate) paid_at: Option<(Site, bool)>,
}

impl Case {
    pub(crate) fn one(fault: Fault) -> Self {
        Self { run: vec![fault], ..Self::default() }
    }

    fn told(&self) -> String {
        let list = |faults: &[Fault]| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let paid = self.paid_at.as_ref().map_or_else(String::new, |(site, heard)| {
            format!("everybody pays before {site}{}", if *heard { ", and it is heard" } else { "" })
        });
        let rerun = if self.rerun.is_empty() { String::new() } else { format!("; then {}", list(&self.rerun)) };
        format!("{}{paid}{rerun}", list(&self.run))
    }
}

/// Every way in which a fault can strike at a site: once in each mode, and so long that each try of it fails.
pub(crate) fn strikes(site: &Site, tries: u32) -> Vec<Fault> {
    let once = site.modes().iter().map(|mode| Fault::once(site.clone(), *mode));
    let times = if site.side == Side::Wire { tries } else { WRITES };
    let lasting = site.modes().iter().filter(|mode| !mode.is_crash());
    once.chain(lasting.map(|mode| Fault { times, ..Fault::once(site.clone(), *mode) })).collect()
}

/// What came of a case.
#[derive(Debug, Default)]
pub(crate) struct Came {
    /// What was passed in each run.
    pub(crate) traces: Vec<Vec<Site>>,
    /// How many parents paid meanwhile.
    pub(crate) paid: usize,
    /// Whether a run crashed.
    pub(crate) crashed: bool,
    /// How many reruns it took.
    pub(crate) reruns: usize,
    /// What is wrong.
    pub(crate) wrong: Vec<String>,
}

/// What is known of a scene before any fault.
pub(crate) struct Known {
    pub(crate) trace: Vec<Site>,
    before: Observation,
    broken: Vec<Violation>,
    wanted: Picture,
}

impl<B: Books> Scene<B> {
    /// Runs without faults, which must put everything right at once.
    pub(crate) async fn know(&self) -> Known {
        let world = self.world.copy().await;
        let before = world.observe(&self.manifest).await;
        let faults = Faults::default();
        let ended = world.apply(&self.manifest, &faults).await;
        assert!(ended.is_clean(), "{}", ended.told());
        let after = world.observe(&self.manifest).await;
        assert_eq!(unrested(&self.manifest, &after), [], "{}", self.name);
        let broken = broken(&self.manifest, &before);
        Known { trace: faults.trace(), broken, before, wanted: picture(&self.manifest, &after) }
    }

    /// Runs a case to its end.
    pub(crate) async fn try_case(&self, case: &Case, known: &Known) -> Came {
        let mut course =
            Course { scene: self, known, world: self.world.copy().await, came: Came::default(), left: Vec::new() };
        let mut over = course.run(&case.run, case.paid_at.clone()).await;
        while !over && course.came.reruns < RERUNS {
            course.came.reruns += 1;
            course.world.pass(Duration::from_secs(61));
            let faults = if course.came.reruns == 1 { case.rerun.as_slice() } else { &[] };
            over = course.run(faults, None).await;
        }
        if !over {
            let left = std::mem::take(&mut course.left).join("; ");
            course.is_wrong(format!("it is not over after {} reruns: {left}", course.came.reruns));
        }
        let told = case.told();
        course.came.wrong.iter_mut().for_each(|wrong| *wrong = format!("{}, {told}: {wrong}", self.name));
        course.came
    }
}

/// A case on its way.
struct Course<'a, B> {
    scene: &'a Scene<B>,
    known: &'a Known,
    world: World<B>,
    came: Came,
    /// What the last run has left to do.
    left: Vec<String>,
}

impl<B: Books> Course<'_, B> {
    fn is_wrong(&mut self, wrong: impl Into<String>) {
        self.came.wrong.push(wrong.into());
    }

    /// One run, and what it left; whether it is over: all went through and nothing is left to do. Then it must be as if
    /// nothing had gone wrong, unless somebody has paid meanwhile.
    async fn run(&mut self, planned: &[Fault], paid_at: Option<(Site, bool)>) -> bool {
        let (faults, manifest) = (Faults::new(planned.to_vec()), &self.scene.manifest);
        let heard = paid_at.as_ref().is_some_and(|(_, heard)| *heard);
        paid_at.into_iter().for_each(|(site, _)| faults.hold_at(site));
        let (mut paid, mut then) = (0, None);
        let meanwhile = async {
            paid = self.world.everybody_pays(manifest, heard).await;
            then = Some(self.world.observe(manifest).await);
        };
        let ended = self.world.apply_while(manifest, &faults, meanwhile).await;
        self.came.paid += paid;
        if self.came.paid == 0 {
            self.judge(&ended, &faults, planned);
        }
        let now = self.world.observe(manifest).await;
        let new = beyond(&self.known.broken, broken(manifest, &now));
        let moments = std::iter::once(&self.known.before).chain(&then);
        let became = moments.flat_map(|before| since(&manifest.tournament.id, before, &now));
        self.came.wrong.extend(new.into_iter().chain(became).map(|violation| violation.to_string()));
        self.came.crashed |= matches!(ended, Ended::Crashed);
        self.came.traces.push(faults.trace());
        let canaries = self.world.books.open_canaries().await.unwrap();
        // What was paid before it could be repaired stays as it was made.
        let stays = |one: &&Violation| self.came.paid > 0 && one.rule == Rule::MadeWithoutOrderId;
        self.left = unrested(manifest, &now).iter().filter(|one| !stays(one)).map(ToString::to_string).collect();
        self.left.extend(canaries.iter().map(|canary| format!("the canary of {}", canary.run)));
        if !ended.is_clean() {
            self.left.push(ended.told());
        }
        if !self.left.is_empty() {
            return false;
        }
        let picture = picture(manifest, &now);
        if self.came.paid == 0 && picture != self.known.wanted {
            self.is_wrong(format!("it ends elsewhere: {}", picture.unlike(&self.known.wanted)));
        }
        true
    }

    /// It broke off where it was meant to, and says so.
    fn judge(&mut self, ended: &Ended, faults: &Faults, planned: &[Fault]) {
        let (trace, struck) = (faults.trace(), faults.struck());
        if let Some(first) = planned.first().filter(|first| struck.first() != Some(&(first.site.clone(), first.mode))) {
            self.is_wrong(format!("{first} did not strike: {struck:?}"));
        }
        let names = |told: &str| struck.iter().any(|(site, _)| told.contains(&site.to_string()));
        match (ended, struck.last()) {
            (Ended::Crashed, Some((site, mode))) if mode.is_crash() => {
                // What was already under way beside it is the heartbeat's sleep.
                let after = trace.iter().rev().take_while(|later| *later != site);
                let after: Vec<&Site> = after.filter(|later| later.operation != "sleep").collect();
                if !after.is_empty() {
                    self.is_wrong(format!("it crashed at {site}, and went on to {after:?}"));
                }
            }
            (Ended::Crashed, _) => self.is_wrong("it crashed where nothing struck"),
            _ if !ended.is_clean() && !names(&ended.told()) => {
                self.is_wrong(format!("no word of what was struck, but: {}", ended.told()));
            }
            _ => {}
        }
    }
}

/// Every site at which a fault is of use. A glance at the clock is no effect: to crash there is to crash before the next one.
pub(crate) fn of_use(trace: &[Site], with_glances: bool) -> Vec<Site> {
    let glance = |site: &&Site| site.side == Side::Clock && site.operation != "sleep";
    trace.iter().filter(|site| with_glances || !glance(site)).cloned().collect()
}

/// The four modes, each once.
pub(crate) fn each_once(site: &Site) -> impl Iterator<Item = Fault> {
    site.modes().iter().map(|mode| Fault::once(site.clone(), *mode))
}
