//! Turns: effects that wait until somebody lets them begin.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::faults::Faults;
use super::site::{Mode, Side, Site};

/// Where a program waits before its effects.
#[derive(Debug, Default)]
pub(super) enum Held {
    #[default]
    Nowhere,
    /// Before one.
    At(Site),
    /// Before each that is one: Stripe's and the ledger's.
    Everywhere,
}

impl Held {
    pub(super) fn is_at(&self, site: &Site) -> bool {
        match self {
            Self::Nowhere => false,
            Self::At(there) => there == site,
            Self::Everywhere => site.side != Side::Clock,
        }
    }
}

/// Who waits for its turn.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: BTreeMap<u64, Waiting>,
    asked: u64,
}

#[derive(Debug)]
struct Waiting {
    site: Site,
    waker: Option<Waker>,
    go: Option<Go>,
}

/// How an effect is let go: as it is said, or, where nothing is, as it was planned.
type Go = Option<Option<Mode>>;

impl Turns {
    pub(super) fn waiting(&self) -> Vec<(u64, Site)> {
        let waiting = self.waiting.iter().filter(|(_, waiting)| waiting.go.is_none());
        waiting.map(|(turn, waiting)| (*turn, waiting.site.clone())).collect()
    }

    pub(super) fn let_go(&mut self, turn: u64, go: Go) {
        if let Some(waiting) = self.waiting.get_mut(&turn) {
            waiting.go = Some(go);
            waiting.waker.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// One effect's turn. Dropped, it is not waited for any more.
pub(super) struct Turn<'a> {
    faults: &'a Faults,
    number: u64,
}

impl<'a> Turn<'a> {
    pub(super) fn ask(faults: &'a Faults, site: Site) -> Self {
        let number = faults.turns(|turns| {
            turns.asked += 1;
            turns.waiting.insert(turns.asked, Waiting { site, waker: None, go: None });
            turns.asked
        });
        Self { faults, number }
    }
}

impl Future for Turn<'_> {
    type Output = Go;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Go> {
        self.faults.turns(|turns| match turns.waiting.get_mut(&self.number) {
            Some(Waiting { go: Some(go), .. }) => Poll::Ready(*go),
            Some(waiting) => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(None),
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.faults.turns(|turns| turns.waiting.remove(&self.number));
    }
}
