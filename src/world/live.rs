//! The live clock. The live wire is [`crate::stripe::HttpWire`].

use std::time::Duration;

use jiff::Timestamp;

use super::Clock;

/// The machine's clock and the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveClock;

impl Clock for LiveClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        // Without the system's randomness no id may be given: there is nothing sensible to go on with.
        #[allow(clippy::expect_used, reason = "no operation of the program is safe without randomness")]
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        u128::from_le_bytes(bytes)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
