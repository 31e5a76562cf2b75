//! The faults of one run: what is to strike, what was passed, what was struck.

use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::site::{Fault, Mode, Side, Site};
use super::turns::{Held, Turn, Turns};

/// A wire, a ledger or a clock with faults.
#[derive(Debug)]
pub struct Faulty<T> {
    pub(super) inner: T,
    pub(super) faults: Faults,
}

impl<T> Faulty<T> {
    /// What is within, past all faults.
    #[must_use]
    pub const fn inner(&self) -> &T {
        &self.inner
    }
}

/// What strikes in one run, and what it has met. Clones share it; a rerun, like any new process, has one of its own.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    planned: Vec<Fault>,
    counts: BTreeMap<(Side, String), u32>,
    trace: Vec<Site>,
    struck: Vec<(Site, Mode)>,
    under_way: BTreeMap<Side, usize>,
    held: Held,
    turns: Turns,
    crashed: bool,
    watching: Vec<Waker>,
}

/// What an effect that fails says. It names the site.
pub(super) trait Said {
    /// Nothing was done.
    fn not_done(site: &Site) -> Self;
    /// It may have been done.
    fn lost(site: &Site) -> Self;
}

impl Faults {
    /// These faults; none, to learn the sites of a run.
    #[must_use]
    pub fn new(planned: Vec<Fault>) -> Self {
        Self(Arc::new(Mutex::new(State { planned, ..State::default() })))
    }

    /// Puts the decorator around a wire, a ledger or a clock.
    #[must_use]
    pub fn around<T>(&self, inner: T) -> Faulty<T> {
        Faulty { inner, faults: self.clone() }
    }

    /// Every site that was passed, in the order in which their effects began.
    #[must_use]
    pub fn trace(&self) -> Vec<Site> {
        self.state().trace.clone()
    }

    /// The sites that were struck, and how.
    #[must_use]
    pub fn struck(&self) -> Vec<(Site, Mode)> {
        self.state().struck.clone()
    }

    /// How many effects of a side have begun and not ended. What a clock's sleep waits for is moved by whoever waits for the
    /// others.
    #[must_use]
    pub fn under_way(&self, side: Side) -> usize {
        self.state().under_way.get(&side).copied().unwrap_or_default()
    }

    /// Faults that somebody directs: no effect begins before [`Faults::let_go`] says so, and how it fails is said there.
    /// Time and chance are not waited with: to begin a sleep has no effect.
    #[must_use]
    pub fn directed() -> Self {
        Self(Arc::new(Mutex::new(State { held: Held::Everywhere, ..State::default() })))
    }

    /// The effects that wait to be let go, by the numbers of their turns, in the order in which they came.
    #[must_use]
    pub fn waiting(&self) -> Vec<(u64, Site)> {
        self.state().turns.waiting()
    }

    /// An effect that waits begins, and fails like this. A mode that makes no sense there ([`Site::modes`]) is none.
    pub fn let_go(&self, turn: u64, mode: Option<Mode>) {
        self.state().turns.let_go(turn, Some(mode));
    }

    /// One more moment in the midst of an effect, for which whoever directs is waited as well: gives how the rest of it is to
    /// fail. It is no site, and nothing strikes here.
    pub async fn turn(&self, site: Site) -> Option<Mode> {
        Turn::ask(self, site).await.flatten()
    }

    /// Lets the program wait at this site, before its effect begins and before any fault strikes there: something else may happen
    /// first. A glance at the clock does not wait.
    pub fn hold_at(&self, site: Site) {
        self.state().held = Held::At(site);
    }

    /// Whether the program waits there now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.state().turns.waiting().is_empty()
    }

    /// The program waits no longer.
    pub fn go_on(&self) {
        let mut state = self.state();
        for (turn, _) in state.turns.waiting() {
            state.turns.let_go(turn, None);
        }
    }

    /// Resolves when the program has crashed: it is to be dropped.
    pub fn crashed(&self) -> impl Future<Output = ()> + Send + use<> {
        let faults = self.clone();
        poll_fn(move |cx| {
            let mut state = faults.state();
            if state.crashed {
                return Poll::Ready(());
            }
            if !state.watching.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.watching.push(cx.waker().clone());
            }
            Poll::Pending
        })
    }

    /// An effect that can fail.
    pub(super) async fn strike<T, E: Said>(
        &self,
        side: Side,
        operation: &str,
        effect: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (site, mode) = self.pass(side, operation).await;
        match mode {
            None => self.carry_out(side, effect).await,
            Some(Mode::FailBefore) => Err(E::not_done(&site)),
            Some(Mode::LoseAnswer) => self.carry_out(side, effect).await.and_then(|_| Err(E::lost(&site))),
            Some(Mode::CrashBefore) => self.crash().await,
            Some(Mode::CrashAfter) => {
                // Whatever came of it: nobody hears of it.
                let _ = self.carry_out(side, effect).await;
                self.crash().await
            }
        }
    }

    /// An effect that cannot fail, and takes time.
    pub(super) async fn interrupt(&self, side: Side, operation: &str, effect: impl Future<Output = ()>) {
        let (_, mode) = self.pass(side, operation).await;
        if mode == Some(Mode::CrashBefore) {
            self.crash::<()>().await;
        }
        self.carry_out(side, effect).await;
        if mode == Some(Mode::CrashAfter) {
            self.crash::<()>().await;
        }
    }

    /// An effect that cannot fail and takes no time. The program gets no further than to its next effect: before or after this
    /// one is the same.
    pub(super) fn glance(&self, side: Side, operation: &str) {
        let mut state = self.state();
        if !state.crashed && state.meet(side, operation).1.is_some() {
            state.end();
        }
    }

    /// The site of an effect that begins, and what strikes it. After a crash none begins.
    async fn pass(&self, side: Side, operation: &str) -> (Site, Option<Mode>) {
        let met = {
            let mut state = self.state();
            if state.crashed { None } else { Some(state.meet(side, operation)) }
        };
        let Some((site, planned)) = met else { return pending().await };
        if !self.state().held.is_at(&site) {
            return (site, planned);
        }
        let said = Turn::ask(self, site.clone()).await;
        if self.state().crashed {
            return pending().await;
        }
        let mode = said.map_or(planned, |mode| mode.filter(|mode| site.modes().contains(mode)));
        if said.is_some() {
            self.state().struck.extend(mode.map(|mode| (site.clone(), mode)));
        }
        (site, mode)
    }

    async fn carry_out<T>(&self, side: Side, effect: impl Future<Output = T>) -> T {
        let _under_way = UnderWay::begin(self, side);
        effect.await
    }

    async fn crash<T>(&self) -> T {
        self.state().end();
        pending().await
    }

    pub(super) fn turns<T>(&self, work: impl FnOnce(&mut Turns) -> T) -> T {
        work(&mut self.state().turns)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn meet(&mut self, side: Side, operation: &str) -> (Site, Option<Mode>) {
        let count = self.counts.entry((side, operation.to_owned())).or_default();
        *count += 1;
        let site = Site { side, operation: operation.to_owned(), nth: *count };
        let mode = self.planned.iter().find_map(|fault| fault.at(&site));
        self.trace.push(site.clone());
        self.struck.extend(mode.map(|mode| (site.clone(), mode)));
        (site, mode)
    }

    fn end(&mut self) {
        self.crashed = true;
        self.watching.drain(..).for_each(Waker::wake);
    }
}

/// Counts an effect for as long as it is under way, also where it is dropped.
struct UnderWay<'a>(&'a Faults, Side);

impl<'a> UnderWay<'a> {
    fn begin(faults: &'a Faults, side: Side) -> Self {
        *faults.state().under_way.entry(side).or_default() += 1;
        Self(faults, side)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0.state().under_way.get_mut(&self.1) {
            *count -= 1;
        }
    }
}
