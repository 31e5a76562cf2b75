//! The rate limit: asked before each request, on our own clock, and learning from 429.
//!
//! Stripe allows 25 requests a second in test mode and 100 in live mode for a whole account (stripe/facts.md, Errors),
//! which others use too. So a 429 halves the rate, and quiet seconds bring it back one by one.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::world::Clock;

/// One more request a second is allowed again after this long without a 429.
const RECOVERY: Duration = Duration::from_secs(2);
/// A 429 within this time of another belongs to the same burst and does not halve again.
const SAME_BURST: Duration = Duration::from_secs(1);
/// No wait for one request is longer at any rate; a longer one means that the clock was set back.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Our clock as governor reads it: the time since the Unix epoch.
#[derive(Debug)]
struct Ticks<C>(Arc<C>);

impl<C> Clone for Ticks<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clock> GovernorClock for Ticks<C> {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let since = self.0.now().as_duration();
        Duration::try_from(since).unwrap_or_default()
    }
}

type Limiter<C> = RateLimiter<NotKeyed, InMemoryState, Ticks<C>, NoOpMiddleware<Duration>>;

/// The pace at which requests leave.
pub(super) struct Pace<C: Clock> {
    clock: Ticks<C>,
    most: NonZeroU32,
    state: Mutex<State<C>>,
}

struct State<C: Clock> {
    limiter: Limiter<C>,
    rate: NonZeroU32,
    changed: Duration,
}

impl<C: Clock> Pace<C> {
    /// At most `most` requests a second.
    pub(super) fn new(clock: Arc<C>, most: NonZeroU32) -> Self {
        let clock = Ticks(clock);
        let state = State { limiter: limiter(&clock, most), rate: most, changed: clock.now() };
        Self { clock, most, state: Mutex::new(state) }
    }

    /// Waits until a request may leave.
    pub(super) async fn wait(&self) {
        while let Some(wait) = self.ask() {
            self.clock.0.sleep(wait).await;
        }
    }

    /// How long to wait before asking again; none: go.
    fn ask(&self) -> Option<Duration> {
        let mut state = self.locked();
        let now = self.clock.now();
        if state.rate < self.most && now.saturating_sub(state.changed) >= RECOVERY {
            let rate = state.rate.saturating_add(1);
            self.set(&mut state, rate, now);
        }
        let wait = state.limiter.check().err()?.wait_time_from(now);
        if wait > LONGEST_WAIT {
            state.limiter = limiter(&self.clock, state.rate);
            return None;
        }
        Some(wait.max(Duration::from_millis(1)))
    }

    /// Learns from a 429: half the rate.
    pub(super) fn slow_down(&self) {
        let mut state = self.locked();
        let now = self.clock.now();
        if state.rate < self.most && now.saturating_sub(state.changed) < SAME_BURST {
            return;
        }
        let rate = NonZeroU32::new(state.rate.get() / 2).unwrap_or(NonZeroU32::MIN);
        self.set(&mut state, rate, now);
        tracing::info!(rate = rate.get(), "Stripe asks us to slow down");
    }

    fn set(&self, state: &mut State<C>, rate: NonZeroU32, now: Duration) {
        state.limiter = limiter(&self.clock, rate);
        state.rate = rate;
        state.changed = now;
    }

    fn locked(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A quarter of a second's requests may leave at once.
fn limiter<C: Clock>(clock: &Ticks<C>, rate: NonZeroU32) -> Limiter<C> {
    let burst = NonZeroU32::new(rate.get() / 4).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), clock.clone())
}
