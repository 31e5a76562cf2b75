//! Whose a payable is: what the orders database knows, and what proves that a payable is this tournament's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::domain::{
    FeeId, Id, LedgerId, Order, OrderId, OrderStatus, Owner, Ownership, Payable, PlayerId, Registration, SessionId,
    TournamentId, key,
};
use crate::manifest::Manifest;
use crate::observe::Observation;

use super::match_up::{Loose, Recorded};

/// A session younger than this that nothing records may be in the making by somebody else: it is left alone.
const TOO_YOUNG: SignedDuration = SignedDuration::from_mins(10);

/// What the orders database knows, by what it is looked up with.
pub(super) struct Index<'a> {
    observed: &'a Observation,
    manifest: &'a Manifest,
    pub(super) orders: Vec<&'a Order>,
    by_id: BTreeMap<&'a OrderId, &'a Order>,
    /// Whose a recorded session is, where several orders record it.
    owners: BTreeMap<&'a SessionId, Owner<'a>>,
    made: BTreeMap<&'a SessionId, &'a OrderId>,
    payables: BTreeMap<&'a SessionId, &'a Payable>,
    new_ids: BTreeMap<&'a PlayerId, &'a PlayerId>,
}

impl<'a> Index<'a> {
    pub(super) fn new(manifest: &'a Manifest, observed: &'a Observation) -> Self {
        let facts = &observed.facts;
        let overlapping: BTreeSet<_> = facts.overlapping.iter().collect();
        let mut orders: Vec<&Order> = facts
            .orders
            .iter()
            .filter(|order| !facts.canary_orders.contains(&order.id) && !overlapping.contains(&order.id))
            .collect();
        orders.sort_by(|a, b| a.id.cmp(&b.id));
        let payables: BTreeMap<_, _> = observed.payables.iter().map(|payable| (&payable.id, payable)).collect();
        let here: BTreeSet<_> = manifest.players.iter().map(|player| &player.id).collect();
        let mut new_ids = BTreeMap::new();
        for player in &manifest.players {
            if let Some(old) = player.renamed_from.as_ref().filter(|old| !here.contains(old)) {
                new_ids.entry(old).or_insert(&player.id);
            }
        }
        let by_id: BTreeMap<_, _> = orders.iter().map(|order| (&order.id, *order)).collect();
        let canonical = |order: &Order| canonical(&new_ids, &order.registration);
        Self {
            observed,
            manifest,
            owners: owners(&by_id, &payables, canonical),
            by_id,
            made: facts.sessions_made.iter().map(|(session, order)| (session, order)).collect(),
            orders,
            payables,
            new_ids,
        }
    }

    pub(super) fn canonical(&self, registration: &Registration) -> Registration {
        canonical(&self.new_ids, registration)
    }

    pub(super) fn owner(&self, session: &SessionId) -> Owner<'a> {
        self.owners.get(session).copied().unwrap_or(Owner::Nobody)
    }

    pub(super) fn recorded(&self, order: &'a Order) -> Recorded<'a> {
        let Some(session) = &order.session else { return Recorded::None };
        if self.observed.unknown.contains(session) {
            return Recorded::Unknown(session);
        }
        match self.owner(session) {
            Owner::Contested => return Recorded::Contested(session),
            Owner::Order(owner) if owner.id != order.id => return Recorded::None,
            Owner::Order(_) | Owner::Nobody => {}
        }
        self.payables.get(session).map_or(Recorded::Unread(session), |payable| Recorded::Known(payable))
    }

    /// The order that an attempt made it for, or the Payment Link whose visit made it.
    fn made_for(&self, payable: &Payable) -> Option<&'a OrderId> {
        [Some(&payable.id), payable.link.as_ref()].into_iter().flatten().find_map(|id| self.made.get(id).copied())
    }

    /// An open session that a visit of an order's own open link has made, and whose payment would find that order: it is a
    /// part of the link, closed with it.
    pub(super) fn is_visit(&self, payable: &Payable) -> bool {
        let link = payable.link.as_ref().and_then(|link| self.payables.get(link)).filter(|link| link.is_open());
        let Some(Owner::Order(order)) = link.map(|link| self.owner(&link.id)) else { return false };
        let finds = Ownership::order_in(&payable.metadata).is_some_and(|named| named == order.id);
        payable.is_open() && finds && order.status == OrderStatus::Pending && order.session == payable.link
    }

    /// A session that a visit of a Payment Link has made, which an attempt made.
    pub(super) fn is_by_link(&self, payable: &Payable) -> bool {
        payable.link.as_ref().is_some_and(|link| self.made.contains_key(link))
    }

    /// The payable whose metadata says whose this one is.
    fn speaks_for(&self, payable: &'a Payable) -> &'a Payable {
        speaks_for(payable, |link| self.payables.get(link).copied())
    }

    /// A payable that no order in scope records, where there is proof that it belongs to this tournament.
    pub(super) fn loose(&self, payable: &'a Payable) -> Option<Loose<'a>> {
        let facts = &self.observed.facts;
        if self.is_canary(payable) {
            return None;
        }
        let retired = facts.retired.iter().find(|retired| retired.session.as_ref() == Some(&payable.id));
        let says = self.speaks_for(payable);
        let ours = says_ours(self.observed, &self.manifest.tournament.id, &|id| self.by_id.contains_key(id), says);
        let made = self.made_for(payable);
        if retired.is_none() && made.is_none() && !ours {
            return self.recorded_payment(payable).or_else(|| self.likely_paid(payable));
        }
        let attempt = says.metadata.get(key::ATTEMPT).filter(|_| ours);
        let attempt = facts.attempts.iter().find(|open| attempt.is_some_and(|id| id == open.id.as_str()));
        // A webhook handler goes by `order_id`: where that order stands, the payable is taken for its.
        let named = Ownership::order_in(&says.metadata);
        let standing = named.clone().filter(|id| self.by_id.contains_key(id));
        let made = made.cloned().or_else(|| attempt.map(|open| open.order.clone()));
        let id = standing.or_else(|| made.clone()).or_else(|| named.clone().filter(|_| ours));
        let order = id.as_ref().and_then(|id| self.by_id.get(id).copied());
        let of_retired = |id: &OrderId| facts.retired.iter().find(|r| r.order == *id).map(|r| r.registration.clone());
        let registration = order
            .map(|order| order.registration.clone())
            .or_else(|| retired.map(|retired| retired.registration.clone()))
            .or_else(|| [&named, &made].into_iter().flatten().find_map(of_retired))
            .or_else(|| if ours { registration_in(says) } else { None });
        let is_new = payable.created.is_some_and(|created| self.observed.at.duration_since(created) < TOO_YOUNG);
        // A visit is nobody's making: its link decides.
        let young = payable.is_open() && is_new && payable.link.is_none();
        Some(Loose {
            payable,
            registration: registration.map(|registration| self.canonical(&registration)),
            order,
            young: young && made.is_none() && retired.is_none(),
            attempted: attempt.is_some(),
        })
    }

    /// The payment that an order records by its intent: where a webhook handler took it for that order's, it is, whoever
    /// made the payable.
    fn recorded_payment(&self, payable: &'a Payable) -> Option<Loose<'a>> {
        let intent = payable.payment_intent.as_ref().filter(|_| payable.has_arrived())?;
        let order = self.orders.iter().copied().find(|order| order.payment_intent.as_ref() == Some(intent))?;
        let registration = Some(self.canonical(&order.registration));
        Some(Loose { payable, registration, order: Some(order), young: false, attempted: false })
    }

    /// A payment that names a pending order by a mere number, and no database. A webhook handler takes it for that order's;
    /// it is no proof, but money: a person must look at it before anything is billed.
    fn likely_paid(&self, payable: &'a Payable) -> Option<Loose<'a>> {
        let order = Ownership::order_in(&payable.metadata).and_then(|id| self.by_id.get(&id).copied())?;
        let fits = order.status == OrderStatus::Pending && payable.money() == Some(order.amount);
        let likely = fits && payable.has_arrived() && !payable.metadata.contains_key(key::LEDGER);
        let registration = Some(self.canonical(&order.registration));
        likely.then_some(Loose { payable, registration, order: None, young: false, attempted: false })
    }

    pub(super) fn is_canary(&self, payable: &Payable) -> bool {
        let facts = &self.observed.facts;
        let ours = self
            .observed
            .ledger
            .as_ref()
            .is_some_and(|ledger| payable.metadata.get(key::LEDGER).is_some_and(|text| text == ledger.as_str()));
        let order = self.made_for(payable).cloned();
        let order = order.or_else(|| Ownership::order_in(&payable.metadata).filter(|_| ours));
        order.is_some_and(|order| facts.canary_orders.contains(&order))
    }
}

/// A renamed player's registration under the new id.
fn canonical(new_ids: &BTreeMap<&PlayerId, &PlayerId>, registration: &Registration) -> Registration {
    let player = new_ids.get(&registration.player).map_or(&registration.player, |new| *new);
    Registration { player: player.clone(), fee: registration.fee.clone() }
}

/// The payable whose metadata says whose this one is: its own, or that of its link where a visit says nothing. A link that
/// got its metadata late has visits that have none.
pub(super) fn speaks_for<'a>(
    payable: &'a Payable,
    link: impl FnOnce(&SessionId) -> Option<&'a Payable>,
) -> &'a Payable {
    let silent = Ownership::order_in(&payable.metadata).is_none() && !payable.metadata.contains_key(key::LEDGER);
    payable.link.as_ref().filter(|_| silent).and_then(link).unwrap_or(payable)
}

/// Whether metadata proves a payable to be this tournament's: it names this database, and this tournament where it names
/// one; or it names no database, and an order in scope by an id that no other database has. A number proves nothing:
/// small ones repeat everywhere.
pub(crate) fn says_ours(
    observed: &Observation,
    tournament: &TournamentId,
    in_scope: &dyn Fn(&OrderId) -> bool,
    payable: &Payable,
) -> bool {
    let named = Ownership::order_in(&payable.metadata);
    let ledger = observed.ledger.as_ref().map(LedgerId::as_str);
    match (payable.metadata.get(key::LEDGER), payable.metadata.get(key::TOURNAMENT)) {
        (Some(text), _) if Some(text.as_str()) != ledger => false,
        (Some(_), Some(text)) => *text == tournament.to_string(),
        (Some(_), None) => named.is_some_and(|id| in_scope(&id)),
        (None, _) => named.is_some_and(|id| matches!(id.0, Id::Slug(_)) && in_scope(&id)),
    }
}

/// The owner of each recorded session.
fn owners<'a>(
    orders: &BTreeMap<&'a OrderId, &'a Order>,
    payables: &BTreeMap<&'a SessionId, &'a Payable>,
    registration: impl Fn(&Order) -> Registration,
) -> BTreeMap<&'a SessionId, Owner<'a>> {
    let mut recorders: BTreeMap<&SessionId, Vec<&Order>> = BTreeMap::new();
    for order in orders.values() {
        if let Some(session) = &order.session {
            recorders.entry(session).or_default().push(order);
        }
    }
    let named = |payable: &Payable| orders.get(&Ownership::order_in(&payable.metadata)?).copied();
    let owner = |session, recorders: &[&'a Order]| {
        let payable = payables.get(session).copied();
        Owner::among(recorders, payable, payable.and_then(named), &registration)
    };
    recorders.iter().map(|(session, orders)| (*session, owner(session, orders))).collect()
}

/// The registration that our own metadata names.
fn registration_in(payable: &Payable) -> Option<Registration> {
    let id = |key: &str| payable.metadata.get(key).and_then(|text| Id::parse(text).ok());
    Some(Registration { player: PlayerId(id(key::PLAYER)?), fee: FeeId(id(key::FEE)?) })
}
