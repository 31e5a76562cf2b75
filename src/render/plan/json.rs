//! The plan as the public contract's JSON.

use serde_json::{Map, Value, json};

use crate::domain::{FeeId, Money, PlayerId, Registration, Seen};
use crate::plan::{Change, Head, Note, Plan, SeenSession, Subject};

/// `plan --json`.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    let mut value = head(plan);
    value.insert("changes".to_owned(), plan.changes.iter().map(change).collect());
    value.insert("notes".to_owned(), plan.notes.iter().map(note).collect());
    value.insert("undecided_money".to_owned(), json!(plan.undecided));
    value.insert("links_stopping".to_owned(), plan.links_stopping.into());
    value.insert("foreign".to_owned(), plan.foreign.len().into());
    Value::Object(value)
}

/// The part that `plan --json` and `apply --json` share: where, what, when, the money and the counts.
#[must_use]
pub fn head(plan: &Plan) -> Map<String, Value> {
    let Head { environment, tournament, tournament_name, manifest_sha256, observed_at, .. } = &plan.head;
    let mut map = Map::new();
    map.insert("format_version".to_owned(), 1.into());
    map.insert("environment".to_owned(), environment.as_str().into());
    map.insert("tournament".to_owned(), json!({"id": tournament, "name": tournament_name}));
    map.insert("manifest_sha256".to_owned(), manifest_sha256.as_str().into());
    map.insert("observed_at".to_owned(), format!("{observed_at:.0}").into());
    map.insert("money".to_owned(), json!(plan.money));
    map.insert("summary".to_owned(), json!(plan.summary));
    map
}

fn change(change: &Change) -> Value {
    let (player, fee) = ids(change.subject.registration.as_ref());
    json!({
        "player": player,
        "fee": fee,
        "action": change.action.word(),
        "findings": change.findings,
        "desired": change.desired,
        "order": change.subject.order.as_ref().map(order),
        "session": change.subject.session.as_ref().map(session),
        "detail": change.detail,
    })
}

fn note(note: &Note) -> Value {
    let Subject { registration, order: seen, session: payable } = &note.subject;
    let (player, fee) = ids(registration.as_ref());
    json!({
        "player": player,
        "fee": fee,
        "finding": note.finding,
        "order": seen.as_ref().map(order),
        "session": payable.as_ref().map(session),
        "text": note.text,
    })
}

fn ids(registration: Option<&Registration>) -> (Option<&PlayerId>, Option<&FeeId>) {
    registration.map(|registration| (&registration.player, &registration.fee)).unzip()
}

fn order(seen: &Seen) -> Value {
    let Money { minor, currency } = seen.amount;
    json!({"id": seen.id, "status": seen.status, "amount": minor, "currency": currency})
}

fn session(seen: &SeenSession) -> Value {
    json!({"id": seen.id, "status": seen.status, "payment_status": seen.payment_status})
}
