//! `tourney show`: one page on a player, an e-mail address, an order, a session, a Payment Link or a payment.

mod pasted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;

use crate::domain::{
    Email, Id, Order, OrderId, Ownership, Payable, PayableKind, PayableState, Payment, PaymentIntentId, PlayerId,
    SessionId, key,
};
use crate::ledger::{Canary, Ledger as _};
use crate::manifest::Player;
use crate::observe::Observation;
use crate::plan::{Standing, plan, standings};
use crate::render::show::{self, Page, ShownCanary, ShownOrder, ShownRegistration, ShownSession};
use crate::render::{Exit, Failure};
use crate::stripe::StripeEvent;

use super::Shell;
use super::site::{self, DEFAULT_MANIFEST, Loaded, Site};

/// The events that tell a session's life.
const KINDS: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
];

/// What `show` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A player's id or e-mail address, an order's id, cs_…, plink_… or pi_…, or a link as it was mailed
    #[arg(value_parser = NonEmptyStringValueParser::new(), allow_negative_numbers = true)]
    what: String,
    /// The manifest; where none is named and there is no tournament.yaml, the page does without
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// `not-found`; a bad manifest, a wrong environment, a side that does not answer.
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let path = args.manifest.as_deref().unwrap_or(Path::new(DEFAULT_MANIFEST));
    let env = site::resolve(shell, path)?;
    let loaded = if args.manifest.is_some() || path.exists() { Some(site::load(shell, &env, path)?) } else { None };
    let site = Site::open(shell, env, loaded.as_ref().map(|loaded| &loaded.manifest)).await?;
    let page = page_of(args, shell, &site, loaded.as_ref()).await;
    site.close().await;
    let page = page?;
    if shell.ui.json {
        shell.ui.json_data(&show::json(&page));
    } else {
        shell.ui.data(&show::terminal(&page));
    }
    Ok(Exit::Done)
}

async fn page_of(args: &Args, shell: &Shell, site: &Site, loaded: Option<&Loaded>) -> Result<Page, Failure> {
    let what = pasted::name_of(site, &args.what).await?;
    page(site, loaded, &Asked { what: &what, shell, manifest: args.manifest.as_deref() }).await
}

/// What was asked, and where.
struct Asked<'a> {
    what: &'a str,
    shell: &'a Shell,
    manifest: Option<&'a Path>,
}

impl Asked<'_> {
    fn command(&self, name: &str, flags: impl IntoIterator<Item = String>) -> String {
        let manifest = self.manifest.map(|path| path.display().to_string());
        self.shell.command([name.to_owned()].into_iter().chain(manifest).chain(flags))
    }
}

async fn page(site: &Site, loaded: Option<&Loaded>, asked: &Asked<'_>) -> Result<Page, Failure> {
    let what = asked.what;
    let observed = match loaded {
        Some(loaded) => Some((loaded, site.observe(loaded).await?)),
        None => None,
    };
    let mut found = Found::default();
    // Whose a visit of a link is, the link says.
    let link = visited(site, what).await?;
    let named = link.as_ref().map_or(what, SessionId::as_str);
    if let Some((loaded, observed)) = &observed {
        found.in_scope(site, loaded, observed, named);
    }
    found.in_ledger(site, named).await?;
    found.at_stripe(site, what).await?;
    if found.is_empty() {
        return Err(not_found(what));
    }
    let sessions: Vec<ShownSession> =
        found.sessions.into_iter().map(|(id, (order, payable))| ShownSession { id, order, payable }).collect();
    let events = events(site, &sessions).await?;
    let open = sessions.iter().filter_map(|shown| shown.payable.as_ref()).any(Payable::is_open);
    let canary = |shown: &ShownOrder| found.canaries.iter().any(|one| one.order.as_ref() == Some(&shown.order.id));
    let nobodys = !found.canaries.is_empty() && found.registrations.is_empty() && found.orders.iter().all(canary);
    let next = if nobodys {
        "nothing: a canary is nobody's order".to_owned()
    } else {
        next(asked, &found.registrations, &found.orders, open)
    };
    Ok(Page {
        environment: site.env.name.clone(),
        what: if what.contains('@') { show::masked(what) } else { what.to_owned() },
        now: site.stripe.time().await?,
        registrations: found.registrations,
        canaries: found.canaries,
        orders: found.orders,
        sessions,
        payments: found.payments,
        events,
        next,
    })
}

/// What a word has led to so far.
#[derive(Default)]
struct Found {
    registrations: Vec<ShownRegistration>,
    canaries: Vec<ShownCanary>,
    orders: Vec<ShownOrder>,
    /// With the order each is for, and as Stripe shows it.
    sessions: BTreeMap<SessionId, (Option<OrderId>, Option<Payable>)>,
    payments: Vec<Payment>,
}

impl Found {
    fn is_empty(&self) -> bool {
        let known = self.sessions.values().any(|(_, payable)| payable.is_some());
        let nobody = self.registrations.is_empty() && self.canaries.is_empty();
        nobody && self.orders.is_empty() && self.payments.is_empty() && !known
    }

    /// The registrations of the manifest's tournament that the word names, and what stands for them.
    fn in_scope(&mut self, site: &Site, loaded: &Loaded, observed: &Observation, what: &str) {
        let manifest = &loaded.manifest;
        let planned = plan(manifest, observed, &site.options());
        for standing in standings(manifest, observed, &site.options(), &planned) {
            let player = manifest.player(&standing.registration.player);
            if !names(what, player, &standing) {
                continue;
            }
            for order in observed.facts.orders.iter().filter(|order| belongs(order, player, &standing)) {
                self.add_order(order.clone());
            }
            self.registrations.push(ShownRegistration {
                fee_name: manifest.fee(&standing.registration.fee).map(|fee| fee.name.clone()),
                registration: standing.registration,
                player: player.cloned(),
                owed: standing.owed,
                findings: standing.findings,
            });
        }
    }

    /// Orders of any tournament, and every attempt made for them.
    async fn in_ledger(&mut self, site: &Site, what: &str) -> Result<(), Failure> {
        if !what.contains('@') {
            for order in site.ledger.search(what).await? {
                self.add_order(order);
            }
        }
        self.canaries(site, what).await?;
        for shown in &mut self.orders {
            shown.attempts = site.ledger.attempts_of(&shown.order.id).await?;
            let made = shown.attempts.iter().filter_map(|attempt| attempt.session.clone());
            for session in shown.order.session.clone().into_iter().chain(made) {
                self.sessions.entry(session).or_default().0 = Some(shown.order.id.clone());
            }
        }
        Ok(())
    }

    /// Every session as it stands now, with the payment behind it.
    async fn at_stripe(&mut self, site: &Site, what: &str) -> Result<(), Failure> {
        if what.starts_with("cs_") || what.starts_with("plink_") {
            self.sessions.entry(SessionId::from(what)).or_default();
        }
        for (id, (_, payable)) in &mut self.sessions {
            *payable = site.stripe.payable(id).await?;
        }
        self.add_visits(site).await?;
        for (order, payable) in self.sessions.values_mut() {
            let Some(payable) = payable else { continue };
            if let Some(intent) = payable.payment_intent.as_ref().filter(|_| payable.state == PayableState::Complete) {
                payable.payment = site.stripe.payment(intent).await?;
            }
            if order.is_none() {
                *order = owner(site, payable).await?;
            }
        }
        let shown = self.sessions.values().filter_map(|(_, payable)| payable.as_ref());
        let shown = shown.filter_map(|payable| payable.payment.as_ref()).any(|payment| payment.intent.as_str() == what);
        if what.starts_with("pi_") && !shown {
            self.payments.extend(site.stripe.payment(&PaymentIntentId::from(what)).await?);
        }
        Ok(())
    }

    /// Canaries of `verify` that the word leads to: by an order shown above, by their own order or session, or by the
    /// address that the environment gives them.
    async fn canaries(&mut self, site: &Site, what: &str) -> Result<(), Failure> {
        let named = site.env.canary().filter(|(_, email)| email.same_as(what)).map(|(registration, _)| registration);
        let canaries = site.ledger.canaries().await?;
        if let Some(registration) = &named {
            let of_it = |order: &OrderId| {
                canaries.iter().any(|one| one.order.as_ref() == Some(order) && one.registration == *registration)
            };
            for order in site.ledger.search(&registration.player.to_string()).await? {
                if of_it(&order.id) {
                    self.add_order(order);
                }
            }
        }
        for Canary { registration, order, sessions, .. } in canaries {
            let shown = self.orders.iter().any(|shown| Some(&shown.order.id) == order.as_ref());
            let asked = order.as_ref().is_some_and(|order| order.to_string() == what)
                || sessions.iter().any(|session| session.as_str() == what);
            if shown {
                self.sessions.extend(sessions.into_iter().map(|session| (session, (order.clone(), None))));
            }
            if shown || asked {
                self.canaries.push(ShownCanary { registration, order, stands: shown });
            }
        }
        if let Some(registration) = named.filter(|_| self.canaries.is_empty()) {
            self.canaries.push(ShownCanary { registration, order: None, stands: false });
        }
        Ok(())
    }

    /// The sessions that visits of the links have made.
    async fn add_visits(&mut self, site: &Site) -> Result<(), Failure> {
        let known = self.sessions.iter().filter(|(_, (_, payable))| payable.is_some());
        let links = known.filter(|(id, _)| PayableKind::of(id) == PayableKind::PaymentLink);
        let links: Vec<_> = links.map(|(id, (order, _))| (id.clone(), order.clone())).collect();
        for (link, order) in links {
            for visit in site.stripe.visits(&link).await? {
                let (of, payable) = self.sessions.entry(visit.id.clone()).or_default();
                *of = of.take().or_else(|| order.clone());
                payable.get_or_insert(visit);
            }
        }
        Ok(())
    }

    fn add_order(&mut self, order: Order) {
        if !self.orders.iter().any(|shown| shown.order.id == order.id) {
            self.orders.push(ShownOrder { order, attempts: Vec::new() });
        }
    }
}

/// The link whose visit made a session.
async fn visited(site: &Site, what: &str) -> Result<Option<SessionId>, Failure> {
    if !what.starts_with("cs_") {
        return Ok(None);
    }
    Ok(site.stripe.session(&SessionId::from(what)).await?.and_then(|payable| payable.link))
}

/// The order that a session's metadata names, where it names this database and the order is there: an `order_id` alone
/// proves nothing.
async fn owner(site: &Site, payable: &Payable) -> Result<Option<OrderId>, Failure> {
    let ours = site.identity.as_ref().map(|identity| identity.ledger.as_str());
    if ours.is_none() || payable.metadata.get(key::LEDGER).map(String::as_str) != ours {
        return Ok(None);
    }
    let Some(id) = Ownership::order_in(&payable.metadata) else { return Ok(None) };
    Ok(site.ledger.order(&id).await?.map(|order| order.id))
}

/// Whether the word names a registration: its player by id, former id or address, its order, session or payment.
fn names(what: &str, player: Option<&Player>, standing: &Standing<'_>) -> bool {
    let id = Id::parse(what).ok();
    let player_id = id.clone().map(PlayerId);
    let by_player = player.is_some_and(|player| {
        (what.contains('@') && player.email.same_as(what)) || (player_id.is_some() && player.renamed_from == player_id)
    });
    let by_order = standing.order.is_some_and(|order| {
        Some(&order.id.0) == id.as_ref()
            || order.session.as_ref().is_some_and(|session| session.as_str() == what)
            || order.payment_intent.as_ref().is_some_and(|intent| intent.as_str() == what)
    });
    by_player || by_order || Some(&standing.registration.player) == player_id.as_ref()
}

/// Whether an order is of a registration, now or under the player's former id.
fn belongs(order: &Order, player: Option<&Player>, standing: &Standing<'_>) -> bool {
    let former = player.and_then(|player| player.renamed_from.as_ref());
    order.registration.fee == standing.registration.fee
        && (order.registration.player == standing.registration.player || Some(&order.registration.player) == former)
}

/// Stripe keeps events for 30 days. A restricted key may lack the right to read them: the page does without.
async fn events(site: &Site, sessions: &[ShownSession]) -> Result<Vec<StripeEvent>, Failure> {
    let first = sessions.iter().filter_map(|shown| shown.payable.as_ref()?.created).min();
    let Some(first) = first else { return Ok(Vec::new()) };
    let mut events = match site.stripe.events(&KINDS, Some(first)).await {
        Ok(events) => events,
        Err(error) if error.is_permanent() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    events.retain(|event| event.session.as_ref().is_some_and(|id| sessions.iter().any(|shown| shown.id == *id)));
    Ok(events)
}

/// The next command to type, for the same environment and manifest.
fn next(asked: &Asked<'_>, registrations: &[ShownRegistration], orders: &[ShownOrder], open: bool) -> String {
    let wrong = registrations.iter().find(|shown| !shown.findings.is_empty());
    // A player that the manifest does not have cannot be named: the whole plan shows it.
    let player = |shown: &ShownRegistration| -> Vec<String> {
        shown.player.iter().flat_map(|player| ["--player".to_owned(), player.id.to_string()]).collect()
    };
    match (wrong, registrations.first()) {
        (Some(shown), _) => asked.command("plan", player(shown)),
        (None, Some(shown)) if open => asked.command("links", player(shown)),
        (None, Some(_)) => "nothing: all is in order".to_owned(),
        (None, None) if orders.is_empty() => {
            format!("{} (no order here owns it)", asked.command("verify", ["--audit-only".to_owned()]))
        }
        (None, None) => format!("{}, with the manifest of its tournament", asked.shell.command(["status", "MANIFEST"])),
    }
}

fn not_found(what: &str) -> Failure {
    let what = if Email::parse(what).is_ok() || what.contains('@') { show::masked(what) } else { what.to_owned() };
    Failure::new("not-found", format!("nothing here is called {what}"))
        .hint("name a player's id or e-mail address, an order's id, cs_…, plink_… or pi_…, or paste a link; tourney status lists them")
}
