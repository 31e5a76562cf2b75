//! The history: who applied what, when, and what came of it.

use std::fmt::Write as _;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::ledger::{Run, RunStep};

use super::plan::plain;
use super::time::{instant, minute, span};

/// Enough of a run's id to name it.
const SHORT: usize = 8;

/// `history --json`.
#[must_use]
pub fn json(environment: &str, runs: &[Run]) -> Value {
    json!({"format_version": 1, "environment": environment, "runs": runs.iter().map(one).collect::<Vec<_>>()})
}

/// `history RUN --json`.
#[must_use]
pub fn run_json(environment: &str, run: &Run, steps: &[RunStep]) -> Value {
    let steps: Vec<Value> = steps.iter().map(step).collect();
    json!({"format_version": 1, "environment": environment, "run": one(run), "steps": steps})
}

fn one(run: &Run) -> Value {
    json!({
        "id": run.id,
        "command": run.command,
        "tournament": run.tournament,
        "environment": run.environment,
        "manifest_sha256": run.manifest_sha256,
        "who": run.who,
        "started_at": instant(run.started_at),
        "finished_at": run.finished_at.map(instant),
        "outcome": run.outcome,
        "summary": run.summary,
    })
}

fn step(step: &RunStep) -> Value {
    json!({
        "at": instant(step.at),
        "player": step.registration.as_ref().map(|registration| &registration.player),
        "fee": step.registration.as_ref().map(|registration| &registration.fee),
        "action": step.action,
        "order_id": step.order,
        "session_id": step.session,
        "outcome": step.outcome,
        "detail": step.detail,
    })
}

/// A line for each run, the newest first. It ends with a line feed.
#[must_use]
pub fn terminal(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "Nothing yet: no run has written to this database.\n".to_owned();
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "run",
        "began (UTC)",
        "took",
        "command",
        "tournament",
        "who",
        "outcome",
        "what came of it",
    ]);
    for run in runs {
        table.add_row([
            run.id.as_str().chars().take(SHORT).collect(),
            minute(run.started_at),
            run.finished_at.map(|end| span(end.duration_since(run.started_at))).unwrap_or_default(),
            run.command.clone(),
            run.tournament.to_string(),
            who(run),
            outcome(run).to_owned(),
            run.summary.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}

/// User and host; the process, by which a lock's holder is known again, is for programs.
fn who(run: &Run) -> String {
    plain(run.who.rsplit_once(" (process ").map_or(run.who.as_str(), |(who, _)| who))
}

/// A run that never said how it ended was killed, or still works.
fn outcome(run: &Run) -> &str {
    run.outcome.as_deref().unwrap_or("unfinished")
}

/// One run with its steps. It ends with a line feed.
#[must_use]
pub fn run(run: &Run, steps: &[RunStep]) -> String {
    let mut text = String::new();
    let ended = run.finished_at.map_or_else(|| "never said".to_owned(), minute);
    let _ = writeln!(text, "run         {}", run.id);
    let _ = writeln!(text, "command     {} of {} in {}", run.command, run.tournament, plain(&run.environment));
    let _ = writeln!(text, "manifest    sha256 {}", run.manifest_sha256);
    let _ = writeln!(text, "who         {}", who(run));
    let _ = writeln!(text, "began       {} UTC", minute(run.started_at));
    let _ = writeln!(text, "ended       {ended}");
    let _ = writeln!(text, "outcome     {}", outcome(run));
    if let Some(summary) = &run.summary {
        let _ = writeln!(text, "            {}", plain(summary));
    }
    if steps.is_empty() {
        text.push_str("\nIt changed nothing.\n");
        return text;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "at (UTC)",
        "registration",
        "action",
        "order",
        "outcome",
        "detail",
    ]);
    for step in steps {
        table.add_row([
            step.at.strftime("%H:%M:%S").to_string(),
            step.registration.as_ref().map(ToString::to_string).unwrap_or_default(),
            step.action.replace('_', " "),
            step.order.as_ref().map(ToString::to_string).unwrap_or_default(),
            step.outcome.clone(),
            step.detail.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    let _ = writeln!(text, "\n{}", table.trim_fmt());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Id, RunId, TournamentId};

    #[test]
    fn a_run_that_never_ended_says_so() {
        let run = Run {
            id: RunId::from("0f1e2d3c-0000-4000-8000-000000000000"),
            command: "apply".to_owned(),
            tournament: TournamentId(Id::slug("utah-invitational-2026").unwrap()),
            environment: "sandbox".to_owned(),
            manifest_sha256: "00".to_owned(),
            who: "coach@club (process 7)".to_owned(),
            started_at: "2026-04-13T10:00:00Z".parse().unwrap(),
            finished_at: None,
            outcome: None,
            summary: None,
        };
        let text = terminal(std::slice::from_ref(&run));
        assert!(
            text.contains("0f1e2d3c ") && text.contains("2026-04-13 10:00") && text.contains("unfinished"),
            "{text}"
        );
        let page = super::run(&run, &[]);
        assert!(page.contains("never said"), "{page}");
        for shown in [text, page] {
            assert!(shown.contains("coach@club") && !shown.contains("process"), "{shown}");
        }
        let listed = &json("sandbox", &[run])["runs"][0];
        assert_eq!((&listed["finished_at"], &listed["who"]), (&Value::Null, &json!("coach@club (process 7)")));
    }

    #[test]
    fn before_the_first_run_there_is_nothing() {
        assert!(terminal(&[]).starts_with("Nothing yet"));
    }
}
