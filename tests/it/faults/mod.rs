//! A fault at every effect of an apply, and what both sides hold afterwards.
//!
//! A deterministic share of the cases is run each time; every one of them with `TOURNEY_FAULTS=all`.

mod books;
mod case;
mod direct;
mod drive;
mod figures;
mod sweep;
mod world;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use tourney::domain::PayableKind;
use tourney::ledger::RetireHow;
use tourney::plan::{Action, Step};
use tourney::world::faulty::{Faults, Mode, Side, Site};

use books::Sqlite;
use case::{Case, of_use};
use figures::Figures;
use sweep::share;
use world::planned;
pub(crate) use world::{Picture, broken, picture, scope, unrested};
use worlds::Scene;

/// Of so many faults, or first and second ones, one is run each time.
const SHARE: usize = 24;
const PAIRS: (usize, usize) = (13, 25);
const MOMENTS: usize = 9;

/// The database on which all of this runs.
type Database = Sqlite;

async fn incident(link: PayableKind) -> Scene<Database> {
    worlds::incident(if link == PayableKind::Session { "incident" } else { "incident, links" }, link).await
}

/// Retired orders are kept as canceled in the one, and deleted in the other.
async fn everything(link: PayableKind) -> Scene<Database> {
    match link {
        PayableKind::Session => worlds::everything("everything", link, "cancel").await,
        PayableKind::PaymentLink => worlds::everything("everything, links", link, "delete").await,
    }
}

async fn small(link: PayableKind) -> Scene<Database> {
    worlds::small(if link == PayableKind::Session { "small" } else { "small, links" }, link).await
}

/// Runs in a thread of its own: unoptimised futures need more room than a test's thread has.
fn simulated<T: Send + 'static>(work: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    let thread = thread.spawn(move || runtime().block_on(Box::pin(work()))).unwrap();
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The figures of one sweep: every fault in a world.
fn faults_in(scene: impl AsyncFnOnce() -> Scene<Database> + Send + 'static) -> Figures {
    simulated(async move || scene().await.every_fault(share(SHARE)).await)
}

/// The figures of one sweep: every pair of faults in a small world.
fn pairs_in(link: PayableKind) -> Figures {
    simulated(async move || small(link).await.every_pair((share(PAIRS.0), share(PAIRS.1))).await)
}

#[test]
fn every_fault_in_the_incident() {
    faults_in(async || incident(PayableKind::Session).await).assert_fine();
}

#[test]
fn every_fault_in_the_incident_with_links() {
    faults_in(async || incident(PayableKind::PaymentLink).await).assert_fine();
}

#[test]
fn every_fault_where_everything_changes() {
    faults_in(async || everything(PayableKind::Session).await).assert_fine();
}

#[test]
fn every_fault_where_everything_changes_with_links() {
    faults_in(async || everything(PayableKind::PaymentLink).await).assert_fine();
}

#[test]
fn every_fault_in_a_small_world() {
    faults_in(async || small(PayableKind::Session).await).assert_fine();
}

#[test]
fn every_pair_of_faults() {
    pairs_in(PayableKind::Session).assert_fine();
}

#[test]
fn every_pair_of_faults_with_links() {
    pairs_in(PayableKind::PaymentLink).assert_fine();
}

/// The figures of one sweep: everybody pays just before each effect.
fn payments_in(link: PayableKind) -> Figures {
    let figures = simulated(async move || everything(link).await.every_moment(share(MOMENTS)).await);
    assert!(figures.paid > 0, "{figures:?}");
    figures
}

#[test]
fn whoever_pays_at_whatever_moment_has_paid() {
    payments_in(PayableKind::Session).assert_fine();
}

#[test]
fn whoever_pays_at_a_link_at_whatever_moment_has_paid() {
    payments_in(PayableKind::PaymentLink).assert_fine();
}

/// A payment closes its link: between reading links and reading sessions it must not be taken for a link that somebody closed.
#[test]
fn a_link_that_is_paid_between_two_reads_is_paid() {
    let wrong = simulated(async || {
        let scene = everything(PayableKind::PaymentLink).await;
        let known = scene.know().await;
        let reads =
            |site: &&Site| ["GET /v1/payment_links", "GET /v1/checkout/sessions"].contains(&site.operation.as_str());
        let mut wrong = Vec::new();
        for site in known.trace.iter().filter(reads) {
            let case = Case { paid_at: Some((site.clone(), false)), ..Case::default() };
            wrong.extend(scene.try_case(&case, &known).await.wrong);
        }
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_method_of_the_ledger_is_struck_in_every_mode() {
    let wrong = simulated(async || everything(PayableKind::Session).await.every_method().await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The steps and actions that are planned in the worlds where everything changes.
async fn needed() -> (BTreeSet<String>, BTreeSet<Action>) {
    let (mut steps, mut actions) = (BTreeSet::new(), BTreeSet::new());
    for link in [PayableKind::Session, PayableKind::PaymentLink] {
        let scene = everything(link).await;
        let plan = planned(&scene.manifest, &scene.world.observe(&scene.manifest).await);
        steps.extend(plan.changes.iter().flat_map(|change| &change.steps).map(word));
        actions.extend(plan.changes.iter().map(|change| change.action));
    }
    (steps, actions)
}

/// A new kind of step has to be needed somewhere here.
fn word(step: &Step) -> String {
    match step {
        Step::Retire { how: RetireHow::Cancel, .. } => "cancel",
        Step::Retire { how: RetireHow::Delete, .. } => "delete",
        Step::Expire { .. } => "expire",
        Step::Bill { .. } => "bill",
        Step::Renew { .. } => "renew",
        Step::Repair { .. } => "repair",
        Step::Rename { .. } => "rename",
        Step::RecordPayment { .. } => "record payment",
        Step::Settle { .. } => "settle",
        Step::RecordRefund { .. } => "record refund",
    }
    .to_owned()
}

#[test]
fn everything_changes_where_everything_is_to_change() {
    let (steps, actions) = simulated(async || needed().await);
    let mut absent: BTreeSet<&str> =
        "cancel,delete,expire,bill,renew,repair,rename,record payment,settle,record refund".split(',').collect();
    absent.retain(|step| !steps.contains(*step));
    assert_eq!(absent, BTreeSet::new(), "steps that nothing needs");
    let last = Action::Decided as usize;
    assert_eq!(actions.iter().map(|action| *action as usize).collect::<Vec<_>>(), (0..=last).collect::<Vec<_>>());
}

/// Whatever any of the runs asks of Stripe or of the clock is struck in each mode that makes sense, also by the share that is
/// run each time; the ledger is struck method by method.
#[test]
fn every_operation_is_struck_in_every_mode() {
    let (met, struck) = simulated(async || {
        let (mut met, mut struck) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<Mode>>::new());
        let scenes = [
            incident(PayableKind::Session).await,
            incident(PayableKind::PaymentLink).await,
            everything(PayableKind::Session).await,
            everything(PayableKind::PaymentLink).await,
            small(PayableKind::Session).await,
        ];
        for scene in scenes {
            let trace = scene.know().await.trace;
            let met_here = trace.iter().filter(|site| site.side != Side::Ledger);
            met.extend(met_here.map(|site| ((site.side, site.operation.clone()), site.modes())));
            for fault in scene.chosen(&of_use(&trace, scene.with_glances), SHARE).1 {
                struck.entry((fault.site.side, fault.site.operation)).or_default().insert(fault.mode);
            }
        }
        (met, struck)
    });
    assert!(met.len() > 15, "{met:?}");
    for (operation, modes) in met {
        assert_eq!(struck.get(&operation), Some(&modes.iter().copied().collect()), "{operation:?}");
    }
}

/// The same seed gives the same world and the same run, to the last id.
#[test]
fn a_run_can_be_repeated() {
    let once = || {
        simulated(async || {
            let scene = everything(PayableKind::PaymentLink).await;
            let faults = Faults::default();
            scene.world.apply(&scene.manifest, &faults).await;
            (faults.trace(), scene.world.observe(&scene.manifest).await)
        })
    };
    assert_eq!(once(), once());
}
