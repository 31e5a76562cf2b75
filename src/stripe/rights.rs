//! What a restricted key may do. It is found out by asking: Stripe says no with 403 before it looks for the object, so that
//! even the right to write is told without anything being written (a permission's name stands in Stripe's refusal; the rows
//! are those of the Dashboard: <https://docs.stripe.com/keys/restricted-api-keys>).

use super::request::get;
use super::{Stripe, StripeError};
use crate::domain::Mode;
use crate::world::{Clock, Method, Wire, WireRequest};

/// A right that tourney works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To read whose account it is.
    Account,
    /// To read Checkout Sessions.
    ReadSessions,
    /// To make, update and expire Checkout Sessions.
    WriteSessions,
    /// To read payment intents.
    Intents,
    /// To read charges, which a payment intent is read with.
    Charges,
    /// To read refunds.
    Refunds,
    /// To read disputes.
    Disputes,
    /// To read events.
    Events,
    /// To read the registered webhook endpoints.
    Endpoints,
    /// To read Payment Links.
    ReadLinks,
    /// To make, update and deactivate Payment Links.
    WriteLinks,
    /// To look for the price of a line.
    ReadPrices,
    /// To make the price of a line.
    WritePrices,
    /// To read what a price is for.
    ReadProducts,
    /// To make what a price is for.
    WriteProducts,
}

impl Right {
    /// Those that every tournament needs.
    pub const ALWAYS: [Self; 9] = [
        Self::Account,
        Self::ReadSessions,
        Self::WriteSessions,
        Self::Intents,
        Self::Charges,
        Self::Refunds,
        Self::Disputes,
        Self::Events,
        Self::Endpoints,
    ];

    /// Those that billing by Payment Links needs besides.
    pub const FOR_LINKS: [Self; 6] = [
        Self::ReadLinks,
        Self::WriteLinks,
        Self::ReadPrices,
        Self::WritePrices,
        Self::ReadProducts,
        Self::WriteProducts,
    ];

    /// Those without which no Payment Link can be made.
    pub const TO_MAKE_LINKS: [Self; 3] = [Self::WriteLinks, Self::WritePrices, Self::WriteProducts];

    /// Whether it is to write. Only a restricted key is asked about such a right.
    #[must_use]
    pub const fn is_to_write(self) -> bool {
        matches!(self, Self::WriteSessions | Self::WriteLinks | Self::WritePrices | Self::WriteProducts)
    }

    /// The row of the Dashboard's table of permissions, and what to choose in it.
    #[must_use]
    pub const fn row(self) -> &'static str {
        match self {
            Self::Account => "Basic Business Contact Information: Read",
            Self::ReadSessions | Self::WriteSessions => "Checkout Sessions: Write",
            Self::Intents => "Payment Intents: Read",
            Self::Charges | Self::Refunds => "Charges and Refunds: Read",
            Self::Disputes => "Disputes: Read",
            Self::Events => "Events: Read",
            Self::Endpoints => "Webhook Endpoints: Read",
            Self::ReadLinks => "Payment Links: Read",
            Self::WriteLinks => "Payment Links: Write",
            Self::ReadPrices | Self::WritePrices => "Prices: Write",
            Self::ReadProducts | Self::WriteProducts => "Products: Write",
        }
    }

    /// What the key may not do without it, and what comes of that.
    #[must_use]
    pub const fn without(self) -> &'static str {
        match self {
            Self::Account => "read whose account it is: no command begins",
            Self::ReadSessions => "read Checkout Sessions: there is no plan",
            Self::WriteSessions => "write Checkout Sessions: apply can make, repair and close no link",
            Self::Intents => "read payment intents: no payment can be judged",
            Self::Charges => "read charges: a plan fails at the first payment",
            Self::Refunds => "read refunds: a plan fails at the first refund",
            Self::Disputes => "read disputes: one that was won still counts as open",
            Self::Events => "read events: nobody sees whether they are delivered",
            Self::Endpoints => "read webhook endpoints: nobody sees whether yours is registered",
            Self::ReadLinks => "read Payment Links: there is no plan once one was made",
            Self::WriteLinks => "write Payment Links: apply can make, repair and close none",
            Self::ReadPrices => "read prices: no payment link can be made, which needs one",
            Self::WritePrices => "write prices: no payment link can be made, which needs one",
            Self::ReadProducts => "read products: no payment link can be made, whose price is for one",
            Self::WriteProducts => "write products: no payment link can be made, whose price is for one",
        }
    }

    /// Whether tourney cannot work without it.
    #[must_use]
    pub const fn is_needed(self) -> bool {
        !matches!(self, Self::Disputes | Self::Events | Self::Endpoints)
    }

    /// A request that needs this right and changes nothing.
    fn question(self, mode: Mode) -> WireRequest {
        let list = |path: &str| get(path, &[("limit", "1")]);
        match self {
            Self::Account => get("/v1/account", &[]),
            Self::ReadSessions => list("/v1/checkout/sessions"),
            Self::WriteSessions => write(format!("/v1/checkout/sessions/{}/expire", no_session(mode))),
            Self::ReadLinks => list("/v1/payment_links"),
            Self::WriteLinks => write(format!("/v1/payment_links/plink_{NOBODY}")),
            Self::ReadPrices => list("/v1/prices"),
            Self::WritePrices => write(format!("/v1/prices/price_{NOBODY}")),
            Self::ReadProducts => list("/v1/products"),
            Self::WriteProducts => write(format!("/v1/products/prod_{NOBODY}")),
            Self::Intents => list("/v1/payment_intents"),
            Self::Charges => list("/v1/charges"),
            Self::Refunds => list("/v1/refunds"),
            Self::Disputes => list("/v1/disputes"),
            Self::Events => list("/v1/events"),
            Self::Endpoints => list("/v1/webhook_endpoints"),
        }
    }
}

/// Behind a prefix, an id that nothing of Stripe's own can have: those have letters and digits alone.
const NOBODY: &str = "nothing_is_called_so";

/// A write that finds nothing to change.
fn write(path: String) -> WireRequest {
    WireRequest { method: Method::Post, path, query: None, body: None, idempotency_key: None }
}

/// An id that no session can have: behind the prefix Stripe's own have letters and digits alone.
fn no_session(mode: Mode) -> String {
    format!("cs_{mode}_no_session_is_called_so")
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// Asks whether the key has a right. Nothing is changed by it.
    ///
    /// # Errors
    /// As any request that is not answered; a key that is refused altogether.
    pub async fn has_right(&self, right: Right, mode: Mode) -> Result<bool, StripeError> {
        match self.check_right(right, mode).await {
            Err(error) if error.is_forbidden() => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// The same where a missing right is an error, in Stripe's own words.
    ///
    /// # Errors
    /// As [`Stripe::has_right`], and the refusal.
    pub async fn check_right(&self, right: Right, mode: Mode) -> Result<(), StripeError> {
        match self.call(right.question(mode)).await {
            Ok(_) => Ok(()),
            // Whatever else Stripe refuses it for, it has let the key in.
            Err(error) if error.is_permanent() && !error.is_about_key() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_reads_or_names_nothing_that_is_there() {
        for right in Right::ALWAYS.into_iter().chain(Right::FOR_LINKS) {
            let question = right.question(Mode::Live);
            assert_eq!(question.method == Method::Post, right.is_to_write(), "{right:?}");
            assert!(question.body.is_none());
            assert_eq!(question.path.contains("_is_called_so"), right.is_to_write(), "{right:?}");
        }
        assert_eq!(
            Right::WriteSessions.question(Mode::Test).path,
            "/v1/checkout/sessions/cs_test_no_session_is_called_so/expire"
        );
    }
}
