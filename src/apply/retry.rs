//! Repeats a ledger write whose answer was lost: every ledger method is harmless when repeated.

use std::future::Future;
use std::time::Duration;

use jiff::SignedDuration;

use crate::ledger::LedgerError;
use crate::world::Clock;

/// How often a write is tried.
const TRIES: u32 = 4;
/// The first pause; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// After so long it is not tried once more: where a try waits for a connection that does not come, or for a row that another
/// program holds, the next would wait as long.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// Runs a ledger write until it is done or refused, a few times.
pub(super) async fn again<T, C, F>(clock: &C, write: impl Fn() -> F) -> Result<T, LedgerError>
where
    C: Clock,
    F: Future<Output = Result<T, LedgerError>>,
{
    let begun = clock.now();
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match write().await {
            Err(LedgerError::NotDone(_) | LedgerError::Unknown(_)) if clock.now().duration_since(begun) < PATIENCE => {
                clock.sleep(pause).await;
            }
            answer => return answer,
        }
        pause *= 2;
    }
    write().await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jiff::Timestamp;

    use super::*;

    /// A clock that passes as long as is slept.
    struct Sleeps(Mutex<Timestamp>);

    impl Sleeps {
        fn passes(&self, duration: Duration) {
            *self.0.lock().unwrap() += duration;
        }
    }

    impl Clock for Sleeps {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        fn random(&self) -> u128 {
            0
        }

        async fn sleep(&self, duration: Duration) {
            self.passes(duration);
        }
    }

    /// How often a write is tried that never comes through and takes so long each time.
    async fn tries(takes: Duration, error: fn(String) -> LedgerError) -> u32 {
        let (clock, tries) = (Sleeps(Mutex::new(Timestamp::UNIX_EPOCH)), Mutex::new(0));
        let write = || async {
            *tries.lock().unwrap() += 1;
            clock.passes(takes);
            Err::<(), _>(error(String::new()))
        };
        assert!(again(&clock, write).await.is_err());
        tries.into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_write_is_tried_again_a_few_times_and_not_without_end() {
        assert_eq!(tries(Duration::ZERO, LedgerError::NotDone).await, TRIES);
        assert_eq!(tries(Duration::ZERO, LedgerError::Unknown).await, TRIES);
        assert_eq!(tries(Duration::ZERO, LedgerError::Rejected).await, 1, "the same would be refused again");
        assert_eq!(tries(Duration::from_secs(3), LedgerError::NotDone).await, 2);
        assert_eq!(tries(Duration::from_secs(10), LedgerError::NotDone).await, 1);
    }
}
