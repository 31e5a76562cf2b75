//! Log lines: to stderr, but never before the first line there, which says where we are.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where log lines go. While they are held back they are kept, and none is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Option<Vec<u8>>>>);

impl Log {
    /// Keeps what comes, for a command that will say where we are.
    pub(super) fn hold_back(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// Says what was kept, and from now on whatever comes.
    pub(super) fn release(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A line that cannot be written to stderr can be told nowhere else.
        let _ = io::stderr().write_all(&held.take().unwrap_or_default());
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.write(bytes),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// `-v` shows what is done, `-vv` each request with Stripe's request id; never a body, never a secret.
pub(super) fn begin(verbose: u8, color: bool, log: &Log) {
    let level = match verbose {
        0 => "off",
        1 => "tourney=info",
        _ => "tourney=debug",
    };
    let filter = tracing_subscriber::EnvFilter::new(level);
    let log = log.clone();
    // A second subscriber in one process (tests of the library) is no reason to fail.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || log.clone()).with_ansi(color).try_init();
}
