//! Counts and a bounded log of requests, so that a test can prove what a command asked of Stripe. Kept in memory only:
//! a read leaves nothing behind.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::call::Call;
use super::route::Route;

const KEPT: usize = 2000;

#[derive(Clone, Debug)]
struct Entry {
    id: String,
    method: String,
    path: String,
    key: Option<String>,
    /// None while it is under way, 0 where the connection was cut before execution.
    status: Option<u16>,
}

/// What was asked so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Stats {
    requests: u64,
    counts: BTreeMap<String, u64>,
    log: VecDeque<Entry>,
}

impl Stats {
    /// The number of the next request.
    pub(super) fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    pub(super) fn arrived(&mut self, call: &Call, id: &str) {
        if self.log.len() == KEPT {
            self.log.pop_front();
        }
        self.log.push_back(Entry {
            id: id.to_owned(),
            method: call.method.clone(),
            path: call.path.clone(),
            key: call.header("idempotency-key").map(str::to_owned),
            status: None,
        });
    }

    pub(super) fn routed(&mut self, route: &Route) {
        *self.counts.entry(route.name()).or_default() += 1;
    }

    pub(super) fn answered(&mut self, id: &str, status: u16) {
        if let Some(entry) = self.log.iter_mut().rev().find(|entry| entry.id == id) {
            entry.status = Some(status);
        }
    }

    /// Counts by method and path template, and of all requests.
    pub(super) fn counts(&self) -> Value {
        json!({"requests": self.requests, "counts": self.counts})
    }

    /// The log, oldest first.
    pub(super) fn log(&self) -> Value {
        let entry = |e: &Entry| json!({"method": e.method, "path": e.path, "status": e.status, "idempotency_key": e.key, "request_id": e.id});
        json!({"requests": self.log.iter().map(entry).collect::<Vec<_>>()})
    }

    /// Forgets counts and log; request ids go on.
    pub(super) fn reset(&mut self) {
        self.counts.clear();
        self.log.clear();
    }
}
