//! The checker: each rule is broken by a world that breaks it, and by no other.

use std::collections::BTreeSet;

use serde::Deserialize;
use tourney::domain::{Id, OrderStatus, TournamentId};
use tourney::invariants::{Holds, Rule, Violation, at_rest, beyond, check, since};
use tourney::observe::Observation;
use tourney::plan::plan;

use crate::plan::scenario::{LEDGER, Scenario, TOURNAMENT};

const WORLDS: &str = include_str!("../invariants/worlds.yaml");

#[derive(Deserialize)]
struct World {
    /// `Rule subject…`, one for each violation.
    breaks: Vec<String>,
    #[serde(flatten)]
    world: serde_json::Value,
}

fn tournament() -> TournamentId {
    TournamentId(Id::Slug(TOURNAMENT.to_owned()))
}

fn worlds() -> Vec<(Vec<String>, Scenario)> {
    let worlds: Vec<World> = serde_saphyr::from_str(WORLDS).unwrap();
    let scenario = |mut world: World| {
        world.world["expect"] = serde_json::json!([]);
        (world.breaks, serde_json::from_value(world.world).unwrap())
    };
    worlds.into_iter().map(scenario).collect()
}

fn in_words(found: &[Violation]) -> Vec<String> {
    found.iter().map(|one| format!("{:?} {}", one.rule, one.subjects.join(" "))).collect()
}

#[test]
fn each_world_breaks_what_it_breaks() {
    let mut met = BTreeSet::new();
    for (breaks, world) in worlds() {
        let observed = world.observed();
        let found = check(&tournament(), &observed);
        assert_eq!(in_words(&found), breaks, "{}", world.name);
        for one in &found {
            assert!(one.to_string().starts_with(one.rule.invariant().name()), "{one}");
        }
        met.extend(found.into_iter().map(|one| one.rule));
    }
    // What shows between two moments, or by a plan.
    met.extend([Rule::UsedAgain, Rule::PaidAndNoMore, Rule::RetiredThoughPaid, Rule::Unfinished]);
    let all: BTreeSet<Rule> = Rule::ALL.iter().copied().collect();
    assert_eq!(met, all, "every rule has a world that breaks it");
}

fn world(name: &str) -> Scenario {
    let found = worlds().into_iter().map(|(_, world)| world).find(|world| world.name == name);
    found.unwrap_or_else(|| panic!("no world is called {name}"))
}

fn rested(world: &Scenario) -> Vec<String> {
    let observed = world.observed();
    in_words(&at_rest(&tournament(), &observed, &plan(&world.manifest(), &observed, &world.options())))
}

#[test]
fn at_rest_nothing_is_left_but_what_waits_for_a_person() {
    assert_eq!(rested(&world("in order")), [""; 0]);
    assert_eq!(rested(&world("a second payment")), [""; 0], "it is reported");
    let mut paid = world("paid and pending");
    assert_eq!(rested(&paid), ["NotRecorded s1 11", "Unfinished 11 s1"]);
    paid.orders[0].status = OrderStatus::Paid;
    assert_eq!(rested(&paid), [""; 0]);
    assert_eq!(rested(&world("an attempt is open")), ["Unfinished 11"]);
}

#[test]
fn what_was_wrong_before_is_nobodys_doing() {
    let found = |name: &str| check(&tournament(), &world(name).observed());
    let (two, one) = (found("payable twice"), found("in order"));
    assert_eq!(in_words(&beyond(&one, two.clone())), ["PayableTwice s1 s2"]);
    assert_eq!(in_words(&beyond(&two, two.clone())), [""; 0]);
    let mut three = two.clone();
    three[0].subjects.push("s3".to_owned());
    assert_eq!(beyond(&two, three.clone()), three, "a third place is news");
    assert_eq!(beyond(&three, two), [], "of three places two are left");
    assert_eq!((Rule::PayableTwice.holds(), Rule::NotRecorded.holds()), (Holds::Always, Holds::AtRest));
}

fn later(change: impl FnOnce(&mut Observation)) -> Vec<String> {
    let before = world("a paid order, one that is pending, and one that was retired").observed();
    let mut after = before.clone();
    change(&mut after);
    in_words(&since(&tournament(), &before, &after))
}

#[test]
fn what_was_paid_stays_paid_and_what_was_given_up_stays_so() {
    assert_eq!(later(|_| {}), [""; 0]);
    assert_eq!(later(|after| after.facts.orders[0].status = OrderStatus::Refunded), [""; 0]);
    for status in [OrderStatus::Pending, OrderStatus::Canceled] {
        assert_eq!(later(|after| after.facts.orders[0].status = status), ["PaidAndNoMore 11"]);
    }
    assert_eq!(later(|after| drop(after.facts.orders.remove(0))), ["PaidAndNoMore 11"]);
    assert_eq!(later(|after| after.facts.orders[0].payment_intent = None), ["PaidAndNoMore 11"]);
    assert_eq!(later(|after| after.facts.orders[0].amount.minor = 1), ["PaidAndNoMore 11"]);
    assert_eq!(
        later(|after| after.facts.orders[0].registration.fee = after.facts.orders[1].registration.fee.clone()),
        ["PaidAndNoMore 11"]
    );
    assert_eq!(later(|after| after.facts.orders[0].registration.player.0 = Id::Int(9)), [""; 0], "a rename");
    assert_eq!(later(|after| after.facts.orders[2].status = OrderStatus::Pending), ["UsedAgain 13"]);
    assert_eq!(later(|after| after.facts.orders[1].status = OrderStatus::Paid), [""; 0]);
}

#[test]
fn an_order_that_was_paid_for_is_not_retired() {
    let before = world("paid and pending").observed();
    let mut after = before.clone();
    after.facts.orders[0].status = OrderStatus::Canceled;
    after.facts.retired.extend(world("paid, and the order was retired").observed().facts.retired);
    assert_eq!(in_words(&since(&tournament(), &before, &after)), ["RetiredThoughPaid s1 11"]);
    let mut unpaid = before;
    unpaid.payables[0].payment_status = tourney::domain::PaymentStatus::Unpaid;
    assert_eq!(in_words(&since(&tournament(), &unpaid, &after)), [""; 0]);
}

#[test]
fn a_canary_is_nobodys() {
    let mut observed = world("payable twice").observed();
    observed.facts.canary_sessions.extend(observed.payables.iter().map(|one| one.id.clone()));
    assert_eq!(in_words(&check(&tournament(), &observed)), [""; 0]);
    assert!(observed.ledger.is_some_and(|ledger| ledger.as_str() == LEDGER));
}
