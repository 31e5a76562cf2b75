//! Time and chance, at which a program may crash.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use super::faults::Faulty;
use super::site::Side;
use crate::world::Clock;

impl<C: Clock> Clock for Faulty<C> {
    fn now(&self) -> Timestamp {
        self.faults.glance(Side::Clock, "now");
        self.inner.now()
    }

    fn random(&self) -> u128 {
        self.faults.glance(Side::Clock, "random");
        self.inner.random()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.faults.interrupt(Side::Clock, "sleep", self.inner.sleep(duration))
    }
}
