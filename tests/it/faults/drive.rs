//! Runs a program in the simulated world: as fast as it can go, with every pause in its place, until it ends or crashes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tourney::world::faulty::{Faults, Side};
use tourney::world::sim::SimClock;

/// Polls a program; whenever nothing in it can go on, moves the clock to the next moment for which it waits. None where it
/// crashed: then it is dropped where it stood. A database that works for real is waited for.
pub(crate) async fn drive<T>(program: impl Future<Output = T>, clock: &SimClock, faults: &Faults) -> Option<T> {
    drive_while(program, clock, faults, std::future::ready(())).await
}

/// The same, and `meanwhile` happens when the program is held at a site: before the effect there begins.
pub(crate) async fn drive_while<T>(
    program: impl Future<Output = T>,
    clock: &SimClock,
    faults: &Faults,
    meanwhile: impl Future<Output = ()>,
) -> Option<T> {
    let mut program = pin!(program);
    let mut crashed = pin!(faults.crashed());
    let mut meanwhile = pin!(meanwhile);
    poll_fn(|cx| {
        loop {
            let awake = Arc::new(Awake { flag: AtomicBool::new(false), outer: cx.waker().clone() });
            let waker = Waker::from(Arc::clone(&awake));
            let mut inner = Context::from_waker(&waker);
            if crashed.as_mut().poll(&mut inner).is_ready() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(value) = program.as_mut().poll(&mut inner) {
                return Poll::Ready(Some(value));
            }
            if awake.flag.load(Ordering::Acquire) {
                continue;
            }
            if faults.under_way(Side::Ledger) > 0 {
                return Poll::Pending;
            }
            if faults.is_held() {
                if meanwhile.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                faults.go_on();
                continue;
            }
            assert!(clock.advance_to_next(), "nothing in the program can go on, and it waits for no moment");
        }
    })
    .await
}

/// Whether somebody has woken the program while it was polled.
struct Awake {
    flag: AtomicBool,
    outer: Waker,
}

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.flag.store(true, Ordering::Release);
        self.outer.wake_by_ref();
    }
}
