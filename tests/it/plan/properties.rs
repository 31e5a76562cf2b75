//! What holds of every plan, over random worlds and over every scenario.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use tourney::domain::{Order, OrderStatus, Payable, PayableKind, SessionId};
use tourney::manifest::Manifest;
use tourney::observe::Observation;
use tourney::plan::{Options, Plan, Step, plan};
use tourney::render::plan::{json, markdown, terminal};

use super::model::carry_out;
use super::scenario::{ADecision, APlayer, APolicy, ARetired, ASession, AnOrder, Scenario, blank};
use super::scenarios::in_words;

/// How often an apply looks at a registration that has moved.
const ROUNDS: usize = 3;

/// Every property of one world. Panics where one does not hold.
fn check(manifest: &Manifest, observed: &Observation, options: &Options) {
    let first = plan(manifest, observed, options);
    assert_eq!(first, plan(manifest, observed, options), "the same input gives the same plan");
    assert_eq!(json(&first).to_string(), json(&plan(manifest, observed, options)).to_string());
    assert!(!terminal(&first, manifest, false).contains('\u{1b}'));
    let shared = markdown(&first);
    assert!(!shared.contains("Jordan") && !shared.contains('@') && !shared.contains("https:"), "{shared}");
    assert_is_safe(&first, observed);
    assert_renews_nothing_that_may_be_canceled(&first, observed);
    if first.renew_refused.as_ref().is_some_and(|refused| refused.kind == PayableKind::PaymentLink) {
        // Links under a webhook that cancels: `apply` refuses the whole plan, and what it says is never carried out.
        return;
    }
    let (mut after, mut paid_at_visits) = carry_out(&first, manifest, observed);
    if !paid_at_visits {
        // What a visit has made was never mailed.
        let mailed =
            |id: &&SessionId| !observed.payables.iter().any(|payable| payable.id == **id && payable.link.is_some());
        let stopped = open(observed).difference(&open(&after)).filter(mailed).count();
        assert_eq!(usize::try_from(first.links_stopping).unwrap(), stopped, "{:#?}", in_words(&first));
    }
    // A registration of which a link was paid meanwhile is planned again in the same apply, as often as it does that.
    for _ in 1..ROUNDS {
        if paid_at_visits {
            (after, paid_at_visits) = carry_out(&plan(manifest, &after, options), manifest, &after);
        }
    }
    // While the stop button keeps every order, one that takes the place of a refunded one is looked at by the next apply.
    let succeeded = !manifest.tournament.open && first.summary.record_refund > 0;
    if !manifest.decisions.is_empty() || succeeded || observed.facts.canceling().is_some() {
        // What was decided before its finding came up takes hold at the next apply, as does what the webhook has canceled.
        after = carry_out(&plan(manifest, &after, options), manifest, &after).0;
    }
    let second = plan(manifest, &after, options);
    let left = second.changes.iter().any(|change| change.action.is_done_by_apply());
    assert!(!left, "I6: after {:#?} there is {:#?}", in_words(&first), in_words(&second));
    assert_payable_once(&second, &after);
}

/// I2: in the end nobody can pay for a registration at two of what its orders record, or for an order at two of what names
/// it as ours. Where something waits for a person, or is held back, it is as it was found.
fn assert_payable_once(last: &Plan, after: &Observation) {
    if !last.changes.is_empty() || last.notes.iter().any(|note| note.subject.registration.is_some()) {
        return;
    }
    let open: Vec<&Payable> = after.payables.iter().filter(|payable| payable.is_open()).collect();
    let is_part = |visit: &Payable| open.iter().any(|link| visit.link.as_ref() == Some(&link.id));
    // What somebody else may be making is left alone for ten minutes.
    let recorded = |id: &SessionId| {
        let made = after.facts.sessions_made.iter().any(|(made, _)| made == id);
        made || after.facts.orders.iter().any(|order| order.session.as_ref() == Some(id))
    };
    let is_young = |payable: &Payable| {
        let is_new = payable.created.is_some_and(|at| after.at.duration_since(at) < SignedDuration::from_mins(10));
        is_new && !recorded(&payable.id)
    };
    let proved = proved(after);
    let mut held = BTreeSet::new();
    let settled = |payable: &&&Payable| proved.contains(&payable.id) && !is_part(payable) && !is_young(payable);
    for payable in open.iter().filter(settled) {
        let others = |id| after.facts.canary_orders.contains(id) || after.facts.overlapping.contains(id);
        let mine = after.facts.orders.iter().filter(|order| !others(&order.id));
        let order = mine.into_iter().find(|order| {
            let named = payable.metadata.get("order_id") == Some(&order.id.to_string());
            order.session.as_ref() == Some(&payable.id) || (named && payable.metadata.contains_key("tourney_ledger"))
        });
        if let Some(order) = order.filter(|order| order.status.is_live()) {
            assert!(held.insert(order.registration.clone()), "I2: {} is payable twice", order.registration);
        }
    }
}

/// The payables at which somebody can pay.
fn open(observed: &Observation) -> BTreeSet<SessionId> {
    observed.payables.iter().filter(|payable| payable.is_open()).map(|payable| payable.id.clone()).collect()
}

/// The absolute rules that can be seen in the steps alone; the model checks the others while it carries them out.
fn assert_is_safe(plan: &Plan, observed: &Observation) {
    let proved = proved(observed);
    let mut billed = BTreeSet::new();
    for change in &plan.changes {
        assert!(!change.findings.is_empty() && change.findings.is_sorted(), "{change:?}");
        assert_eq!(change.steps.is_empty(), !change.action.is_done_by_apply(), "{change:?}");
        for step in &change.steps {
            match step {
                Step::Expire { session, .. } | Step::Repair { session, .. } => {
                    assert!(proved.contains(session), "{session} is foreign and touched");
                }
                Step::Retire { seen, .. } | Step::Renew { seen } => {
                    assert_eq!(seen.status, OrderStatus::Pending, "a paid order is touched");
                }
                Step::Bill { registration, .. } => assert!(billed.insert(registration.clone()), "billed twice"),
                Step::Rename { seen, .. } => assert!(seen.status.is_live()),
                Step::RecordPayment { .. } | Step::Settle { .. } | Step::RecordRefund { .. } => {}
            }
        }
    }
}

/// Where the webhook cancels an order when an old session of it expires, no order is renewed that has, had or is named by
/// a session which is not an open attempt's own; and what is replaced instead is refused where policy would renew it.
fn assert_renews_nothing_that_may_be_canceled(plan: &Plan, observed: &Observation) {
    if observed.facts.canceling().is_none() {
        assert!(plan.renew_refused.is_none() && plan.changes.iter().all(|change| !change.not_renewed));
        return;
    }
    for step in plan.changes.iter().flat_map(|change| &change.steps) {
        let Step::Renew { seen } = step else { continue };
        assert_eq!(seen.session, None, "{seen:?}");
        assert!(observed.facts.sessions_made.iter().all(|(_, order)| *order != seen.id), "{seen:?}");
        let names = |payable: &&Payable| payable.metadata.get("order_id") == Some(&seen.id.to_string());
        assert_eq!(observed.payables.iter().find(names), None, "{seen:?}");
    }
    let refused = plan.renew_refused.iter().flat_map(|refused| &refused.registrations).collect::<Vec<_>>();
    let not_renewed = plan.changes.iter().filter(|change| change.not_renewed);
    let not_renewed: Vec<_> = not_renewed.filter_map(|change| change.subject.registration.as_ref()).collect();
    // Links are refused as such, whoever would be renewed.
    let links = plan.renew_refused.as_ref().is_some_and(|refused| refused.kind == PayableKind::PaymentLink);
    assert!(links || refused.is_empty() || refused == not_renewed, "{refused:?} {not_renewed:?}");
}

/// Sessions of which some proof exists, judged without the planner.
fn proved(observed: &Observation) -> BTreeSet<SessionId> {
    let facts = &observed.facts;
    let recorded =
        facts.orders.iter().filter(|o| !facts.canary_orders.contains(&o.id)).filter_map(|o| o.session.clone());
    let retired = facts.retired.iter().filter_map(|retired| retired.session.clone());
    let made = facts.sessions_made.iter().map(|(session, _)| session.clone());
    let ours = observed
        .payables
        .iter()
        .filter(|payable| payable.metadata.get("tourney_ledger").map(String::as_str) == Some(super::scenario::LEDGER));
    // An id that no other database has, and no word of another database.
    let named = observed.payables.iter().filter(|payable| {
        let names = |order: &Order| payable.metadata.get("order_id") == Some(&order.id.to_string());
        let unlike = |order: &&Order| matches!(order.id.0, tourney::domain::Id::Slug(_)) && names(order);
        !payable.metadata.contains_key("tourney_ledger") && facts.orders.iter().any(|order| unlike(&order))
    });
    let recorded = recorded.chain(named.map(|payable| payable.id.clone()));
    let all = recorded.chain(retired).chain(made).chain(ours.map(|payable| payable.id.clone()));
    let mut all: BTreeSet<SessionId> = all.collect();
    // What a visit of a link of ours has made is ours.
    let visits = observed.payables.iter().filter(|one| one.link.as_ref().is_some_and(|link| all.contains(link)));
    let visits: Vec<SessionId> = visits.map(|visit| visit.id.clone()).collect();
    all.extend(visits);
    all
}

#[test]
fn every_scenario_converges_safely() {
    for scenario in super::scenarios::all() {
        eprintln!("{}", scenario.name);
        check(&scenario.manifest(), &scenario.observed(), &scenario.options());
    }
}

fn order_ids() -> impl Strategy<Value = i64> {
    10..16_i64
}

fn session() -> impl Strategy<Value = ASession> {
    let state = prop::sample::select(vec!["open", "open", "expired", "expired", "paid", "processing", "failed"]);
    let amount = prop::sample::select(vec![5500, 5500, 5500, 4000]);
    let refunded = prop::sample::select(vec![0, 0, 0, 5500, 1000]);
    let metadata = prop::sample::select(vec!["", "", "other", "none"]);
    (0..8_u8, state, prop::option::weighted(0.7, order_ids()), amount, refunded, 1..100_i64, metadata, any::<bool>())
        .prop_map(|(id, is, order, amount, refunded, age, metadata, old)| {
            let mut session = ASession::new(&format!("s{id}"), is, order, amount, age);
            session.refunded = if is == "paid" { refunded } else { 0 };
            session.email = (old && age > 80).then(|| "old@example.com".to_owned());
            match metadata {
                "other" => drop(session.metadata.insert("tourney_ledger".to_owned(), "another".to_owned())),
                "none" => session.order = None,
                _ => {}
            }
            session
        })
}

/// A Payment Link: its number, whether it is active, the order that an attempt made it for, whether that order has it now,
/// and what became of its metadata, its payments' or its limit.
type ALink = (u8, bool, Option<i64>, bool, &'static str);

fn link() -> impl Strategy<Value = ALink> {
    let damage =
        prop::sample::select(vec!["", "", "", "none", "other", "payments-none", "payments-other", "unlimited"]);
    (0..4_u8, any::<bool>(), prop::option::weighted(0.8, order_ids()), prop::bool::weighted(0.8), damage)
}

/// A session that a visit made: of which link, how it stands, its age, and what became of its metadata.
type AVisit = (u8, &'static str, i64, &'static str);

fn visit() -> impl Strategy<Value = AVisit> {
    let state = prop::sample::select(vec!["open", "open", "open", "expired", "paid", "processing", "failed"]);
    let metadata = prop::sample::select(vec!["", "", "", "none"]);
    (0..4_u8, state, 1..100_i64, metadata)
}

/// Puts links and the sessions of their visits into a world. Which link an order has stands in the attempt that made it: so
/// one link is never two orders'.
fn add_links(scenario: &mut Scenario, links: Vec<ALink>, visits: Vec<AVisit>) {
    let mut of: std::collections::BTreeMap<u8, Option<i64>> = std::collections::BTreeMap::new();
    for (n, active, order, is_its, damage) in links {
        if of.contains_key(&n) {
            continue;
        }
        of.insert(n, order);
        let id = format!("plink_{n}");
        let state = if active { "open" } else { "expired" };
        let named = order.or_else(|| damage.is_empty().then_some(10 + i64::from(n))).filter(|_| damage != "none");
        let mut link = ASession::new(&id, state, named, 5500, 1);
        match damage {
            "other" if order.is_none() => drop(link.metadata.insert("tourney_ledger".to_owned(), "another".to_owned())),
            "payments-none" => link.payments_for = Some(String::new()),
            "payments-other" => link.payments_for = Some("12".to_owned()),
            "unlimited" => link.unlimited = true,
            _ => {}
        }
        scenario.sessions.push(link);
        let Some(order) = order.map(|id| tourney::domain::OrderId(id.into())) else { continue };
        scenario.made.insert(id.clone(), order.clone());
        if let Some(order) = scenario.orders.iter_mut().find(|known| known.id == order && is_its) {
            order.session = Some(SessionId(id));
        }
    }
    for (at, (n, state, age, metadata)) in visits.into_iter().enumerate() {
        let named = of.get(&n).copied().flatten().filter(|_| metadata.is_empty());
        let mut session = ASession::new(&format!("v{at}"), state, named, 5500, age);
        session.link = Some(SessionId(format!("plink_{n}")));
        scenario.sessions.push(session);
    }
}

fn order(id: i64) -> impl Strategy<Value = Option<AnOrder>> {
    use OrderStatus::{Canceled, Paid, Pending, Refunded};
    let status = prop::sample::select(vec![Pending, Pending, Pending, Paid, Canceled, Refunded]);
    let amount = prop::sample::select(vec![5500, 5500, 4000]);
    let made = (1..4_i64, 5..7_i64, amount, status, prop::option::of(0..8_u8), prop::option::of(1..90_i64));
    prop::option::of(made.prop_map(move |(player, fee, amount, status, session, age)| {
        AnOrder::new(id, player, fee, amount, status, session.map(|n| format!("s{n}")), age)
    }))
}

fn player(id: i64) -> impl Strategy<Value = Option<APlayer>> {
    let fees = prop::sample::subsequence(vec![5, 6], 1..=2);
    let amount = prop::sample::select(vec![5500, 5500, 5500, 0]);
    prop::option::weighted(
        0.8,
        (fees, amount, prop::bool::weighted(0.1))
            .prop_map(move |(fees, amount, cash)| APlayer::new(id, &fees, amount, cash)),
    )
}

fn world() -> impl Strategy<Value = Scenario> {
    let orders = (10..16).map(order).collect::<Vec<_>>();
    let players = [player(1), player(2)];
    let sessions = prop::collection::vec(session(), 0..8);
    let retired = prop::collection::vec((order_ids(), 1..4_i64), 0..2);
    let made = prop::collection::btree_map((0..8_u8).prop_map(|n| format!("s{n}")), order_ids(), 0..4);
    let unknown = prop::collection::btree_set(0..8_u8, 0..2);
    let flags = (
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.4),
        any::<bool>(),
    );
    let links = (prop::collection::vec(link(), 0..4), prop::collection::vec(visit(), 0..4));
    (orders, players, sessions, retired, made, unknown, flags, links).prop_map(
        |(
            orders,
            players,
            sessions,
            retired,
            made,
            unknown,
            (closed, late, replace, delete, rename, bill, cancels, by_link),
            (links, visits),
        )| {
            let mut scenario = blank();
            scenario.orders = orders.into_iter().flatten().collect();
            scenario.players = players.into_iter().flatten().collect();
            if let Some(first) = scenario.players.first_mut().filter(|_| rename) {
                first.renamed_from = Some(tourney::domain::PlayerId(3.into()));
            }
            let mut seen = BTreeSet::new();
            scenario.sessions = sessions.into_iter().filter(|session| seen.insert(session.id.clone())).collect();
            scenario.retired = retired.into_iter().map(|(order, player)| ARetired::new(order, player)).collect();
            // What an attempt made names its own order; nobody edits that to another one.
            let names = |id: &String| {
                let session = scenario.sessions.iter().find(|session| session.id.as_str() == id);
                session.and_then(|session| session.order.clone())
            };
            let made = made
                .into_iter()
                .filter(|(id, order)| names(id).is_none_or(|named| named == tourney::domain::OrderId((*order).into())));
            let made: std::collections::BTreeMap<String, i64> = made.collect();
            scenario.made = made.into_iter().map(|(id, order)| (id, tourney::domain::OrderId(order.into()))).collect();
            let gone = unknown.into_iter().map(|n| SessionId(format!("s{n}"))).filter(|id| !seen.contains(id));
            scenario.unknown = gone.collect();
            scenario.open = !closed;
            scenario.pay_by = late.then(|| "2026-04-01".to_owned());
            scenario.policy = APolicy::new(replace, delete);
            scenario.policy.link = by_link.then(|| "payment_link".to_owned());
            add_links(&mut scenario, links, visits);
            scenario.webhook_cancels = cancels;
            scenario.decisions = if bill { vec![ADecision::bill_again(1, 5)] } else { Vec::new() };
            scenario
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_world_converges_safely(scenario in world()) {
        check(&scenario.manifest(), &scenario.observed(), &scenario.options());
    }
}
