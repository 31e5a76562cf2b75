//! Deliveries: what becomes of the events that Stripe hands out, and what is heard of them.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;
use tourney::domain::{Id, OrderId, OrderStatus, PaymentIntentId};
use tourney::world::faulty::Side;

use super::programs::{self, Ended};
use super::world::{Actor, Kind, Letter, World, Wrong};

impl World {
    /// What Stripe hands out now.
    fn collect(&mut self) {
        let due = self.shared.stripe.with_core(|core, now| core.due(now));
        for delivery in due {
            let body: Value = serde_json::from_str(&delivery.body).unwrap();
            let object = &body["data"]["object"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let pays = (object["payment_status"] == "paid")
                .then(|| ["id", "payment_intent"].map(|key| text(&object[key])))
                .map(|[session, intent]| (text(&object["metadata"]["order_id"]), session, intent));
            self.letters.push(Letter {
                delivery: delivery.id,
                event: text(&body["id"]),
                kind: text(&body["type"]),
                pays,
                body: Arc::from(delivery.body),
                signature: delivery.signature,
            });
        }
    }

    /// A delivery arrives, in whatever order; is lost; or arrives and will come again.
    pub(crate) fn deliver(&mut self, which: usize, again: bool, ahead: SignedDuration) {
        let letter = if again { self.letters[which].clone() } else { self.letters.remove(which) };
        self.figures.webhooks += 1;
        self.figures.webhooks_doubled += u64::from(again);
        self.shared.story.tell(|| format!("{} ({}) arrives", letter.event, letter.kind));
        let known = self.ledger.snapshot().events.get(&letter.event).is_some_and(|event| event.outcome.is_some());
        let machine = self.machine("receiver", ahead);
        let program = programs::receive(machine, &self.secret, letter.signature.clone(), Arc::clone(&letter.body));
        self.actors.push(Actor { kind: Kind::Delivery { letter, known }, program });
    }

    pub(super) fn letters_now(&mut self) -> usize {
        self.collect();
        self.letters.len()
    }

    pub(super) fn lose(&mut self, which: usize, for_ever: bool) {
        let letter = self.letters.remove(which);
        self.figures.webhooks_lost += 1;
        self.shared
            .story
            .tell(|| format!("{} ({}) is lost{}", letter.event, letter.kind, if for_ever { " for ever" } else { "" }));
        if !for_ever {
            self.shared.stripe.with_core(|core, now| drop(core.delivered(now, &letter.delivery, None)));
        }
    }

    /// The application's own handler hears of a payment, and marks the order that the session names. Where the order records
    /// that session, it may leave the intent out.
    pub(super) fn hears(&mut self, which: usize, with_intent: bool) -> bool {
        let Some((order, session, intent)) = self.letters[which].pays.clone() else { return false };
        let marked = self.ledger.another_program(|rows| {
            let row = rows.get_mut(&OrderId(Id::parse(&order).ok()?))?;
            (row.order.status == OrderStatus::Pending).then(|| {
                row.order.status = OrderStatus::Paid;
                let said = row.order.session.as_ref().is_some_and(|recorded| recorded.as_str() == session);
                row.order.payment_intent = (with_intent || !said).then_some(PaymentIntentId(intent));
            })
        });
        if marked.is_some() {
            self.shared.story.tell(|| format!("the application marks {order} paid"));
            self.look();
        }
        marked.is_some()
    }

    /// Every program goes as far as it can; who has ended, or crashed, is seen to.
    pub(crate) fn settle_down(&mut self) {
        loop {
            let mut index = 0;
            let mut moved = false;
            while index < self.actors.len() {
                let awake = self.actors[index].program.is_awake();
                moved |= awake;
                let ended = if awake { self.actors[index].program.go_on() } else { None };
                if let Some(ended) = ended {
                    let actor = self.actors.remove(index);
                    self.ended(actor, ended);
                } else if awake && self.actors[index].program.has_crashed() {
                    self.end(index, "crashes");
                } else {
                    index += 1;
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn ended(&mut self, actor: Actor, ended: Ended) {
        let name = actor.name();
        match (actor.kind, ended) {
            (Kind::Delivery { letter, known }, Ended::Answered(status)) => {
                self.shared.story.tell(|| format!("{name} answers {status}"));
                let trace = actor.program.faults.trace();
                let effects = trace.iter().filter(|site| site.side != Side::Clock).count();
                self.judge_answer(&letter, known, status, effects);
                self.shared.stripe.with_core(|core, now| drop(core.delivered(now, &letter.delivery, Some(status))));
            }
            (Kind::Operator { .. }, Ended::Applied(result)) => {
                self.shared.story.tell(|| match &*result {
                    Ok(report) => {
                        let failed = report.results.iter().filter_map(|result| result.error.as_ref());
                        let failed: String = failed.map(|error| format!("; {}", error.message)).collect();
                        format!("{name} ends: {} results{failed}", report.results.len())
                    }
                    Err(error) => format!("{name} ends: {error}"),
                });
                let internal = result.iter().flat_map(|report| &report.results).filter_map(|one| one.error.as_ref());
                let internal =
                    internal.filter(|error| error.code == "internal").map(|error| error.message.clone()).next();
                if let Some(message) = internal {
                    self.is_wrong(Wrong::new("internal", message));
                }
            }
            _ => self.is_wrong(Wrong::new("ended", format!("{name} ends as something else"))),
        }
    }

    /// I5, and that what is known has no effect.
    fn judge_answer(&mut self, letter: &Letter, known: bool, status: u16, effects: usize) {
        let state = self.ledger.snapshot();
        let stored = state.events.get(&letter.event);
        let finished = stored.is_some_and(|event| event.outcome.is_some());
        if (200..300).contains(&status) && !finished {
            self.is_wrong(Wrong::new(
                "I5",
                format!("I5: {} was acknowledged, and is not stored and done", letter.event),
            ));
        }
        if known && (200..300).contains(&status) && effects > 1 {
            let said = format!("{} was known, and had {effects} effects", letter.event);
            self.is_wrong(Wrong::new("known event", said));
        }
    }
}
