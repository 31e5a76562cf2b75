//! What may not be done while the application's webhook cancels an order when one of its sessions expires.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{OrderId, OrderStatus, Ownership, Payable, PayableKind, Registration, SessionId};
use crate::manifest::Stale;

use super::match_up::{Group, World};
use super::{Action, Change, Note, Plan, RenewRefused, Step, payable_by};

/// Takes out of a plan whatever would close a session and thereby cancel an order that stays payable, or whose payment is on
/// its way or has arrived, and with it what converges the same registration; a note says so. Nothing where the webhook is
/// not known to cancel.
pub(crate) fn withhold(plan: &mut Plan, world: &World<'_>) {
    if !world.canceling {
        return;
    }
    let facts = Facts::of(world);
    let mut held: BTreeMap<Registration, String> = BTreeMap::new();
    // What is taken out closes nothing any more, which may spoil another change.
    loop {
        let after = After::of(&plan.changes);
        let mut spared = BTreeMap::new();
        for (place, change) in plan.changes.iter().enumerate() {
            let registration = change.subject.registration.as_ref();
            let follows = || registration.filter(|_| converges(change)).and_then(|whose| held.get(whose)).cloned();
            let Some(text) = facts.victim(change, &after).map(why).or_else(follows) else { continue };
            spared.insert(place, note(change, &text));
            if let Some(registration) = registration {
                held.entry(registration.clone()).or_insert(text);
            }
        }
        if spared.is_empty() {
            return;
        }
        let mut places = 0..plan.changes.len();
        plan.changes.retain(|_| places.next().is_some_and(|place| !spared.contains_key(&place)));
        plan.notes.extend(spared.into_values());
    }
}

/// What policy would have renewed of the replacements that are left; none where policy asks for them. Before that, what is
/// payable by a Payment Link, or would be: a visit that nobody ends by paying expires within a day, and its event cancels the
/// order behind the open link, however new the link is.
pub(crate) fn refusal<'a>(
    world: &World<'_>,
    groups: impl Iterator<Item = &'a Group<'a>>,
    changes: &[Change],
) -> Option<RenewRefused> {
    let handler = world.observed.facts.canceling()?;
    if world.manifest.policy.link == PayableKind::PaymentLink {
        let registrations = payable_by(world, groups, changes, PayableKind::PaymentLink);
        let refused = RenewRefused { handler: handler.clone(), kind: PayableKind::PaymentLink, registrations };
        return Some(refused).filter(|refused| !refused.registrations.is_empty());
    }
    let registrations = changes.iter().filter(|change| change.not_renewed);
    let registrations: Vec<_> = registrations.filter_map(|change| change.subject.registration.clone()).collect();
    let forbidden = world.manifest.policy.stale == Stale::Renew && !registrations.is_empty();
    forbidden.then(|| RenewRefused { handler: handler.clone(), kind: PayableKind::Session, registrations })
}

/// Whether a change counts on what others of its registration do.
fn converges(change: &Change) -> bool {
    change.action >= Action::Settle && change.action.is_done_by_apply()
}

fn why((session, order): (&SessionId, &OrderId)) -> String {
    format!(
        "left as it is: closing {session} would make the application's webhook cancel order {order}, which may still be paid"
    )
}

fn note(change: &Change, text: &str) -> Note {
    let finding = change.findings.first().copied();
    Note { subject: change.subject.clone(), finding, text: text.to_owned() }
}

/// What a plan leaves behind.
struct After<'a> {
    expired: BTreeSet<&'a SessionId>,
    /// Orders that are pending no longer.
    ended: BTreeSet<&'a OrderId>,
    /// Orders that get a new session.
    renewed: BTreeSet<&'a OrderId>,
}

impl<'a> After<'a> {
    fn of(changes: &'a [Change]) -> Self {
        let mut after = Self { expired: BTreeSet::new(), ended: BTreeSet::new(), renewed: BTreeSet::new() };
        for step in changes.iter().flat_map(|change| &change.steps) {
            match step {
                Step::Expire { session, .. } => after.expired.insert(session),
                Step::Retire { seen, .. } | Step::Settle { seen, .. } => after.ended.insert(&seen.id),
                Step::RecordPayment { order, .. } => after.ended.insert(order),
                Step::Renew { seen } => after.renewed.insert(&seen.id),
                Step::Bill { .. } | Step::Repair { .. } | Step::Rename { .. } | Step::RecordRefund { .. } => continue,
            };
        }
        after
    }
}

/// Which pending order an expired event of a session is about, and where such an order may still be paid, or is.
struct Facts<'a> {
    named: BTreeMap<&'a SessionId, OrderId>,
    pending: BTreeSet<&'a OrderId>,
    payable_at: BTreeMap<OrderId, Vec<&'a SessionId>>,
    /// The open sessions that visits of Payment Links have made, by which they are closed.
    links: BTreeMap<&'a SessionId, &'a SessionId>,
}

impl<'a> Facts<'a> {
    fn of(world: &World<'a>) -> Self {
        let observed = world.observed;
        let orders = || observed.facts.orders.iter().filter(|order| order.status == OrderStatus::Pending);
        let named = observed.payables.iter();
        let named = named.filter_map(|payable| Some((&payable.id, Ownership::order_in(&payable.metadata)?)));
        let named: BTreeMap<_, _> = named.collect();
        let counts = |payable: &&Payable| {
            payable.is_open() || payable.is_processing() || (payable.has_arrived() && !payable.is_returned(None))
        };
        let alive: BTreeSet<&SessionId> = observed.payables.iter().filter(counts).map(|payable| &payable.id).collect();
        let recorded = orders().filter_map(|order| Some((order.session.as_ref()?, order.id.clone())));
        let mut payable_at: BTreeMap<OrderId, Vec<&SessionId>> = BTreeMap::new();
        let at = recorded.chain(named.iter().map(|(session, order)| (*session, order.clone())));
        for (session, order) in at.filter(|(session, _)| alive.contains(session)) {
            payable_at.entry(order).or_default().push(session);
        }
        let visits = observed.payables.iter().filter(|payable| payable.is_open());
        let links = visits.filter_map(|visit| Some((&visit.id, visit.link.as_ref()?))).collect();
        Self { named, pending: orders().map(|order| &order.id).collect(), payable_at, links }
    }

    /// An open visit is closed with its link.
    fn is_closed(&self, id: &SessionId, after: &After<'_>) -> bool {
        after.expired.contains(id) || self.links.get(id).is_some_and(|link| after.expired.contains(*link))
    }

    /// The session that a change closes, and the order that would be canceled by it although it may still be paid.
    fn victim<'b>(&'b self, change: &'b Change, after: &After<'_>) -> Option<(&'b SessionId, &'b OrderId)> {
        let closed = change.steps.iter().filter_map(|step| match step {
            Step::Expire { session, order } => Some((session, order.as_ref())),
            _ => None,
        });
        let pairs = closed.flat_map(|(session, order)| {
            self.named.get(session).into_iter().chain(order).map(move |order| (session, order))
        });
        let stays = |order: &OrderId| {
            let payable = self.payable_at.get(order).into_iter().flatten().any(|id| !self.is_closed(id, after));
            self.pending.contains(order) && !after.ended.contains(order) && (payable || after.renewed.contains(order))
        };
        pairs.into_iter().find(|(_, order)| stays(order))
    }
}
