//! A payable as Stripe shows it, for tests that have no Stripe.

use jiff::Timestamp;
use tourney::domain::{LinkTerms, Metadata, Mode, Money, Payable, PayableKind, PayableState, PaymentStatus, SessionId};

/// An open session that charges so much.
pub(crate) fn payable(id: &str, charged: Money) -> Payable {
    Payable {
        id: SessionId::from(id),
        kind: PayableKind::Session,
        state: PayableState::Open,
        payment_status: PaymentStatus::Unpaid,
        amount: Some(charged.minor),
        currency: Some(charged.currency),
        mode: Mode::Test,
        metadata: Metadata::new(),
        terms: LinkTerms::default(),
        client_reference_id: None,
        customer_email: None,
        payment_intent: None,
        payment: None,
        link: None,
        url: Some("https://pay.example/1".to_owned()),
        created: Some(Timestamp::UNIX_EPOCH),
        expires_at: None,
    }
}
