//! Every row of every table, from a database and from memory.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tourney::domain::Registration;
use tourney::ledger::{EventOutcome, Identity, LockHolder, RetireHow};
use tourney::world::sim::{Retired, State, Tried};

/// A row by its columns; what is NULL is left out.
pub(crate) type Columns = BTreeMap<String, String>;
/// The rows of a table. Where their order counts, a method reads them in it.
pub(crate) type Rows = BTreeSet<Columns>;
/// All tables.
pub(crate) type Dump = BTreeMap<String, Rows>;

/// A row as it is compared. When a copied row was written, its database knows by its own clock.
pub(crate) fn shown<'a>(cells: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Columns {
    let cell = |(name, text): (&str, Option<String>)| {
        let text = text?;
        Some((name.to_owned(), if name == "row_copy" { copied(&text) } else { text }))
    };
    cells.into_iter().filter_map(cell).collect()
}

fn copied(text: &str) -> String {
    let mut row: Map<String, Value> = serde_json::from_str(text).unwrap();
    row.retain(|name, value| name != "updated_at" && !value.is_null());
    row.sort_keys();
    Value::Object(row).to_string()
}

fn some(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

fn maybe(text: Option<impl ToString>) -> Option<String> {
    text.map(|text| text.to_string())
}

fn seconds(at: Timestamp) -> Option<String> {
    some(at.as_second())
}

fn registered(registration: &Registration) -> [(&'static str, Option<String>); 2] {
    [("player_id", some(&registration.player)), ("fee_id", some(&registration.fee))]
}

/// What is in memory, as the tables would have it.
pub(crate) fn of_memory(state: &State) -> Dump {
    let orders = state.orders.iter().map(|(id, row)| {
        assert_eq!(*id, row.order.id);
        let mut columns = row.columns();
        columns.remove("updated_at");
        columns
    });
    let mut dump = Dump::from([
        ("orders".to_owned(), orders.collect()),
        ("tourney_ledger".to_owned(), state.identity.iter().map(identity).collect()),
        ("tourney_attempts".to_owned(), state.attempts.values().map(attempt).collect()),
        ("tourney_retired".to_owned(), state.retired.values().map(retired).collect()),
        ("tourney_lock".to_owned(), Rows::from([lock(state)])),
    ]);
    people(state, &mut dump);
    let claims = state.claims.iter().map(|((tournament, registration), order)| {
        let cells = [("tournament_id", some(tournament)), ("order_id", some(order))];
        shown(cells.into_iter().chain(registered(registration)))
    });
    dump.insert("tourney_claims".to_owned(), claims.collect());
    let events = state.events.values().map(|event| {
        let (outcome, detail) = match &event.outcome {
            None => (None, None),
            Some(EventOutcome::Recorded(detail)) => (some("recorded"), some(detail)),
            Some(EventOutcome::NoEffect(detail)) => (some("no-effect"), some(detail)),
            Some(EventOutcome::Unmatched(detail)) => (some("unmatched"), some(detail)),
        };
        shown([
            ("id", some(&event.id)),
            ("kind", some(&event.kind)),
            ("session_id", maybe(event.session.as_ref())),
            ("payment_intent_id", maybe(event.payment_intent.as_ref())),
            ("body", some(&event.body)),
            ("received_at", seconds(event.received_at)),
            ("outcome", outcome),
            ("detail", detail),
        ])
    });
    dump.insert("tourney_events".to_owned(), events.collect());
    let canaries = state.canaries.values().map(|journalled| {
        let canary = &journalled.canary;
        let cells = [
            ("run_id", some(&canary.run)),
            ("tournament_id", some(&canary.tournament)),
            ("order_id", maybe(canary.order.as_ref())),
            ("sessions", Some(serde_json::to_string(&canary.sessions).unwrap())),
            ("closed", some(i64::from(journalled.closed))),
        ];
        shown(cells.into_iter().chain(registered(&canary.registration)))
    });
    dump.insert("tourney_canaries".to_owned(), canaries.collect());
    dump
}

/// What is kept for people.
fn people(state: &State, dump: &mut Dump) {
    let runs = state.runs.iter().map(|run| {
        shown([
            ("id", some(&run.id)),
            ("command", some(&run.command)),
            ("tournament_id", some(&run.tournament)),
            ("environment", some(&run.environment)),
            ("manifest_sha256", some(&run.manifest_sha256)),
            ("who", some(&run.who)),
            ("started_at", seconds(run.started_at)),
            ("finished_at", run.finished_at.and_then(seconds)),
            ("outcome", run.outcome.clone()),
            ("summary", run.summary.clone()),
        ])
    });
    dump.insert("tourney_runs".to_owned(), runs.collect());
    let steps = state.steps.iter().map(|(run, step)| {
        let cells = [
            ("run_id", some(run)),
            ("at", seconds(step.at)),
            ("action", some(&step.action)),
            ("order_id", maybe(step.order.as_ref())),
            ("session_id", maybe(step.session.as_ref())),
            ("outcome", some(&step.outcome)),
            ("detail", step.detail.clone()),
        ];
        shown(cells.into_iter().chain(step.registration.iter().flat_map(registered)))
    });
    dump.insert("tourney_run_steps".to_owned(), steps.collect());
    let handler = state.handler.iter().map(|handler| {
        shown([
            ("one", some(1)),
            ("endpoint", some(&handler.endpoint)),
            ("found_at", seconds(handler.found_at)),
            ("cancels", some(i64::from(handler.cancels))),
        ])
    });
    dump.insert("tourney_handler".to_owned(), handler.collect());
    let names = state.names.iter().map(|(tournament, (name, at))| {
        shown([("tournament_id", some(tournament)), ("name", some(name)), ("applied_at", seconds(*at))])
    });
    dump.insert("tourney_names".to_owned(), names.collect());
}

fn identity(identity: &Identity) -> Columns {
    let Identity { ledger, account, mode } = identity;
    shown([("one", some(1)), ("ledger_id", some(ledger)), ("account", account.clone()), ("mode", maybe(*mode))])
}

fn attempt(tried: &Tried) -> Columns {
    let Tried { attempt, held, why } = tried;
    let cells = [
        ("id", some(&attempt.id)),
        ("order_id", some(&attempt.order)),
        ("tournament_id", some(&attempt.tournament)),
        ("idempotency_key", some(&attempt.key)),
        ("request", some(&attempt.request)),
        ("expires_at", attempt.expires_at.and_then(seconds)),
        ("began_at", seconds(attempt.began_at)),
        ("state", Some(format!("{:?}", attempt.state).to_lowercase())),
        ("held_session_id", maybe(held.as_ref())),
        ("session_id", maybe(attempt.session.as_ref())),
        ("why", why.clone()),
    ];
    shown(cells.into_iter().chain(registered(&attempt.registration)))
}

fn retired(retired: &Retired) -> Columns {
    let Retired { tournament, order, how, copy } = retired;
    let cells = [
        ("order_id", some(&order.order)),
        ("tournament_id", some(tournament)),
        ("session_id", maybe(order.session.as_ref())),
        ("how", some(if *how == RetireHow::Cancel { "cancel" } else { "delete" })),
        ("reason", some(&order.reason)),
        ("retired_at", seconds(order.at)),
        ("made_at", order.made_at.and_then(seconds)),
        ("row_copy", Some(serde_json::to_string(&copy.columns()).unwrap())),
    ];
    shown(cells.into_iter().chain(registered(&order.registration)))
}

fn lock(state: &State) -> Columns {
    let holder = state.lock.holder.as_ref();
    let time = |of: fn(&LockHolder) -> Timestamp| holder.map(of).and_then(seconds);
    shown([
        ("one", some(1)),
        ("run_id", maybe(holder.map(|holder| &holder.run))),
        ("who", maybe(holder.map(|holder| &holder.who))),
        ("since", time(|holder| holder.since)),
        ("heartbeat", time(|holder| holder.heartbeat)),
        ("fence", some(state.lock.fence)),
    ])
}
