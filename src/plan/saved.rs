//! A saved plan: what was reviewed, with a digest of every fact that decided it.
//!
//! A saved plan is never trusted beyond its content: `apply` observes and plans again, and does nothing that the saved
//! plan does not say, except recording a payment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::{
    LedgerId, LinkTerms, Order, OrderId, Payable, PayableKind, PayableState, PlayerId, SessionId, key,
};
use crate::observe::Observation;

use super::whose::{says_ours, speaks_for};
use super::{Action, Change, Options, Plan};

/// The version of the file's format.
const FORMAT_VERSION: u32 = 1;
/// What every saved plan begins with.
const KIND: &str = "tourney-plan";
/// The field with the digest of all the others, so that no damage and no slip of an editor is taken for the plan that was
/// reviewed. It proves no author: `apply` never does more than a fresh plan says.
const SEAL: &str = "sha256";
/// A plan of 10,000 registrations has about 8 MiB.
pub const LARGEST_SAVED_PLAN: u64 = 64 * 1024 * 1024;

/// A plan as it was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    kind: String,
    format_version: u32,
    /// The manifest, as seen from the plan's folder where it was given relative.
    manifest: PathBuf,
    players: Option<Vec<PlayerId>>,
    allow_mass_retire: bool,
    ledger: Option<LedgerId>,
    facts: BTreeMap<String, Fact>,
    plan: Plan,
}

/// One fact that decides: in words for people, and as a digest of everything about it that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fact {
    says: String,
    sha256: String,
}

/// Why a file is no saved plan.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is damaged, or was changed by hand.
    #[error("the saved plan cannot be read: {0}")]
    Unreadable(String),
    /// Another version wrote it.
    #[error("the saved plan has format version {0}, this tourney reads {FORMAT_VERSION}")]
    OtherVersion(u32),
}

/// One thing that moved since a plan was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    what: String,
    before: String,
    now: String,
}

impl Difference {
    /// The line that went.
    #[must_use]
    pub fn before(&self) -> String {
        format!("{}: {}", self.what, self.before)
    }

    /// The line that came.
    #[must_use]
    pub fn now(&self) -> String {
        format!("{}: {}", self.what, self.now)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.what, self.before, self.now)
    }
}

/// What has a plan's place in a file.
const NOTHING: &str = "nothing";

impl Saved {
    /// Saves a plan with the facts it was made from.
    #[must_use]
    pub fn new(plan: &Plan, observed: &Observation, options: &Options, manifest: &Path) -> Self {
        Self {
            kind: KIND.to_owned(),
            format_version: FORMAT_VERSION,
            manifest: manifest.to_owned(),
            players: options.players.clone(),
            allow_mass_retire: options.allow_mass_retire,
            ledger: observed.ledger.clone(),
            facts: facts(plan, observed),
            plan: plan.clone(),
        }
    }

    /// The file's text. It holds ids, statuses and amounts; no name, address or link.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut whole = serde_json::to_value(self).unwrap_or_default();
        let seal = digest(&whole.to_string());
        if let Some(fields) = whole.as_object_mut() {
            fields.insert(SEAL.to_owned(), seal.into());
        }
        format!("{whole:#}\n")
    }

    /// Reads a file's bytes; none for bytes that are no saved plan but may be a manifest.
    ///
    /// # Errors
    /// [`SavedError`] for a saved plan that cannot be used.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, SavedError> {
        let text = bytes.trim_ascii_start();
        if !text.starts_with(b"{") {
            return Ok(None);
        }
        let unreadable = |error: serde_json::Error| SavedError::Unreadable(error.to_string());
        let mut value: serde_json::Value = serde_json::from_slice(text).map_err(unreadable)?;
        // A manifest may be written as JSON too; it has a version and is of no kind.
        if value.get("kind").is_none() && value.get("version").is_some() {
            return Ok(None);
        }
        if value["kind"] != KIND {
            return Err(SavedError::Unreadable(format!("it does not say \"kind\": \"{KIND}\"")));
        }
        match value["format_version"].as_u64() {
            Some(version) if version == u64::from(FORMAT_VERSION) => {}
            version => return Err(SavedError::OtherVersion(version.and_then(|v| v.try_into().ok()).unwrap_or(0))),
        }
        let seal = value.as_object_mut().and_then(|fields| fields.shift_remove(SEAL));
        if seal != Some(digest(&value.to_string()).into()) {
            return Err(SavedError::Unreadable("it is not as it was saved".to_owned()));
        }
        serde_json::from_value(value).map(Some).map_err(unreadable)
    }

    /// Where its manifest is, for a plan read from `file`.
    #[must_use]
    pub fn manifest_path(&self, file: &Path) -> PathBuf {
        file.parent().unwrap_or_else(|| Path::new("")).join(&self.manifest)
    }

    /// The options under which it was made, in this environment.
    #[must_use]
    pub fn options(&self, environment: &str) -> Options {
        Options {
            environment: environment.to_owned(),
            players: self.players.clone(),
            allow_mass_retire: self.allow_mass_retire,
        }
    }

    /// What has moved since: manifest, account, mode, environment, database, and every fact in scope that decides.
    #[must_use]
    pub fn compare(&self, fresh: &Plan, observed: &Observation) -> Vec<Difference> {
        let mut moved = Vec::new();
        let mut note = |what: &str, before: String, now: String| {
            if before != now {
                moved.push(Difference { what: what.to_owned(), before, now });
            }
        };
        let (before, now) = (&self.plan.head, &fresh.head);
        note("environment", before.environment.clone(), now.environment.clone());
        note("Stripe account", before.account.clone(), now.account.clone());
        note("mode", before.mode.to_string(), now.mode.to_string());
        note("tournament", before.tournament.to_string(), now.tournament.to_string());
        note("manifest (sha256)", before.manifest_sha256.clone(), now.manifest_sha256.clone());
        if let (Some(before), Some(now)) = (&self.ledger, &observed.ledger) {
            note("orders database", before.to_string(), now.to_string());
        }
        let fresh_facts = facts(fresh, observed);
        for (what, fact) in &self.facts {
            match fresh_facts.get(what) {
                None => note(what, fact.says.clone(), NOTHING.to_owned()),
                Some(now) if now.says != fact.says => note(what, fact.says.clone(), now.says.clone()),
                Some(now) => note(what, detailed(fact), detailed(now)),
            }
        }
        for (what, fact) in fresh_facts.iter().filter(|(what, _)| !self.facts.contains_key(*what)) {
            note(what, NOTHING.to_owned(), fact.says.clone());
        }
        moved
    }

    /// Whether a fresh change is one that this plan says, or records a payment.
    #[must_use]
    pub fn allows(&self, fresh: &Change) -> bool {
        let what = identity(fresh);
        let same = |planned: &Change| identity(planned) == what && planned.steps == fresh.steps;
        fresh.steps.is_empty() || fresh.action == Action::RecordPayment || working(&self.plan).any(same)
    }

    /// What may be done of a fresh plan: only what this one says, and recording payments. Where `allow_less`, what has
    /// become unnecessary is left out.
    ///
    /// # Errors
    /// Everything that the fresh plan has more, or (unless `allow_less`) less.
    pub fn restrict(&self, fresh: Plan, allow_less: bool) -> Result<Plan, Vec<Difference>> {
        let before: BTreeMap<String, &Change> = working(&self.plan).map(|change| (identity(change), change)).collect();
        let now: BTreeMap<String, &Change> = working(&fresh).map(|change| (identity(change), change)).collect();
        let mut moved = Vec::new();
        for (what, change) in &now {
            let same = before.get(what).is_some_and(|planned| planned.steps == change.steps);
            if !same && change.action != Action::RecordPayment {
                let before = before.get(what).map_or(NOTHING, |planned| planned.action.word());
                let differs = if before == change.action.word() { " (on other facts)" } else { "" };
                let now = format!("{}{differs}", change.action.word());
                moved.push(Difference { what: what.clone(), before: before.to_owned(), now });
            }
        }
        if !allow_less {
            for (what, planned) in before.iter().filter(|(what, _)| !now.contains_key(*what)) {
                let before = planned.action.word().to_owned();
                moved.push(Difference { what: what.clone(), before, now: NOTHING.to_owned() });
            }
        }
        if moved.is_empty() { Ok(fresh) } else { Err(moved) }
    }
}

fn working(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| !change.steps.is_empty())
}

/// What a change is about, in words that stay the same from plan to plan.
fn identity(change: &Change) -> String {
    let subject = &change.subject;
    let registration = subject.registration.as_ref().map(ToString::to_string);
    let order = subject.order.as_ref().map(|seen| format!("order {}", seen.id));
    let session = subject.session.as_ref().map(|session| named(&session.id));
    let parts: Vec<String> = [registration, order, session].into_iter().flatten().collect();
    format!("{} of {}", change.action.word(), parts.join(", "))
}

fn detailed(fact: &Fact) -> String {
    let short = fact.sha256.get(..12).unwrap_or(&fact.sha256);
    format!("{} (details {short})", fact.says)
}

/// Every order in scope, every session that is of this tournament (foreign ones and mere visits decide nothing), and the
/// webhook's handler where it decides what may be renewed.
fn facts(plan: &Plan, observed: &Observation) -> BTreeMap<String, Fact> {
    let orders = observed.facts.orders.iter().map(|order| (format!("order {}", order.id), order_fact(order)));
    let recorded = recorded(observed);
    let ids: BTreeSet<&OrderId> = observed.facts.orders.iter().map(|order| &order.id).collect();
    let in_scope = |id: &OrderId| ids.contains(id);
    let any: BTreeMap<&SessionId, &Payable> = observed.payables.iter().map(|payable| (&payable.id, payable)).collect();
    let ours = |payable: &&Payable| {
        let says = speaks_for(payable, |link| any.get(link).copied());
        let by_link = payable.link.as_ref().is_some_and(|link| recorded.contains(link));
        recorded.contains(&payable.id) || by_link || says_ours(observed, &plan.head.tournament, &in_scope, says)
    };
    let canary = |payable: &&Payable| !observed.facts.canary_sessions.contains(&payable.id);
    let decides = |payable: &&Payable| !is_mere_visit(payable, &any);
    let sessions = observed.payables.iter().filter(canary).filter(ours).filter(decides);
    let sessions = sessions.map(|payable| (named(&payable.id), session_fact(payable)));
    let unknown = observed
        .unknown
        .iter()
        .map(|id| (named(id), Fact { says: "unknown to Stripe".to_owned(), sha256: String::new() }));
    // A handler that is harmless decides as little as one of which nothing is known.
    let canceling = observed.facts.canceling().map(|_| {
        let says = "cancels an order when an old session of it expires".to_owned();
        ("the application's webhook".to_owned(), Fact { sha256: digest(&says), says })
    });
    orders.chain(sessions).chain(unknown).chain(canceling).collect()
}

/// `session cs_…`, `payment link plink_…`.
fn named(id: &SessionId) -> String {
    format!("{} {id}", PayableKind::of(id).noun())
}

/// A session of somebody who has opened a Payment Link and paid nothing: over, or as much a part of its link as any other.
fn is_mere_visit(payable: &Payable, any: &BTreeMap<&SessionId, &Payable>) -> bool {
    let Some(id) = &payable.link else { return false };
    let same = |link: &Payable| link.is_open() && link.metadata.get(key::ORDER) == payable.metadata.get(key::ORDER);
    payable.state == PayableState::Expired || (payable.is_open() && any.get(id).is_some_and(|link| same(link)))
}

/// Every session that the orders database names.
fn recorded(observed: &Observation) -> BTreeSet<&SessionId> {
    let facts = &observed.facts;
    let orders = facts.orders.iter().filter_map(|order| order.session.as_ref());
    let made = facts.sessions_made.iter().map(|(id, _)| id);
    orders.chain(made).chain(facts.retired.iter().filter_map(|retired| retired.session.as_ref())).collect()
}

fn order_fact(order: &Order) -> Fact {
    let Order { registration, amount, status, session, payment_intent, .. } = order;
    let session = session.as_ref().map_or("no session", |id| id.as_str());
    let intent = payment_intent.as_ref().map_or("no payment", |id| id.as_str());
    let says = format!("{status}, {registration}, {amount}, {session}, {intent}");
    Fact { sha256: digest(&says), says }
}

fn session_fact(payable: &Payable) -> Fact {
    let amount = payable.money().map_or_else(|| "no amount".to_owned(), |money| money.to_string());
    let says = format!("{}, {}, {amount}", payable.state.word(), payable.payment_status.word());
    let payment = payable.payment.as_ref().map(|payment| (payment.state, payment.refunded, payment.disputed));
    let mut whole =
        format!("{says}|{:?}|{:?}|{:?}|{payment:?}", payable.metadata, payable.customer_email, payable.payment_intent);
    if payable.terms != LinkTerms::default() {
        let _ = write!(whole, "|{:?}", payable.terms);
    }
    Fact { sha256: digest(&whole), says }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
