//! Stripe: requests, the helper that creates sessions, thin answers, rate limit, retries, signatures. This room knows
//! nothing of the orders database.

mod account;
mod answers;
mod client;
mod error;
mod headers;
mod helper;
mod pace;
mod pages;
mod payables;
mod payment_links;
mod payments;
mod prices;
mod request;
mod rights;
mod sessions;
pub mod signature;
mod wire;

pub use account::{Account, Registered, StripeEvent, WebhookEndpoint};
pub use client::{Answer, Limits, Stripe};
pub use error::StripeError;
pub use headers::{common_headers, request_headers};
pub use helper::{
    Bill, CheckoutSettings, LIFETIME, PayableRequest, create_player_checkout_session, create_player_payment_link,
    line_name, render, render_payment_link,
};
pub use payables::Closed;
pub use payments::Refund;
pub use prices::PriceId;
pub use rights::Right;
pub use sessions::Sessions;
pub use wire::{API_BASE, HttpWire, install_tls};

/// The pinned version of Stripe's API (`Stripe-Version`): the one async-stripe's request builders were generated from.
#[must_use]
pub fn api_version() -> String {
    stripe_client_core::VERSION.to_string()
}
