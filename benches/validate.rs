//! How validating and planning grow with the number of players: ten times the players should take ten times as long.
//!
//! `cargo bench` prints the best of several runs and the ratio; nothing is judged here, since a busy machine is no fault.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints its figures, and ends where it cannot go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tourney::domain::{
    Id, LedgerId, LinkTerms, Mode, Order, OrderId, OrderStatus, Ownership, Payable, PayableKind, PayableState,
    PaymentStatus, Registration, SessionId,
};
use tourney::ledger::LedgerFacts;
use tourney::manifest::{Manifest, parse};
use tourney::observe::Observation;
use tourney::plan::{Options, plan};

const RUNS: u32 = 7;

fn manifest(players: u32) -> String {
    let mut text = "version: 1\ntournament: {id: bench, name: Bench, currency: usd}\nfees: [{id: 5, name: Entry, amount: 55.00}]\nplayers:\n".to_owned();
    for n in 0..players {
        writeln!(text, "  - {{id: {n}, name: Player {n}, email: parent{n}@example.com, fee: 5}}").unwrap();
    }
    text
}

fn best(mut work: impl FnMut()) -> Duration {
    let run = |_| {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

fn compare(what: &str, work: impl Fn(u32) -> Duration) {
    let (small, large) = (work(1_000), work(10_000));
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    println!("{what:<10} 1,000 players {small:>9.2?}   10,000 players {large:>9.2?}   ratio {ratio:.1}");
}

/// Every player has a pending order whose session has expired: the most that a plan usually has to say.
fn observed(manifest: &Manifest) -> Observation {
    let at: Timestamp = "2026-04-13T10:00:00Z".parse().unwrap();
    let ledger = LedgerId("0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a".to_owned());
    let (mut orders, mut payables, mut made) = (Vec::new(), Vec::new(), Vec::new());
    for (n, (player, owed)) in manifest.registrations().enumerate() {
        let order = OrderId(Id::Int(i64::try_from(n).unwrap() + 1));
        let session = SessionId(format!("cs_test_{n:08}"));
        let owner = Ownership {
            order: order.clone(),
            ledger: ledger.clone(),
            attempt: None,
            tournament: manifest.tournament.id.clone(),
            player: player.id.clone(),
            fee: owed.fee.clone(),
        };
        payables.push(Payable {
            id: session.clone(),
            kind: PayableKind::Session,
            state: PayableState::Expired,
            payment_status: PaymentStatus::Unpaid,
            amount: Some(owed.amount.minor),
            currency: Some(owed.amount.currency),
            mode: Mode::Test,
            metadata: owner.to_metadata(),
            terms: LinkTerms::default(),
            client_reference_id: None,
            customer_email: Some(player.email.expose().to_owned()),
            payment_intent: None,
            payment: None,
            link: None,
            url: None,
            created: Some(at - SignedDuration::from_hours(48)),
            expires_at: Some(at - SignedDuration::from_hours(24)),
        });
        orders.push(Order {
            id: order.clone(),
            registration: Registration { player: player.id.clone(), fee: owed.fee.clone() },
            amount: owed.amount,
            status: OrderStatus::Pending,
            session: Some(session.clone()),
            payment_intent: None,
            url: None,
            created_at: Some(at - SignedDuration::from_hours(48)),
        });
        made.push((session, order));
    }
    let facts = LedgerFacts { orders, sessions_made: made, ..LedgerFacts::default() };
    let account = "acct_bench".to_owned();
    let payments = BTreeMap::new();
    let unknown = BTreeSet::new();
    Observation {
        at,
        account,
        mode: Mode::Test,
        ledger: Some(ledger),
        facts,
        payables,
        payments,
        links_unread: false,
        unknown,
    }
}

fn main() {
    compare("validating", |players| {
        let text = manifest(players);
        best(|| drop(black_box(parse("bench.yaml", black_box(text.as_bytes())))))
    });
    compare("planning", |players| {
        let manifest = parse("bench.yaml", manifest(players).as_bytes()).expect("the bench's manifest is valid");
        let observed = observed(&manifest);
        let options = Options { environment: "bench".to_owned(), ..Options::default() };
        let changes = plan(&manifest, &observed, &options).changes.len();
        assert_eq!(changes, players as usize, "each session has expired");
        best(|| drop(black_box(plan(black_box(&manifest), &observed, &options))))
    });
}
