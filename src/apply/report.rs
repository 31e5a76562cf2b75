//! What a run did, change by change, and what it proved afterwards.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{OrderId, Payable, Registration, SessionId};
use crate::ledger::Attempt;
use crate::plan::{Action, Change, Finding, Plan};

/// What came of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOutcome {
    /// Carried out.
    Done,
    /// Not needed any more, or not begun; [`ChangeResult::detail`] says why.
    Skipped,
    /// It failed; [`ChangeResult::error`] says why and what was done.
    Failed,
}

/// Why a change failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultError {
    /// A stable code.
    pub code: String,
    /// What happened, and what was already done.
    pub message: String,
}

/// One change with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeResult {
    /// Whose, for what.
    pub registration: Option<Registration>,
    /// What was to be done.
    pub action: Action,
    /// Why.
    pub findings: Vec<Finding>,
    /// The order as it is now: a new one where one was made.
    pub order: Option<OrderId>,
    /// The payable as it is now: a new one where one was made.
    pub session: Option<SessionId>,
    /// Its link; none where there is none, and where the last reading showed that it is not to be sent.
    pub url: Option<String>,
    /// When the link dies.
    pub expires_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: ChangeOutcome,
    /// One sentence for people.
    pub detail: Option<String>,
    /// Why it failed.
    pub error: Option<ResultError>,
}

impl ChangeResult {
    /// A result that has not happened yet: the change's own subject.
    pub(super) fn of(change: &Change) -> Self {
        let subject = &change.subject;
        Self {
            registration: subject.registration.clone(),
            action: change.action,
            findings: change.findings.clone(),
            order: subject.order.as_ref().map(|seen| seen.id.clone()),
            session: subject.session.as_ref().map(|session| session.id.clone()),
            url: None,
            expires_at: None,
            outcome: ChangeOutcome::Done,
            detail: None,
            error: None,
        }
    }

    /// The payment that was recorded when a change was to close a payable, and the payer had been faster.
    pub(super) fn of_payment(change: &Change, session: SessionId, order: OrderId) -> Self {
        Self {
            action: Action::RecordPayment,
            findings: vec![Finding::UnrecordedPayment],
            order: Some(order),
            session: Some(session),
            ..Self::of(change)
        }
    }

    /// The attempt of an earlier run to make a payable for an order.
    pub(super) fn of_attempt(attempt: &Attempt) -> Self {
        Self {
            registration: Some(attempt.registration.clone()),
            action: Action::Renew,
            findings: vec![Finding::MissingSession],
            order: Some(attempt.order.clone()),
            session: None,
            url: None,
            expires_at: None,
            outcome: ChangeOutcome::Done,
            detail: None,
            error: None,
        }
    }

    /// Done, with the payable that was made.
    pub(super) fn made(mut self, payable: Payable) -> Self {
        self.session = Some(payable.id);
        self.url = payable.url;
        self.expires_at = payable.expires_at;
        self
    }

    /// Not done, and why.
    pub(super) fn skipped(mut self, why: impl Into<String>) -> Self {
        self.outcome = ChangeOutcome::Skipped;
        self.detail = Some(why.into());
        self
    }

    /// Failed, and why.
    pub(super) fn failed(mut self, code: &str, message: impl Into<String>) -> Self {
        self.outcome = ChangeOutcome::Failed;
        self.error = Some(ResultError { code: code.to_owned(), message: message.into() });
        self
    }
}

/// What reading Stripe again showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Open payables that live orders hold.
    pub live: Vec<SessionId>,
    /// Of those, the ones that do not carry their own order's id. Must be empty.
    pub without_order_id: Vec<SessionId>,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan that was carried out.
    pub plan: Plan,
    /// What an earlier run left unfinished first, then in the plan's order; those of later rounds follow.
    pub results: Vec<ChangeResult>,
    /// What is left to do or decide, planned after reading both sides again; none where that failed.
    pub remaining: Option<Plan>,
    /// The proof; none where reading again failed.
    pub proof: Option<Proof>,
    /// Why there is no proof.
    pub unproved: Option<String>,
    /// How many attempts of an earlier run were settled first.
    pub recovered: u32,
    /// Whether somebody asked to stop.
    pub interrupted: bool,
}

impl Report {
    /// How many results came out so.
    #[must_use]
    pub fn count(&self, outcome: ChangeOutcome) -> usize {
        self.results.iter().filter(|result| result.outcome == outcome).count()
    }
}

/// Somebody who watches a run: a progress bar, or plain lines.
pub trait Watch: Sync {
    /// So many changes will be carried out.
    fn begins(&self, changes: usize);
    /// One more is through.
    fn finished(&self, result: &ChangeResult);
    /// Something worth a line.
    fn says(&self, line: &str);
}
