//! SIGINT and SIGTERM: finish what is in flight, begin nothing new, say what is left.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::apply::Stop;
use crate::render::Ui;

/// Runs work to its end; a signal asks it to stop.
pub(super) async fn finishing<T>(work: impl Future<Output = T>, stop: &Stop, ui: &Ui) -> T {
    let mut interrupt = signal(SignalKind::interrupt()).ok();
    let mut terminate = signal(SignalKind::terminate()).ok();
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = next(&mut interrupt) => {}
            () = next(&mut terminate) => {}
        }
        if !stop.is_asked() {
            ui.always("Stopping: what is in flight is finished first.");
        }
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
