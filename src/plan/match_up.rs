//! The first stage: orders and payables to registrations. What cannot be proved to be ours stays outside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::domain::{
    Email, FeeId, Id, LedgerId, Money, Order, OrderId, OrderStatus, Owner, Ownership, Payable, PlayerId, Registration,
    SessionId, TournamentId, key,
};
use crate::manifest::Manifest;
use crate::observe::Observation;

use super::Finding;

/// A session younger than this that nothing records may be in the making by somebody else: it is left alone.
const TOO_YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// From this many unknown sessions on, with none known, the wrong account is likelier than the loss of all of them.
const MASS_UNKNOWN: usize = 3;

/// What the manifest wants of a registration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) amount: Money,
    pub(crate) email: &'a Email,
    pub(crate) paid_elsewhere: bool,
}

/// A payable that is ours and that no order in scope records.
#[derive(Clone, Debug)]
pub(crate) struct Loose<'a> {
    pub(crate) payable: &'a Payable,
    pub(crate) registration: Option<Registration>,
    /// The order in scope that it was made for.
    pub(crate) order: Option<&'a Order>,
    /// Open, and it may be in the making: no table of ours records it and it is younger than ten minutes.
    pub(crate) young: bool,
    /// An open attempt made it: it is its order's own.
    pub(crate) attempted: bool,
}

/// What stands at Stripe behind the session that an order records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Recorded<'a> {
    /// The order records none, or one that belongs to another order.
    None,
    /// Stripe answers 404.
    Unknown(&'a SessionId),
    /// Nobody asked Stripe: nothing may be concluded.
    Unread(&'a SessionId),
    /// It was paid or is being paid, and nobody can tell for which of the orders that record it.
    Contested(&'a SessionId),
    /// As Stripe shows it.
    Known(&'a Payable),
}

impl<'a> Recorded<'a> {
    pub(crate) const fn known(self) -> Option<&'a Payable> {
        if let Self::Known(payable) = self { Some(payable) } else { None }
    }
}

/// A registration with all that belongs to it. Orders of a player's former id stand under the new one.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub(crate) registration: Registration,
    pub(crate) wanted: Option<Wanted<'a>>,
    /// Whether the player is in the manifest, with this fee or another.
    pub(crate) committed: bool,
    pub(crate) orders: Vec<(&'a Order, Recorded<'a>)>,
    pub(crate) loose: Vec<Loose<'a>>,
}

impl<'a> World<'a> {
    /// What a player has left, or never was asked for: the registrations that the manifest does not want.
    pub(crate) fn left_by(&self, player: &PlayerId) -> &[Group<'a>] {
        let rest = self.groups.get(self.wanted..).unwrap_or_default();
        let from = rest.partition_point(|group| group.registration.player < *player);
        let to = rest.partition_point(|group| group.registration.player <= *player);
        rest.get(from..to).unwrap_or_default()
    }

    /// The stop button, or `pay_by` has passed: what is open is closed, and nothing new becomes payable.
    pub(crate) fn stopped(&self) -> bool {
        self.manifest.tournament.is_stopped(self.observed.at)
    }
}

impl<'a> Group<'a> {
    /// A payment is on its way at a payable of the registration.
    pub(crate) fn is_processing(&self) -> bool {
        let recorded = self.orders.iter().filter_map(|(_, recorded)| recorded.known());
        recorded.chain(self.loose.iter().map(|loose| loose.payable)).any(Payable::is_processing)
    }

    /// The payables that were made for an order and that it does not record.
    pub(crate) fn loose_of(&self, order: &Order) -> impl Iterator<Item = &'a Payable> {
        self.loose.iter().filter(|loose| loose.order.is_some_and(|of| of.id == order.id)).map(|loose| loose.payable)
    }
}

/// Everything in scope, by registration.
#[derive(Clone, Debug)]
pub(crate) struct World<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) observed: &'a Observation,
    /// The manifest's registrations in its order, then the rest by id.
    pub(crate) groups: Vec<Group<'a>>,
    /// How many of them the manifest wants.
    wanted: usize,
    /// Ours, and of no registration.
    pub(crate) stray: Vec<Loose<'a>>,
    /// Open or paid payables that cannot be proved to be ours.
    pub(crate) foreign: Vec<SessionId>,
    /// Every recorded session is unknown to Stripe, and nobody has said that this is so.
    pub(crate) mass_unknown: bool,
    pub(crate) past_due: bool,
    /// The application's webhook cancels an order when a session that the order held before expires.
    pub(crate) canceling: bool,
    /// The orders that it may so cancel.
    pub(crate) may_be_canceled: BTreeSet<OrderId>,
}

/// Orders and payables to registrations.
pub(crate) fn match_up<'a>(manifest: &'a Manifest, observed: &'a Observation) -> World<'a> {
    let index = Index::new(manifest, observed);
    let mut groups = Groups::new(manifest);
    for order in &index.orders {
        groups.at(&index.canonical(&order.registration)).orders.push((order, index.recorded(order)));
    }
    let mut stray = Vec::new();
    let mut foreign = Vec::new();
    for payable in &observed.payables {
        if observed.facts.canary_sessions.contains(&payable.id) {
            continue;
        }
        if index.is_visit(payable) {
            continue;
        }
        let loose = |order| Loose { payable, registration: None, order, young: false, attempted: false };
        match index.owner(&payable.id) {
            Owner::Nobody => {}
            Owner::Order(order) if order.session.as_ref() == Some(&payable.id) => continue,
            Owner::Order(order) => {
                let registration = index.canonical(&order.registration);
                let loose = Loose { registration: Some(registration.clone()), ..loose(Some(order)) };
                groups.at(&registration).loose.push(loose);
                continue;
            }
            Owner::Contested => {
                stray.push(loose(None));
                continue;
            }
        }
        match index.loose(payable) {
            None if index.is_canary(payable) => {}
            None if payable.is_open() || payable.is_paid() => foreign.push(payable.id.clone()),
            None => {}
            Some(loose) => match loose.registration.clone() {
                Some(registration) => groups.at(&registration).loose.push(loose),
                None => stray.push(loose),
            },
        }
    }
    let known = |order: &&Order| matches!(index.recorded(order), Recorded::Known(_));
    // One session that Stripe knows proves the account, and so does a person's word about any of them.
    let person = manifest.decisions.iter().any(|decision| decision.finding == Finding::UnknownSession.code());
    let account_is_right = person || index.orders.iter().any(known);
    World {
        manifest,
        observed,
        wanted: groups.wanted,
        groups: groups.sorted(),
        stray,
        foreign,
        mass_unknown: observed.unknown.len() >= MASS_UNKNOWN && !account_is_right,
        past_due: manifest.tournament.is_past_due(observed.at),
        canceling: observed.facts.canceling().is_some(),
        may_be_canceled: observed.may_be_canceled(),
    }
}

/// The registrations while they are being filled.
struct Groups<'a> {
    players: BTreeSet<&'a PlayerId>,
    list: Vec<Group<'a>>,
    places: BTreeMap<Registration, usize>,
    wanted: usize,
}

impl<'a> Groups<'a> {
    fn new(manifest: &'a Manifest) -> Self {
        let players = manifest.players.iter().map(|player| &player.id).collect();
        let mut groups = Self { players, list: Vec::new(), places: BTreeMap::new(), wanted: 0 };
        for player in &manifest.players {
            for owed in &player.owes {
                let registration = Registration { player: player.id.clone(), fee: owed.fee.clone() };
                groups.at(&registration).wanted =
                    Some(Wanted { amount: owed.amount, email: &player.email, paid_elsewhere: player.paid.is_some() });
            }
        }
        groups.wanted = groups.list.len();
        groups
    }

    fn at(&mut self, registration: &Registration) -> &mut Group<'a> {
        let place = *self.places.entry(registration.clone()).or_insert(self.list.len());
        if place == self.list.len() {
            self.list.push(Group {
                registration: registration.clone(),
                wanted: None,
                committed: self.players.contains(&registration.player),
                orders: Vec::new(),
                loose: Vec::new(),
            });
        }
        &mut self.list[place]
    }

    fn sorted(mut self) -> Vec<Group<'a>> {
        self.list[self.wanted..].sort_by(|a, b| a.registration.cmp(&b.registration));
        self.list
    }
}

/// What the orders database knows, by what it is looked up with.
struct Index<'a> {
    observed: &'a Observation,
    manifest: &'a Manifest,
    orders: Vec<&'a Order>,
    by_id: BTreeMap<&'a OrderId, &'a Order>,
    /// Whose a recorded session is, where several orders record it.
    owners: BTreeMap<&'a SessionId, Owner<'a>>,
    made: BTreeMap<&'a SessionId, &'a OrderId>,
    payables: BTreeMap<&'a SessionId, &'a Payable>,
    new_ids: BTreeMap<&'a PlayerId, &'a PlayerId>,
}

impl<'a> Index<'a> {
    fn new(manifest: &'a Manifest, observed: &'a Observation) -> Self {
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

    fn canonical(&self, registration: &Registration) -> Registration {
        canonical(&self.new_ids, registration)
    }

    fn owner(&self, session: &SessionId) -> Owner<'a> {
        self.owners.get(session).copied().unwrap_or(Owner::Nobody)
    }

    fn recorded(&self, order: &'a Order) -> Recorded<'a> {
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
    fn is_visit(&self, payable: &Payable) -> bool {
        let link = payable.link.as_ref().and_then(|link| self.payables.get(link)).filter(|link| link.is_open());
        let Some(Owner::Order(order)) = link.map(|link| self.owner(&link.id)) else { return false };
        let finds = Ownership::order_in(&payable.metadata).is_some_and(|named| named == order.id);
        payable.is_open() && finds && order.status == OrderStatus::Pending && order.session == payable.link
    }

    /// A payable that no order in scope records, where there is proof that it belongs to this tournament.
    fn loose(&self, payable: &'a Payable) -> Option<Loose<'a>> {
        let facts = &self.observed.facts;
        if self.is_canary(payable) {
            return None;
        }
        let retired = facts.retired.iter().find(|retired| retired.session.as_ref() == Some(&payable.id));
        let ours = says_ours(self.observed, &self.manifest.tournament.id, &|id| self.by_id.contains_key(id), payable);
        let made = self.made_for(payable);
        if retired.is_none() && made.is_none() && !ours {
            return self.recorded_payment(payable).or_else(|| self.likely_paid(payable));
        }
        let attempt = payable.metadata.get(key::ATTEMPT).filter(|_| ours);
        let attempt = facts.attempts.iter().find(|open| attempt.is_some_and(|id| id == open.id.as_str()));
        // A webhook handler goes by `order_id`: where that order stands, the payable is taken for its.
        let named = Ownership::order_in(&payable.metadata);
        let standing = named.clone().filter(|id| self.by_id.contains_key(id));
        let made = made.cloned().or_else(|| attempt.map(|open| open.order.clone()));
        let id = standing.or_else(|| made.clone()).or_else(|| named.clone().filter(|_| ours));
        let order = id.as_ref().and_then(|id| self.by_id.get(id).copied());
        let of_retired = |id: &OrderId| facts.retired.iter().find(|r| r.order == *id).map(|r| r.registration.clone());
        let registration = order
            .map(|order| order.registration.clone())
            .or_else(|| retired.map(|retired| retired.registration.clone()))
            .or_else(|| [&named, &made].into_iter().flatten().find_map(of_retired))
            .or_else(|| if ours { registration_in(payable) } else { None });
        let is_new = payable.created.is_some_and(|created| self.observed.at.duration_since(created) < TOO_YOUNG);
        let young = payable.is_open() && is_new;
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

    fn is_canary(&self, payable: &Payable) -> bool {
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
