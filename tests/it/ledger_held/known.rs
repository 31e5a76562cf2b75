//! What is known at a command's turn: every state in which an order was ever seen, every guard, every attempt.

use std::collections::BTreeMap;

use tourney::domain::{AttemptId, Id, Money, OrderId, OrderStatus, RunId, Seen};
use tourney::ledger::{Guard, Ledger};
use tourney::world::sim::MemoryLedger;

use crate::ledger::{player, usd};

use super::call::{Call, Command, Given, Twist};

#[derive(Default)]
pub(crate) struct Known {
    /// Orders as they appeared, each with all that it has been.
    orders: Vec<(OrderId, Vec<Seen>)>,
    guards: Vec<Guard>,
    attempts: Vec<AttemptId>,
}

impl Known {
    /// What a command comes to.
    pub(crate) async fn resolve(&self, command: &Command, memory: &MemoryLedger) -> Given {
        let bird = command.call.bird();
        let canaries = if bird.is_some() { memory.canaries().await.unwrap() } else { Vec::new() };
        let journalled = bird.and_then(|bird| canaries.into_iter().find(|canary| canary.run == bird.canary.run));
        let none = || AttemptId::from("none");
        let attempt = newest(&self.attempts, command.attempt).cloned().unwrap_or_else(none);
        Given { guard: self.guard(command.guard), seen: self.seen(command), attempt, journalled }
    }

    fn guard(&self, which: usize) -> Guard {
        let last = || self.guards.last().cloned().unwrap_or(Guard { run: RunId::from("nobody"), fence: 0 });
        match which {
            0..3 => newest(&self.guards, which).cloned().unwrap_or_else(last),
            _ => Guard { fence: last().fence + 1, ..last() },
        }
    }

    fn seen(&self, command: &Command) -> Seen {
        let order = newest(&self.orders, command.order);
        let mut seen = order.and_then(|(_, seen)| newest(seen, command.age)).cloned().unwrap_or_else(stranger);
        match command.twist.clone() {
            None => {}
            Some(Twist::Status(status)) => seen.status = status,
            Some(Twist::Session(session)) => seen.session = session,
            Some(Twist::Intent(intent)) => seen.payment_intent = intent,
            Some(Twist::Amount(amount)) => seen.amount = amount,
            Some(Twist::Player(player)) => seen.registration.player = player,
        }
        seen
    }

    /// Learns what a call has left.
    pub(crate) async fn learn(&mut self, call: &Call, memory: &MemoryLedger) {
        let state = memory.snapshot();
        if let (Call::Lock(..) | Call::TakeOver(..), Some(holder)) = (call, &state.lock.holder) {
            let guard = Guard { run: holder.run.clone(), fence: state.lock.fence };
            if self.guards.last() != Some(&guard) {
                self.guards.push(guard);
            }
        }
        self.attempts
            .extend(state.attempts.keys().filter(|id| !self.attempts.contains(id)).cloned().collect::<Vec<_>>());
        for id in state.orders.keys() {
            let seen = memory.order(id).await.unwrap().unwrap().seen();
            match self.orders.iter_mut().find(|(known, _)| known == id) {
                Some((_, history)) if history.last() == Some(&seen) => {}
                Some((_, history)) => history.push(seen),
                None => self.orders.push((id.clone(), vec![seen])),
            }
        }
    }

    /// Somebody who knows of nothing.
    pub(crate) fn stranger(&self) -> Given {
        Given { guard: self.guard(0), seen: stranger(), attempt: AttemptId::from("none"), journalled: None }
    }

    /// Every order that there ever was.
    pub(crate) fn every_order(&self) -> Vec<Given> {
        let seen = self.orders.iter().filter_map(|(_, history)| history.last());
        seen.map(|seen| Given { seen: seen.clone(), ..self.stranger() }).collect()
    }
}

/// An order that there never was.
fn stranger() -> Seen {
    Seen {
        id: OrderId(Id::slug("ord_never").unwrap()),
        registration: player(7),
        amount: Money::new(5500, usd()),
        status: OrderStatus::Pending,
        session: None,
        payment_intent: None,
    }
}

/// The newest but so many, counted round.
fn newest<T>(of: &[T], which: usize) -> Option<&T> {
    of.len().checked_sub(1).and_then(|last| of.get(last - which % of.len()))
}

/// How often each method has answered in each way.
pub(crate) type Tally = BTreeMap<(&'static str, String), u64>;
