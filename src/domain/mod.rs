//! The words of the field: ids, money, registrations, orders, payables. No async, no I/O.

mod count;
mod email;
mod handed;
mod id;
mod metadata;
mod money;
mod order;
mod owner;
mod payable;
mod registration;

pub use count::{agreeing, counted};
pub use email::{Email, EmailError, mask_addresses};
pub use handed::handed_out;
pub use id::{
    AttemptId, FeeId, Id, IdError, LedgerId, OrderId, PaymentIntentId, PlayerId, RunId, SessionId, TournamentId, uuid,
};
pub use metadata::{Metadata, Ownership, key};
pub use money::{Currency, CurrencyError, Money, MoneyError};
pub use order::{Order, OrderStatus, Seen};
pub use owner::Owner;
pub use payable::{
    LinkTerms, Payable, PayableKind, PayableState, Payment, PaymentState, PaymentStatus, counted_payables,
};
pub use registration::{Mode, Registration};
