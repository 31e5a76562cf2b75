//! What was tried, in figures that can be written down.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

/// All schedules of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Figures {
    /// The first seed.
    pub(crate) seed: u64,
    pub(crate) schedules: u64,
    /// Choices of what happens next.
    pub(crate) steps: u64,
    /// Requests, answers and transactions that took their turn.
    pub(crate) effects: u64,
    /// Faults by their kind.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Programs that ended in the midst of what they did.
    pub(crate) crashes: u64,
    /// Runs of `apply` that began.
    pub(crate) applies: u64,
    /// Payments that arrived or are on their way.
    pub(crate) payments: u64,
    /// Deliveries that reached the receiver.
    pub(crate) webhooks: u64,
    /// Deliveries that were lost or came twice.
    pub(crate) webhooks_lost: u64,
    pub(crate) webhooks_doubled: u64,
    /// Jumps of the clock by minutes or more.
    pub(crate) jumps: u64,
    /// Moments at which the invariants were checked.
    pub(crate) checks: u64,
    /// How many runs the last apply took: one, two, three.
    pub(crate) reruns: [u64; 4],
    pub(crate) violations: u64,
}

impl Figures {
    /// As they are written down: a schedule is a case, and an effect a point at which something may go wrong.
    pub(crate) fn told(&self) -> Value {
        json!({
            "points": self.effects,
            "modes": self.faults.len(),
            "cases": self.schedules,
            "violations": self.violations,
            "steps": self.steps,
            "faults": self.faults.values().sum::<u64>(),
            "crashes": self.crashes,
            "applies": self.applies,
            "payments": self.payments,
            "deliveries": self.webhooks,
            "checks of the invariants": self.checks,
        })
    }

    pub(crate) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.steps += other.steps;
        self.effects += other.effects;
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.crashes += other.crashes;
        self.applies += other.applies;
        self.payments += other.payments;
        self.webhooks += other.webhooks;
        self.webhooks_lost += other.webhooks_lost;
        self.webhooks_doubled += other.webhooks_doubled;
        self.jumps += other.jumps;
        self.checks += other.checks;
        for (mine, its) in self.reruns.iter_mut().zip(other.reruns) {
            *mine += its;
        }
        self.violations += other.violations;
    }
}
