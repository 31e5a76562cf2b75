//! What can be wrong, in a word: the rules of each invariant.

use std::fmt;

use crate::domain::Registration;

/// An invariant of `docs/INVARIANTS.md` that can be seen in what both sides hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// I1: one live order.
    OneLiveOrder,
    /// I2: one open payable.
    OneOpenPayable,
    /// I3: every payment counts once.
    PaymentsCountOnce,
    /// I4: paid never regresses.
    PaidStaysPaid,
    /// I6: apply converges.
    ApplyConverges,
    /// I10: no payable without its order.
    NoneWithoutOrder,
}

impl Invariant {
    /// Its name in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneLiveOrder => "I1",
            Self::OneOpenPayable => "I2",
            Self::PaymentsCountOnce => "I3",
            Self::PaidStaysPaid => "I4",
            Self::ApplyConverges => "I6",
            Self::NoneWithoutOrder => "I10",
        }
    }
}

/// When a rule must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// At every moment: tourney never breaks it, however it is interrupted. What others did may break it.
    Always,
    /// Once an apply has gone through, except where something waits for a person.
    AtRest,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $invariant:ident, $holds:ident;)*) => {
        /// One thing that can be wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The invariant that it is a part of.
            #[must_use]
            pub const fn invariant(self) -> Invariant {
                match self { $(Self::$name => Invariant::$invariant,)* }
            }

            /// When it must hold.
            #[must_use]
            pub const fn holds(self) -> Holds {
                match self { $(Self::$name => Holds::$holds,)* }
            }
        }
    };
}

rules! {
    /// A registration has several live orders.
    LiveTwice = OneLiveOrder, Always;
    /// An order id that was given up is in use again.
    UsedAgain = OneLiveOrder, Always;
    /// A registration can be paid at several payables.
    PayableTwice = OneOpenPayable, Always;
    /// A registration has several open attempts, each of which may have made a payable.
    AttemptedTwice = OneOpenPayable, Always;
    /// A payable of ours is open, and tourney has retired its order, or it is gone.
    WithoutItsOrder = OneOpenPayable, Always;
    /// A payable is open, and its order is paid, refunded, or was canceled by somebody else.
    BehindWhatIsSettled = OneOpenPayable, AtRest;
    /// Several live orders record one open payable.
    OfSeveralOrders = OneOpenPayable, AtRest;
    /// An open payable charges something else than its order says.
    OfAnotherAmount = OneOpenPayable, AtRest;
    /// Several orders record one payment.
    RecordedTwice = PaymentsCountOnce, Always;
    /// An order records a payment that has not arrived.
    RecordedAndNotPaid = PaymentsCountOnce, Always;
    /// A payment had arrived for a pending order, and the order was retired all the same.
    RetiredThoughPaid = PaymentsCountOnce, Always;
    /// A payment has arrived, and no order records it.
    NotRecorded = PaymentsCountOnce, AtRest;
    /// An order was paid and is no more, or by another payment.
    PaidAndNoMore = PaidStaysPaid, Always;
    /// Something is left to do, or an attempt is open.
    Unfinished = ApplyConverges, AtRest;
    /// A payable of ours carries no order's id.
    MadeWithoutOrderId = NoneWithoutOrder, Always;
    /// An open payable does not carry the id of an order that records it.
    NotNamingItsOrder = NoneWithoutOrder, AtRest;
}

/// One invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule of which invariant.
    pub rule: Rule,
    /// The registration that it is about, where it is about one.
    pub registration: Option<Registration>,
    /// The ids of the orders and payables that it is about.
    pub subjects: Vec<String>,
    /// One sentence for people; never a name or an address.
    pub said: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.invariant().name(), self.said)
    }
}
