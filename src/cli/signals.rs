//! SIGINT and SIGTERM: finish what is in flight, begin nothing new, say what is left; the second one ends it at once.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::apply::Stop;
use crate::render::{Exit, Failure, Ui};

/// Runs work to its end; a signal asks it to stop, a second one drops it where it stands, which is a crash like any other.
///
/// # Errors
/// `interrupted`, for the second signal.
pub(super) async fn finishing<T>(work: impl Future<Output = T>, stop: &Stop, ui: &Ui) -> Result<T, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut terminate = signal(SignalKind::terminate()).ok();
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            () = next(&mut interrupt) => {}
            () = next(&mut terminate) => {}
        }
        if stop.is_asked() {
            return Err(Failure::new("interrupted", "interrupted twice: what was in flight was not waited for")
                .hint("run it again: whatever was begun is settled first")
                .exit(Exit::Interrupted));
        }
        ui.always("Stopping: what is in flight is finished first. Once more ends it at once.");
        stop.ask();
    }
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn asked_to_stop() {
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut terminate = signal(SignalKind::terminate()).ok();
    tokio::select! {
        () = next(&mut interrupt) => {}
        () = next(&mut terminate) => {}
    }
}

/// A signal that cannot be listened for never comes.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
