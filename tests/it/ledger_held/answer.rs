//! One call on one ledger, and what it answers.

use std::fmt::Debug;

use tourney::domain::OrderId;
use tourney::ledger::{AttemptFor, Ledger, LedgerError, LedgerFacts, Rendered};

use crate::ledger::at;

use super::call::{Call, Given, canary, step};

/// An answer: what is compared, and its kind. Of an error that is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) kinds: Vec<String>,
}

/// Asks a ledger.
pub(crate) async fn answer(ledger: &impl Ledger, call: &Call, given: &Given) -> Answer {
    match call {
        Call::Read(scope) => match ledger.read(scope).await {
            Ok(facts) => Answer { kinds: parts(&facts), ..told(Ok(facts)) },
            error => told(error),
        },
        Call::RawRow => told(ledger.raw_row(&given.seen.id).await.map(|row| {
            row.map(|mut row| {
                // A database says by its own clock when a row was written.
                row.remove("updated_at").expect("a row says when it was written");
                row
            })
        })),
        Call::Identity => told(ledger.identity().await),
        Call::Order => told(ledger.order(&given.seen.id).await),
        Call::LockHolder => told(ledger.lock_holder().await),
        Call::UnfinishedEvents(limit) => told(ledger.unfinished_events(*limit).await),
        Call::Runs(limit) => told(ledger.runs(*limit).await),
        Call::Steps(run) => told(ledger.steps(run).await),
        Call::Canaries => told(ledger.canaries().await),
        Call::OpenCanaries => told(ledger.open_canaries().await),
        Call::Search(word) => told(ledger.search(word).await),
        Call::AttemptsOf => told(ledger.attempts_of(&given.seen.id).await),
        _ => match order_write(ledger, call, given).await {
            Some(answer) => answer,
            None => journal_write(ledger, call, given).await,
        },
    }
}

/// Writes to orders and attempts.
async fn order_write(ledger: &impl Ledger, call: &Call, given: &Given) -> Option<Answer> {
    let Given { guard, seen, attempt: tried, .. } = given;
    let rendering = |link: bool| {
        move |order: &OrderId| Rendered {
            body: format!("metadata[order_id]={order}"),
            expires_at: (!link).then(|| at(86_400)),
        }
    };
    Some(match call {
        Call::BeginNew { tournament, attempt, whose, amount, at, link } => {
            let subject = AttemptFor::New { registration: whose.clone(), amount: *amount };
            told(ledger.begin_attempt(guard, tournament, attempt, &subject, *at, &rendering(*link)).await)
        }
        Call::BeginStanding { tournament, attempt, at, link } => {
            let subject = AttemptFor::Standing(seen.clone());
            told(ledger.begin_attempt(guard, tournament, attempt, &subject, *at, &rendering(*link)).await)
        }
        Call::RecordSession(payable) => told(ledger.record_session(guard, tried, payable).await),
        Call::AbandonAttempt(why) => told(ledger.abandon_attempt(guard, tried, why).await),
        Call::Retire(how, reason, at) => told(ledger.retire(guard, seen, *how, reason, *at).await),
        Call::Rename(to) => told(ledger.rename(guard, seen, to).await),
        Call::MarkPaid(intent) => told(ledger.mark_paid(seen, intent.as_ref()).await),
        Call::MarkPaidElsewhere => told(ledger.mark_paid_elsewhere(seen).await),
        Call::MarkRefunded => told(ledger.mark_refunded(seen).await),
        _ => return None,
    })
}

/// Writes to tourney's other tables.
async fn journal_write(ledger: &impl Ledger, call: &Call, given: &Given) -> Answer {
    let guard = &given.guard;
    match call {
        Call::Prepare(new_id) => told(ledger.prepare(*new_id).await),
        Call::Bind(account, mode) => told(ledger.bind(account, *mode).await),
        Call::Lock(holder, now) => told(ledger.lock(holder, *now).await),
        Call::TakeOver(holder, dead, now) => told(ledger.take_over(holder, dead, *now).await),
        Call::Heartbeat(now) => told(ledger.heartbeat(guard, *now).await),
        Call::Unlock => told(ledger.unlock(guard).await),
        Call::ForceUnlock => told(ledger.force_unlock().await),
        Call::StoreEvent(event) => told(ledger.store_event(event).await),
        Call::FinishEvent(id, outcome) => told(ledger.finish_event(id, outcome).await),
        Call::RecordName(tournament, name, now) => told(ledger.record_name(tournament, name, *now).await),
        Call::StartRun(run) => told(ledger.start_run(run).await),
        Call::LogStep(run, logged) => told(ledger.log_step(run, &step(logged, given)).await),
        Call::FinishRun(run, now, outcome) => told(ledger.finish_run(run, *now, outcome, "all of it").await),
        Call::BeginCanary(bird) => told(ledger.begin_canary(&canary(bird, given)).await),
        Call::JournalCanary(bird) => told(ledger.journal_canary(&canary(bird, given)).await),
        Call::RemoveCanary(bird) => told(ledger.remove_canary(&canary(bird, given)).await),
        Call::RecordHandler(handler) => told(ledger.record_handler(guard, handler).await),
        other => panic!("{other:?} is not asked of a ledger alone"),
    }
}

fn told<T: Debug>(result: Result<T, LedgerError>) -> Answer {
    let text = match result {
        Ok(value) => format!("{value:?}"),
        // Its words are for people, and each database has its own.
        Err(error) => format!("{error:?}").split('(').next().unwrap_or_default().to_owned(),
    };
    let kind = match text.as_str() {
        "()" | "[]" => text.clone(),
        text if text.starts_with('[') => "[..]".to_owned(),
        text => text.chars().take_while(|c| c.is_alphanumeric()).collect(),
    };
    Answer { text, kinds: vec![kind] }
}

/// The parts of a reading in which there is something.
fn parts(facts: &LedgerFacts) -> Vec<String> {
    let LedgerFacts {
        orders,
        retired,
        attempts,
        canary_sessions,
        canary_orders,
        unmatched,
        sessions_made,
        overlapping,
        foreign_fees,
        handler,
        applied_name,
    } = facts;
    assert!(foreign_fees.is_empty(), "in our own table the tournament is a column");
    let linked = |id: &tourney::domain::SessionId| id.as_str().starts_with("plink_");
    let parts = [
        ("orders", !orders.is_empty()),
        ("an order with a session", orders.iter().any(|order| order.session.as_ref().is_some_and(|id| !linked(id)))),
        ("an order with a link", orders.iter().any(|order| order.session.as_ref().is_some_and(linked))),
        ("retired", !retired.is_empty()),
        ("attempts", !attempts.is_empty()),
        ("canary_sessions", !canary_sessions.is_empty()),
        ("canary_orders", !canary_orders.is_empty()),
        ("unmatched", !unmatched.is_empty()),
        ("sessions_made", !sessions_made.is_empty()),
        ("overlapping", !overlapping.is_empty()),
        ("handler", handler.is_some()),
        ("applied_name", applied_name.is_some()),
    ];
    parts.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect()
}
