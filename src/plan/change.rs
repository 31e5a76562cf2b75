//! A plan as data: it can be listed, hashed, saved, reviewed, counted and faulted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Currency, Mode, Money as Amount, OrderId, Payable, PayableKind, PayableState, PaymentStatus, PlayerId,
    Registration, Seen, SessionId, TournamentId,
};
use crate::ledger::{Handler, RetireHow};

use super::Finding;

/// What is done about a registration, an order or a session. The order of the enum is the precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A payable is closed at Stripe, its order kept.
    Expire,
    /// A payment is recorded on its pending order.
    RecordPayment,
    /// A full refund is recorded on its paid order.
    RecordRefund,
    /// The order is marked paid without a payment intent.
    Settle,
    /// The order's payable is closed, and the order is cancelled or deleted.
    Retire,
    /// The order moves to the player's new id; after a retirement, which may make room for it.
    Rename,
    /// The order is retired and a new one made with a new payable.
    Replace,
    /// The order stays and gets a new payable.
    Renew,
    /// The open payable's metadata is put right.
    Repair,
    /// A new order with its payable.
    Create,
    /// Only a person may decide.
    Attention,
    /// A person has decided.
    Decided,
}

impl Action {
    /// The word in JSON, also the summary's key.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expire => "expire",
            Self::RecordPayment => "record_payment",
            Self::RecordRefund => "record_refund",
            Self::Settle => "settle",
            Self::Retire => "retire",
            Self::Rename => "rename",
            Self::Replace => "replace",
            Self::Renew => "renew",
            Self::Repair => "repair",
            Self::Create => "create",
            Self::Attention => "attention",
            Self::Decided => "decided",
        }
    }

    /// Whether `apply` does something about it.
    #[must_use]
    pub const fn is_done_by_apply(self) -> bool {
        !matches!(self, Self::Attention | Self::Decided)
    }
}

/// What the manifest wants of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// What is owed.
    #[serde(flatten)]
    pub amount: Amount,
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Whose, for what; none for a payable that no registration has.
    pub registration: Option<Registration>,
    /// The order as it was seen.
    pub order: Option<Seen>,
    /// The payable as it was seen.
    pub session: Option<SeenSession>,
}

/// The facts of a payable that decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenSession {
    /// Its id.
    pub id: SessionId,
    /// Where it stood; none where Stripe does not know it.
    pub status: Option<PayableState>,
    /// Whether the money was there.
    pub payment_status: Option<PaymentStatus>,
}

impl From<&Payable> for SeenSession {
    fn from(payable: &Payable) -> Self {
        Self { id: payable.id.clone(), status: Some(payable.state), payment_status: Some(payable.payment_status) }
    }
}

/// One effect. A change is carried out as its steps in their order; each is harmless when repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Close a payable at Stripe, and be sure of it. Where it turns out paid, the payment is recorded on `order` and the
    /// change ends; where it is processing, the change ends.
    Expire {
        /// Which.
        session: SessionId,
        /// The order a payment would be for.
        order: Option<OrderId>,
    },
    /// Retire an order whose payables are all closed.
    Retire {
        /// The order as it was seen.
        seen: Seen,
        /// Cancelled or deleted.
        how: RetireHow,
        /// The finding that is the reason.
        reason: Finding,
        /// Also where it has become canceled since it was seen: the application's webhook does that when a session expires.
        canceled_too: bool,
    },
    /// Make a new order and its payable, through the helper.
    Bill {
        /// Whose, for what.
        registration: Registration,
        /// What is owed.
        amount: Amount,
    },
    /// Make a new payable for a pending order, through the helper.
    Renew {
        /// The order as it was seen.
        seen: Seen,
    },
    /// Put the metadata of an open payable right.
    Repair {
        /// Which.
        session: SessionId,
        /// The order it is for.
        order: OrderId,
        /// Whose, for what.
        registration: Registration,
    },
    /// Move an order to another player id.
    Rename {
        /// The order as it was seen.
        seen: Seen,
        /// The new id.
        to: PlayerId,
    },
    /// Record a payment, through `settle`.
    RecordPayment {
        /// The session that was paid.
        session: SessionId,
        /// The order it is for.
        order: OrderId,
    },
    /// Mark an order paid outside Stripe.
    Settle {
        /// The order as it was seen.
        seen: Seen,
        /// As with [`Step::Retire`].
        canceled_too: bool,
    },
    /// Record a full refund.
    RecordRefund {
        /// The order as it was seen.
        seen: Seen,
    },
}

impl Step {
    /// Whether something is made, changed or closed at Stripe.
    #[must_use]
    pub const fn writes_at_stripe(&self) -> bool {
        matches!(self, Self::Expire { .. } | Self::Bill { .. } | Self::Renew { .. } | Self::Repair { .. })
    }
}

/// One change: an action with its reasons and its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is about.
    pub subject: Subject,
    /// What is done.
    pub action: Action,
    /// Why; sorted, never empty.
    pub findings: Vec<Finding>,
    /// What the manifest wants; none where it wants nothing.
    pub desired: Option<Desired>,
    /// One sentence for people where the findings do not say it all; never a name or an address.
    pub detail: Option<String>,
    /// How; empty for attention and decided.
    pub steps: Vec<Step>,
    /// A replacement in the place of a renewal, which the application's webhook forbids.
    pub not_renewed: bool,
}

impl Change {
    /// Money has come in that no order accounts for, and nobody has decided about it.
    #[must_use]
    pub fn is_unmatched_money(&self) -> bool {
        let paid = self.subject.session.as_ref().is_some_and(|one| one.payment_status == Some(PaymentStatus::Paid));
        let of_another = paid && self.findings.contains(&Finding::WrongMetadata);
        self.action == Action::Attention && (of_another || self.findings.contains(&Finding::AdHocPayment))
    }
}

/// Sums over the registrations, in the currency's minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The tournament's currency.
    pub currency: Currency,
    /// What is owed in all by committed players (paid or not).
    pub owed: i64,
    /// Of that, what is paid.
    pub paid: i64,
    /// Of that, what cannot be paid now, or could be paid and not be matched.
    pub unpayable: i64,
}

/// How many changes of each action, and how many registrations are in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the action of the same name")]
pub struct Summary {
    pub create: u32,
    pub replace: u32,
    pub renew: u32,
    pub repair: u32,
    pub rename: u32,
    pub settle: u32,
    pub record_payment: u32,
    pub record_refund: u32,
    pub retire: u32,
    pub expire: u32,
    pub attention: u32,
    pub decided: u32,
    pub unchanged: u32,
}

/// For what, from what, where and when a plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The environment's name.
    pub environment: String,
    /// The tournament's id.
    pub tournament: TournamentId,
    /// The tournament's name.
    pub tournament_name: String,
    /// The digest of the manifest's bytes.
    pub manifest_sha256: String,
    /// When the facts were read.
    pub observed_at: Timestamp,
    /// The Stripe account.
    pub account: String,
    /// The mode.
    pub mode: Mode,
}

/// What is to be done and decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its head.
    pub head: Head,
    /// The money.
    pub money: Money,
    /// Money that has come in and that a person must decide about, for each currency; each payment once.
    pub undecided: Vec<Amount>,
    /// The counts.
    pub summary: Summary,
    /// In the manifest's order, then the rest by id.
    pub changes: Vec<Change>,
    /// How many links that may have been mailed stop working.
    pub links_stopping: u32,
    /// Open or paid sessions of the account that cannot be proved to belong to the tournament.
    pub foreign: Vec<SessionId>,
    /// What people should know and nothing is done about: never a change, never a failure.
    pub notes: Vec<Note>,
    /// Retirements of withdrawn players among live orders, where the guard on mass retirement refuses; none where it does not.
    pub mass_retire: Option<MassRetire>,
    /// What policy would renew and what is replaced here; such a plan is refused, and so never saved. None where nothing
    /// forbids to renew.
    #[serde(skip)]
    pub renew_refused: Option<RenewRefused>,
}

/// Something to show that is neither to be done nor to be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about.
    pub subject: Subject,
    /// The finding, where it is one (`payment-processing`).
    pub finding: Option<Finding>,
    /// One sentence for people; never a name or an address.
    pub text: String,
}

impl Note {
    /// About the plan as a whole, and no finding.
    pub(super) fn of_all(text: impl Into<String>) -> Self {
        Self { subject: Subject { registration: None, order: None, session: None }, finding: None, text: text.into() }
    }
}

/// Orders that policy would keep with a new session, or bill by Payment Links, which the application's webhook would cancel
/// behind an open link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewRefused {
    /// What was found of the webhook handler, where and when.
    pub handler: Handler,
    /// What policy asks for: sessions, some of them renewed, or Payment Links, of which every visit ends in an expired event.
    pub kind: PayableKind,
    /// Whose orders, in the plan's order.
    pub registrations: Vec<Registration>,
}

/// What the guard on mass retirement found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MassRetire {
    /// Orders of withdrawn players that would be retired.
    pub retiring: u32,
    /// Live orders in scope.
    pub live: u32,
    /// The policy's limit in percent.
    pub limit_percent: u8,
}
