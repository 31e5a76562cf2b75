//! What both sides hold, by what it is looked up with.

use std::collections::BTreeMap;

use crate::domain::{
    FeeId, Id, LedgerId, Metadata, Order, OrderId, Ownership, Payable, PayableKind, PlayerId, Registration, SessionId,
    TournamentId, key,
};
use crate::ledger::RetiredOrder;
use crate::observe::Observation;

/// One moment.
pub(super) struct World<'a> {
    pub(super) observed: &'a Observation,
    tournament: &'a TournamentId,
    orders: BTreeMap<&'a OrderId, &'a Order>,
    /// The live orders that record a payable.
    holders: BTreeMap<&'a SessionId, Vec<&'a Order>>,
    /// The Payment Links that are open.
    links: BTreeMap<&'a SessionId, &'a Payable>,
    made: BTreeMap<&'a SessionId, &'a OrderId>,
    retired: BTreeMap<&'a OrderId, &'a RetiredOrder>,
}

impl<'a> World<'a> {
    pub(super) fn new(tournament: &'a TournamentId, observed: &'a Observation) -> Self {
        let facts = &observed.facts;
        let mut holders: BTreeMap<&SessionId, Vec<&Order>> = BTreeMap::new();
        for order in facts.orders.iter().filter(|order| order.status.is_live()) {
            if let Some(session) = &order.session {
                holders.entry(session).or_default().push(order);
            }
        }
        let links = observed.payables.iter().filter(|one| one.kind == PayableKind::PaymentLink && one.is_open());
        Self {
            observed,
            tournament,
            orders: facts.orders.iter().map(|order| (&order.id, order)).collect(),
            holders,
            links: links.map(|link| (&link.id, link)).collect(),
            made: facts.sessions_made.iter().map(|(session, order)| (session, order)).collect(),
            retired: facts.retired.iter().map(|retired| (&retired.order, retired)).collect(),
        }
    }

    /// Every payable but those of canaries, which are nobody's.
    pub(super) fn payables(&self) -> impl Iterator<Item = &'a Payable> {
        self.observed.payables.iter().filter(|payable| !self.is_canary(payable))
    }

    fn is_canary(&self, payable: &Payable) -> bool {
        let facts = &self.observed.facts;
        let named = || Ownership::order_in(&payable.metadata);
        let ids = [Some(&payable.id), payable.link.as_ref()];
        ids.into_iter().flatten().any(|id| facts.canary_sessions.contains(id))
            || (self.holders(payable).is_empty() && named().is_some_and(|named| facts.canary_orders.contains(&named)))
    }

    /// What somebody can pay at: a visit of a link that is open and made for the same order is a part of it.
    pub(super) fn open(&self) -> impl Iterator<Item = &'a Payable> {
        let part = |payable: &Payable| self.holders(payable).is_empty() && self.is_visit(payable);
        self.payables().filter(move |payable| payable.is_open() && !part(payable))
    }

    pub(super) fn is_open_link(&self, id: &SessionId) -> bool {
        self.links.contains_key(id)
    }

    fn is_visit(&self, payable: &Payable) -> bool {
        let Some(link) = payable.link.as_ref().and_then(|link| self.links.get(link)) else { return false };
        let named = Ownership::order_in(&payable.metadata);
        named.is_some() && named == Ownership::order_in(&link.metadata)
    }

    /// The live orders that record a payable.
    pub(super) fn holders(&self, payable: &Payable) -> &[&'a Order] {
        self.holders.get(&payable.id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn order(&self, id: &OrderId) -> Option<&'a Order> {
        self.orders.get(id).copied()
    }

    /// Whether tourney retired an order, and it has not come back.
    pub(super) fn is_retired(&self, id: &OrderId) -> bool {
        self.retired.contains_key(id) && !self.order(id).is_some_and(|order| order.status.is_live())
    }

    /// Whether the helper made it for this tournament: its own metadata says so, or the attempt that made it.
    pub(super) fn is_ours(&self, payable: &Payable) -> bool {
        let ledger = self.observed.ledger.as_ref();
        ledger.is_some_and(|ledger| Ownership::is_ours(&payable.metadata, ledger, self.tournament))
            || self.made_for(payable).is_some()
    }

    /// The order for which an attempt made it, or the link whose visit it is.
    fn made_for(&self, payable: &Payable) -> Option<&'a OrderId> {
        [Some(&payable.id), payable.link.as_ref()].into_iter().flatten().find_map(|id| self.made.get(id).copied())
    }

    /// The order that a payment here would be taken for: the one it names, else one that records it, else the one it was made
    /// for.
    pub(super) fn order_of(&self, payable: &Payable) -> Option<OrderId> {
        let here = |id: &OrderId| (self.knows(id) && !self.is_elsewhere(payable)) || self.is_ours(payable);
        let named = Ownership::order_in(&payable.metadata).filter(here);
        let held = || self.holders(payable).first().map(|order| order.id.clone());
        let by_link =
            || payable.link.as_ref().and_then(|link| self.holders.get(link)?.first().map(|order| order.id.clone()));
        named.or_else(held).or_else(by_link).or_else(|| self.made_for(payable).cloned())
    }

    /// Whether its metadata names another orders database: there its order's id means something else.
    fn is_elsewhere(&self, payable: &Payable) -> bool {
        let ours = self.observed.ledger.as_ref().map(LedgerId::as_str);
        payable.metadata.get(key::LEDGER).is_some_and(|ledger| Some(ledger.as_str()) != ours)
    }

    fn knows(&self, id: &OrderId) -> bool {
        self.orders.contains_key(id) || self.retired.contains_key(id)
    }

    /// Whose a payment here would be, for what; none for what is nobody's here.
    pub(super) fn registration_of(&self, payable: &Payable) -> Option<Registration> {
        let order = self.order_of(payable);
        let known = order.as_ref().and_then(|id| self.order(id)).map(|order| order.registration.clone());
        let retired = || self.retired.get(order.as_ref()?).map(|retired| retired.registration.clone());
        let told = || self.is_ours(payable).then(|| registration_in(&payable.metadata)).flatten();
        known.or_else(retired).or_else(told)
    }
}

fn registration_in(metadata: &Metadata) -> Option<Registration> {
    let id = |key: &str| metadata.get(key).and_then(|text| Id::parse(text).ok());
    Some(Registration { player: PlayerId(id(key::PLAYER)?), fee: FeeId(id(key::FEE)?) })
}
