//! The canary: an order of its own, made through the helper like any other, and removed whatever happens.

use crate::apply::{Hands, LeftOver};
use crate::domain::{AttemptId, Email, Id, Money, Order, OrderId, PlayerId, Registration, Seen, SessionId};
use crate::ledger::{AttemptFor, Canary, Ledger, Written};
use crate::stripe::{Bill, LIFETIME};
use crate::world::{Clock, Wire};

use super::roundtrip::Trip;
use super::{Check, VerifyError};

/// Who the canary is and what it owes.
#[derive(Clone, Debug)]
pub(super) struct Bird {
    pub(super) registration: Registration,
    pub(super) fee_name: String,
    pub(super) email: Email,
    pub(super) amount: Money,
}

/// Who the canary is: the environment's, else a player of its own on the first fee that costs something.
pub(super) fn bird<L, W, C: Clock>(hands: &Hands<'_, L, W, C>, trip: &Trip<'_>) -> Result<Bird, VerifyError> {
    let manifest = hands.manifest;
    let own = trip.canary.as_ref().and_then(|(registration, _)| manifest.fee(&registration.fee));
    let fee = own.or_else(|| manifest.fees.iter().find(|fee| fee.amount.minor > 0));
    let fee = fee.filter(|fee| fee.amount.minor > 0).ok_or(VerifyError::NoFee)?;
    let (registration, email) = match trip.canary.clone() {
        Some(named) => named,
        None => {
            let player = PlayerId(Id::Slug("tourney-canary".to_owned()));
            let email = Email::parse("canary@example.com").map_err(|_| VerifyError::CanaryMoved)?;
            (Registration { player, fee: fee.id.clone() }, email)
        }
    };
    let committed = |(player, owed): (&crate::manifest::Player, &crate::manifest::Owed)| {
        player.id == registration.player && owed.fee == registration.fee
    };
    if manifest.registrations().any(committed) {
        return Err(VerifyError::Committed(registration));
    }
    Ok(Bird { registration, fee_name: fee.name.clone(), email, amount: fee.amount })
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    /// Journals a canary before anything of it is made; refused where another's order could be taken for it.
    pub(super) async fn announce(&self, bird: &Bird) -> Result<Canary, VerifyError> {
        let canary = Canary {
            run: self.guard.run.clone(),
            tournament: self.manifest.tournament.id.clone(),
            registration: bird.registration.clone(),
            order: None,
            sessions: Vec::new(),
        };
        match self.ledger.begin_canary(&canary).await? {
            Written::Done => Ok(canary),
            Written::Moved => Err(VerifyError::Occupied(bird.registration.clone())),
        }
    }

    /// Makes a payable for the canary: its first with a new order, a further one for the order that stands.
    pub(super) async fn hatch(&self, bird: &Bird, standing: Option<Seen>) -> Result<(OrderId, SessionId), VerifyError> {
        // After a crash the canary's order is known by the attempt that made it, which therefore has the run's id.
        let first = AttemptId(self.guard.run.to_string());
        let bill = Bill {
            ledger: self.ledger_id.clone(),
            attempt: if standing.is_none() { first } else { AttemptId(self.uuid()) },
            tournament: self.manifest.tournament.id.clone(),
            tournament_name: self.manifest.tournament.name.clone(),
            registration: bird.registration.clone(),
            fee_name: bird.fee_name.clone(),
            player_name: "Canary".to_owned(),
            email: bird.email.clone(),
            amount: bird.amount,
            checkout: self.checkout.clone(),
            lifetime: LIFETIME,
        };
        let in_the_way = match standing {
            None => VerifyError::Occupied(bird.registration.clone()),
            Some(_) => VerifyError::CanaryMoved,
        };
        let subject = standing.map_or_else(
            || AttemptFor::New { registration: bird.registration.clone(), amount: bird.amount },
            AttemptFor::Standing,
        );
        let made = self.make_payable(&bill, subject).await.map_err(VerifyError::Step)?;
        made.map(|(attempt, payable)| (attempt.order, payable.id)).ok_or(in_the_way)
    }

    /// The canary's order as it is now.
    pub(super) async fn canary_order(&self, id: &OrderId) -> Result<Order, VerifyError> {
        self.ledger.order(id).await?.ok_or(VerifyError::CanaryMoved)
    }

    /// Removes the canary; what could not be done is a failed check, and the next run tries again.
    pub(super) async fn clean_up(&self, canary: &Canary) -> Check {
        match self.remove_canary(canary).await {
            Ok(gone) => Check::new("clean-up", true, gone.to_string()),
            Err(error) => Check::new("clean-up", false, format!("{error}; the next run tries again")),
        }
    }

    /// Removes the canaries of runs that never came to their end.
    pub(super) async fn clean_up_left_over(&self) -> Result<Check, VerifyError> {
        let ends = self.remove_left_over().await?;
        if ends.is_empty() {
            return Ok(Check::none("left-over-canary", "no earlier run left one"));
        }
        let fine = ends.iter().all(|(_, end)| end.is_ok());
        let told = |(run, end): LeftOver| match end {
            Ok(gone) => format!("of run {run}: {gone}"),
            Err(error) => format!("of run {run}: {error}; the next run tries again"),
        };
        let lines: Vec<String> = ends.into_iter().map(told).collect();
        Ok(Check::new("left-over-canary", fine, lines.join("; ")))
    }
}
