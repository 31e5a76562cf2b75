//! The one checker of the invariants in `docs/INVARIANTS.md`: pure, over what both sides hold.
//!
//! It says what is so, whoever made it so: tests hold it against what tourney did, `verify` shows it. What is wrong it judges
//! by orders and payables alone, never by a plan, so that a mistake does not stand on both sides and cancel out; a plan only
//! says what waits for a person. What shows only while something happens is held by tests of its own: I5, I7, I8 and I9.

mod orders;
mod payables;
mod payments;
mod rule;
mod world;

pub use rule::{Holds, Invariant, Rule, Violation};

use std::collections::BTreeSet;

use crate::domain::TournamentId;
use crate::observe::Observation;
use crate::plan::{Plan, Subject};

use world::World;

/// Everything that is wrong at one moment, by rule.
#[must_use]
pub fn check(tournament: &TournamentId, observed: &Observation) -> Vec<Violation> {
    let world = World::new(tournament, observed);
    let rules = [
        orders::live_twice(&world),
        payables::payable_twice(&world),
        payables::attempted_twice(&world),
        payables::without_their_order(&world),
        payables::behind_what_is_settled(&world),
        payables::of_several_orders(&world),
        payables::of_another_amount(&world),
        payments::recorded_twice(&world),
        payments::recorded_and_not_paid(&world),
        payments::not_recorded(&world),
        payables::made_without_order_id(&world),
        payables::not_naming_their_order(&world),
    ];
    rules.into_iter().flatten().collect()
}

/// What must never become of an order between two moments: a payment goes or is left behind, an id is used again.
#[must_use]
pub fn since(tournament: &TournamentId, before: &Observation, after: &Observation) -> Vec<Violation> {
    let mut found = orders::paid_and_no_more(before, after);
    found.extend(orders::used_again(before, after));
    found.extend(payments::left_behind(&World::new(tournament, before), after));
    found
}

/// What is wrong once an apply has gone through: everything of [`check`] that does not wait for a person by the plan made of
/// the same observation, and whatever is left unfinished.
#[must_use]
pub fn at_rest(tournament: &TournamentId, observed: &Observation, planned: &Plan) -> Vec<Violation> {
    let waiting = waiting(planned);
    let mut found = check(tournament, observed);
    found.retain(|one| !one.subjects.iter().any(|id| waiting.contains(id)));
    found.extend(orders::unfinished(observed, planned));
    found
}

/// What is wrong now and was not before: somebody has brought it about meanwhile.
#[must_use]
pub fn beyond(before: &[Violation], mut now: Vec<Violation>) -> Vec<Violation> {
    let covers = |old: &Violation, new: &Violation| {
        old.rule == new.rule && new.subjects.iter().all(|id| old.subjects.contains(id))
    };
    now.retain(|new| !before.iter().any(|old| covers(old, new)));
    now
}

/// The orders and payables about which somebody has to decide, or has decided, or is told why nothing is done.
fn waiting(planned: &Plan) -> BTreeSet<String> {
    let ids = |subject: &Subject| {
        let order = subject.order.as_ref().map(|seen| seen.id.to_string());
        [order, subject.session.as_ref().map(|session| session.id.to_string())].into_iter().flatten()
    };
    let persons = planned.changes.iter().filter(|change| !change.action.is_done_by_apply());
    persons.map(|change| &change.subject).chain(planned.notes.iter().map(|note| &note.subject)).flat_map(ids).collect()
}
