//! A fault at every effect of an apply, and what both sides hold afterwards.
//!
//! Every case runs on the ledger in memory, which `tests/it/ledger_held` holds to the real ones; a share of them on a SQLite file,
//! and all of them there, too, with `TOURNEY_FAULTS=all`.

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
use tourney::world::sim::MemoryLedger;

use books::{Books, Sqlite};
use case::{Case, of_use};
use figures::Figures;
use world::planned;
pub(crate) use world::{Picture, broken, picture, scope, unrested};
use worlds::Scene;

async fn incident<B: Books>(link: PayableKind) -> Scene<B> {
    worlds::incident(if link == PayableKind::Session { "the incident" } else { "the incident, links" }, link).await
}

/// Retired orders are kept as canceled in the one, and deleted in the other.
async fn everything<B: Books>(link: PayableKind) -> Scene<B> {
    match link {
        PayableKind::Session => worlds::everything("every change", link, "cancel").await,
        PayableKind::PaymentLink => worlds::everything("every change, links", link, "delete").await,
    }
}

async fn small<B: Books>(link: PayableKind) -> Scene<B> {
    worlds::small(if link == PayableKind::Session { "a small world" } else { "a small world, links" }, link).await
}

/// Runs in a thread of its own: unoptimised futures need more room than a test's thread has.
fn simulated<T: Send + 'static>(work: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    let thread = thread.spawn(move || runtime().block_on(Box::pin(work()))).unwrap();
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs these sweeps on memory in full, and on a SQLite file as much as is run there.
macro_rules! on_both {
    ($($sweep:ident),* $(,)?) => {
        mod memory {
            $(#[test]
            fn $sweep() {
                super::simulated(async || super::$sweep::<super::MemoryLedger>().await).assert_fine();
            })*
        }

        mod sqlite {
            $(#[test]
            fn $sweep() {
                super::simulated(async || super::$sweep::<super::Sqlite>().await).assert_fine();
            })*
        }
    };
}

on_both!(
    every_fault_in_the_incident,
    every_fault_in_the_incident_with_links,
    every_fault_where_everything_changes,
    every_fault_where_everything_changes_with_links,
    every_fault_in_a_small_world,
    every_pair_of_faults,
    every_pair_of_faults_with_links,
    whoever_pays_at_whatever_moment_has_paid,
    whoever_pays_at_a_link_at_whatever_moment_has_paid,
);

async fn every_fault_in_the_incident<B: Books>() -> Figures {
    incident::<B>(PayableKind::Session).await.every_fault().await
}

async fn every_fault_in_the_incident_with_links<B: Books>() -> Figures {
    incident::<B>(PayableKind::PaymentLink).await.every_fault().await
}

async fn every_fault_where_everything_changes<B: Books>() -> Figures {
    everything::<B>(PayableKind::Session).await.every_fault().await
}

async fn every_fault_where_everything_changes_with_links<B: Books>() -> Figures {
    everything::<B>(PayableKind::PaymentLink).await.every_fault().await
}

async fn every_fault_in_a_small_world<B: Books>() -> Figures {
    small::<B>(PayableKind::Session).await.every_fault().await
}

async fn every_pair_of_faults<B: Books>() -> Figures {
    small::<B>(PayableKind::Session).await.every_pair().await
}

async fn every_pair_of_faults_with_links<B: Books>() -> Figures {
    small::<B>(PayableKind::PaymentLink).await.every_pair().await
}

async fn whoever_pays_at_whatever_moment_has_paid<B: Books>() -> Figures {
    everything::<B>(PayableKind::Session).await.every_moment().await
}

async fn whoever_pays_at_a_link_at_whatever_moment_has_paid<B: Books>() -> Figures {
    everything::<B>(PayableKind::PaymentLink).await.every_moment().await
}

/// A payment closes its link: between reading links and reading sessions it must not be taken for a link that somebody closed.
#[test]
fn a_link_that_is_paid_between_two_reads_is_paid() {
    let wrong = simulated(async || {
        let scene = everything::<MemoryLedger>(PayableKind::PaymentLink).await;
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
    let wrong = simulated(async || everything::<Sqlite>(PayableKind::Session).await.every_method().await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The steps and actions that are planned in the worlds where everything changes.
async fn needed() -> (BTreeSet<String>, BTreeSet<Action>) {
    let (mut steps, mut actions) = (BTreeSet::new(), BTreeSet::new());
    for link in [PayableKind::Session, PayableKind::PaymentLink] {
        let scene = everything::<MemoryLedger>(link).await;
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
/// run on SQLite; the ledger is struck method by method.
#[test]
fn every_operation_is_struck_in_every_mode() {
    let (met, struck) = simulated(async || {
        let (mut met, mut struck) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<Mode>>::new());
        let scenes = [
            incident::<MemoryLedger>(PayableKind::Session).await,
            incident(PayableKind::PaymentLink).await,
            everything(PayableKind::Session).await,
            everything(PayableKind::PaymentLink).await,
            small(PayableKind::Session).await,
        ];
        for scene in scenes {
            let trace = scene.know().await.trace;
            let met_here = trace.iter().filter(|site| site.side != Side::Ledger);
            met.extend(met_here.map(|site| ((site.side, site.operation.clone()), site.modes())));
            for fault in scene.chosen(&of_use(&trace, scene.with_glances), Sqlite::SHARE.faults).1 {
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
            let scene = everything::<MemoryLedger>(PayableKind::PaymentLink).await;
            let faults = Faults::default();
            scene.world.apply(&scene.manifest, &faults).await;
            (faults.trace(), scene.world.observe(&scene.manifest).await)
        })
    };
    assert_eq!(once(), once());
}
