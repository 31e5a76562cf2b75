//! The first stage: orders and payables to registrations. What cannot be proved to be ours stays outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Email, Money, Order, OrderId, Owner, Payable, PlayerId, Registration, SessionId};
use crate::manifest::Manifest;
use crate::observe::Observation;

use super::Finding;
use super::whose::Index;

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
    // One session that Stripe knows proves the account, or a visit of a link; so does a person's word about any of them.
    let person = manifest.decisions.iter().any(|decision| decision.finding == Finding::UnknownSession.code());
    let visited = |payable: &Payable| index.is_by_link(payable);
    let account_is_right = person || index.orders.iter().any(known) || observed.payables.iter().any(visited);
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
