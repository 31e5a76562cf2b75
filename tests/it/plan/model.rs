//! A little model of the world: what carrying out a plan's steps does to orders and payables. It checks each step against
//! the safety rules as it goes. Where the application's webhook is known to cancel an order when an old session of it
//! expires, it does so at once, and what then finds its order canceled ends its registration's turn, as in `apply`.

use std::collections::BTreeSet;

use tourney::domain::{
    LedgerId, LinkTerms, Metadata, Money, Order, OrderId, OrderStatus, Ownership, Payable, PayableKind, PayableState,
    PaymentIntentId, PaymentStatus, Registration, Seen, SessionId,
};
use tourney::ledger::{Identity, RetireHow, RetiredOrder};
use tourney::manifest::Manifest;
use tourney::observe::Observation;
use tourney::plan::{Action, Change, Plan, Step};
use tourney::settle::{Candidate, Verdict, judge};

/// Carries out a plan as `apply` does: payments are recorded first, then every expire change, then the rest. Also whether a
/// registration must be looked at again, since a link that was closed had been paid.
pub(crate) fn carry_out(plan: &Plan, manifest: &Manifest, world: &Observation) -> (Observation, bool) {
    // Ids are never used again, also where one apply follows the other.
    let made = i64::try_from(world.facts.sessions_made.len()).unwrap();
    let mut model = Model { world: world.clone(), manifest, made, canceled: BTreeSet::new(), paid_at_visits: false };
    model.world.ledger.get_or_insert_with(|| LedgerId(super::scenario::LEDGER.to_owned()));
    // Apply settles open attempts before it plans again.
    model.world.facts.attempts.clear();
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| match change.action {
        Action::RecordPayment => 0,
        Action::Expire => 1,
        _ => 2,
    });
    let mut moved = BTreeSet::new();
    for change in changes {
        let whose = change.subject.registration.as_ref();
        if whose.is_none_or(|whose| !moved.contains(whose)) && !change.steps.iter().all(|step| model.takes(step)) {
            moved.extend(whose.cloned());
        }
    }
    // Where a link had been paid, what is left open is for the next round.
    if !model.paid_at_visits {
        model.assert_nothing_canceled_is_payable();
    }
    (model.world, model.paid_at_visits)
}

struct Model<'a> {
    world: Observation,
    manifest: &'a Manifest,
    made: i64,
    /// What the application's webhook has canceled.
    canceled: BTreeSet<OrderId>,
    /// A link was closed and one of its visits was paid: that ends a change.
    paid_at_visits: bool,
}

impl Model<'_> {
    /// Carries out a step; false, and nothing is done, where the webhook has canceled the order that it is about.
    fn takes(&mut self, step: &Step) -> bool {
        match step {
            Step::Retire { seen, canceled_too, .. } | Step::Settle { seen, canceled_too } => {
                if self.canceled.remove(&seen.id) {
                    assert!(*canceled_too, "{seen:?}");
                    self.world.facts.orders.iter_mut().find(|order| order.id == seen.id).unwrap().status = seen.status;
                }
            }
            Step::Renew { seen } | Step::Rename { seen, .. } | Step::RecordRefund { seen } => {
                if self.canceled.contains(&seen.id) {
                    return false;
                }
            }
            Step::Bill { .. } | Step::Expire { .. } | Step::Repair { .. } | Step::RecordPayment { .. } => {}
        }
        self.step(step);
        let Step::Expire { session, .. } = step else { return true };
        // What was paid at a visit is settled before anything else is done about its link.
        let moved = |visit: &Payable| visit.has_arrived() || visit.is_processing();
        let visits = self.world.payables.iter().filter(|one| one.link.as_ref() == Some(session));
        let paid = visits.into_iter().any(moved);
        self.paid_at_visits |= paid;
        !paid
    }

    /// Closes a link's open visits, as closing the link does.
    fn close_visits(&mut self, link: &SessionId) {
        let visits = self.world.payables.iter().filter(|one| one.link.as_ref() == Some(link) && one.is_open());
        for visit in visits.map(|visit| visit.id.clone()).collect::<Vec<_>>() {
            self.close(&visit);
        }
    }

    fn close(&mut self, session: &SessionId) {
        let was_open = self.payable(session).is_open();
        self.payable(session).close();
        // Stripe tells of sessions, and of no link.
        let told = was_open && PayableKind::of(session) == PayableKind::Session;
        if told && self.world.facts.canceling().is_some() {
            self.tell(session);
        }
    }

    /// Stripe tells the application that a session has expired.
    fn tell(&mut self, session: &SessionId) {
        let Some(order) = Ownership::order_in(&self.payable(session).metadata) else { return };
        let pending = |known: &&mut Order| known.id == order && known.status == OrderStatus::Pending;
        if let Some(order) = self.world.facts.orders.iter_mut().find(pending) {
            order.status = OrderStatus::Canceled;
            self.canceled.insert(order.id.clone());
        }
    }

    /// What the webhook has canceled can be paid nowhere, and no payment for it is on its way.
    fn assert_nothing_canceled_is_payable(&self) {
        let canceled = |order: &&Order| self.canceled.contains(&order.id) && order.status == OrderStatus::Canceled;
        for order in self.world.facts.orders.iter().filter(canceled) {
            // In another database the same id is another order's.
            let here = |payable: &Payable| {
                payable.metadata.get("tourney_ledger").is_none_or(|ledger| ledger == super::scenario::LEDGER)
            };
            let is_its = |payable: &&Payable| {
                order.session.as_ref() == Some(&payable.id)
                    || (here(payable) && Ownership::order_in(&payable.metadata).as_ref() == Some(&order.id))
            };
            let alive = |payable: &&Payable| payable.is_open() || payable.is_processing();
            let payable = self.world.payables.iter().filter(is_its).find(alive);
            assert_eq!(payable.map(|payable| &payable.id), None, "order {} was canceled and can be paid", order.id);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Expire { session, .. } => {
                self.close(session);
                self.close_visits(session);
            }
            Step::Retire { seen, how, .. } => self.retire(seen, *how),
            Step::Bill { registration, amount } => self.bill(registration, *amount),
            Step::Renew { seen } => self.renew(seen),
            Step::Repair { session, order, registration } => {
                let metadata = self.ours(order, registration);
                let payable = self.payable(session);
                assert!(payable.is_open(), "only an open session is repaired");
                let unnamed = payable.order_of_payments().is_some_and(|named| named != order.to_string());
                payable.metadata.extend(metadata);
                payable.terms = terms_of(payable.kind, payable.metadata.clone());
                let named = |visit: &Payable| visit.metadata.get("order_id") == Some(&order.to_string());
                let visits = self.world.payables.iter().filter(|one| one.link.as_ref() == Some(session));
                let early =
                    visits.filter(|visit| visit.is_open() && (unnamed || !named(visit))).map(|visit| visit.id.clone());
                for visit in early.collect::<Vec<_>>() {
                    self.close(&visit);
                }
            }
            Step::Rename { seen, to } => {
                let renamed = Registration { player: to.clone(), fee: seen.registration.fee.clone() };
                assert!(!self.has_live_order(&renamed), "I1: the new id has a live order");
                self.order(seen).registration = renamed;
            }
            Step::RecordPayment { session, order } => {
                let payable = self.payable(session).clone();
                assert!(payable.is_paid(), "only what is paid is recorded");
                self.assert_settles(&payable, order);
                let order = self.world.facts.orders.iter_mut().find(|known| known.id == *order).unwrap();
                assert_eq!(order.status, OrderStatus::Pending);
                assert_eq!(Some(order.amount), payable.money());
                order.status = OrderStatus::Paid;
                order.payment_intent = payable.payment_intent;
            }
            Step::Settle { seen, .. } => {
                self.order(seen).status = OrderStatus::Paid;
            }
            Step::RecordRefund { seen } => {
                assert_eq!(seen.status, OrderStatus::Paid);
                self.order(seen).status = OrderStatus::Refunded;
            }
        }
    }

    fn payable(&mut self, id: &SessionId) -> &mut Payable {
        assert!(!self.world.facts.canary_sessions.contains(id), "a canary is touched");
        self.world.payables.iter_mut().find(|payable| payable.id == *id).unwrap()
    }

    /// The order, if it is exactly as the step expects it.
    fn order(&mut self, seen: &Seen) -> &mut Order {
        let order = self.world.facts.orders.iter_mut().find(|order| order.id == seen.id).unwrap();
        assert_eq!(order.seen(), *seen, "the order has moved under the plan's own steps");
        order
    }

    /// Settle, which judges what it reads at that moment, does what the plan says.
    fn assert_settles(&self, payable: &Payable, planned: &OrderId) {
        let orders = &self.world.facts.orders;
        let find = |id: &OrderId| orders.iter().find(|order| order.id == *id);
        let named = Ownership::order_in(&payable.metadata);
        let ids = [Some(&payable.id), payable.link.as_ref()];
        let recorded = orders.iter().filter(|order| order.session.is_some() && ids.contains(&order.session.as_ref()));
        let recorded: Vec<&Order> = recorded.collect();
        let candidate = Candidate { named: named.as_ref().and_then(find), recorded: &recorded, planned: find(planned) };
        let ledger = self.world.ledger.clone().unwrap();
        let identity = Identity { ledger, account: None, mode: Some(self.world.mode) };
        let expected = Verdict::Record(find(planned).unwrap().seen());
        assert_eq!(judge(payable, &candidate, Some(&identity)), expected, "{payable:?}");
    }

    fn has_live_order(&self, registration: &Registration) -> bool {
        self.world.facts.orders.iter().any(|order| order.registration == *registration && order.status.is_live())
    }

    fn assert_nothing_open(&self, registration: &Registration) {
        let orders = &self.world.facts.orders;
        // What orders of two registrations record is a payable of one of them: of the order that its metadata names, of
        // a live one, of the first.
        let owner = |payable: &Payable| {
            let named = |order: &Order| payable.metadata.get("order_id") == Some(&order.id.to_string());
            // A visit is a part of its link.
            let ids = [Some(&payable.id), payable.link.as_ref()];
            let recorders =
                orders.iter().filter(|order| order.session.is_some() && ids.contains(&order.session.as_ref()));
            recorders.min_by_key(|order| (!order.status.is_live(), !named(order), &order.id))
        };
        let mine = |payable: &&Payable| owner(payable).is_some_and(|order| order.registration == *registration);
        let open = self.world.payables.iter().filter(|payable| payable.is_open()).filter(mine);
        assert_eq!(open.map(|payable| &payable.id).next(), None, "I2: {registration} would be payable twice");
    }

    fn retire(&mut self, seen: &Seen, how: RetireHow) {
        assert_eq!(seen.status, OrderStatus::Pending, "only a pending order is retired");
        let id = seen.id.clone();
        let others: Vec<_> =
            self.world.facts.orders.iter().filter(|order| order.id != id && order.session == seen.session).collect();
        let shared = !others.is_empty();
        let recorded = self.world.payables.iter().find(|payable| seen.session.as_ref() == Some(&payable.id));
        if let Some(payable) = recorded.filter(|_| !shared) {
            assert!(!payable.is_open(), "retired while {} is open", payable.id);
            let intent = payable.payment_intent.as_ref();
            let orders = &self.world.facts.orders;
            // A webhook handler takes it for the payment of the live order that it names.
            let named = |order: &Order| payable.metadata.get("order_id") == Some(&order.id.to_string());
            let handled = orders.iter().any(|order| order.id != id && order.status.is_live() && named(order));
            let elsewhere = handled || (intent.is_some() && others_record(orders, &id, intent));
            let back = payable.is_returned(Some(seen.amount));
            assert!(!payable.is_paid() || elsewhere || back, "retired though it was paid");
            assert!(!payable.is_processing(), "retired while a payment is on its way");
        }
        let link = seen.session.as_ref().filter(|id| PayableKind::of(id) == PayableKind::PaymentLink);
        let visits = self.world.payables.iter().filter(|one| link.is_some() && one.link.as_ref() == link);
        for visit in visits {
            assert!(!visit.is_open() && !visit.is_processing(), "retired while the visit {} is payable", visit.id);
        }
        self.order(seen).status = OrderStatus::Canceled;
        let retired = RetiredOrder {
            order: id.clone(),
            registration: seen.registration.clone(),
            session: seen.session.clone(),
            reason: String::new(),
            at: self.world.at,
            made_at: None,
        };
        self.world.facts.retired.retain(|before| before.order != id);
        self.world.facts.retired.push(retired);
        if how == RetireHow::Delete {
            self.world.facts.orders.retain(|order| order.id != id);
        }
    }

    fn bill(&mut self, registration: &Registration, amount: Money) {
        assert!(!self.has_live_order(registration), "I1: {registration} has a live order");
        self.made += 1;
        let id = OrderId((1000 + self.made).into());
        let session = self.make(&id, registration, amount);
        self.world.facts.orders.push(Order {
            id,
            registration: registration.clone(),
            amount,
            status: OrderStatus::Pending,
            session: Some(session),
            payment_intent: None,
            url: None,
            created_at: Some(self.world.at),
        });
    }

    fn renew(&mut self, seen: &Seen) {
        assert_eq!(seen.status, OrderStatus::Pending);
        self.made += 1;
        let session = self.make(&seen.id, &seen.registration, seen.amount);
        self.order(seen).session = Some(session);
    }

    fn ours(&self, order: &OrderId, registration: &Registration) -> Metadata {
        let ledger = self.world.ledger.clone().unwrap();
        let tournament = self.manifest.tournament.id.clone();
        let Registration { player, fee } = registration.clone();
        Ownership { order: order.clone(), ledger, attempt: None, tournament, player, fee }.to_metadata()
    }

    fn make(&mut self, order: &OrderId, registration: &Registration, amount: Money) -> SessionId {
        self.assert_nothing_open(registration);
        let kind = self.manifest.policy.link;
        let prefix = if kind == PayableKind::PaymentLink { "plink_new" } else { "cs_test_new" };
        let id = SessionId(format!("{prefix}{}", self.made));
        let payable = Payable {
            id: id.clone(),
            kind,
            state: PayableState::Open,
            payment_status: PaymentStatus::Unpaid,
            amount: Some(amount.minor),
            currency: Some(amount.currency),
            mode: self.world.mode,
            metadata: self.ours(order, registration),
            terms: terms_of(kind, self.ours(order, registration)),
            client_reference_id: None,
            customer_email: None,
            payment_intent: None,
            payment: None,
            url: None,
            created: (kind == PayableKind::Session).then_some(self.world.at),
            link: None,
            expires_at: None,
        };
        self.world.payables.insert(0, payable);
        self.world.facts.sessions_made.push((id.clone(), order.clone()));
        id
    }
}

/// As tourney makes them: what a link's payments say, and that one closes it.
pub(super) fn terms_of(kind: PayableKind, metadata: Metadata) -> LinkTerms {
    match kind {
        PayableKind::Session => LinkTerms::default(),
        PayableKind::PaymentLink => LinkTerms { payment_metadata: Some(metadata), paid_once: Some(true) },
    }
}

fn others_record(orders: &[Order], id: &OrderId, intent: Option<&PaymentIntentId>) -> bool {
    orders.iter().any(|order| order.id != *id && order.payment_intent.as_ref() == intent)
}

trait Close {
    fn close(&mut self);
}

impl Close for Payable {
    fn close(&mut self) {
        assert_eq!(self.payment_status, PaymentStatus::Unpaid, "only what is unpaid is expired");
        if self.is_open() {
            self.state = PayableState::Expired;
            self.url = None;
        }
    }
}
