//! The metadata by which a payable is matched to its order.

use std::collections::BTreeMap;

use super::{AttemptId, FeeId, Id, LedgerId, OrderId, PlayerId, TournamentId};

/// Stripe metadata: strings only, at most 50 keys of 40 characters, values of 500 (stripe/facts.md, Sessions).
pub type Metadata = BTreeMap<String, String>;

/// The metadata keys that tourney writes on every payable and on its payment intent.
pub mod key {
    /// The order's id: the one field by which webhook handlers find their order.
    pub const ORDER: &str = "order_id";
    /// The UUID of the orders database.
    pub const LEDGER: &str = "tourney_ledger";
    /// The attempt that made the payable.
    pub const ATTEMPT: &str = "tourney_attempt";
    /// The tournament's id.
    pub const TOURNAMENT: &str = "tourney_tournament";
    /// The player's id.
    pub const PLAYER: &str = "tourney_player";
    /// The fee's id.
    pub const FEE: &str = "tourney_fee";
}

/// Everything tourney says about a payable in its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The order that a payment settles.
    pub order: OrderId,
    /// The database in which it stands.
    pub ledger: LedgerId,
    /// The attempt that made the payable; none on one that was repaired in place.
    pub attempt: Option<AttemptId>,
    /// The tournament.
    pub tournament: TournamentId,
    /// The player.
    pub player: PlayerId,
    /// The fee.
    pub fee: FeeId,
}

impl Ownership {
    /// As Stripe metadata.
    #[must_use]
    pub fn to_metadata(&self) -> Metadata {
        let mut metadata = Metadata::from([
            (key::ORDER.to_owned(), self.order.to_string()),
            (key::LEDGER.to_owned(), self.ledger.to_string()),
            (key::TOURNAMENT.to_owned(), self.tournament.to_string()),
            (key::PLAYER.to_owned(), self.player.to_string()),
            (key::FEE.to_owned(), self.fee.to_string()),
        ]);
        if let Some(attempt) = &self.attempt {
            metadata.insert(key::ATTEMPT.to_owned(), attempt.to_string());
        }
        metadata
    }

    /// Whether metadata names this ledger and this tournament: certain proof that the payable is ours.
    #[must_use]
    pub fn is_ours(metadata: &Metadata, ledger: &LedgerId, tournament: &TournamentId) -> bool {
        metadata.get(key::LEDGER).is_some_and(|text| text == ledger.as_str())
            && metadata.get(key::TOURNAMENT).is_some_and(|text| *text == tournament.to_string())
    }

    /// The order that metadata names, if it names one.
    #[must_use]
    pub fn order_in(metadata: &Metadata) -> Option<OrderId> {
        metadata.get(key::ORDER).and_then(|text| Id::parse(text).ok()).map(OrderId)
    }
}
