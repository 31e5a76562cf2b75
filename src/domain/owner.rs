//! To which order a payable belongs that several orders record.

use super::{Order, OrderStatus, Payable, Registration};

/// Whose a recorded payable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// No order records it.
    Nobody,
    /// This order's.
    Order(&'a Order),
    /// Money has moved, and live orders of several registrations record it without proof: a person must say whose it is.
    Contested,
}

impl<'a> Owner<'a> {
    /// The owner of a payable (none: Stripe does not know it) that `orders` record and whose metadata names `named`, by
    /// `registration`: that of an order, a renamed player's under the new id.
    ///
    /// The order that its payment is recorded on owns it, whatever became of that order since: a payment counts once. Else
    /// a live order before one that has left, then the one that its metadata names, then the first by id. Where money has
    /// moved, a refunded order has not left: what was recorded as paid back stays where it was; and a pending order of the same
    /// registration owns what names it, since a webhook handler takes the payment for that one's.
    #[must_use]
    pub fn among(
        orders: &[&'a Order],
        payable: Option<&Payable>,
        named: Option<&'a Order>,
        registration: impl Fn(&Order) -> Registration,
    ) -> Self {
        let intent = payable.and_then(|payable| payable.payment_intent.as_ref());
        let pays = |order: &Order| intent.is_some() && order.payment_intent.as_ref() == intent;
        let names = |order: &Order| named.is_some_and(|named| named.id == order.id);
        let moved = payable.is_some_and(|payable| payable.is_processing() || payable.has_arrived());
        let left = |order: &Order| match order.status {
            OrderStatus::Pending | OrderStatus::Paid => false,
            OrderStatus::Canceled => true,
            OrderStatus::Refunded => !moved,
        };
        let rank = |order: &Order| (!pays(order), left(order), !names(order));
        let Some(first) = orders.iter().copied().min_by_key(|order| (rank(order), &order.id)) else {
            return Self::Nobody;
        };
        let takes = |order: &Order| {
            let money = payable.and_then(Payable::money);
            pays(order) || (order.status == OrderStatus::Pending && money == Some(order.amount))
        };
        let sibling = named.filter(|named| takes(named) && registration(named) == registration(first));
        if let Some(named) = sibling.filter(|_| moved && !pays(first)) {
            return Self::Order(named);
        }
        let proved = pays(first) || names(first) || left(first);
        let rival = |order: &&&Order| !left(order) && registration(order) != registration(first);
        if moved && !proved && orders.iter().any(|order| rival(&order)) { Self::Contested } else { Self::Order(first) }
    }
}
