//! One thing to judge: an order with its payable, a registration without a live order, or a payable that none records.

use crate::domain::{Order, OrderId, OrderStatus, Ownership, Payable, PayableState, Payment, Registration, key};
use crate::ledger::{RetireHow, RetiredOrder};
use crate::manifest::Retire;

use super::elect::{Role, elect};
use super::match_up::{Group, Loose, Recorded, Wanted, World};

/// What a case is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'a> {
    /// A registration that has no live order.
    Vacant,
    /// An order.
    Order(&'a Order, Role),
    /// A payable that is ours and that no order records.
    Loose(&'a Loose<'a>),
}

/// One thing to judge, with all that a judgement may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) world: &'a World<'a>,
    /// None for a payable that no registration has.
    pub(crate) group: Option<&'a Group<'a>>,
    pub(crate) about: About<'a>,
    pub(crate) recorded: Recorded<'a>,
}

/// The cases of a group: its live order or its vacancy first, then its other orders, then its loose payables.
pub(crate) fn cases<'a>(world: &'a World<'a>, group: &'a Group<'a>) -> Vec<Case<'a>> {
    let case = |about, recorded| Case { world, group: Some(group), about, recorded };
    let elected = elect(group, world.stopped());
    let mut cases = Vec::new();
    if !elected.iter().any(|(.., role)| *role == Role::Keeper) {
        cases.push(case(About::Vacant, Recorded::None));
    }
    cases.extend(elected.into_iter().map(|(order, recorded, role)| case(About::Order(order, role), recorded)));
    cases.extend(group.loose.iter().map(|loose| case(About::Loose(loose), Recorded::None)));
    cases
}

impl<'a> Case<'a> {
    pub(crate) fn wanted(&self) -> Option<Wanted<'a>> {
        self.group.and_then(|group| group.wanted)
    }

    pub(crate) fn registration(&self) -> Option<&'a Registration> {
        self.group.map(|group| &group.registration)
    }

    pub(crate) fn order_as(&self, role: Role) -> Option<&'a Order> {
        match self.about {
            About::Order(order, actual) if actual == role => Some(order),
            _ => None,
        }
    }

    /// The live order that stays.
    pub(crate) fn keeper(&self) -> Option<&'a Order> {
        self.order_as(Role::Keeper)
    }

    /// The live order that stays, while it is pending.
    pub(crate) fn pending(&self) -> Option<&'a Order> {
        self.keeper().filter(|order| order.status == OrderStatus::Pending)
    }

    /// It is about a pending order, kept or not.
    pub(crate) fn has_pending_order(&self) -> bool {
        matches!(self.about, About::Order(order, _) if order.status == OrderStatus::Pending)
    }

    /// The order that it is about, or that a loose payable was made for.
    pub(crate) fn order(&self) -> Option<&'a Order> {
        match self.about {
            About::Vacant => None,
            About::Order(order, _) => Some(order),
            About::Loose(loose) => loose.order,
        }
    }

    pub(crate) fn loose(&self) -> Option<&'a Loose<'a>> {
        if let About::Loose(loose) = self.about { Some(loose) } else { None }
    }

    /// The payable that the case is about: the recorded one, or the loose one.
    pub(crate) fn payable(&self) -> Option<&'a Payable> {
        self.loose().map(|loose| loose.payable).or(self.recorded.known())
    }

    /// What payers who have finished at visits of the recorded Payment Link left behind, while it is closed: a link that
    /// meets its limit closes itself.
    pub(crate) fn finished_visits(&self) -> impl Iterator<Item = &'a Payable> {
        let link = self.recorded.known().filter(|link| !link.is_open()).map(|link| &link.id);
        let loose = self.group.into_iter().flat_map(|group| &group.loose).map(|loose| loose.payable);
        loose
            .filter(move |visit| visit.state == PayableState::Complete && link.is_some() && visit.link.as_ref() == link)
    }

    /// The payment that has arrived for the kept pending order and is not recorded: at its own session, else at another
    /// one that was made for it. Only one of which amount and currency are the order's.
    pub(crate) fn unrecorded(&self) -> Option<&'a Payable> {
        let order = self.pending()?;
        let own = self.recorded.known().filter(|payable| payable.has_arrived());
        if let Some(own) = own {
            return Some(own).filter(|own| own.money() == Some(order.amount) && !self.names_a_stranger());
        }
        self.group?.loose.iter().rev().map(|loose| (loose.payable, loose.order)).find_map(|(payable, owner)| {
            let for_it = owner.is_some_and(|owner| owner.id == order.id);
            (for_it && payable.has_arrived() && payable.money() == Some(order.amount)).then_some(payable)
        })
    }

    /// The kept order is paid, or is about to be recorded as paid.
    pub(crate) fn is_paid(&self) -> bool {
        self.keeper().is_some_and(|order| order.status == OrderStatus::Paid) || self.unrecorded().is_some()
    }

    /// The payable behind the kept order's payment.
    pub(crate) fn paying(&self) -> Option<&'a Payable> {
        let its = |payable: &&Payable| self.keeper().is_some_and(|order| order.may_be_paid_by(payable));
        let recorded = self.recorded.known().filter(|payable| self.is_paid() && payable.has_arrived()).filter(its);
        self.unrecorded().or_else(|| self.paid_with()).or(recorded)
    }

    /// The payable of the payment intent that is recorded on the kept order: not always the one that is recorded on it.
    pub(crate) fn paid_with(&self) -> Option<&'a Payable> {
        let intent = self.keeper()?.payment_intent.as_ref();
        let loose = self.group.into_iter().flat_map(|group| group.loose.iter().map(|loose| loose.payable));
        let mut all = self.recorded.known().into_iter().chain(loose);
        all.find(|payable| intent.is_some() && payable.payment_intent.as_ref() == intent)
    }

    /// What is known of the payment that a paid order records, or is about to: at its payable, else by its intent.
    pub(crate) fn payment(&self) -> Option<&'a Payment> {
        let order = match self.about {
            About::Order(order, Role::Keeper) if self.is_paid() => order,
            About::Order(order, Role::Extra) if order.status == OrderStatus::Paid => order,
            About::Order(..) | About::Vacant | About::Loose(_) => return None,
        };
        let own = self.recorded.known().filter(|payable| payable.has_arrived() && order.may_be_paid_by(payable));
        let by_intent = || self.world.observed.payments.get(order.payment_intent.as_ref()?);
        self.paying().or(own).and_then(|payable| payable.payment.as_ref()).or_else(by_intent)
    }

    /// Whether its payment was paid back in full.
    pub(crate) fn is_returned(&self) -> bool {
        let About::Order(order, _) = self.about else { return false };
        let taken = self.paying().or(self.recorded.known()).and_then(|payable| payable.amount);
        let paid = taken.unwrap_or(order.amount.minor);
        self.payment().is_some_and(|payment| payment.refunded > 0 && payment.refunded >= paid)
    }

    /// A payment that does not lie at this order (any more): it was paid back in full, or another order records it.
    pub(crate) fn is_elsewhere(&self, payable: &Payable) -> bool {
        let About::Order(order, _) = self.about else { return false };
        let intent = payable.payment_intent.as_ref();
        let records = |other: &Order| other.id != order.id && other.payment_intent.as_ref() == intent;
        payable.is_returned(Some(order.amount))
            || (intent.is_some() && self.group.is_some_and(|group| group.orders.iter().any(|(o, _)| records(o))))
    }

    /// Nobody can tell whether the payment at the recorded payable is for this order.
    pub(crate) fn is_contested(&self) -> bool {
        matches!(self.recorded, Recorded::Contested(_))
    }

    /// The kept pending order's session was paid with something else than was ordered, and all of it was paid back.
    pub(crate) fn is_unrecordable_and_returned(&self) -> bool {
        let Some(order) = self.pending() else { return false };
        self.unrecorded().is_none()
            && self.recorded.known().is_some_and(|one| one.has_arrived() && one.is_returned(Some(order.amount)))
    }

    /// The kept order is pending, something is owed, and it should be payable: what is wrong with its payable matters.
    pub(crate) fn billed(&self) -> bool {
        let owed = self.wanted().is_some_and(|wanted| wanted.amount.minor > 0 && !wanted.paid_elsewhere);
        let processing = self.payable().is_some_and(Payable::is_processing);
        let arrived = self.payable().is_some_and(Payable::has_arrived) || self.unrecorded().is_some();
        let arrived = arrived || self.is_contested();
        owed && self.pending().is_some() && !self.world.stopped() && !processing && !arrived
    }

    /// Its payable is not of the kind that policy asks for.
    pub(crate) fn is_of_other_kind(&self) -> bool {
        self.payable().is_some_and(|payable| payable.kind != self.world.manifest.policy.link)
    }

    /// The order's recorded session names another order.
    pub(crate) fn names_another(&self) -> bool {
        let named = self.recorded.known().and_then(|payable| payable.metadata.get(key::ORDER));
        named.is_some_and(|named| self.is_of_another(named))
    }

    /// Payments at the order's recorded open link would name another order, whatever the link itself names.
    pub(crate) fn payments_name_another(&self) -> bool {
        self.recorded.known().and_then(Payable::order_of_payments).is_some_and(|named| self.is_of_another(named))
    }

    fn is_of_another(&self, named: &str) -> bool {
        matches!(self.about, About::Order(order, _) if !named.is_empty() && named != order.id.to_string())
    }

    /// The order's recorded session names an order that is not of this registration, now or before.
    pub(crate) fn names_a_stranger(&self) -> bool {
        let Some(named) = self.recorded.known().and_then(|payable| payable.metadata.get(key::ORDER)) else {
            return false;
        };
        let Some(group) = self.group.filter(|_| self.names_another()) else { return false };
        let retired = &self.world.observed.facts.retired;
        let of_players = |registration: &Registration| {
            registration.fee == group.registration.fee
                && (registration.player == group.registration.player
                    || group.orders.iter().any(|(order, _)| order.registration.player == registration.player))
        };
        if group.orders.iter().any(|(order, _)| order.id.to_string() == *named) {
            return false;
        }
        // One that was retired and lives again is no predecessor.
        let lives = |order: &Order| order.status.is_live() && order.id.to_string() == *named;
        let is_it = |one: &&RetiredOrder| one.order.to_string() == *named && of_players(&one.registration);
        retired.iter().find(is_it).is_none() || self.world.observed.facts.orders.iter().any(lives)
    }

    /// A payment at a visit of the recorded Payment Link, which named another order then and settled that one.
    pub(crate) fn visit_paid_for_another(&self) -> Option<&'a Payable> {
        let About::Order(order, _) = self.about else { return None };
        let link = self.recorded.known()?;
        let another = |payable: &&Payable| {
            let named = Ownership::order_in(&payable.metadata);
            let stands = |id: &OrderId| self.world.observed.facts.orders.iter().any(|other| other.id == *id);
            named.is_some_and(|named| named != order.id && stands(&named))
        };
        let visits = self.world.observed.payables.iter().filter(|payable| payable.link.as_ref() == Some(&link.id));
        visits.filter(|visit| visit.has_arrived() && !visit.is_returned(None)).find(another)
    }

    /// It cannot be kept with a new session: the expired event of one that it has or had would cancel it behind the new link.
    pub(crate) fn must_not_be_renewed(&self) -> bool {
        self.order().is_some_and(|order| self.world.may_be_canceled.contains(&order.id))
    }

    pub(crate) fn retire_how(&self) -> RetireHow {
        match self.world.manifest.policy.retire {
            Retire::Cancel => RetireHow::Cancel,
            Retire::Delete => RetireHow::Delete,
        }
    }
}
