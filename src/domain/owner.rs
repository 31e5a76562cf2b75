//! To which order a payable belongs that several orders record.

use super::{Order, Payable, Registration, key};

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
    /// The owner among the orders that record a payable (none: Stripe does not know it), by `registration`: that of an
    /// order, a renamed player's under the new id.
    ///
    /// The order that its payment is recorded on owns it, whatever became of that order since: a payment counts once. Else
    /// a live order before one that has left, then the one that its metadata names, then the first by id.
    #[must_use]
    pub fn among(
        orders: &[&'a Order],
        payable: Option<&Payable>,
        registration: impl Fn(&Order) -> Registration,
    ) -> Self {
        let intent = payable.and_then(|payable| payable.payment_intent.as_ref());
        let pays = |order: &Order| intent.is_some() && order.payment_intent.as_ref() == intent;
        let text = payable.and_then(|payable| payable.metadata.get(key::ORDER));
        let names = |order: &Order| text.is_some_and(|text| *text == order.id.to_string());
        let rank = |order: &Order| (!pays(order), !order.status.is_live(), !names(order));
        let Some(first) = orders.iter().copied().min_by_key(|order| (rank(order), &order.id)) else {
            return Self::Nobody;
        };
        let moved = payable.is_some_and(|payable| payable.is_processing() || payable.has_arrived());
        let proved = pays(first) || names(first) || !first.status.is_live();
        let rival = |order: &&&Order| order.status.is_live() && registration(order) != registration(first);
        if moved && !proved && orders.iter().any(|order| rival(&order)) { Self::Contested } else { Self::Order(first) }
    }
}
