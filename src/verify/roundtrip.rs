//! The signed webhook round trip: a canary is journalled, made, flown and removed, and nothing else has changed.

use futures_util::future::BoxFuture;
use jiff::SignedDuration;

use crate::apply::{Hands, StepError, Stop};
use crate::domain::{Email, PayableKind, PaymentIntentId, Registration, SessionId};
use crate::ledger::{Canary, Ledger, LedgerError, Scope};
use crate::stripe::StripeError;
use crate::world::{Clock, Wire};

use super::Check;
use super::canary::{Bird, bird};
use super::endpoint::Endpoint;
use super::flight::Flight;
use super::logbook::Logbook;
use super::others::others;

/// Why a round trip could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The orders database did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Stripe did not answer.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The canary could not be made.
    #[error("the canary could not be made: {0}")]
    Step(#[source] StepError),
    /// The manifest has no fee that a canary could owe.
    #[error("no fee of the manifest costs anything: there is nothing a canary could pay")]
    NoFee,
    /// The canary would stand for a registration of the manifest.
    #[error("{0} is a registration of the manifest, and a canary's order is removed again: none was made")]
    Committed(Registration),
    /// The canary would stand beside another order: one that is no canary's, or an earlier canary's that is still there.
    #[error("{0} has an order or a claim already: no canary was made beside it")]
    Occupied(Registration),
    /// Somebody else changed the canary's order.
    #[error("the canary's order changed under our hands")]
    CanaryMoved,
    /// Nobody opened the canary's Payment Link.
    #[error("nobody opened the canary's link: a session comes with a visit, and only a person can visit Stripe's page")]
    NoVisit,
    /// Somebody asked to stop while a visit was waited for.
    #[error("interrupted while the canary's link was waited for; no event was sent")]
    Interrupted,
}

/// What a round trip needs besides the hands.
pub struct Trip<'a> {
    /// The endpoint under test.
    pub endpoint: &'a Endpoint,
    /// Whether it is tourney's own receiver, started for this trip: it works before it answers, and says nothing of the
    /// handler that will hear of the orders.
    pub is_own_receiver: bool,
    /// The rows that must be as before.
    pub scope: &'a Scope,
    /// The canary's player, fee and address where the environment names them.
    pub canary: Option<(Registration, Email)>,
    /// Tells tourney's own receiver, where it is the endpoint, which session to show as paid.
    pub show_paid: &'a (dyn Fn(&SessionId, &PaymentIntentId) + Sync),
    /// Opens the canary's Payment Link where a program can: where the policy is links, a visit makes its session.
    pub open_link: &'a (dyn Fn(String) -> BoxFuture<'static, bool> + Sync),
    /// Asks a person to open it. Told which of the two visits it is, from 1: the end of the first must not touch the order.
    pub ask_to_visit: &'a (dyn Fn(&str, usize) + Sync),
    /// Waits for a person to pay at this link instead of sending the good event; none where nobody is asked.
    pub ask_to_pay: Option<&'a (dyn Fn(&str) + Sync)>,
    /// How long a person may take, to open a link or to pay.
    pub pay_within: SignedDuration,
    /// The wish to stop: no further event is sent, and the canary is removed.
    pub stop: &'a Stop,
}

/// A round trip that began: its checks, all of them by name, and why it broke off where it did.
#[derive(Debug)]
pub struct Flown {
    /// The checks.
    pub checks: Vec<Check>,
    /// Why it did not come to its end. What an endpoint does wrong is a failed check and none of these.
    pub broke: Option<VerifyError>,
}

/// Makes the round trip under a lock that is held. The canary is removed whatever happens.
pub(crate) async fn round_trip<L: Ledger, W: Wire, C: Clock>(hands: &Hands<'_, L, W, C>, trip: &Trip<'_>) -> Flown {
    let mut log = Logbook::default();
    let broke = travel(hands, trip, &mut log).await.err();
    if let Some(error) = &broke {
        log.breaks(&error.to_string());
    }
    Flown { checks: log.finish(), broke }
}

async fn travel<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    trip: &Trip<'_>,
    log: &mut Logbook,
) -> Result<(), VerifyError> {
    log.note(hands.clean_up_left_over().await?);
    let before = hands.ledger.read(trip.scope).await?.orders;
    let bird = bird(hands, trip)?;
    let mut canary = hands.announce(&bird).await?;
    let flown = fly(hands, trip, &bird, &mut canary, log).await;
    log.note(hands.clean_up(&canary).await);
    let after = hands.ledger.read(trip.scope).await.map_err(VerifyError::from);
    let others = match after {
        Ok(after) => others(hands, &before, &after.orders).await,
        Err(error) => Err(error),
    };
    log.note(others.unwrap_or_else(|error| Check::none("other-orders", format!("not made: {error}"))));
    flown
}

/// Everything between the journal's first line and the clean-up.
async fn fly<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    trip: &Trip<'_>,
    bird: &Bird,
    canary: &mut Canary,
    log: &mut Logbook,
) -> Result<(), VerifyError> {
    let (order, first) = hands.hatch(bird, None).await?;
    canary.order = Some(order.clone());
    journal(hands, &first, canary).await?;
    // The first session stays open until the handler is asked about it: what Stripe itself tells of its end is not to be
    // taken for the effect of another event, nor is the order to hold it still.
    let (predecessor, session, of_visit) = match PayableKind::of(&first) {
        PayableKind::Session => {
            let standing = hands.canary_order(&order).await?.seen();
            let (_, session) = hands.hatch(bird, Some(standing)).await?;
            journal(hands, &session, canary).await?;
            (first, session, String::new())
        }
        PayableKind::PaymentLink => {
            let predecessor = visited(hands, trip, &first, canary).await?;
            let session = visited(hands, trip, &first, canary).await?;
            (predecessor, session, format!(", made by a visit of {first}"))
        }
    };
    let flight = Flight::prepare(hands, trip, order, predecessor, session.clone()).await?;
    let made = format!("order {} with session {session}{of_visit}, through the helper", flight.order);
    log.note(Check::new("canary", true, made));
    flight.negatives(log).await?;
    if trip.ask_to_pay.is_some() {
        return flight.person_pays(log).await;
    }
    (trip.show_paid)(&session, &flight.intent);
    flight.good_event(log).await
}

/// The session of one more visit of the canary's link, journalled like any other of its sessions.
async fn visited<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    trip: &Trip<'_>,
    link: &SessionId,
    canary: &mut Canary,
) -> Result<SessionId, VerifyError> {
    let session = hands.visit(trip, link, &canary.sessions).await?;
    journal(hands, &session, canary).await?;
    Ok(session)
}

/// Writes down one more payable of the canary.
async fn journal<L: Ledger, W: Wire, C: Clock>(
    hands: &Hands<'_, L, W, C>,
    payable: &SessionId,
    canary: &mut Canary,
) -> Result<(), LedgerError> {
    canary.sessions.push(payable.clone());
    hands.ledger.journal_canary(canary).await
}
