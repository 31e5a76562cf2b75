//! What Stripe says: whose account it is, what the key may do, which endpoints are registered, what became of events.

use jiff::{SignedDuration, Timestamp};

use crate::config::{EnvKind, Environment, StripeAccess};
use crate::doctor::{self, Check, Deliveries, Endpoints};
use crate::render::Failure;
use crate::stripe::{Account, Right, Stripe, StripeError};
use crate::world::{Clock as _, LiveClock};

use super::super::site;
use super::super::wire::EnvWire;
use super::{failed, unmade};

/// How far back deliveries are looked at.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

type Client = Stripe<EnvWire, LiveClock>;

/// What came of asking whose account it is.
pub(super) enum Asked {
    /// The embedded sandbox is not asked.
    Sandbox,
    /// There is nobody to ask, or no answer; why.
    Silent(Failure),
    /// Stripe answers, and the key may not read it.
    Unnamed(Client, StripeAccess),
    /// This one.
    Answered(Client, StripeAccess, Account),
}

impl Asked {
    /// The account, where it is known.
    pub(super) fn account(&self) -> Option<&Account> {
        match self {
            Self::Answered(_, _, account) => Some(account),
            Self::Sandbox | Self::Silent(_) | Self::Unnamed(..) => None,
        }
    }
}

/// Asks whose account it is.
pub(super) async fn ask(env: &Environment) -> Asked {
    if matches!(env.kind, EnvKind::Sandbox { .. }) {
        return Asked::Sandbox;
    }
    let (stripe, access) = match (site::stripe_of(env), env.stripe.clone()) {
        (Ok(stripe), Some(access)) => (stripe, access),
        (Err(failure), _) => return Asked::Silent(failure),
        (Ok(_), None) => return Asked::Sandbox,
    };
    match stripe.account().await {
        Ok(account) => Asked::Answered(stripe, access, account),
        Err(error) if error.is_forbidden() => Asked::Unnamed(stripe, access),
        Err(error) => Asked::Silent(error.into()),
    }
}

/// The checks of it; `links` where payers get Payment Links.
pub(super) async fn checks(env: &Environment, asked: &Asked, links: bool) -> Vec<Check> {
    let others = ["permissions", "clock"];
    let others = others.iter().chain(&Endpoints::CHECKS).chain(std::iter::once(&Deliveries::CHECK));
    let (stripe, access, first) = match asked {
        // It is served by each command that needs it, and has nothing that could be set up wrongly.
        Asked::Sandbox => {
            return unmade(["stripe", "key"].iter().chain(others), "does not apply to the embedded sandbox");
        }
        Asked::Silent(failure) => {
            let first = Check::failure("stripe", failure.message.clone(), failure.hint.clone().unwrap_or_default());
            let key = match &env.stripe {
                Some(access) => doctor::key(access, env.mode_declared),
                None => Check::skipped("key", "there is none"),
            };
            return [first, key].into_iter().chain(unmade(others, "not made: see stripe")).collect();
        }
        Asked::Unnamed(stripe, access) => (stripe, access, doctor::unnamed_account()),
        Asked::Answered(stripe, access, account) => (stripe, access, doctor::account(account, access.mode)),
    };
    let mut checks = vec![first, doctor::key(access, env.mode_declared), permissions(stripe, access, links).await];
    checks.push(doctor::clock(stripe.ahead()));
    checks.extend(webhook(env, stripe, access).await);
    checks
}

/// What the key may not do is found out by asking.
async fn permissions(stripe: &Client, access: &StripeAccess, links: bool) -> Check {
    let restricted = access.is_restricted();
    let mut lacking = Vec::new();
    // Without links of its own, a tournament still wants to see those that others made for its orders.
    let rights = Right::ALWAYS
        .into_iter()
        .chain(Right::FOR_LINKS.into_iter().filter(|right| links || *right == Right::ReadLinks));
    for right in rights.filter(|right| restricted || !right.is_to_write()) {
        match stripe.has_right(right, access.mode).await {
            Ok(true) => {}
            Ok(false) => lacking.push(right),
            Err(error) => return failed("permissions", error),
        }
    }
    doctor::permissions(&lacking, restricted, links)
}

/// The registered endpoints, and what became of events.
async fn webhook(env: &Environment, stripe: &Client, access: &StripeAccess) -> Vec<Check> {
    let wanted = env.webhook.as_ref().and_then(|webhook| webhook.url.as_deref());
    let now: Timestamp = stripe.now().unwrap_or_else(|| LiveClock.now());
    let mut listening = None;
    let mut checks = match stripe.webhook_endpoints().await {
        Ok(registered) => {
            let known = Endpoints { wanted, registered: &registered, mode: access.mode };
            listening = Some(known.listening());
            doctor::endpoints(&known)
        }
        Err(error) => untold(&Endpoints::CHECKS, &error),
    };
    match stripe.events(&Endpoints::KINDS, now.checked_sub(WEEK).ok()).await {
        Ok(events) => checks.push(doctor::deliveries(&Deliveries { events: &events, endpoints: listening, now })),
        Err(error) => checks.extend(untold(&[Deliveries::CHECK], &error)),
    }
    checks
}

/// What Stripe does not tell: a right that is missing is told among the rights.
fn untold(names: &[&'static str], error: &StripeError) -> Vec<Check> {
    if error.is_forbidden() {
        return unmade(names, "not made: the key may not read it (permissions)");
    }
    let Some((first, others)) = names.split_first() else { return Vec::new() };
    let first = Check::warning(first, format!("Stripe did not tell: {error}"), "look at it in Stripe's dashboard");
    std::iter::once(first).chain(unmade(others, "not made: Stripe did not tell")).collect()
}
