//! Runs a case and holds everything that changed against what must come of it.

use serde_json::Value;
use tourney::sandbox::core::Control;

use super::case::{Case, Expect, Group};
use super::dump::{Columns, Dump};
use super::fill::fill;
use super::http::{CUT, send};
use super::request::{About, body, request};
use super::scene::{Scene, Subject};

/// Everything that is wrong with a case; nothing if it is fine.
pub(crate) async fn run(scene: &mut Scene, group: &Group, case: &Case) -> Result<(), String> {
    let state = case.subject.as_ref().unwrap_or(&group.subject).clone();
    let (subject, other) = (scene.subject(&state).await, scene.subject("unpaid").await);
    let id = scene.event_id();
    let about = About { subject: &subject, id: &id, other: &other };
    let mut last = None;
    let mut outcome = Ok(());
    for (at, step) in std::iter::once(case).chain(&case.then).enumerate() {
        outcome = run_step(scene, step, &about, &mut last).await;
        if let Err(why) = outcome {
            outcome = Err(format!("{} ({state}, request {}): {why}", case.name, at + 1));
            break;
        }
    }
    let steps = || std::iter::once(case).chain(&case.then);
    let paid = |step: &Case| matches!(step.expect, Expect::Paid | Expect::KeptPaid | Expect::KeptThenPaid);
    if outcome.is_err() || steps().any(|step| paid(step) || !step.stripe.is_empty() || step.database.is_some()) {
        scene.beside.refuse(super::dump::Refused::Nothing).await;
        scene.club.account.control(Control::ClearFaults);
        scene.spent(&state);
    }
    outcome
}

/// `last` is the body before, which a step that says nothing of its own sends again.
async fn run_step(scene: &mut Scene, case: &Case, about: &About<'_>, last: &mut Option<Vec<u8>>) -> Result<(), String> {
    for command in &case.stripe {
        let command = String::from_utf8(fill(&command.to_string(), about)).unwrap();
        scene.club.account.control(serde_json::from_str(&command).unwrap());
    }
    if let Some(refused) = case.database {
        scene.beside.refuse(refused).await;
    }
    let signed = match last.take().filter(|_| case.event.is_none() && case.text.is_none() && case.set.is_empty()) {
        Some(again) => again,
        None => {
            let fresh = scene.event_id();
            let id = if case.name.is_empty() { fresh.as_str() } else { about.id };
            body(scene, case, about, id)
        }
    };
    *last = Some(signed.clone());
    let (before, received_at) = (scene.dump().await, scene.club.hands.second());
    let sent = request(scene, case, about, &signed);
    let status = exchange(scene, &sent, case, about).await?;
    let (asked, wrote) = scene.asked();
    let after = scene.dump().await;
    let expected = expected(case.expect, before, &after, about.subject, &signed, received_at)?;
    same(&expected, &after)?;
    let may_ask = !matches!(case.expect, Expect::Refused | Expect::Known | Expect::Lost);
    if wrote > 0 || (asked > 0 && !may_ask) {
        return Err(format!("Stripe was asked {asked} times, {wrote} of them to write"));
    }
    // What was taken is taken once, however often it comes.
    if status == 200 && case.expect != Expect::Known {
        let again = exchange(scene, &sent, case, about).await?;
        same(&after, &scene.dump().await).map_err(|why| format!("the second time ({again}): {why}"))?;
        if scene.asked() != (0, 0) {
            return Err("the second time Stripe was asked".to_owned());
        }
    }
    Ok(())
}

/// Sends it; the status, which must be one that the case allows.
async fn exchange(scene: &Scene, sent: &super::http::Sent, case: &Case, about: &About<'_>) -> Result<u16, String> {
    let allowed = if case.status.is_empty() { vec![case.expect.status()] } else { case.status.clone() };
    scene.asked();
    let answer = send(scene.authority(), sent, || _ = scene.club.hands.impatient.send_replace(true)).await;
    scene.club.hands.impatient.send_replace(false);
    if !allowed.contains(&answer.status) {
        return Err(format!("{allowed:?} is wanted, and it is {}: {}", answer.status, answer.text));
    }
    // A stranger learns nothing of what is here.
    let told = [about.subject.order.to_string(), about.subject.session.to_string()];
    if ["whsec_", "sk_test", "panic"]
        .into_iter()
        .chain(told.iter().map(String::as_str))
        .any(|word| answer.text.contains(word))
    {
        return Err(format!("the answer tells too much: {}", answer.text));
    }
    if answer.status != 200 && answer.status != CUT && answer.text.len() > 500 {
        return Err(format!("a long answer: {}", answer.text));
    }
    Ok(answer.status)
}

/// The database as it must be afterwards.
fn expected(
    expect: Expect,
    before: Dump,
    after: &Dump,
    subject: &Subject,
    body: &[u8],
    received_at: i64,
) -> Result<Dump, String> {
    let mut dump = before;
    let outcome = match expect {
        Expect::Refused | Expect::Known | Expect::Lost => return Ok(dump),
        Expect::Stored | Expect::KeptThenIdle => Some("no-effect"),
        Expect::Unmatched => Some("unmatched"),
        Expect::Paid | Expect::KeptThenPaid => Some("recorded"),
        Expect::Kept | Expect::KeptPaid => None,
    };
    let (id, kind) = (&said(body, "id"), said(body, "type"));
    let events = dump.get_mut("tourney_events").unwrap();
    let stored = row(&after["tourney_events"], "id", id).ok_or("the event is not stored")?;
    let earlier = row(events, "id", id).cloned();
    let late = matches!(expect, Expect::KeptThenIdle | Expect::KeptThenPaid | Expect::KeptPaid | Expect::Kept);
    if earlier.is_some() && !late {
        return Err("an event of this id was there".to_owned());
    }
    let mut wanted = earlier.clone().unwrap_or_else(|| {
        let mut made = Columns::new();
        made.insert("id".to_owned(), id.to_owned());
        made.insert("kind".to_owned(), kind);
        made.insert("body".to_owned(), String::from_utf8_lossy(body).into_owned());
        made.insert("received_at".to_owned(), received_at.to_string());
        // What is taken out of the body is nobody's business but that of who reads it for people.
        for name in ["session_id", "payment_intent_id"] {
            made.extend(stored.get(name).map(|text| (name.to_owned(), text.clone())));
        }
        made
    });
    if let Some(earlier) = earlier {
        events.remove(&earlier);
    }
    wanted.extend(outcome.map(|outcome| ("outcome".to_owned(), outcome.to_owned())));
    if outcome.is_some() {
        wanted.extend(stored.get("detail").map(|text| ("detail".to_owned(), text.clone())));
    }
    events.insert(wanted);
    if matches!(expect, Expect::Paid | Expect::KeptPaid) || (expect == Expect::KeptThenPaid) {
        pay(&mut dump, after, subject)?;
    }
    Ok(dump)
}

/// What a field of the event says, also where our own reader of JSON gives up somewhere else.
fn said(body: &[u8], field: &str) -> String {
    if let Ok(event) = serde_json::from_slice::<Value>(body) {
        return event[field].as_str().unwrap_or_default().to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let behind = text.split_once(&format!("\"{field}\":")).map(|(_, behind)| behind.trim_start()).unwrap_or_default();
    behind.trim_start_matches('"').split('"').next().unwrap_or_default().to_owned()
}

/// The subject's order is paid with its session's payment intent, and nothing else of it moved but when it was written.
fn pay(dump: &mut Dump, after: &Dump, subject: &Subject) -> Result<(), String> {
    let id = subject.order.to_string();
    let written = row(&after["orders"], "id", &id).ok_or("the order is gone")?["updated_at"].clone();
    let orders = dump.get_mut("orders").unwrap();
    let mut order = row(orders, "id", &id).cloned().unwrap();
    orders.remove(&order);
    if order["status"] != "paid" {
        order.insert("updated_at".to_owned(), written);
    }
    order.insert("status".to_owned(), "paid".to_owned());
    let intent = subject.intent.as_ref().ok_or("the session has no payment intent")?;
    order.insert("stripe_payment_intent_id".to_owned(), intent.to_string());
    orders.insert(order);
    Ok(())
}

fn row<'a>(rows: &'a std::collections::BTreeSet<Columns>, column: &str, value: &str) -> Option<&'a Columns> {
    rows.iter().find(|row| row.get(column).is_some_and(|text| text == value))
}

/// Nothing differs, in any table.
fn same(expected: &Dump, found: &Dump) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (table, rows) in found {
        let wanted = &expected[table];
        wrong.extend(wanted.difference(rows).map(|row| format!("wanted in {table}: {row:?}")));
        wrong.extend(rows.difference(wanted).map(|row| format!("found in {table}: {row:?}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n  ")) }
}
