//! The sums of a plan: money, counts, links that stop working, the guard on mass retirement.

use std::collections::BTreeSet;

use crate::domain::{Currency, OrderStatus, Payable, SessionId};
use crate::manifest::Manifest;

use super::case::cases;
use super::match_up::{Group, World};
use super::{Action, Change, Finding, MassRetire, Money, Step, Summary};

/// Retirements up to this many are never refused by the guard.
const FEW: u32 = 3;

impl Money {
    /// Nothing yet.
    pub(crate) const fn zero(currency: Currency) -> Self {
        Self { currency, owed: 0, paid: 0, unpayable: 0 }
    }

    /// Adds a registration. A payment counts up to what is owed; one that is not recorded yet, or on its way, counts
    /// neither as paid nor as unpayable.
    pub(crate) fn add(&mut self, world: &World<'_>, group: &Group<'_>, changes: &[Change]) {
        let Some(wanted) = group.wanted else { return };
        let owed = wanted.amount.minor;
        let cases = cases(world, group);
        let keeper = cases.iter().find_map(|case| case.keeper().map(|order| (case, order)));
        let recorded = keeper.filter(|(case, order)| order.status == OrderStatus::Paid && !case.is_returned());
        let paid = match recorded {
            _ if wanted.paid_elsewhere => owed,
            Some((_, order)) => order.amount.minor.min(owed),
            None => 0,
        };
        let arriving =
            keeper.is_some_and(|(case, _)| case.is_paid() || case.payable().is_some_and(Payable::is_processing));
        let wrong = changes
            .iter()
            .filter(|change| change.action != Action::Decided)
            .any(|change| change.findings.iter().any(|finding| finding.makes_unpayable()));
        self.owed += owed;
        self.paid += paid;
        self.unpayable += if wrong && paid == 0 && !arriving { owed } else { 0 };
    }
}

impl Summary {
    /// Counts a change.
    pub(crate) fn count(&mut self, action: Action) {
        *self.of_mut(action) += 1;
    }

    /// How many changes have this action.
    #[must_use]
    pub fn of(&self, action: Action) -> u32 {
        let mut copy = *self;
        *copy.of_mut(action)
    }

    fn of_mut(&mut self, action: Action) -> &mut u32 {
        match action {
            Action::Create => &mut self.create,
            Action::Replace => &mut self.replace,
            Action::Renew => &mut self.renew,
            Action::Repair => &mut self.repair,
            Action::Rename => &mut self.rename,
            Action::Settle => &mut self.settle,
            Action::RecordPayment => &mut self.record_payment,
            Action::RecordRefund => &mut self.record_refund,
            Action::Retire => &mut self.retire,
            Action::Expire => &mut self.expire,
            Action::Attention => &mut self.attention,
            Action::Decided => &mut self.decided,
        }
    }
}

/// How many links stop working: every payable that is open now and that a step closes, whoever made it and for whatever
/// order. Each was perhaps mailed.
pub(crate) fn links_stopping(world: &World<'_>, changes: &[Change]) -> u32 {
    let open: BTreeSet<&SessionId> =
        world.observed.payables.iter().filter(|payable| payable.is_open()).map(|payable| &payable.id).collect();
    let closed: BTreeSet<&SessionId> = changes
        .iter()
        .flat_map(|change| &change.steps)
        .filter_map(|step| if let Step::Expire { session, .. } = step { Some(session) } else { None })
        .collect();
    count(open.intersection(&closed))
}

/// Whether the guard on mass retirement refuses: more than a few withdrawn players' orders above the policy's share of
/// the live ones, or a manifest without players while there are live orders.
pub(crate) fn mass_retire(manifest: &Manifest, world: &World<'_>, changes: &[Change]) -> Option<MassRetire> {
    let withdrawn = |change: &&Change| change.action == Action::Retire && change.findings.contains(&Finding::Withdrawn);
    let retiring = count(changes.iter().filter(withdrawn));
    let orders = world.groups.iter().flat_map(|group| &group.orders);
    let live = count(orders.filter(|(order, _)| order.status.is_live()));
    let limit_percent = manifest.policy.max_retired_percent;
    let many = retiring > FEW && u64::from(retiring) * 100 > u64::from(limit_percent) * u64::from(live);
    // The stop button keeps every order: it must work with any manifest.
    let emptied = manifest.players.is_empty() && live > 0 && manifest.tournament.open;
    (many || emptied).then_some(MassRetire { retiring, live, limit_percent })
}

/// How many, as the plan counts.
pub(crate) fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
