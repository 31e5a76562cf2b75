//! The order in which changes are carried out: what was paid is recorded first, then what can be paid twice is expired,
//! everywhere; then players side by side, and for one player the changes one after the other.
//!
//! A payment is recorded before anything is expired because an application may cancel a pending order when it hears that a
//! session of it has expired; a paid one it leaves.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};

use crate::domain::{PlayerId, Registration};
use crate::ledger::{Ledger, RunStep};
use crate::plan::{Action, Change, Plan};
use crate::world::{Clock, Wire};

use super::change::{Carried, StepError};
use super::report::{ChangeOutcome, ChangeResult, Watch};
use super::{Hands, Stop};

/// A change with its place in the plan.
type Placed<'a> = (usize, &'a Change);

/// What came of a group.
#[derive(Default)]
struct Through {
    results: Vec<(usize, ChangeResult)>,
    /// What its changes were about that found that the world had moved.
    moved: BTreeSet<Option<Registration>>,
    /// Registrations for which not everything went through: nothing more is begun for them.
    unsettled: BTreeSet<Registration>,
    /// Whether an order that the player leaves still stands: no new bill is made beside it.
    leaves_open: bool,
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Carries out every change of a plan that has steps, but for registrations that are `unsettled` already. Gives the
    /// results in the plan's order, and whose changes found that the world had moved (none: a payable of nobody's).
    pub(super) async fn carry_out_all(
        &self,
        plan: &Plan,
        unsettled: &BTreeSet<Registration>,
        parallelism: usize,
        stop: &Stop,
        watch: &impl Watch,
    ) -> (Vec<ChangeResult>, BTreeSet<Option<Registration>>) {
        let work = plan.changes.iter().enumerate().filter(|(_, change)| !change.steps.is_empty());
        let (record, rest): (Vec<_>, Vec<_>) = work.partition(|(_, change)| change.action == Action::RecordPayment);
        let (expire, rest): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, change)| change.action == Action::Expire);
        let mut unsettled = unsettled.clone();
        let mut results = Vec::new();
        let mut moved = BTreeSet::new();
        for phase in [group(record), group(expire), group(rest)] {
            let groups = phase.into_iter().map(|group| self.carry_out_group(group, &unsettled, stop, watch));
            let through: Vec<Through> = stream::iter(groups).buffer_unordered(parallelism.max(1)).collect().await;
            for group in through {
                moved.extend(group.moved);
                results.extend(group.results);
                unsettled.extend(group.unsettled);
            }
        }
        results.sort_by_key(|(index, _)| *index);
        (results.into_iter().map(|(_, result)| result).collect(), moved)
    }

    async fn carry_out_group(
        &self,
        changes: Vec<Placed<'_>>,
        unsettled: &BTreeSet<Registration>,
        stop: &Stop,
        watch: &impl Watch,
    ) -> Through {
        let mut through = Through { unsettled: unsettled.clone(), ..Through::default() };
        for (index, change) in changes {
            let registration = change.subject.registration.as_ref();
            let mut instead = None;
            let result = if stop.is_asked() {
                ChangeResult::of(change).skipped("interrupted before it began")
            } else if registration.is_some_and(|one| through.unsettled.contains(one)) {
                ChangeResult::of(change).skipped("an earlier change of this registration did not go through")
            } else if through.leaves_open && change.action == Action::Create {
                through.moved.insert(registration.cloned());
                ChangeResult::of(change).skipped("the order that the player leaves still stands: no new bill beside it")
            } else if let Err(error) = self.may_begin().await.map_err(StepError::from) {
                let message = format!("nothing was done about this: {error} (safe to run again)");
                ChangeResult::of(change).failed(error.code(), message)
            } else {
                match self.carry_out(change).await {
                    Carried::Through(result) => result,
                    Carried::Moved(result, done) => {
                        through.moved.insert(change.subject.registration.clone());
                        instead = done;
                        result
                    }
                }
            };
            if result.outcome != ChangeOutcome::Done {
                through.unsettled.extend(registration.cloned());
                through.leaves_open |= change.action == Action::Retire;
            }
            watch.finished(&result);
            for result in std::iter::once(result).chain(instead.map(|done| *done)) {
                self.log(&result).await;
                through.results.push((index, result));
            }
        }
        through
    }

    async fn log(&self, result: &ChangeResult) {
        let outcome = match result.outcome {
            ChangeOutcome::Done => "done",
            ChangeOutcome::Skipped => "skipped",
            ChangeOutcome::Failed => "failed",
        };
        let step = RunStep {
            at: self.clock.now(),
            registration: result.registration.clone(),
            action: result.action.word().to_owned(),
            order: result.order.clone(),
            session: result.session.clone(),
            outcome: outcome.to_owned(),
            detail: result.error.as_ref().map(|error| error.message.clone()).or_else(|| result.detail.clone()),
        };
        // History is for people and never read to recover: a line that is lost loses no money.
        let _ = self.ledger.log_step(&self.guard.run, &step).await;
    }
}

/// Groups changes by their player, each group in the order of precedence: who changes fee pays for one of them, so the old
/// order is retired before the new bill is made. A payable without a registration is its own group.
fn group(changes: Vec<Placed<'_>>) -> Vec<Vec<Placed<'_>>> {
    let mut of: BTreeMap<&PlayerId, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Placed<'_>>> = Vec::new();
    for (index, change) in changes {
        let next = groups.len();
        let player = change.subject.registration.as_ref().map(|registration| &registration.player);
        let at = player.map_or(next, |player| *of.entry(player).or_insert(next));
        if at == next {
            groups.push(Vec::new());
        }
        groups[at].push((index, change));
    }
    for group in &mut groups {
        group.sort_by_key(|(index, change)| (change.action, *index));
    }
    groups
}

#[cfg(test)]
mod tests {
    use crate::domain::FeeId;
    use crate::plan::{Finding, Subject};

    use super::*;

    fn change(player: i64, fee: i64, action: Action) -> Change {
        let registration = Registration { player: PlayerId(player.into()), fee: FeeId(fee.into()) };
        let subject = Subject { registration: Some(registration), order: None, session: None };
        let findings = vec![Finding::Withdrawn];
        Change { subject, action, findings, desired: None, detail: None, steps: Vec::new(), not_renewed: false }
    }

    #[test]
    fn a_player_who_changes_fee_leaves_the_old_one_before_the_new_is_billed() {
        let changes = [change(1, 6, Action::Create), change(2, 5, Action::Create), change(1, 5, Action::Retire)];
        let groups = group(changes.iter().enumerate().collect());
        let order: Vec<Vec<usize>> =
            groups.iter().map(|group| group.iter().map(|(index, _)| *index).collect()).collect();
        assert_eq!(order, [vec![2, 0], vec![1]]);
    }
}
