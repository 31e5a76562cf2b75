//! What a person has decided in the manifest, and which findings it settles.

use std::collections::BTreeSet;

use crate::domain::{Money, Order, OrderStatus, Payable, SessionId};
use crate::manifest::{Decision, Manifest};

use super::Finding;
use super::case::{About, Case};
use super::match_up::Recorded;

/// The manifest's decisions, and which of them have met their finding.
#[derive(Clone, Debug)]
pub(crate) struct Decisions<'a> {
    list: &'a [Decision],
    used: BTreeSet<usize>,
}

impl<'a> Decisions<'a> {
    pub(crate) fn new(manifest: &'a Manifest) -> Self {
        Self { list: &manifest.decisions, used: BTreeSet::new() }
    }

    /// The decision that settles a finding of a case.
    pub(crate) fn find(&self, case: &Case<'_>, finding: Finding) -> Option<&'a Decision> {
        self.list.iter().find(|decision| settles(decision, case, finding))
    }

    /// Remembers that the decisions about a finding have met it.
    pub(crate) fn mark(&mut self, case: &Case<'_>, finding: Finding) {
        let met = self.list.iter().enumerate().filter(|(_, decision)| settles(decision, case, finding));
        self.used.extend(met.map(|(place, _)| place));
    }

    /// Decisions that met nothing: what they settled is gone, or they name it wrongly.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &'a Decision> {
        self.list.iter().enumerate().filter(|(place, _)| !self.used.contains(place)).map(|(_, decision)| decision)
    }
}

/// Every selector that a decision gives must fit; an amount is the one that was paid. A payable that no registration has
/// is named by its session: the decision's player and fee say whose it is taken to be.
fn settles(decision: &Decision, case: &Case<'_>, finding: Finding) -> bool {
    let whose = case.registration().map_or(decision.session.is_some(), |registration| {
        decision.player == registration.player && decision.fee == registration.fee
    });
    // Once a refund is recorded, the registration is `settled-before`: what was decided about the refund still holds.
    let after_refund = finding == Finding::SettledBefore
        && decision.finding == Finding::RefundedAtStripe.code()
        && last_order(case).is_some_and(|order| order.status == OrderStatus::Refunded);
    (decision.finding == finding.code() || after_refund)
        && whose
        && decision.order.as_ref().is_none_or(|id| last_order(case).is_some_and(|order| order.id == *id))
        && decision.session.as_ref().is_none_or(|session| session_of(case) == Some(session))
        && decision.amount.is_none_or(|amount| paid_amount(case) == Some(amount))
}

/// The order that a case is about; for a registration without a live order, its last one.
pub(crate) fn last_order<'a>(case: &Case<'a>) -> Option<&'a Order> {
    match case.about {
        About::Vacant => case.group?.orders.iter().map(|(order, _)| *order).max_by_key(|o| (o.created_at, &o.id)),
        About::Order(..) | About::Loose(_) => case.order(),
    }
}

fn session_of<'a>(case: &Case<'a>) -> Option<&'a SessionId> {
    match case.recorded {
        Recorded::Unknown(id) | Recorded::Unread(id) | Recorded::Contested(id) => Some(id),
        Recorded::None | Recorded::Known(_) => case.payable().map(|payable| &payable.id),
    }
}

/// What Stripe took, else what the order says.
fn paid_amount(case: &Case<'_>) -> Option<Money> {
    let taken = case.payable().filter(|payable| payable.is_paid()).and_then(Payable::money);
    taken.or_else(|| last_order(case).map(|order| order.amount))
}
