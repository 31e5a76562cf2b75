//! SIGINT and SIGTERM, listened for from the program's start. A command that has something to finish sees to them itself;
//! any other ends where it stands, which is a crash like any other, and says so.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::apply::Stop;
use crate::render::{Exit, Failure, Ui};

/// How long a command that was interrupted may take to end: it may be stuck in a read or a write that nobody answers.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of the signals seen to: whatever comes is seen to by a command.
const ALL: u32 = u32::MAX;

/// The signals that have come, and how many of them a command has seen to.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    come: watch::Receiver<u32>,
    seen_to: Arc<AtomicU32>,
    /// Whether it was said that the run was interrupted.
    told: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on, on the runtime that it is called in. A signal that cannot be listened for kills, as ever.
    pub(super) fn listen() -> Self {
        let (tell, come) = watch::channel(0);
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let Ok(mut signal) = signal(kind) else { continue };
            let tell = tell.clone();
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    tell.send_modify(|come| *come += 1);
                }
            });
        }
        Self { come, seen_to: Arc::default(), told: Arc::default() }
    }

    /// Runs a command to its end, or to the first signal that it does not see to itself.
    ///
    /// # Errors
    /// The command's own, or `interrupted`.
    pub(super) async fn or_interrupted<T>(
        &self,
        command: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            // The command first: what it has just begun to see to is its own.
            biased;
            done = command => done,
            () = self.unseen() => Err(interrupted()),
        }
    }

    /// Ends the process where a signal came and nothing else has ended it: the command is stuck where no future can be
    /// dropped. `say` tells people; it may get stuck as well, and is not waited for without end.
    pub(super) async fn or_exit(self, say: impl FnOnce(&Failure) + Send + 'static) {
        loop {
            self.unseen().await;
            tokio::time::sleep(PATIENCE).await;
            // Else a command has taken it on meanwhile.
            if *self.come.borrow() > self.seen_to.load(Ordering::SeqCst) {
                break;
            }
        }
        if self.may_tell() {
            let said = tokio::task::spawn_blocking(move || say(&interrupted()));
            // Said or not: the code says the same.
            let _ = tokio::time::timeout(PATIENCE, said).await;
        }
        std::process::exit(Exit::Interrupted as i32);
    }

    /// Whether nobody has said yet that the run was interrupted; asked once, by whoever says it.
    pub(super) fn may_tell(&self) -> bool {
        !self.told.swap(true, Ordering::SeqCst)
    }

    /// Runs work to its end; a signal asks it to stop, a second one drops it where it stands, which is a crash like any
    /// other.
    ///
    /// # Errors
    /// `interrupted`, for the second signal.
    pub(super) async fn finishing<T>(&self, work: impl Future<Output = T>, stop: &Stop, ui: &Ui) -> Result<T, Failure> {
        let mut own = self.see_to();
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = own.next() => {}
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

    /// Waits for a signal, which is then seen to.
    pub(super) async fn asked_to_stop(&self) {
        self.see_to().next().await;
    }

    /// From now on, and until it is dropped, a command sees to signals itself.
    fn see_to(&self) -> SeenTo<'_> {
        SeenTo { seen: self.seen_to.swap(ALL, Ordering::SeqCst), signals: self }
    }

    async fn unseen(&self) {
        self.more_than(|| self.seen_to.load(Ordering::SeqCst)).await;
    }

    /// Waits until more signals have come than so many.
    async fn more_than(&self, seen: impl Fn() -> u32) {
        let mut come = self.come.clone();
        // Nobody tells any more where no signal can be listened for.
        if come.wait_for(|come| *come > seen()).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A command that sees to signals itself. What came before it began is not lost: it is its first.
struct SeenTo<'a> {
    signals: &'a Signals,
    seen: u32,
}

impl SeenTo<'_> {
    async fn next(&mut self) {
        let seen = self.seen;
        self.signals.more_than(|| seen).await;
        self.seen += 1;
    }
}

impl Drop for SeenTo<'_> {
    fn drop(&mut self) {
        self.signals.seen_to.store(*self.signals.come.borrow(), Ordering::SeqCst);
    }
}

/// A signal came, and the command had nothing to finish.
#[must_use]
pub(super) fn interrupted() -> Failure {
    Failure::new("interrupted", "interrupted by a signal")
        .hint("run it again: whatever was begun is settled first")
        .exit(Exit::Interrupted)
}
