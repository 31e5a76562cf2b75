//! Repeats a ledger write whose answer was lost: every ledger method is harmless when repeated.

use std::future::Future;
use std::time::Duration;

use crate::ledger::LedgerError;
use crate::world::Clock;

/// How often a write is tried.
const TRIES: u32 = 4;
/// The first pause; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Runs a ledger write until it is done or refused, a few times.
pub(super) async fn again<T, C, F>(clock: &C, write: impl Fn() -> F) -> Result<T, LedgerError>
where
    C: Clock,
    F: Future<Output = Result<T, LedgerError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match write().await {
            Err(LedgerError::NotDone(_) | LedgerError::Unknown(_)) => clock.sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    write().await
}
