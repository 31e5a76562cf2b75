//! The validated manifest: everything in it is already checked and resolved.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::{Currency, Email, FeeId, Money, OrderId, PayableKind, PlayerId, SessionId, TournamentId};

/// One tournament, its fees, its committed players, and what people decided about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The tournament.
    pub tournament: Tournament,
    /// Its fees, at least one, in the file's order.
    pub fees: Vec<Fee>,
    /// Its committed players in the file's order; possibly none.
    pub players: Vec<Player>,
    /// What happens where there is a choice.
    pub policy: Policy,
    /// What people decided about findings that need a person.
    pub decisions: Vec<Decision>,
    /// SHA-256 of the file's bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// The tournament itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tournament {
    /// Its id.
    pub id: TournamentId,
    /// Its name, shown to payers.
    pub name: String,
    /// The currency of every amount in the manifest.
    pub currency: Currency,
    /// The first day.
    pub starts: Option<Date>,
    /// The last day on which anyone can pay; afterwards open payables are expired and none is made.
    pub pay_by: Option<Date>,
    /// False is the stop button: every open payable is expired, orders are kept.
    pub open: bool,
}

impl Tournament {
    /// The stop button, or `pay_by` has passed: what is open is closed, and nothing new becomes payable.
    #[must_use]
    pub fn is_stopped(&self, now: Timestamp) -> bool {
        !self.open || self.is_past_due(now)
    }

    /// After the end of `pay_by`'s day, in UTC.
    #[must_use]
    pub fn is_past_due(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.pay_by.is_some_and(|pay_by| today > pay_by)
    }
}

/// What a player owes for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Its id; in an adopted database the product's own.
    pub id: FeeId,
    /// Its name, shown to payers.
    pub name: String,
    /// What it costs; zero means that nothing is owed.
    pub amount: Money,
}

/// A committed player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// Its id.
    pub id: PlayerId,
    /// Its name.
    pub name: String,
    /// Where the link goes; siblings may share one.
    pub email: Email,
    /// What is owed, at least one, each fee once, in the file's order.
    pub owes: Vec<Owed>,
    /// Settled outside Stripe; it holds for all the player's fees.
    pub paid: Option<PaidElsewhere>,
    /// The id that this player had before; no longer in the manifest.
    pub renamed_from: Option<PlayerId>,
    /// The team, for people; never sent to Stripe.
    pub team: Option<String>,
    /// A remark for people; never sent to Stripe.
    pub note: Option<String>,
}

/// One fee that a player owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Which.
    pub fee: FeeId,
    /// The player's own amount, else the fee's; zero means that it is waived.
    pub amount: Money,
}

/// A payment outside Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidElsewhere {
    /// How: `cash`, `cheque`, … as a person wrote it.
    pub how: String,
    /// When.
    pub on: Option<Date>,
    /// A remark for people.
    pub note: Option<String>,
}

/// What `apply` does where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What payers get: a session, which lives a day, or a Payment Link, which lives until it is paid or closed.
    pub link: PayableKind,
    /// About an expired session whose metadata was right.
    pub stale: Stale,
    /// About an order that is retired.
    pub retire: Retire,
    /// About a pending order whose player left the manifest.
    pub withdrawn: Withdrawn,
    /// The largest share of live orders, in percent (0 to 100), that withdrawn players may retire at once.
    pub max_retired_percent: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            link: PayableKind::Session,
            stale: Stale::Renew,
            retire: Retire::Cancel,
            withdrawn: Withdrawn::Retire,
            max_retired_percent: 30,
        }
    }
}

/// About an expired session whose metadata was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The order is kept and gets a new session.
    Renew,
    /// The order is retired and a new one made.
    Replace,
}

/// About an order that is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retire {
    /// It is kept as canceled.
    Cancel,
    /// The row goes; a copy stays in history.
    Delete,
}

/// About a pending order whose player left the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// Its session is expired and it is retired.
    Retire,
    /// It stays as it is.
    Keep,
}

/// What a person decided about a finding that needs one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whose registration; the player may have left the manifest.
    pub player: PlayerId,
    /// Which fee; it may have left the manifest where an order may still stand on it.
    pub fee: FeeId,
    /// The finding's code, one of [`super::DECIDABLE`].
    pub finding: String,
    /// Holds only for this amount.
    pub amount: Option<Money>,
    /// Holds only for this order.
    pub order: Option<OrderId>,
    /// Holds only for this session.
    pub session: Option<SessionId>,
    /// What follows.
    pub then: Then,
    /// Why, for people.
    pub note: Option<String>,
}

/// What follows from a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Then {
    /// It is in order as it is: nothing is done.
    #[default]
    Accept,
    /// The registration is billed again; only for the findings of [`super::BILLABLE`].
    Bill,
}

impl Manifest {
    /// Every registration in the manifest's order: one player x one fee.
    pub fn registrations(&self) -> impl Iterator<Item = (&Player, &Owed)> {
        self.players.iter().flat_map(|player| player.owes.iter().map(move |owed| (player, owed)))
    }

    /// The fee of this id.
    #[must_use]
    pub fn fee(&self, id: &FeeId) -> Option<&Fee> {
        self.fees.iter().find(|fee| fee.id == *id)
    }

    /// The player of this id.
    #[must_use]
    pub fn player(&self, id: &PlayerId) -> Option<&Player> {
        self.players.iter().find(|player| player.id == *id)
    }

    /// The player of this id, else the one who had it before.
    #[must_use]
    pub fn player_now(&self, id: &PlayerId) -> Option<&Player> {
        self.player(id).or_else(|| self.players.iter().find(|player| player.renamed_from.as_ref() == Some(id)))
    }
}
