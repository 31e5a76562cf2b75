//! What is kept for people: runs, their steps, names; and what was found of the application's handler.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::domain::{RunId, TournamentId};
use crate::ledger::{Guard, Handler, Run, RunStep};

use super::{Result, State, whole};

impl State {
    /// Nothing where it is open already.
    pub(super) fn start_run(&mut self, run: &Run) {
        if self.runs.iter().all(|other| other.id != run.id) {
            let started_at = self.at(run.started_at);
            self.runs.push(Run { started_at, finished_at: run.finished_at.map(whole), ..run.clone() });
        }
    }

    pub(super) fn finish_run(&mut self, id: &RunId, at: Timestamp, outcome: &str, summary: &str) {
        let at = self.at(at);
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == *id) {
            run.finished_at = Some(at);
            run.outcome = Some(outcome.to_owned());
            run.summary = Some(summary.to_owned());
        }
    }

    /// The newest runs first; of those that began in one second, the one that was written last.
    pub(super) fn newest_runs(&self, limit: u32) -> Vec<Run> {
        let mut runs: Vec<&Run> = self.runs.iter().rev().collect();
        runs.sort_by_key(|run| Reverse(run.started_at));
        runs.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
    }

    /// The very same step only once, to the fraction of its second.
    pub(super) fn log_step(&mut self, run: &RunId, step: &RunStep) {
        self.at(step.at);
        let entry = (run.clone(), step.clone());
        if !self.steps.contains(&entry) {
            self.steps.push(entry);
        }
    }

    pub(super) fn steps_of(&self, run: &RunId) -> Vec<RunStep> {
        let steps = self.steps.iter().filter(|(of, _)| of == run);
        steps.map(|(_, step)| RunStep { at: whole(step.at), ..step.clone() }).collect()
    }

    pub(super) fn record_name(&mut self, tournament: &TournamentId, name: &str, now: Timestamp) {
        let now = self.at(now);
        self.names.insert(tournament.clone(), (name.to_owned(), now));
    }

    pub(super) fn record_handler(&mut self, guard: &Guard, handler: &Handler) -> Result<()> {
        self.lock.check(guard)?;
        let found_at = self.at(handler.found_at);
        self.handler = Some(Handler { found_at, ..handler.clone() });
        Ok(())
    }
}
