//! Every room's errors as what people and scripts see: codes, hints and exit codes in one place.

use similar::{ChangeTag, TextDiff};

use crate::apply::ApplyError;
use crate::config::ConfigError;
use crate::domain::{PayableKind, Registration, agreeing};
use crate::ledger::{AdoptError, Fault, LedgerError};
use crate::manifest::{ManifestErrors, Problem};
use crate::observe::ObserveError;
use crate::plan::{Difference, MassRetire, RenewRefused};
use crate::sandbox::SandboxError;
use crate::stripe::StripeError;
use crate::verify::VerifyError;

use super::{Exit, Failure};

impl From<ManifestErrors> for Failure {
    fn from(errors: ManifestErrors) -> Self {
        let problem = |problem: &Problem| {
            serde_json::json!({
                "file": problem.file, "line": problem.line, "column": problem.column, "path": problem.path,
                "message": problem.message, "help": problem.help,
            })
        };
        let details = errors.problems().iter().map(problem).collect();
        let first = errors.problems().first().map(ToString::to_string).unwrap_or_default();
        let place = errors.problems().first().map(|one| format!("{}:{}:{}", one.file, one.line, one.column));
        let message = format!("{}: {}: {first}", errors.headline(), place.unwrap_or_default());
        Self {
            details: Some(Box::new(details)),
            hint: errors.problems().first().and_then(|problem| problem.help.clone()),
            ..Self::new(errors.code(), message)
        }
        .showing(errors)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        if let ConfigError::File(errors) = error {
            return errors.into();
        }
        let exit = if error.exit_code() == Exit::Usage as u8 { Exit::Usage } else { Exit::Failed };
        Self::new(error.code(), error.to_string()).hint(error.hint()).exit(exit)
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let code = match &error {
            SandboxError::Folder { .. } | SandboxError::Store(_) | SandboxError::Unreadable(_) => "sandbox-state",
            SandboxError::Listen { .. } => "sandbox-listen",
            SandboxError::AlreadyServed(_) => "sandbox-served",
            SandboxError::Stopped | SandboxError::OwnerSilent(_) | SandboxError::Unreachable { .. } => {
                "sandbox-unreachable"
            }
            SandboxError::Refused(_) => "sandbox-refused",
        };
        Self::new(code, error.to_string()).hint("the embedded sandbox keeps its state in .tourney beside the manifest")
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let (code, hint) = match &error {
            LedgerError::NotDone(_) => ("database", "is the database there, and the URL right? Safe to run again"),
            LedgerError::Rejected(_) => {
                ("database-refused", "the same again will be refused again: mend what it names first")
            }
            LedgerError::Unmapped(_) => ("bad-mapping", "docs/ADOPTING.md says what each key of `orders` means"),
            LedgerError::Unknown(_) => ("database", "it may have been done; safe to run again"),
            LedgerError::Fenced => ("lock-lost", "tourney unlock shows who holds it; safe to run again"),
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}

impl From<AdoptError> for Failure {
    fn from(error: AdoptError) -> Self {
        let title = error.to_string();
        let (section, faults) = match error {
            AdoptError::Ledger(error) => return error.into(),
            AdoptError::Mapping { section, faults } => (section, faults),
        };
        let line = |fault: &Fault| format!("  {}: {}; {}", fault.path, fault.message, fault.help);
        let lines: Vec<String> = faults.iter().map(line).collect();
        let count = if faults.len() == 1 { "one reason".to_owned() } else { format!("{} reasons", faults.len()) };
        let nothing = match section {
            "orders" => "nothing was read into a plan and nothing was written",
            _ => "nothing was written",
        };
        let message = format!("{title}, for {count}; {nothing}:\n{}", lines.join("\n"));
        Self { details: serde_json::to_value(&faults).ok().map(Box::new), ..Self::new("bad-mapping", message) }.hint(
            format!("change `{section}` of this environment in environments.yaml; docs/ADOPTING.md has every key"),
        )
    }
}

impl From<StripeError> for Failure {
    fn from(error: StripeError) -> Self {
        let (code, hint) = match &error {
            StripeError::Rejected { status: 401, .. } => ("stripe-key", "is the key whole, and of the right account?"),
            StripeError::Rejected { status: 403, .. } => {
                ("stripe-key", "give the key this right in Stripe's dashboard; tourney doctor names each that it lacks")
            }
            StripeError::Busy { .. } => ("stripe-busy", "Stripe is limiting this account; run it again later"),
            StripeError::Rejected { .. } => ("stripe-refused", "the same again will be refused again"),
            StripeError::NotDone { .. } => ("stripe-unreachable", "is the network there? Safe to run again"),
            StripeError::Unknown { .. } | StripeError::Unreadable { .. } => {
                ("stripe-unknown", "it may have been done; safe to run again: tourney looks before it repeats anything")
            }
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Ledger(error) => error.into(),
            ObserveError::Stripe(error) => error.into(),
            ObserveError::WrongMode { .. } => Self::new("wrong-mode", error.to_string())
                .hint("right database, wrong key? Nothing was planned and nothing was written"),
            ObserveError::Copied(_) => Self::new("scope-overlap", error.to_string())
                .hint(
                    "a copy of another manifest? Give it a tournament.id of its own. If the fees were exchanged, keep the old ones \
                     under `fees` until their orders are retired or paid; nothing was written",
                ),
            ObserveError::Overlap(_) => Self::new("scope-overlap", error.to_string())
                .hint("an order belongs to one tournament only: give this manifest its own tournament.id and fees"),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        match error {
            ApplyError::Observe(error) => error.into(),
            ApplyError::Ledger(error) => error.into(),
            ApplyError::Stripe(error) => error.into(),
            ApplyError::Interrupted => {
                Self::new("interrupted", format!("{message}; nothing was done")).exit(Exit::Interrupted)
            }
            ApplyError::Locked(_) => Self::new("locked", format!("{message}; nothing was done"))
                .hint("wait for it with --lock-timeout 2m; tourney unlock shows more"),
            ApplyError::WrongAccount(_) => {
                Self::new("wrong-account", format!("{message}; nothing was done")).hint("right database, wrong key?")
            }
            ApplyError::Outdated(moved) => outdated(&moved),
            ApplyError::MassRetire(mass) => mass_retire(mass, false),
            ApplyError::RenewRefused(refused) => renew_refused(&refused),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        let hint = match error {
            VerifyError::Ledger(error) => return error.into(),
            VerifyError::Stripe(error) => return error.into(),
            VerifyError::Committed(_) | VerifyError::Occupied(_) => {
                "name a player and a fee that exist for tests alone: verify: {canary: …} in environments.yaml"
            }
            VerifyError::Step(_) => {
                "no other order was touched; safe to run again. Where the application knows no such player or fee, name \
                 ones that exist for tests alone: verify: {canary: …} in environments.yaml"
            }
            VerifyError::NoFee | VerifyError::CanaryMoved => "no other order was touched; safe to run again",
            VerifyError::Interrupted => return Self::new("interrupted", error.to_string()).exit(Exit::Interrupted),
            VerifyError::NoVisit => {
                "open the link that is shown in a browser, twice, while verify waits, or verify with policy: { link: session }"
            }
        };
        Self::new("canary", error.to_string()).hint(hint)
    }
}

/// A saved plan whose facts have moved.
#[must_use]
pub fn outdated(moved: &[Difference]) -> Failure {
    let lines: Vec<String> = moved.iter().map(ToString::to_string).collect();
    let message = format!("the plan is out of date; nothing was done. What moved:\n{}", diff(moved));
    Failure { details: Some(Box::new(lines.into())), ..Failure::new("plan-outdated", message) }
        .hint("make a new plan, review it, and apply that; --allow-less skips what has become unnecessary")
}

/// What moved, as the lines that went and the lines that came.
fn diff(moved: &[Difference]) -> String {
    let before: String = moved.iter().map(|one| format!("{}\n", one.before())).collect();
    let now: String = moved.iter().map(|one| format!("{}\n", one.now())).collect();
    TextDiff::from_lines(&before, &now)
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
        .map(|change| format!("  {} {}", change.tag(), change.value()))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The guard's refusal, `emptied` where the manifest has no players at all.
#[must_use]
pub fn mass_retire(mass: MassRetire, emptied: bool) -> Failure {
    let MassRetire { retiring, live, limit_percent } = mass;
    let orders = agreeing(live as usize, "order", "orders");
    let message = if emptied {
        format!(
            "the manifest has no players at all: of {live} live {orders}, {retiring} would be retired; nothing was done"
        )
    } else {
        format!(
            "{retiring} of {live} live {orders} would be retired because their players left the manifest (policy.max_retired: {limit_percent}%); nothing was done"
        )
    };
    Failure::new("mass-retire", message).hint("is this the right manifest, and whole? If so: --allow-mass-retire")
}

/// How many registrations a message lists before it only counts; the details have all of them.
const LISTED: usize = 10;

/// Renewals that the application's webhook would undo.
#[must_use]
pub fn renew_refused(refused: &RenewRefused) -> Failure {
    let RenewRefused { handler, kind, registrations } = refused;
    let n = registrations.len();
    let (orders, them) = if n == 1 { ("1 order".to_owned(), "it") } else { (format!("{n} orders"), "them") };
    let shown: Vec<String> = registrations.iter().take(LISTED).map(ToString::to_string).collect();
    let more = if n > LISTED { format!(" and {} more", n - LISTED) } else { String::new() };
    let (why, mend, policy) = match kind {
        PayableKind::Session => (
            format!(
                "{orders} would be kept while a session of {them} ends, and the application's webhook would cancel {them} \
                 behind an open link"
            ),
            "",
            "{ stale: replace }",
        ),
        PayableKind::PaymentLink => (
            format!(
                "{orders} would be payable by a payment link, of which each visit without a payment is a session that expires \
                 within 24 hours, and the application's webhook would then cancel {them} behind the open link"
            ),
            ", which a visit of a link never is",
            "{ link: session, stale: replace }",
        ),
    };
    let message = format!(
        "{why} ({}{more}): tourney verify found at {:.0} that {} cancels an order when an old session of it expires; \
         nothing was done",
        shown.join("; "),
        handler.found_at,
        handler.endpoint
    );
    let of = |one: &Registration| serde_json::json!({"player": one.player, "fee": one.fee});
    let details = serde_json::json!({
        "endpoint": handler.endpoint,
        "found_at": format!("{:.0}", handler.found_at),
        "registrations": registrations.iter().map(of).collect::<Vec<_>>(),
    });
    Failure { details: Some(Box::new(details)), ..Failure::new("renew-refused", message) }.hint(format!(
        "write policy: {policy} in the manifest; or mend the handler, which must look only at the session that is recorded on \
         the order{mend}, and run tourney verify against it again"
    ))
}
