//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// Far above what any condition needs, so that only a condition that never comes true reaches it.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks `condition` until it holds; panics with `what` after a minute.
///
/// This is not a sleep: the condition alone ends the wait, as soon as it holds, and no test's result depends on how
/// long a millisecond is. The pause between two questions only leaves the processor to whatever is being waited for.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
