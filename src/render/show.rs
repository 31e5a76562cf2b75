//! One page on whatever a word leads to.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::{
    Email, Money, Order, OrderId, Payable, PayableKind, Payment, Registration, SessionId, handed_out, key,
};
use crate::ledger::Attempt;
use crate::manifest::Player;
use crate::plan::Finding;
use crate::stripe::StripeEvent;

use super::plan::plain;
use super::status::lives;
use super::time::{instant, minute};

/// All that was found.
#[derive(Clone, Debug)]
pub struct Page {
    /// The environment's name.
    pub environment: String,
    /// What was asked for, an address masked.
    pub what: String,
    /// When Stripe was read.
    pub now: Timestamp,
    /// Registrations of the manifest.
    pub registrations: Vec<ShownRegistration>,
    /// Canaries of `verify`.
    pub canaries: Vec<ShownCanary>,
    /// Orders of any tournament.
    pub orders: Vec<ShownOrder>,
    /// Sessions and Payment Links at Stripe: recorded, made by an attempt or by a visit, or asked for.
    pub sessions: Vec<ShownSession>,
    /// Payments that were asked for and that no session above shows.
    pub payments: Vec<Payment>,
    /// What Stripe's events of the last 30 days say about the sessions, newest first.
    pub events: Vec<StripeEvent>,
    /// The next command to type.
    pub next: String,
}

/// One registration of the manifest.
#[derive(Clone, Debug)]
pub struct ShownRegistration {
    /// Whose, for what.
    pub registration: Registration,
    /// The player, where the manifest has it.
    pub player: Option<Player>,
    /// The fee's name, where the manifest has it.
    pub fee_name: Option<String>,
    /// What is owed through Stripe.
    pub owed: Option<Money>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// A canary of `verify`.
#[derive(Clone, Debug)]
pub struct ShownCanary {
    /// Whose rows it uses.
    pub registration: Registration,
    /// Its order, once made; none where only its address was asked for.
    pub order: Option<OrderId>,
    /// Whether the order's row still stands.
    pub stands: bool,
}

/// One order with every attempt to make a payable for it.
#[derive(Clone, Debug)]
pub struct ShownOrder {
    /// The order.
    pub order: Order,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
}

/// One session or Payment Link.
#[derive(Clone, Debug)]
pub struct ShownSession {
    /// Its id.
    pub id: SessionId,
    /// The order that it is for, where one is known.
    pub order: Option<OrderId>,
    /// As Stripe shows it; none where Stripe does not know it.
    pub payable: Option<Payable>,
}

/// `show --json`.
#[must_use]
pub fn json(page: &Page) -> Value {
    json!({
        "format_version": 1,
        "environment": page.environment,
        "what": page.what,
        "observed_at": instant(page.now),
        "registrations": page.registrations.iter().map(registration_json).collect::<Vec<_>>(),
        "canaries": page.canaries.iter().map(canary_json).collect::<Vec<_>>(),
        "orders": page.orders.iter().map(order_json).collect::<Vec<_>>(),
        "sessions": page.sessions.iter().map(session_json).collect::<Vec<_>>(),
        "payments": page.payments.iter().map(payment_json).collect::<Vec<_>>(),
        "events": page.events.iter().map(event_json).collect::<Vec<_>>(),
        "next": page.next,
    })
}

fn registration_json(shown: &ShownRegistration) -> Value {
    let player = shown.player.as_ref();
    json!({
        "player": shown.registration.player,
        "fee": shown.registration.fee,
        "name": player.map(|player| &player.name),
        "email": player.map(|player| player.email.to_string()),
        "team": player.and_then(|player| player.team.as_ref()),
        "note": player.and_then(|player| player.note.as_ref()),
        "fee_name": shown.fee_name,
        "owed": shown.owed.map(|owed| owed.minor),
        "currency": shown.owed.map(|owed| owed.currency),
        "findings": shown.findings,
    })
}

fn canary_json(shown: &ShownCanary) -> Value {
    let Registration { player, fee } = &shown.registration;
    json!({"player": player, "fee": fee, "order_id": shown.order, "stands": shown.stands})
}

fn order_json(shown: &ShownOrder) -> Value {
    let ShownOrder { order, attempts } = shown;
    let attempt = |attempt: &Attempt| {
        json!({
            "id": attempt.id,
            "tournament": attempt.tournament,
            "began_at": instant(attempt.began_at),
            "state": attempt.state,
            "session_id": attempt.session,
        })
    };
    json!({
        "id": order.id,
        "player": order.registration.player,
        "fee": order.registration.fee,
        "status": order.status,
        "amount": order.amount.minor,
        "currency": order.amount.currency,
        "session_id": order.session,
        "payment_intent": order.payment_intent,
        "created_at": order.created_at.map(instant),
        "attempts": attempts.iter().map(attempt).collect::<Vec<_>>(),
    })
}

fn session_json(shown: &ShownSession) -> Value {
    let payable = shown.payable.as_ref();
    json!({
        "id": shown.id,
        "order_id": shown.order,
        "status": payable.map(|payable| payable.state),
        "payment_status": payable.map(|payable| payable.payment_status),
        "amount": payable.and_then(|payable| payable.amount),
        "currency": payable.and_then(|payable| payable.currency),
        "metadata_order_id": payable.and_then(|payable| payable.metadata.get(key::ORDER)),
        "customer_email": payable.and_then(|payable| payable.customer_email.as_deref()).map(masked),
        "payment_intent": payable.and_then(|payable| payable.payment_intent.as_ref()),
        "payment": payable.and_then(|payable| payable.payment.as_ref()).map(payment_json),
        "url": url(shown),
        "kind": PayableKind::of(&shown.id),
        "payment_link": payable.and_then(|payable| payable.link.as_ref()),
        "created_at": payable.and_then(|payable| payable.created).map(instant),
        "expires_at": payable.and_then(|payable| payable.expires_at).map(instant),
    })
}

/// The link without the payer's address, which [`super::links`] alone shows whole.
fn url(shown: &ShownSession) -> Option<String> {
    let url = shown.payable.as_ref()?.url.as_deref()?;
    Some(handed_out(&shown.id, url, shown.order.as_ref(), None))
}

fn payment_json(payment: &Payment) -> Value {
    json!({
        "payment_intent": payment.intent,
        "state": payment.state,
        "refunded": payment.refunded,
        "disputed": payment.disputed,
    })
}

fn event_json(event: &StripeEvent) -> Value {
    json!({
        "id": event.id,
        "type": event.kind,
        "created_at": instant(event.created),
        "session_id": event.session,
        "pending_webhooks": event.pending_webhooks,
    })
}

/// What stands at Stripe as an address may be no address.
pub(crate) fn masked(text: &str) -> String {
    Email::parse(text).map_or_else(|_| "***".to_owned(), |email| email.to_string())
}

/// The page for a terminal. It ends with a line feed.
#[must_use]
pub fn terminal(page: &Page) -> String {
    let mut text = String::new();
    page.registrations.iter().for_each(|shown| registration(&mut text, shown));
    page.canaries.iter().for_each(|shown| canary(&mut text, shown));
    page.orders.iter().for_each(|shown| order(&mut text, shown));
    page.sessions.iter().for_each(|shown| session(&mut text, shown, page.now));
    for payment in &page.payments {
        let _ = writeln!(text, "payment {}\n{}", payment.intent, payment_line(payment));
    }
    if !page.events.is_empty() {
        text.push_str("events at Stripe\n");
    }
    for event in &page.events {
        let waits = if event.pending_webhooks > 0 { ", not delivered yet" } else { "" };
        let _ = writeln!(text, "    {} UTC  {}  {}{waits}", minute(event.created), event.kind, event.id);
    }
    let _ = writeln!(text, "\nNext: {}", page.next);
    text
}

fn registration(text: &mut String, shown: &ShownRegistration) {
    let Registration { player, fee } = &shown.registration;
    let name = shown.player.as_ref().map_or("not in the manifest", |player| player.name.as_str());
    let fee_name = shown.fee_name.as_deref().unwrap_or_default();
    let _ = writeln!(text, "{}", format!("player {player} {} · fee {fee} {}", plain(name), plain(fee_name)).trim_end());
    if let Some(player) = &shown.player {
        let team = player.team.as_ref().map(|team| format!(" · {}", plain(team))).unwrap_or_default();
        let _ = writeln!(text, "    {}{team}", player.email);
    }
    if let Some(note) = shown.player.as_ref().and_then(|player| player.note.as_ref()) {
        let _ = writeln!(text, "    {}", plain(note));
    }
    let billed = |owed| format!("{owed} by the manifest");
    let owed = shown.owed.map_or_else(|| "nothing to pay through Stripe".to_owned(), billed);
    let _ = writeln!(text, "    {owed}");
    let findings: Vec<&str> = shown.findings.iter().map(|finding| finding.code()).collect();
    let findings = if findings.is_empty() { "no findings".to_owned() } else { findings.join(", ") };
    let _ = writeln!(text, "    {findings}");
}

fn canary(text: &mut String, shown: &ShownCanary) {
    let registration = &shown.registration;
    let order = match &shown.order {
        Some(order) if shown.stands => format!("order {order} is a canary of tourney verify, nobody's order"),
        Some(order) => format!("order {order} was a canary of tourney verify, and is removed"),
        None => "the canary of tourney verify: no order of it stands now".to_owned(),
    };
    let _ = writeln!(text, "{order} ({registration})");
}

fn order(text: &mut String, shown: &ShownOrder) {
    let ShownOrder { order, attempts } = shown;
    let made = order.created_at.map(|at| format!(", made {} UTC", minute(at))).unwrap_or_default();
    let _ = writeln!(text, "order {}: {}, {}, {}{made}", order.id, order.status, order.amount, order.registration);
    let session = order.session.as_ref().map_or_else(
        || "session none recorded".to_owned(),
        |session| format!("{} {session}", PayableKind::of(session).noun()),
    );
    let _ = writeln!(text, "    {session}");
    if let Some(intent) = &order.payment_intent {
        let _ = writeln!(text, "    payment {intent}");
    }
    for attempt in attempts {
        let state = json!(attempt.state);
        let state = state.as_str().unwrap_or_default();
        let unknown = || format!("no {} known", attempt.kind().noun());
        let session = attempt.session.as_ref().map_or_else(unknown, ToString::to_string);
        let _ = writeln!(text, "    attempt {} UTC: {state}, {session}", minute(attempt.began_at));
    }
}

fn session(text: &mut String, shown: &ShownSession, now: Timestamp) {
    let order = shown.order.as_ref().map_or_else(|| "no order".to_owned(), |order| format!("order {order}"));
    let noun = PayableKind::of(&shown.id).noun();
    let Some(payable) = &shown.payable else {
        let _ = writeln!(text, "{noun} {}: {order}, unknown to Stripe", shown.id);
        return;
    };
    let amount = payable.money().map(|money| format!(", {money}")).unwrap_or_default();
    let state = lives(payable, now);
    // Whether a link was paid, its visits say.
    let paid = match payable.kind {
        PayableKind::Session => format!(", {}", payable.payment_status.word()),
        PayableKind::PaymentLink => String::new(),
    };
    let _ = writeln!(text, "{noun} {}: {order}, {state}{paid}{amount}", shown.id);
    if let Some(link) = &payable.link {
        let _ = writeln!(text, "    made by a visit of {link}");
    }
    let named = payable.metadata.get(key::ORDER).map_or_else(|| "none".to_owned(), |id| plain(id));
    let _ = writeln!(text, "    order_id in its metadata: {named}");
    if let Some(email) = &payable.customer_email {
        let _ = writeln!(text, "    for {}", masked(email));
    }
    match (&payable.payment, &payable.payment_intent) {
        (Some(payment), _) => {
            let _ = writeln!(text, "    payment {}\n{}", payment.intent, payment_line(payment));
        }
        (None, Some(intent)) => {
            let _ = writeln!(text, "    payment {intent}");
        }
        (None, None) => {}
    }
    if let Some(url) = url(shown) {
        let _ = writeln!(text, "    {}", plain(&url));
    }
}

fn payment_line(payment: &Payment) -> String {
    let state = json!(payment.state);
    let refunded =
        if payment.refunded > 0 { format!(", refunded {} (in minor units)", payment.refunded) } else { String::new() };
    let disputed = if payment.disputed { ", disputed" } else { "" };
    format!("    {}{refunded}{disputed}", state.as_str().unwrap_or_default())
}
