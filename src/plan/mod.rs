//! Findings, changes, policy and the saved plan: a pure function of manifest and observation.
//!
//! `match_up` (orders and payables to registrations) → `elect` (which order lives) → `detect` (a table of small
//! functions) → `decide` (the strongest remedy under policy) → `expand` (a change into steps).

mod case;
mod change;
mod decide;
mod decisions;
mod detail;
mod detect;
mod elect;
mod expand;
mod finding;
mod match_up;
mod payable;
mod saved;
mod standing;
mod totals;
mod whose;
mod withhold;

pub use change::{
    Action, Change, Desired, Head, MassRetire, Money, Note, Plan, RenewRefused, SeenSession, Step, Subject, Summary,
};
pub use finding::Finding;
pub use saved::{Difference, LARGEST_SAVED_PLAN, Saved, SavedError};
pub use standing::{Standing, standings};

use std::collections::BTreeSet;

use crate::domain::{LedgerId, OrderStatus, Payable, PayableKind, PlayerId, SessionId, key};
use crate::ledger::Event;
use crate::manifest::Manifest;
use crate::observe::Observation;

use case::{About, Case, cases};
use decide::{Holds, decide, holds};
use decisions::Decisions;
use detect::detect;
use match_up::{Group, Recorded, World, match_up};
use payable::{links_unread, payable_by, short_lived, unproved};
use totals::{links_stopping, mass_retire, undecided};
use withhold::{refusal, withhold};

/// What else decides about a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The environment's name, for the head.
    pub environment: String,
    /// Only these players' registrations (a player's former id names them too); the sums are over them alone, and what
    /// belongs to no registration is left out.
    pub players: Option<Vec<PlayerId>>,
    /// The guard on mass retirement is off.
    pub allow_mass_retire: bool,
}

/// Compares what ought to be with what is.
///
/// Pure: no I/O, no clock (`observed.at` is now), no randomness; the same input gives the same bytes.
#[must_use]
pub fn plan(manifest: &Manifest, observed: &Observation, options: &Options) -> Plan {
    let world = match_up(manifest, observed);
    let mut decisions = Decisions::new(manifest);
    let mut plan = empty(manifest, observed, options, world.foreign.clone());
    for group in world.groups.iter().filter(|group| is_asked_for(group, options)) {
        add_group(&mut plan, &world, group, &mut decisions);
    }
    if options.players.is_none() {
        for loose in &world.stray {
            let case = Case { world: &world, group: None, about: About::Loose(loose), recorded: Recorded::None };
            let changes = judge(&mut plan, &case, Holds::default(), &mut decisions);
            plan.changes.extend(changes);
        }
        add_unmatched(&mut plan, &world, manifest);
        add_stale_decisions(&mut plan, &decisions);
    }
    withhold(&mut plan, &world);
    let asked = || world.groups.iter().filter(|group| is_asked_for(group, options));
    plan.renew_refused = refusal(&world, asked(), &plan.changes);
    plan.notes.extend(observed.links_unread.then(links_unread));
    plan.notes.extend(short_lived(&world, asked(), &plan.changes));
    plan.notes.extend(unproved(&world, asked(), &plan.changes));
    for change in &plan.changes {
        plan.summary.count(change.action);
    }
    add_stop(&mut plan, &world);
    add_other_name(&mut plan, &world);
    add_unpaid(&mut plan, &world);
    plan.undecided = undecided(&world, &plan.changes);
    plan.links_stopping = links_stopping(&world, &plan.changes);
    plan.mass_retire = mass_retire(manifest, &world, &plan.changes).filter(|_| !options.allow_mass_retire);
    plan
}

fn empty(manifest: &Manifest, observed: &Observation, options: &Options, foreign: Vec<SessionId>) -> Plan {
    Plan {
        head: Head {
            environment: options.environment.clone(),
            tournament: manifest.tournament.id.clone(),
            tournament_name: manifest.tournament.name.clone(),
            manifest_sha256: manifest.sha256.clone(),
            observed_at: observed.at,
            account: observed.account.clone(),
            mode: observed.mode,
        },
        money: Money::zero(manifest.tournament.currency),
        undecided: Vec::new(),
        summary: Summary::default(),
        changes: Vec::new(),
        links_stopping: 0,
        foreign,
        notes: Vec::new(),
        mass_retire: None,
        renew_refused: None,
    }
}

fn is_asked_for(group: &Group<'_>, options: &Options) -> bool {
    options.players.as_ref().is_none_or(|players| {
        players.contains(&group.registration.player)
            || group.orders.iter().any(|(order, _)| players.contains(&order.registration.player))
    })
}

/// Judges every case of a registration; its changes are in the order in which they must be carried out.
fn add_group<'a>(plan: &mut Plan, world: &World<'a>, group: &Group<'a>, decisions: &mut Decisions<'_>) {
    let holds = holds(world, group, decisions);
    let mut changes = Vec::new();
    for case in cases(world, group) {
        changes.extend(judge(plan, &case, holds, decisions));
    }
    changes.sort_by_key(|change| change.action);
    plan.money.add(world, group, &changes);
    let live = group.orders.iter().any(|(order, _)| order.status.is_live());
    if changes.is_empty() && (group.wanted.is_some() || live) {
        plan.summary.unchanged += 1;
    }
    plan.changes.extend(changes);
}

/// One case through the last three stages. What is only shown becomes a note.
fn judge(plan: &mut Plan, case: &Case<'_>, holds: Holds, decisions: &mut Decisions<'_>) -> Vec<Change> {
    let findings = detect(case);
    let (verdicts, held) = decide(case, &findings, holds, decisions);
    let mut note = |finding, text: &str| {
        let subject = expand::subject(case, Action::Attention);
        plan.notes.push(Note { subject, finding, text: text.to_owned() });
    };
    if findings.contains(&Finding::PaymentProcessing) {
        note(Some(Finding::PaymentProcessing), "a payment is on its way: nothing is done until it arrives or fails");
    } else if let Some(held) = held {
        // What can be paid twice is closed whatever is held back, unless that would cancel the order: the audit tells it.
        let twice = case.world.canceling && findings.contains(&Finding::PayableTwice);
        note(twice.then_some(Finding::PayableTwice), held);
    }
    match case.recorded {
        // Every active link is listed: one that is not, and that no pending order has, is closed.
        Recorded::Unread(id) if !case.has_pending_order() && PayableKind::of(id) == PayableKind::PaymentLink => {}
        Recorded::Unread(id) => {
            let it = PayableKind::of(id).noun();
            note(None, &format!("the recorded {it} was not read at Stripe: nothing is concluded from it"));
        }
        Recorded::Contested(id) => {
            let it = PayableKind::of(id).noun();
            note(
                None,
                &format!("the recorded {it} was paid and stands on orders of other players or fees too: left alone"),
            );
        }
        Recorded::None | Recorded::Unknown(_) | Recorded::Known(_) => {}
    }
    expand::expand(case, &verdicts)
}

/// Orders that say paid, every one of them, and no payment at Stripe behind any: cash, or statuses that stand crosswise.
fn add_unpaid(plan: &mut Plan, world: &World<'_>) {
    let paid = world.groups.iter().flat_map(|group| cases(world, group)).filter(|case| {
        case.keeper().is_some_and(|order| order.status == OrderStatus::Paid)
            && !case.wanted().is_some_and(|wanted| wanted.paid_elsewhere)
    });
    let (mut all, mut without) = (0, 0);
    for case in paid {
        all += 1;
        let nothing = case.keeper().is_some_and(|order| order.payment_intent.is_none()) && case.paying().is_none();
        without += u32::from(nothing && case.recorded.known().is_some());
    }
    if without < 2 || without < all {
        return;
    }
    plan.notes.push(Note::of_all(format!(
        "all {all} paid orders hold a session that nobody paid, and no payment intent: were they paid in cash, or do the words \
         under `statuses` stand crosswise?"
    )));
}

/// An id under another name is a tournament that was renamed, or a manifest that was copied: then the orders are another
/// tournament's, and whoever paid there would not be billed here.
fn add_other_name(plan: &mut Plan, world: &World<'_>) {
    let tournament = &world.manifest.tournament;
    let Some(name) = world.observed.facts.applied_name.as_ref().filter(|name| **name != tournament.name) else {
        return;
    };
    plan.notes.push(Note::of_all(format!(
        "tournament.id {} was applied as {name:?}, and is called {:?} now: renamed? A copied manifest needs an id of its own, \
         or the orders of the other tournament are taken for its own",
        tournament.id, tournament.name
    )));
}

/// Where there is nothing to do although money is owed, people should know why nothing is made.
fn add_stop(plan: &mut Plan, world: &World<'_>) {
    let (finding, text) = match world.manifest.tournament.pay_by {
        _ if !plan.changes.is_empty() || plan.money.owed == plan.money.paid => return,
        _ if !world.manifest.tournament.open => (Finding::Closed, "open: false, so no payable is made".to_owned()),
        Some(pay_by) if world.past_due => {
            (Finding::PastDue, format!("pay_by {pay_by} has passed, so no payable is made"))
        }
        _ => return,
    };
    plan.notes.push(Note { finding: Some(finding), ..Note::of_all(text) });
}

/// Stored events about payments that matched no order and that nothing here accounts for by now.
fn add_unmatched(plan: &mut Plan, world: &World<'_>, manifest: &Manifest) {
    let mut met = accounted_sessions(world);
    met.extend(plan.changes.iter().filter_map(|change| change.subject.session.as_ref().map(|seen| seen.id.clone())));
    for event in world.observed.facts.unmatched.iter().filter(|event| concerns(world, manifest, event)) {
        let payable = world.observed.payables.iter().find(|payable| event.session.as_ref() == Some(&payable.id));
        let returned = payable.is_some_and(|payable| payable.is_returned(None));
        if returned || event.session.as_ref().is_some_and(|session| !met.insert(session.clone())) {
            continue;
        }
        let decided = manifest.decisions.iter().any(|decision| {
            decision.finding == Finding::AdHocPayment.code()
                && decision.session.is_some()
                && decision.session == event.session
        });
        let unread = || event.session.clone().map(|id| SeenSession { id, status: None, payment_status: None });
        let session = payable.map(SeenSession::from).or_else(unread);
        plan.changes.push(Change {
            subject: Subject { registration: None, order: None, session },
            action: if decided { Action::Decided } else { Action::Attention },
            findings: vec![Finding::AdHocPayment],
            desired: None,
            detail: Some(format!("event {} is about a payment that matches no order", event.id)),
            steps: Vec::new(),
            not_renewed: false,
        });
    }
}

/// Whether a payment that matches no order may be this tournament's: what names another one of this database is that one's,
/// and a canary is nobody's.
fn concerns(world: &World<'_>, manifest: &Manifest, event: &Event) -> bool {
    let observed = world.observed;
    let canary = event.session.as_ref().is_some_and(|session| observed.facts.canary_sessions.contains(session));
    let metadata = event.metadata();
    let says = |key: &str| metadata.get(key).map(String::as_str);
    let here = says(key::LEDGER).is_some() && says(key::LEDGER) == observed.ledger.as_ref().map(LedgerId::as_str);
    let tournament = manifest.tournament.id.to_string();
    let elsewhere = here && says(key::TOURNAMENT).is_some_and(|named| named != tournament);
    !canary && !elsewhere
}

/// Sessions whose payment an order accounts for, or is about to.
fn accounted_sessions(world: &World<'_>) -> BTreeSet<SessionId> {
    let all = world.groups.iter().flat_map(|group| cases(world, group));
    let own = all.filter(|case| !detect::is_ad_hoc_payment(case)).filter_map(|case| case.payable());
    own.map(|payable: &Payable| payable.id.clone()).collect()
}

/// Decisions that met nothing are stale: people should know.
fn add_stale_decisions(plan: &mut Plan, decisions: &Decisions<'_>) {
    let of_events: BTreeSet<_> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Decided)
        .filter_map(|change| change.subject.session.as_ref().map(|seen| &seen.id))
        .cloned()
        .collect();
    let stale =
        decisions.unused().filter(|decision| !decision.session.as_ref().is_some_and(|id| of_events.contains(id)));
    let notes: Vec<_> = stale
        .map(|decision| Note {
            subject: Subject {
                registration: Some(crate::domain::Registration {
                    player: decision.player.clone(),
                    fee: decision.fee.clone(),
                }),
                order: None,
                session: None,
            },
            finding: None,
            text: format!("the decision about {} settles nothing (any more)", decision.finding),
        })
        .collect();
    plan.notes.extend(notes);
}
