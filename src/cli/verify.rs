//! `tourney verify`: audits every payable at Stripe, then proves the webhook with a signed round trip.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::apply::Stop;
use crate::config::EnvKind;
use crate::domain::{PayableKind, PaymentIntentId, SessionId};
use crate::manifest::source::without_secrets;
use crate::plan::plan;
use crate::render::{Exit, Failure, verify as show};
use crate::stripe::Right;
use crate::verify::{
    Check, Endpoint, Flown, Overlay, Round, Trip, Verdict, audit, evidence, evidence_missing, open_by_itself, round,
};
use crate::webhook::{DEFAULT_PATH, Receiver};
use crate::world::{Clock as _, LiveClock};

use super::Shell;
use super::next;
use super::site::{self, DEFAULT_MANIFEST, Loaded, Site};

/// What `verify` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The manifest
    #[arg(default_value = DEFAULT_MANIFEST)]
    manifest: PathBuf,
    /// The webhook endpoint to prove, instead of the environment's
    #[arg(long, value_name = "URL", conflicts_with = "audit_only")]
    endpoint: Option<String>,
    /// Only look: no round trip, nothing written
    #[arg(long)]
    audit_only: bool,
    /// A person pays the canary with a test card, and Stripe itself delivers the event
    #[arg(long, conflicts_with = "audit_only")]
    pay: bool,
    /// How long a person may take to pay
    #[arg(long, value_name = "TIME", default_value = "15m", requires = "pay", value_parser = super::duration)]
    pay_within: SignedDuration,
    /// How long to wait for the lock, for example 30s or 2m
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = super::duration)]
    lock_timeout: SignedDuration,
}

/// Runs the command.
///
/// # Errors
/// A bad manifest, a wrong environment, a side that does not answer, a lock that is held.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let env = site::resolve(shell, &args.manifest)?;
    let loaded = site::load(shell, &env, &args.manifest)?;
    let site = Site::open(shell, env, Some(&loaded.manifest)).await?;
    let exit = run_in(args, shell, &site, &loaded).await;
    site.close().await;
    exit
}

async fn run_in(args: &Args, shell: &Shell, site: &Site, loaded: &Loaded) -> Result<Exit, Failure> {
    let observed = site.observe(loaded).await?;
    let planned = plan(&loaded.manifest, &observed, &site.options());
    let stop = Stop::default();
    let checks = audit(&observed, &planned);
    let mut verdict = Verdict { checks: checks.clone(), undecided: planned.summary.attention, broke: false };
    let failure = match after_audit(&Asked { args, shell, site, loaded, audit: &checks, stop: &stop }).await {
        Ok(Flown { checks, broke }) => {
            verdict.checks.extend(checks);
            broke.map(Failure::from)
        }
        Err(failure) => return Err(refused(shell, verdict, failure)),
    };
    verdict.broke = failure.is_some();
    let error = failure.as_ref().map(|failure| failure.to_json()["error"].take());
    if shell.ui.json {
        shell.ui.json_data(&show::json(&planned, &verdict, error));
    } else {
        shell.ui.data(&show::terminal(&verdict, shell.ui.color_out));
    }
    match failure {
        // In JSON it stands beside the checks.
        Some(failure) if shell.ui.json => Ok(failure.exit),
        Some(failure) => Err(failure),
        None if stop.is_asked() => Ok(Exit::Interrupted),
        None => Ok(exit_of(&verdict)),
    }
}

fn exit_of(verdict: &Verdict) -> Exit {
    match (verdict.passed(), verdict.undecided) {
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Done,
        (true, _) => Exit::Attention,
    }
}

/// What was refused before it began is a failure like any command's; the audit, which was made, is told all the same.
fn refused(shell: &Shell, mut verdict: Verdict, failure: Failure) -> Failure {
    verdict.broke = true;
    verdict.checks.push(Check::new("round-trip", false, format!("not made: {}", without_secrets(&failure.message))));
    if shell.ui.json {
        let details = serde_json::json!({ "checks": verdict.checks });
        return Failure { details: failure.details.or_else(|| Some(Box::new(details))), ..failure };
    }
    shell.ui.data(&show::terminal(&verdict, shell.ui.color_out));
    failure
}

/// What follows the audit: the round trip, or what takes its place.
async fn after_audit(asked: &Asked<'_>) -> Result<Flown, Failure> {
    let instead = |mut checks: Vec<Check>, why: &str| {
        checks.push(Check::none("round-trip", why));
        Ok(Flown { checks, broke: None })
    };
    if asked.args.audit_only {
        return instead(Vec::new(), "not asked for: --audit-only");
    }
    if asked.site.mode.is_live() {
        return instead(live_evidence(asked.site).await, "never in live mode");
    }
    let links = asked.loaded.manifest.policy.link == PayableKind::PaymentLink;
    let for_links = Right::TO_MAKE_LINKS.into_iter().filter(|_| links);
    let rights: Vec<Right> = std::iter::once(Right::WriteSessions).chain(for_links).collect();
    asked.site.check_rights_to_write(&rights).await?;
    trip(asked).await
}

/// What a round trip is asked with.
struct Asked<'a> {
    args: &'a Args,
    shell: &'a Shell,
    site: &'a Site,
    loaded: &'a Loaded,
    /// What the audit found.
    audit: &'a [Check],
    stop: &'a Stop,
}

/// The round trip: against the endpoint that is configured, else against a receiver of our own.
async fn trip(asked: &Asked<'_>) -> Result<Flown, Failure> {
    let webhook = asked.site.env.webhook.as_ref();
    let url = asked.args.endpoint.as_deref().or_else(|| webhook.and_then(|webhook| webhook.url.as_deref()));
    let secret = webhook.and_then(|webhook| webhook.secret.clone());
    let Some(url) = url else { return own_receiver(asked, secret).await };
    // The address is judged first: a secret for no endpoint would be asked for in vain.
    let endpoint = Endpoint::new(url, secret.clone().unwrap_or_default()).map_err(|why| {
        Failure::new("bad-endpoint", format!("{url}: {why}; nothing was done"))
            .hint("write it in full, for example http://localhost:8000/webhooks/stripe")
    })?;
    match secret {
        Some(_) => fly(asked, &endpoint, None).await,
        None => Err(no_secret(asked, url)),
    }
}

/// An endpoint whose events nobody could sign.
fn no_secret(asked: &Asked<'_>, url: &str) -> Failure {
    let Asked { args, site, .. } = asked;
    let hint = match &site.env.kind {
        EnvKind::Named => {
            "set STRIPE_WEBHOOK_SECRET, or write webhook: {secret_file: …} in environments.yaml".to_owned()
        }
        // Without -e, the variable alone would make another environment, without a database.
        EnvKind::Sandbox { .. } => {
            let manifest = next::manifest(&args.manifest);
            let endpoint = args.endpoint.iter().flat_map(|url| ["--endpoint", url]);
            let words = ["-e", "sandbox", "verify"].into_iter().chain(manifest.as_deref()).chain(endpoint);
            format!("STRIPE_WEBHOOK_SECRET=whsec_… {}", next::command(words))
        }
    };
    Failure::new("no-webhook-secret", format!("{url} is known, but not its signing secret; nothing was done"))
        .hint(hint)
}

/// Tells tourney's own receiver which session to show as paid.
type ShowPaid<'a> = dyn Fn(&SessionId, &PaymentIntentId) + Sync + 'a;

/// Starts tourney's own receiver for the time of the trip; it sees Stripe through an overlay.
async fn own_receiver(asked: &Asked<'_>, secret: Option<SecretString>) -> Result<Flown, Failure> {
    let Asked { args, shell, site, .. } = asked;
    let broken = |error: std::io::Error| Failure::new("io", format!("no receiver could be started: {error}"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(broken)?;
    let url = format!("http://{}{DEFAULT_PATH}", listener.local_addr().map_err(broken)?);
    let delivered = match (args.pay, &site.env.kind) {
        (false, _) => None,
        (true, EnvKind::Sandbox { .. }) => Some(site.stripe.register_endpoint(&url).await?),
        (true, EnvKind::Named) => {
            return Err(Failure::new(
                "no-endpoint",
                "--pay needs an endpoint that Stripe itself can reach; nothing was done",
            )
            .hint("name it with --endpoint URL, or write webhook: {url: …} in environments.yaml"));
        }
    };
    let made = || SecretString::from(format!("whsec_{:032x}", LiveClock.random()));
    let secret = delivered.as_ref().map(|registered| registered.secret.clone()).or(secret).unwrap_or_else(made);
    let overlay = Arc::new(Overlay::new(Arc::clone(&site.stripe)));
    let receiver = Receiver {
        sessions: Arc::clone(&overlay),
        ledger: Arc::clone(&site.ledger),
        clock: LiveClock,
        secrets: vec![secret.clone()],
        mode: site.mode,
        path: DEFAULT_PATH.to_owned(),
    };
    let endpoint = Endpoint::new(&url, secret).map_err(|why| Failure::new("bad-endpoint", why))?;
    let show_paid = |session: &SessionId, intent: &PaymentIntentId| overlay.show_paid(session, intent);
    let serving = crate::webhook::serve(listener, crate::webhook::router(Arc::new(receiver)), std::future::pending());
    let flown = tokio::select! {
        flown = fly(asked, &endpoint, Some(&show_paid)) => flown,
        ended = serving => Err(broken(ended.err().unwrap_or_else(|| std::io::Error::other("the receiver ended")))),
    };
    if let Some(registered) = delivered
        && let Err(error) = site.stripe.unregister_endpoint(&registered).await
    {
        shell.ui.always(&format!("warning: the endpoint {} stays registered: {error}", registered.id));
    }
    flown
}

/// Makes the trip; tourney's own receiver is told by `own` which session to show as paid.
async fn fly(asked: &Asked<'_>, endpoint: &Endpoint, own: Option<&ShowPaid<'_>>) -> Result<Flown, Failure> {
    let Asked { args, shell, site, loaded, audit, stop } = asked;
    shell.ui.note(&format!("Round trip against {}", endpoint.url()));
    let ask = |url: &str| shell.ui.always(&format!("Pay the canary with a test card at {url}"));
    let by_itself = !site.is_stripe();
    let open_link =
        |url: String| -> BoxFuture<'static, bool> { Box::pin(async move { by_itself && open_by_itself(&url).await }) };
    let ask_to_visit = |url: &str, visit: usize| {
        let line = format!("Open the canary's link in a browser, visit {visit} of 2; nothing is to be paid yet: {url}");
        shell.ui.always(&line);
    };
    let scope = loaded.scope();
    let trip = Trip {
        endpoint,
        scope: &scope,
        is_own_receiver: own.is_some(),
        canary: site.env.canary(),
        show_paid: own.unwrap_or(&|_, _| {}),
        open_link: &open_link,
        ask_to_visit: &ask_to_visit,
        ask_to_pay: args.pay.then_some(&ask as &(dyn Fn(&str) + Sync)),
        pay_within: args.pay_within,
        stop,
    };
    let checkout = site.checkout();
    let job = Round {
        manifest: &loaded.manifest,
        checkout: &checkout,
        account: &site.account,
        mode: site.mode,
        environment: &site.env.name,
        who: shell.process.who(),
        is_gone: |holder| super::process::is_gone(&holder.who),
        audit,
        lock_timeout: args.lock_timeout,
    };
    let work = round(&site.ledger, &site.stripe, &LiveClock, &job, &trip);
    Ok(shell.signals.finishing(work, stop, &shell.ui).await??)
}

/// What can be told of the webhook in live mode without sending anything. Where Stripe does not tell it (a restricted key
/// may lack the right), nothing is proved.
async fn live_evidence(site: &Site) -> Vec<Check> {
    let wanted = site.env.webhook.as_ref().and_then(|webhook| webhook.url.as_deref());
    let told = async {
        let endpoints = site.stripe.webhook_endpoints().await?;
        let events = site.stripe.events(&["checkout.session.completed"], None).await?;
        Ok::<_, crate::stripe::StripeError>(evidence(wanted, &endpoints, &events, LiveClock.now()))
    };
    told.await.unwrap_or_else(|error| evidence_missing(&error.to_string()))
}
