//! Where people can pay once a plan is carried out, and for how long.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::domain::{OrderStatus, PayableKind, Registration, SessionId};

use super::match_up::{Group, World};
use super::{Change, Note, Step};

/// The registrations among `groups` that are payable by this kind of payable, and stay so, or will be.
pub(crate) fn payable_by<'a>(
    world: &World<'_>,
    groups: impl Iterator<Item = &'a Group<'a>>,
    changes: &[Change],
    kind: PayableKind,
) -> Vec<Registration> {
    let steps =
        |change: &Change| change.steps.iter().any(|step| matches!(step, Step::Bill { .. } | Step::Renew { .. }));
    let made: BTreeSet<&Registration> = changes
        .iter()
        .filter(|change| world.manifest.policy.link == kind && steps(change))
        .filter_map(|change| change.subject.registration.as_ref())
        .collect();
    let closed = closed_by(changes);
    let stays_open = |group: &Group<'_>| {
        let pending = group.orders.iter().filter(|(order, _)| order.status == OrderStatus::Pending);
        let mut payables = pending.filter_map(|(_, recorded)| recorded.known());
        payables.any(|payable| payable.is_open() && payable.kind == kind && !closed.contains(&payable.id))
    };
    let payable = groups.filter(|group| made.contains(&group.registration) || stays_open(group));
    payable.map(|group| group.registration.clone()).collect()
}

/// The payables that changes close.
pub(crate) fn closed_by(changes: &[Change]) -> BTreeSet<&SessionId> {
    let steps = changes.iter().flat_map(|change| &change.steps);
    steps.filter_map(|step| if let Step::Expire { session, .. } = step { Some(session) } else { None }).collect()
}

/// What stands open at a link that nobody has read cannot be told.
pub(crate) fn links_unread() -> Note {
    Note::of_all(
        "Payment Links were not read: Stripe does not let this key; one that names an order here would go unseen",
    )
}

/// Sessions end within a day, and there are days left in which people may want to pay. Nothing where the application's
/// webhook forbids links.
pub(crate) fn short_lived<'a>(
    world: &World<'_>,
    groups: impl Iterator<Item = &'a Group<'a>>,
    changes: &[Change],
) -> Option<Note> {
    let policy = world.manifest.policy.link;
    let today = world.observed.at.to_zoned(TimeZone::UTC).date();
    let days = world.manifest.tournament.pay_by?.since(today).ok()?.get_days();
    if policy != PayableKind::Session || world.canceling || days <= 1 {
        return None;
    }
    let some = !payable_by(world, groups, changes, PayableKind::Session).is_empty();
    some.then(|| {
        Note::of_all(format!(
            "sessions die within 24 hours, pay_by is in {days} days: policy: {{ link: payment_link }} makes links that do not"
        ))
    })
}

/// A handler that leaves an order alone when a session expires that it held before may still cancel one that holds no
/// session, as an order with a Payment Link does. Only a round trip with a link shows that, and its canary's link is proof of
/// one.
pub(crate) fn unproved<'a>(
    world: &World<'_>,
    groups: impl Iterator<Item = &'a Group<'a>>,
    changes: &[Change],
) -> Option<Note> {
    let facts = &world.observed.facts;
    let proved = facts.canary_sessions.iter().any(|id| PayableKind::of(id) == PayableKind::PaymentLink);
    if world.manifest.policy.link != PayableKind::PaymentLink || proved || facts.handler.as_ref()?.cancels {
        return None;
    }
    let some = !payable_by(world, groups, changes, PayableKind::PaymentLink).is_empty();
    some.then(|| {
        Note::of_all(
            "the application's webhook was verified with sessions only, and each visit of a link ends in an event of its own: \
             run tourney verify once more before links are mailed",
        )
    })
}
