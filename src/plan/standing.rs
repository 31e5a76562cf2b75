//! Every registration as it stands: the order that lives, by the planner's own election, its payable and its findings.

use crate::domain::{Money as Amount, Order, OrderStatus, Payable, PayableKind, PayableState, Registration};
use crate::manifest::Manifest;
use crate::observe::Observation;

use super::elect::{Role, elect};
use super::match_up::{Group, World, match_up};
use super::{Action, Finding, Options, Plan, is_asked_for};

/// One registration with what stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Whose, for what; a renamed player under the new id.
    pub registration: Registration,
    /// What the manifest asks to be paid through Stripe; none where it asks nothing (any more).
    pub owed: Option<Amount>,
    /// The order that lives; where none does, the last one.
    pub order: Option<&'a Order>,
    /// The payable recorded on it, as Stripe shows it; none where there is none, or Stripe does not know it.
    pub payable: Option<&'a Payable>,
    /// The visit of its Payment Link at which the payer has finished, and which says what became of the money; none for
    /// an order that has a session.
    pub visit: Option<&'a Payable>,
    /// What is wrong and not decided; sorted.
    pub findings: Vec<Finding>,
}

/// The manifest's registrations in its order, then those of orders in scope that it does not have, by id.
///
/// Pure, and from the same judgement as `planned`, which must come from the same manifest, observation and options.
#[must_use]
pub fn standings<'a>(
    manifest: &'a Manifest,
    observed: &'a Observation,
    options: &Options,
    planned: &Plan,
) -> Vec<Standing<'a>> {
    let world = match_up(manifest, observed);
    let shown = world.groups.iter().filter(|group| group.wanted.is_some() || !group.orders.is_empty());
    shown.filter(|group| is_asked_for(group, options)).map(|group| standing(&world, group, planned)).collect()
}

fn standing<'a>(world: &World<'a>, group: &Group<'a>, planned: &Plan) -> Standing<'a> {
    let elected = elect(group, world.stopped());
    let keeper = elected.iter().find(|(.., role)| *role == Role::Keeper);
    let last = || elected.iter().max_by_key(|(order, ..)| (order.created_at, &order.id));
    let (order, recorded) = keeper.or_else(last).map(|(order, recorded, _)| (*order, *recorded)).unzip();
    let owed = group.wanted.filter(|wanted| wanted.amount.minor > 0 && !wanted.paid_elsewhere);
    Standing {
        registration: group.registration.clone(),
        owed: owed.map(|wanted| wanted.amount),
        order,
        payable: recorded.and_then(super::match_up::Recorded::known),
        visit: order.and_then(|order| finished_visit(group, order)),
        findings: undecided(planned, &group.registration),
    }
}

/// Of several, the one whose payment the order records, else one that was paid, else one that may yet be.
fn finished_visit<'a>(group: &Group<'a>, order: &Order) -> Option<&'a Payable> {
    order.session.as_ref().filter(|id| PayableKind::of(id) == PayableKind::PaymentLink)?;
    let intent = order.payment_intent.as_ref();
    let finished = group.loose.iter().filter(|loose| loose.order.is_some_and(|of| of.id == order.id));
    let finished = finished.map(|loose| loose.payable);
    let finished = finished.filter(|visit| visit.link.is_some() && visit.state == PayableState::Complete);
    finished.min_by_key(|visit| (visit.payment_intent.as_ref() != intent, !visit.has_arrived(), !visit.is_processing()))
}

/// The findings of a registration that nobody has decided.
fn undecided(planned: &Plan, registration: &Registration) -> Vec<Finding> {
    let open = planned.changes.iter().filter(|change| change.action != Action::Decided);
    let changes = open.flat_map(|change| change.findings.iter().map(|finding| (&change.subject, *finding)));
    let notes = planned.notes.iter().filter_map(|note| note.finding.map(|finding| (&note.subject, finding)));
    let own = changes.chain(notes).filter(|(subject, _)| subject.registration.as_ref() == Some(registration));
    let mut findings: Vec<Finding> = own.map(|(_, finding)| finding).collect();
    findings.sort();
    findings.dedup();
    findings
}

impl<'a> Standing<'a> {
    /// The payable that may be sent to the payer: open, of a pending order, and nothing is wrong with the registration.
    /// A link that `apply` would close, or at which a payment would not be matched, must not reach anybody.
    #[must_use]
    pub fn sendable(&self) -> Option<&'a Payable> {
        let pending = self.order.is_some_and(|order| order.status == OrderStatus::Pending);
        self.payable.filter(|payable| pending && payable.is_open() && payable.url.is_some() && self.findings.is_empty())
    }

    /// What tells of the payment: the payable itself, or the visit of a link that was finished.
    #[must_use]
    pub fn paying(&self) -> Option<&'a Payable> {
        let open = self.payable.is_some_and(Payable::is_open);
        self.visit.filter(|visit| !open || !visit.has_failed()).or(self.payable)
    }

    /// Something is owed, it is neither paid nor on its way, and yet there is no link to send.
    #[must_use]
    pub fn lacks_link(&self) -> bool {
        let settled = self.order.is_some_and(|order| order.status == OrderStatus::Paid)
            || self.paying().is_some_and(|payable| payable.is_processing() || payable.is_paid());
        self.owed.is_some() && !settled && self.sendable().is_none()
    }
}
