//! One run: lock, recover, observe, plan, carry out, prove.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Mode, Order, Ownership, Payable, PlayerId, Registration, RunId, SessionId, uuid};
use crate::ledger::{Identity, Ledger, LedgerError, LockHolder, Run, Scope};
use crate::manifest::Manifest;
use crate::observe::{Observation, ObserveError, observe};
use crate::plan::{Difference, Options, Plan, RenewRefused, Saved, plan};
use crate::stripe::{CheckoutSettings, Stripe, StripeError};
use crate::world::{Clock, Wire};

use super::lock::{Asking, take_lock};
use super::report::{ChangeOutcome, Proof, Report, Watch};
use super::sendable::withhold;
use super::{Hands, Stop};

/// How often a registration that moved under our hands is planned again.
const ROUNDS: usize = 3;

/// What was agreed to before the run.
#[derive(Clone, Debug)]
pub enum Confirmed {
    /// Whatever is needed (`--yes` without a saved plan).
    Anything,
    /// What a person saw, or a saved plan: nothing else, but for recording payments.
    Only {
        /// The plan with the digest of its facts.
        saved: Box<Saved>,
        /// What has become unnecessary may be skipped.
        allow_less: bool,
    },
}

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// Its scope in the database.
    pub scope: Scope,
    /// How payables are made.
    pub checkout: &'a CheckoutSettings,
    /// The Stripe account.
    pub account: &'a str,
    /// The mode.
    pub mode: Mode,
    /// For the planner.
    pub options: Options,
    /// What was agreed to.
    pub confirmed: Confirmed,
    /// How many registrations at once, at least one.
    pub parallelism: usize,
    /// User, host and process, for lock and history.
    pub who: String,
    /// Whether the process of the lock's holder is known to be gone: then the lock is taken over at once.
    pub is_gone: fn(&LockHolder) -> bool,
    /// How long to wait for the lock.
    pub lock_timeout: SignedDuration,
}

/// Why a run did not begin. Nothing was written to an order or to Stripe.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// One side did not answer.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The database did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Stripe did not answer.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// Another run holds the lock.
    #[error("{} is at work since {}", .0.who, .0.since)]
    Locked(LockHolder),
    /// Somebody asked to stop while the lock was waited for.
    #[error("interrupted while waiting for the lock")]
    Interrupted,
    /// Database, account and mode do not belong together.
    #[error("this database belongs to Stripe account {} ({} mode)", .0.account.as_deref().unwrap_or("?"), .0.mode.map_or("?".to_owned(), |m| m.to_string()))]
    WrongAccount(Identity),
    /// What was agreed to no longer is what there is to do.
    #[error("the facts have moved since the plan was made")]
    Outdated(Vec<Difference>),
    /// The guard on mass retirement.
    #[error("{} of {} live orders would be retired because their players left the manifest (the limit is {} %)", .0.retiring, .0.live, .0.limit_percent)]
    MassRetire(crate::plan::MassRetire),
    /// The application's webhook would cancel what is renewed.
    #[error("the webhook at {} would cancel what is renewed", .0.handler.endpoint)]
    RenewRefused(RenewRefused),
}

/// Runs a job to its end. An `Err` means that nothing was done; whatever went wrong later stands in the report.
///
/// # Errors
/// See [`ApplyError`].
pub async fn converge<L: Ledger, W: Wire, C: Clock>(
    ledger: &L,
    stripe: &Stripe<W, C>,
    clock: &C,
    job: &Job<'_>,
    stop: &Stop,
    watch: &impl Watch,
) -> Result<Report, ApplyError> {
    let identity = bound(ledger, clock, job.account, job.mode).await?;
    let run = RunId(uuid(clock.random()));
    let says = |line: &str| watch.says(line);
    let (who, timeout) = (job.who.as_str(), job.lock_timeout);
    let asking = Asking { run: &run, who, is_gone: job.is_gone, timeout, stop, says: &says };
    let (guard, dead) = take_lock(ledger, clock, &asking).await?;
    if let Some(dead) = dead {
        watch.says(&format!("The lock is taken over from {}, which has ended without giving it back.", dead.who));
    }
    let hands = Hands {
        ledger,
        stripe,
        clock,
        manifest: job.manifest,
        checkout: job.checkout,
        ledger_id: identity.ledger,
        guard,
    };
    let report = tokio::select! {
        // By their order, not by chance: what a run does must follow from what it meets alone, so that it can be repeated.
        biased;
        report = hands.run(job, stop, watch) => report,
        () = hands.keep_alive() => unreachable_heartbeat(),
    };
    // The lock's lease ends by itself: a lost answer here must not turn a finished run into a failed one.
    let _ = ledger.unlock(&hands.guard).await;
    report
}

/// The database's identity, made and bound to account and mode where this is the first run.
pub(crate) async fn bound<L: Ledger, C: Clock>(
    ledger: &L,
    clock: &C,
    account: &str,
    mode: Mode,
) -> Result<Identity, ApplyError> {
    let identity = ledger.prepare(clock.random()).await?;
    let identity = if identity.account.is_none() { ledger.bind(account, mode).await? } else { identity };
    if identity.account.as_deref() != Some(account) || identity.mode != Some(mode) {
        return Err(ApplyError::WrongAccount(identity));
    }
    Ok(identity)
}

/// The heartbeat never ends by itself; were it to, the fence still keeps a run without lock from writing.
fn unreachable_heartbeat() -> Result<Report, ApplyError> {
    Err(ApplyError::Ledger(LedgerError::Fenced))
}

impl<L: Ledger, W: Wire, C: Clock> Hands<'_, L, W, C> {
    async fn run(&self, job: &Job<'_>, stop: &Stop, watch: &impl Watch) -> Result<Report, ApplyError> {
        let observed = self.observe(job).await?;
        let agreed = self.agreed(job, &observed)?;
        let started = self.clock.now();
        self.start_run(job, started).await?;
        let tournament = &self.manifest.tournament;
        self.ledger.record_name(&tournament.id, &tournament.name, started).await?;
        let outcome = self.work(job, observed, agreed, stop, watch).await;
        let (word, line) = summary_of(&outcome);
        // History is for people; the work is done whether or not this line is written.
        let _ = self.ledger.finish_run(&self.guard.run, self.clock.now(), word, &line).await;
        Ok(outcome)
    }

    async fn work(
        &self,
        job: &Job<'_>,
        observed: Observation,
        agreed: Plan,
        stop: &Stop,
        watch: &impl Watch,
    ) -> Report {
        let left = self.settle_leftovers(job.mode, &observed).await;
        left.canaries.iter().for_each(|line| watch.says(line));
        let mut report = Report {
            plan: agreed,
            results: left.results,
            remaining: None,
            proof: None,
            unproved: None,
            recovered: left.recovered,
            interrupted: false,
        };
        if left.moved {
            match self.observe(job).await {
                Ok(observed) => report.plan = self.still_agreed(job, &observed, watch),
                Err(error) => {
                    report.unproved = Some(error.to_string());
                    return report;
                }
            }
        }
        let first = report.plan.clone();
        watch.begins(first.changes.iter().filter(|change| !change.steps.is_empty()).count());
        self.rounds(job, first, &left.unsettled, &mut report, stop, watch).await;
        report.interrupted = stop.is_asked();
        self.prove(job, &mut report).await;
        report
    }

    /// What is to be done under what was agreed to. Here everything is refused that is refused: nothing is written yet.
    fn agreed(&self, job: &Job<'_>, observed: &Observation) -> Result<Plan, ApplyError> {
        let fresh = plan(self.manifest, observed, &job.options);
        if let Some(mass) = fresh.mass_retire {
            return Err(ApplyError::MassRetire(mass));
        }
        if let Some(refused) = fresh.renew_refused {
            return Err(ApplyError::RenewRefused(refused));
        }
        let Confirmed::Only { saved, allow_less } = &job.confirmed else { return Ok(fresh) };
        let moved = saved.compare(&fresh, observed);
        if !moved.is_empty() && !allow_less {
            return Err(ApplyError::Outdated(moved));
        }
        saved.restrict(fresh, *allow_less).map_err(ApplyError::Outdated)
    }

    /// The same after leftovers were settled, which may have made some of it unnecessary: what nobody has agreed to is left,
    /// and shows in what remains.
    fn still_agreed(&self, job: &Job<'_>, observed: &Observation, watch: &impl Watch) -> Plan {
        let mut fresh = plan(self.manifest, observed, &job.options);
        if let Confirmed::Only { saved, .. } = &job.confirmed {
            let before = fresh.changes.len();
            fresh.changes.retain(|change| saved.allows(change));
            if fresh.changes.len() < before {
                watch.says("What an earlier run left unfinished needs more than was agreed to: that is left.");
            }
        }
        if fresh.mass_retire.is_some() || fresh.renew_refused.is_some() {
            fresh.changes.clear();
        }
        fresh
    }

    /// Carries out a plan; registrations that moved are observed and planned again, a few times.
    async fn rounds(
        &self,
        job: &Job<'_>,
        first: Plan,
        unsettled: &BTreeSet<Registration>,
        report: &mut Report,
        stop: &Stop,
        watch: &impl Watch,
    ) {
        let mut next = first;
        for round in 1..=ROUNDS {
            let (results, moved) = self.carry_out_all(&next, unsettled, job.parallelism, stop, watch).await;
            report.results.extend(results);
            if moved.is_empty() || stop.is_asked() || round == ROUNDS || matches!(job.confirmed, Confirmed::Only { .. })
            {
                return;
            }
            watch.says("The orders have moved meanwhile: looking again.");
            let Ok(observed) = self.observe(job).await else { return };
            next = plan(self.manifest, &observed, &job.options);
            if next.mass_retire.is_some() || next.renew_refused.is_some() {
                return;
            }
            next.changes.retain(|change| moved.contains(&change.subject.registration));
        }
    }

    async fn observe(&self, job: &Job<'_>) -> Result<Observation, ObserveError> {
        observe(self.ledger, self.stripe, &job.scope, job.account, job.mode).await
    }

    /// Reads both sides again: what is left, and whether every live payable carries its own order's id.
    async fn prove(&self, job: &Job<'_>, report: &mut Report) {
        match self.observe(job).await {
            Ok(observed) => {
                report.proof = Some(proof(&observed, job.options.players.as_deref()));
                let remaining = plan(self.manifest, &observed, &job.options);
                withhold(&mut report.results, &observed, &remaining);
                report.remaining = Some(remaining);
            }
            Err(error) => report.unproved = Some(error.to_string()),
        }
    }

    async fn start_run(&self, job: &Job<'_>, at: Timestamp) -> Result<(), LedgerError> {
        self.ledger
            .start_run(&Run {
                id: self.guard.run.clone(),
                command: "apply".to_owned(),
                tournament: self.manifest.tournament.id.clone(),
                environment: job.options.environment.clone(),
                manifest_sha256: self.manifest.sha256.clone(),
                who: job.who.clone(),
                started_at: at,
                finished_at: None,
                outcome: None,
                summary: None,
            })
            .await
    }
}

/// Of the players that were asked for: what else is wrong was not this run's to put right.
fn proof(observed: &Observation, players: Option<&[PlayerId]>) -> Proof {
    let asked_for = |order: &&Order| players.is_none_or(|players| players.contains(&order.registration.player));
    let payables: BTreeMap<&SessionId, &Payable> = observed.payables.iter().map(|one| (&one.id, one)).collect();
    let live = observed.facts.orders.iter().filter(asked_for).filter(|order| order.status.is_live());
    // Where several orders hold one session, it must name one of them.
    let mut holders: BTreeMap<&SessionId, Vec<&Order>> = BTreeMap::new();
    for order in live {
        if let Some(session) = &order.session {
            holders.entry(session).or_default().push(order);
        }
    }
    let mut proof = Proof::default();
    for (id, orders) in holders {
        let Some(payable) = payables.get(id).filter(|payable| payable.is_open()) else { continue };
        proof.live.push(payable.id.clone());
        let named = Ownership::order_in(&payable.metadata);
        if !orders.iter().any(|order| named.as_ref() == Some(&order.id)) {
            proof.without_order_id.push(payable.id.clone());
        }
    }
    proof
}

fn summary_of(report: &Report) -> (&'static str, String) {
    let failed = report.count(ChangeOutcome::Failed);
    let (done, skipped) = (report.count(ChangeOutcome::Done), report.count(ChangeOutcome::Skipped));
    let word = if report.interrupted {
        "interrupted"
    } else if failed > 0 {
        "failed"
    } else {
        "done"
    };
    (word, format!("{done} done, {skipped} skipped, {failed} failed"))
}
