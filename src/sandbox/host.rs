//! The core with its store and the clock: every change is committed before anybody hears of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use super::SandboxError;
use super::core::{Answer, Begun, Call, CheckoutView, Control, ControlError, Core, Delivery, LinkView, Put};
use super::store::{Pending, Store};
use crate::world::{Clock, LiveClock};

/// One sandbox in one process.
#[derive(Debug)]
pub(super) struct Host {
    core: Mutex<Core>,
    store: Store,
    /// Rung when something may have fallen due.
    pub(super) bell: Notify,
    /// Tells this owner of the state from any other.
    pub(super) instance: String,
}

impl Host {
    pub(super) fn new(core: Core, store: Store) -> Self {
        let instance = format!("{:032x}", LiveClock.random());
        Self { core: Mutex::new(core), store, bell: Notify::new(), instance }
    }

    /// Runs one step of the core and queues what it puts, in the core's own order.
    fn step<T>(&self, step: impl FnOnce(&mut Core, i64) -> (T, Vec<Put>)) -> (T, Pending) {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let (result, puts) = step(&mut core, LiveClock.now().as_second());
        (result, self.store.queue(puts))
    }

    async fn committed<T>(&self, (result, pending): (T, Pending)) -> Result<T, SandboxError> {
        pending.committed().await?;
        self.bell.notify_one();
        Ok(result)
    }

    /// Makes what a new sandbox begins with outlive this process.
    ///
    /// # Errors
    /// [`SandboxError::Stopped`] where the store failed; so for every method below.
    pub(super) async fn remember(&self, puts: Vec<Put>) -> Result<(), SandboxError> {
        self.committed(self.step(|_, _| ((), puts))).await
    }

    /// One request to Stripe's API: begun, kept for the configured latency, finished, committed.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, SandboxError> {
        let (begun, latency) = {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            (core.begin(LiveClock.now().as_second(), call), core.latency_ms())
        };
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        let step = match begun {
            Begun::Answered(answer, puts) => self.step(|_, _| (answer, puts)),
            Begun::Working(ticket) => self.step(|core, now| core.finish(now, ticket)),
        };
        self.committed(step).await
    }

    /// One control command. The inner error is the core's refusal.
    pub(super) async fn control(&self, command: Control) -> Result<Result<Value, ControlError>, SandboxError> {
        let step = self.step(|core, now| match core.control(now, command) {
            Ok((value, puts)) => (Ok(value), puts),
            Err(error) => (Err(error), Vec::new()),
        });
        self.committed(step).await
    }

    /// What the hosted page shows of a session; reads only.
    pub(super) fn checkout(&self, session: &str) -> Option<CheckoutView> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).checkout(session)
    }

    /// What the page of a payment link shows; reads only.
    pub(super) fn payment_link(&self, short: &str) -> Option<LinkView> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).payment_link(short)
    }

    /// The account's id.
    pub(super) fn account(&self) -> String {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).account_id().to_owned()
    }

    /// Lets time pass, and says which deliveries are to be made now.
    pub(super) async fn due(&self) -> Result<Vec<Delivery>, SandboxError> {
        let (due, pending) = self.step(|core, now| {
            let puts = core.tick(now);
            (core.due(now), puts)
        });
        pending.committed().await?;
        Ok(due)
    }

    /// What became of a delivery: the endpoint's status, or none where there was no answer.
    pub(super) async fn delivered(&self, id: &str, status: Option<u16>) -> Result<(), SandboxError> {
        self.committed(self.step(|core, now| ((), core.delivered(now, id, status)))).await
    }

    /// Waits until everything that was queued is on disk.
    pub(super) async fn flush(&self) -> Result<(), SandboxError> {
        self.store.queue(Vec::new()).committed().await
    }
}
