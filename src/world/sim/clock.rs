//! The virtual clock: time stands still until somebody moves it, and chance comes from a seed.
//!
//! A sleep waits for the clock; it never moves it. A driver that polls futures until none can go on, and then calls
//! [`SimClock::advance_to_next`], runs a program at full speed with every pause in its place; a driver that interleaves
//! several programs takes the same call for one more step that it may choose. Were a sleep to move the clock itself, the
//! heartbeat that runs beside an apply would never leave it a turn.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::world::Clock;

/// A clock of the simulated world. Clones are the same clock; [`SimClock::beside`] gives another one on the same time.
#[derive(Clone, Debug)]
pub struct SimClock {
    time: Arc<Mutex<Time>>,
    chance: Arc<Mutex<Chance>>,
    ahead: SignedDuration,
}

/// The one time of a world.
#[derive(Debug)]
struct Time {
    now: Timestamp,
    /// Who waits for when, in the order in which they fell asleep.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    asleep: u64,
}

impl SimClock {
    /// A clock that stands at `now`, with randomness from `seed`.
    #[must_use]
    pub fn new(now: Timestamp, seed: u64) -> Self {
        let time = Time { now, sleepers: BTreeMap::new(), asleep: 0 };
        let chance = Arc::new(Mutex::new(Chance(seed)));
        Self { time: Arc::new(Mutex::new(time)), chance, ahead: SignedDuration::ZERO }
    }

    /// Another machine's clock on the same time: wrong by `ahead`, and with randomness of its own, so that what one machine
    /// draws does not depend on when another one draws.
    #[must_use]
    pub fn beside(&self, seed: u64, ahead: SignedDuration) -> Self {
        Self { time: Arc::clone(&self.time), chance: Arc::new(Mutex::new(Chance(seed))), ahead }
    }

    /// Moves time forward, and wakes who has slept long enough.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time();
        time.now = later(time.now, by);
        time.wake_due();
    }

    /// Moves time to the first moment for which somebody waits, and wakes them; false where nobody does.
    pub fn advance_to_next(&self) -> bool {
        let mut time = self.time();
        let Some((&(until, _), _)) = time.sleepers.first_key_value() else { return false };
        time.now = time.now.max(until);
        time.wake_due();
        true
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Time {
    fn wake_due(&mut self) {
        while let Some(first) = self.sleepers.first_entry().filter(|first| first.key().0 <= self.now) {
            first.remove().wake();
        }
    }
}

/// The end of time where it would lie beyond what can be told.
fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.time().now.saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    fn random(&self) -> u128 {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(chance.next()) << 64 | u128::from(chance.next())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        let until = later(self.time().now, duration);
        Sleep { time: Arc::clone(&self.time), until, place: None }
    }
}

/// Somebody who waits. Dropped, they wait no more.
struct Sleep {
    time: Arc<Mutex<Time>>,
    until: Timestamp,
    place: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = Arc::clone(&self.time);
        let mut time = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if time.now >= self.until {
            return Poll::Ready(());
        }
        let place = *self.place.get_or_insert_with(|| {
            time.asleep += 1;
            time.asleep
        });
        time.sleepers.insert((self.until, place), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
            time.sleepers.remove(&(self.until, place));
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same numbers, on every machine and for ever.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn clock(seed: u64) -> SimClock {
        SimClock::new(Timestamp::UNIX_EPOCH, seed)
    }

    fn seconds(clock: &SimClock) -> i64 {
        clock.now().as_second()
    }

    #[test]
    fn time_passes_when_it_is_told_to() {
        let clock = clock(1);
        let mut long = Box::pin(clock.sleep(Duration::from_secs(20)));
        let mut short = Box::pin(clock.sleep(Duration::from_secs(5)));
        assert!((&mut long).now_or_never().is_none() && (&mut short).now_or_never().is_none());
        assert!(clock.advance_to_next());
        assert_eq!(seconds(&clock), 5);
        assert!((&mut short).now_or_never().is_some() && (&mut long).now_or_never().is_none());
        clock.advance(Duration::from_secs(14));
        assert!((&mut long).now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        assert!((&mut long).now_or_never().is_some());
        assert!(!clock.advance_to_next(), "nobody waits any more");
    }

    #[test]
    fn who_is_gone_is_not_waited_for() {
        let clock = clock(1);
        let mut gone = Box::pin(clock.sleep(Duration::from_secs(5)));
        assert!((&mut gone).now_or_never().is_none());
        drop(gone);
        assert!(!clock.advance_to_next());
        assert_eq!(seconds(&clock), 0);
    }

    #[test]
    fn a_clock_beside_is_wrong_by_as_much_as_it_is_told() {
        let (clock, other) = (clock(1), clock(1).beside(2, SignedDuration::from_hours(3)));
        assert_eq!(seconds(&other) - seconds(&clock), 3 * 3_600);
        let of_ours = clock.beside(2, SignedDuration::from_secs(-7));
        clock.advance(Duration::from_secs(10));
        assert_eq!((seconds(&clock), seconds(&of_ours)), (10, 3));
    }

    #[test]
    fn chance_can_be_repeated() {
        let draw = |seed| {
            let clock = clock(seed);
            [clock.random(), clock.random(), clock.random()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let [one, two, three] = draw(7);
        assert!(one != two && two != three && one != three);
        // The generator's published first number for this seed.
        assert_eq!(Chance(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
