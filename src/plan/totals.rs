//! The sums of a plan: money, counts, links that stop working, the guard on mass retirement.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Currency, Money as Amount, OrderStatus, Payable, Seen, SessionId};
use crate::manifest::Manifest;

use super::case::cases;
use super::match_up::{Group, World};
use super::payable::closed_by;
use super::{Action, Change, Finding, MassRetire, Money, Subject, Summary};

/// Retirements up to this many are never refused by the guard.
const FEW: u32 = 3;

impl Money {
    /// Nothing yet.
    pub(crate) const fn zero(currency: Currency) -> Self {
        Self { currency, owed: 0, paid: 0, unpayable: 0 }
    }

    /// Adds a registration. A payment counts up to what is owed; one that is not recorded yet, on its way, or matched to no
    /// order and not decided, counts neither as paid nor as unpayable. What a canary of `verify` has paid, nobody has.
    pub(crate) fn add(&mut self, world: &World<'_>, group: &Group<'_>, changes: &[Change]) {
        let Some(wanted) = group.wanted else { return };
        let owed = wanted.amount.minor;
        let cases = cases(world, group);
        let keeper = cases.iter().find_map(|case| case.keeper().map(|order| (case, order)));
        let recorded = keeper.filter(|(case, order)| order.status == OrderStatus::Paid && !case.is_returned());
        let paid = match recorded {
            _ if wanted.paid_elsewhere => owed,
            Some((case, order)) if !order.is_paid_by_canary() => {
                // Where another amount was taken than was ordered, that is what has come in.
                let taken =
                    case.paying().and_then(Payable::money).filter(|taken| taken.currency == order.amount.currency);
                taken.unwrap_or(order.amount).minor.min(order.amount.minor).min(owed)
            }
            Some(_) | None => 0,
        };
        let arriving =
            keeper.is_some_and(|(case, _)| case.is_paid() || case.payable().is_some_and(Payable::is_processing));
        let wrong = changes
            .iter()
            .filter(|change| change.action != Action::Decided)
            .any(|change| change.findings.iter().any(|finding| finding.makes_unpayable()));
        let unmatched = changes.iter().any(Change::is_unmatched_money);
        self.owed += owed;
        self.paid += paid;
        self.unpayable += if wrong && paid == 0 && !arriving && !unmatched { owed } else { 0 };
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

/// The money that has come in and that a person must decide about: at the payable of a change, less what was paid back, or
/// on its paid order.
pub(crate) fn undecided(world: &World<'_>, changes: &[Change]) -> Vec<Amount> {
    let payables: BTreeMap<&SessionId, &Payable> = world.observed.payables.iter().map(|one| (&one.id, one)).collect();
    let mut met = BTreeSet::new();
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for Subject { order, session, .. } in
        changes.iter().filter(|change| change.action == Action::Attention).map(|change| &change.subject)
    {
        let paid = session.as_ref().and_then(|session| payables.get(&session.id)).filter(|one| one.has_arrived());
        let money = paid.and_then(|payable| {
            let refunded = payable.payment.as_ref().map_or(0, |payment| payment.refunded);
            payable.money().map(|money| Amount::new(money.minor - refunded, money.currency))
        });
        let order = order.as_ref().filter(|seen| seen.status == OrderStatus::Paid && !seen.is_paid_by_canary());
        let subject = paid.map(|payable| payable.id.to_string()).or_else(|| order.map(|seen| seen.id.to_string()));
        let money = money.or_else(|| order.filter(|_| paid.is_none()).map(|seen| left_of(world, seen)));
        if let Some(money) = money.filter(|money| money.minor > 0 && subject.is_none_or(|subject| met.insert(subject)))
        {
            *sums.entry(money.currency).or_default() += money.minor;
        }
    }
    sums.into_iter().map(|(currency, minor)| Amount::new(minor, currency)).collect()
}

/// What a paid order says, less what was paid back of its payment.
fn left_of(world: &World<'_>, seen: &Seen) -> Amount {
    let payment = seen.payment_intent.as_ref().and_then(|intent| world.observed.payments.get(intent));
    Amount::new(seen.amount.minor - payment.map_or(0, |payment| payment.refunded), seen.amount.currency)
}

/// How many links stop working: every payable that is open now and that a step closes, whoever made it and for whatever
/// order. Each was perhaps mailed.
pub(crate) fn links_stopping(world: &World<'_>, changes: &[Change]) -> u32 {
    // What a visit of a link has made was never mailed.
    let mailed = world.observed.payables.iter().filter(|payable| payable.is_open() && payable.link.is_none());
    let open: BTreeSet<&SessionId> = mailed.map(|payable| &payable.id).collect();
    count(open.intersection(&closed_by(changes)))
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
