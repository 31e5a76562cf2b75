//! Writes to one order, each conditional on what was seen of it.

use jiff::Timestamp;

use crate::domain::{Order, OrderId, OrderStatus, PaymentIntentId, PlayerId, Registration, Seen, TournamentId};
use crate::ledger::{Guard, RetireHow, RetiredOrder, Written};

use super::{Result, Retired, State, rejected, whole};

impl State {
    /// Writes to an order, where everything is as it was seen.
    fn write_seen(&mut self, seen: &Seen, change: impl FnOnce(&mut Order)) -> Written {
        if self.as_seen(seen).is_some() { self.write_row(&seen.id, change) } else { Written::Moved }
    }

    fn write_row(&mut self, id: &OrderId, change: impl FnOnce(&mut Order)) -> Written {
        let now = self.told;
        let Some(row) = self.orders.get_mut(id) else { return Written::Moved };
        row.write(now, change);
        Written::Done
    }

    pub(super) fn mark_paid(&mut self, seen: &Seen, intent: Option<&PaymentIntentId>) -> Written {
        let record = |order: &mut Order| {
            order.status = OrderStatus::Paid;
            order.payment_intent = intent.or(order.payment_intent.as_ref()).cloned();
        };
        if seen.status == OrderStatus::Pending && self.as_seen(seen).is_some() {
            return self.write_row(&seen.id, record);
        }
        match self.orders.get(&seen.id).map(|row| &row.order) {
            Some(order) if order.status != OrderStatus::Paid => Written::Moved,
            Some(order) if order.payment_intent.as_ref() == intent => Written::Done,
            // Another handler has marked it paid and left the intent out.
            Some(order) if order.payment_intent.is_none() => self.write_row(&seen.id, record),
            _ => Written::Moved,
        }
    }

    pub(super) fn mark_paid_elsewhere(&mut self, seen: &Seen) -> Written {
        self.set_status_from(seen, &[OrderStatus::Pending, OrderStatus::Canceled], OrderStatus::Paid)
    }

    pub(super) fn mark_refunded(&mut self, seen: &Seen) -> Written {
        self.set_status_from(seen, &[OrderStatus::Paid], OrderStatus::Refunded)
    }

    /// To a status from one of others, as it was seen; done also where an earlier try has.
    fn set_status_from(&mut self, seen: &Seen, from: &[OrderStatus], to: OrderStatus) -> Written {
        if from.contains(&seen.status) && self.write_seen(seen, |order| order.status = to) == Written::Done {
            return Written::Done;
        }
        let already = Seen { status: to, ..seen.clone() };
        if self.as_seen(&already).is_some() { Written::Done } else { Written::Moved }
    }

    pub(super) fn rename(&mut self, guard: &Guard, seen: &Seen, to: &PlayerId) -> Result<Written> {
        self.lock.check(guard)?;
        let target = Registration { player: to.clone(), fee: seen.registration.fee.clone() };
        if self.as_seen(&Seen { registration: target.clone(), ..seen.clone() }).is_some() {
            return Ok(Written::Done);
        }
        let Some(row) = self.as_seen(seen) else { return Ok(Written::Moved) };
        if !self.live_of(&row.tournament, &target).is_empty() {
            return Ok(Written::Moved);
        }
        self.move_claim(&seen.id, &target)?;
        Ok(self.write_seen(seen, |order| order.registration = target))
    }

    /// The claim goes with its order, and takes the place of a dead order's.
    fn move_claim(&mut self, id: &OrderId, target: &Registration) -> Result<()> {
        let Some((tournament, claimed)) = self.claim_of(id) else { return Ok(()) };
        let moved = Registration { player: target.player.clone(), fee: claimed.fee.clone() };
        let other = self.claims.get(&(tournament.clone(), moved.clone())).is_some_and(|order| order != id);
        if other && moved.fee != target.fee {
            return Err(rejected(format!("another order has the claim of {moved}")));
        }
        self.claims.remove(&(tournament.clone(), claimed));
        self.claims.remove(&(tournament.clone(), target.clone()));
        self.claims.insert((tournament, moved), id.clone());
        Ok(())
    }

    fn claim_of(&self, id: &OrderId) -> Option<(TournamentId, Registration)> {
        self.claims.iter().find(|(_, order)| *order == id).map(|(claim, _)| claim.clone())
    }

    /// Frees the claim that an order holds; answers with its tournament.
    pub(super) fn release_claim(&mut self, id: &OrderId) -> Option<TournamentId> {
        let claim = self.claim_of(id)?;
        self.claims.remove(&claim);
        Some(claim.0)
    }

    pub(super) fn retire(
        &mut self,
        guard: &Guard,
        seen: &Seen,
        how: RetireHow,
        reason: &str,
        now: Timestamp,
    ) -> Result<Written> {
        if !matches!(seen.status, OrderStatus::Pending | OrderStatus::Canceled) {
            return Err(rejected(format!("order {} is {}: only an unpaid order is retired", seen.id, seen.status)));
        }
        self.lock.check(guard)?;
        self.at(now);
        // An earlier try has; not where another program has brought the order back to life since.
        if self.retired.contains_key(&seen.id) && !self.is_live(&seen.id) {
            return Ok(Written::Done);
        }
        let Some(copy) = self.as_seen(seen).cloned() else { return Ok(Written::Moved) };
        match how {
            RetireHow::Cancel => drop(self.write_seen(seen, |order| order.status = OrderStatus::Canceled)),
            RetireHow::Delete => drop(self.orders.remove(&seen.id)),
        }
        let claimed = self.release_claim(&seen.id);
        let before = self.retired.get(&seen.id);
        let order = RetiredOrder {
            order: seen.id.clone(),
            registration: seen.registration.clone(),
            session: seen.session.clone(),
            reason: reason.to_owned(),
            at: whole(now),
            made_at: before.map_or(copy.order.created_at, |before| before.order.made_at),
        };
        let tournament = before.map(|before| before.tournament.clone()).or(claimed);
        let tournament = tournament.unwrap_or_else(|| copy.tournament.clone());
        self.retired.insert(seen.id.clone(), Retired { tournament, order, how, copy });
        Ok(Written::Done)
    }
}
