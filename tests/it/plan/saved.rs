//! Saved plans come back as they went and see what moved; what is published about plans is true.

use std::path::Path;

use tourney::domain::OrderStatus;
use tourney::plan::{Plan, Saved, SavedError, plan};
use tourney::render::plan::json;

use super::scenario::Scenario;
use super::scenarios::{all, in_words};

const TWO: &str = "
name: two expired
expect: []
players: [{id: 1}, {id: 2}]
orders: [{id: 11, session: s1}, {id: 12, player: 2, session: s2}]
sessions: [{id: s1, is: expired, email: parent1@example.com}, {id: s2, is: expired, for: 12}]
";

fn two() -> Scenario {
    serde_saphyr::from_str(TWO).unwrap()
}

fn planned(scenario: &Scenario) -> Plan {
    plan(&scenario.manifest(), &scenario.observed(), &scenario.options())
}

fn text(plan: &Plan, scenario: &Scenario) -> String {
    Saved::new(plan, &scenario.observed(), &scenario.options(), Path::new("tournament.yaml")).to_text()
}

fn saved(plan: &Plan, scenario: &Scenario) -> Saved {
    Saved::parse(text(plan, scenario).as_bytes()).unwrap().unwrap()
}

#[test]
fn every_plan_comes_back_as_it_was_saved() {
    for scenario in all() {
        let plan = planned(&scenario);
        let text = text(&plan, &scenario);
        assert!(!text.contains('@') && !text.contains("Jordan") && !text.contains("https:"), "{text}");
        let saved = saved(&plan, &scenario);
        assert_eq!(saved.compare(&plan, &scenario.observed()), [], "{}", scenario.name);
        assert_eq!(saved.restrict(plan.clone(), false).unwrap(), plan);
    }
}

#[test]
fn a_cut_file_or_one_of_another_version_is_refused() {
    let scenario = two();
    let text = text(&planned(&scenario), &scenario);
    let cut = &text.as_bytes()[..text.len() / 2];
    assert!(matches!(Saved::parse(cut), Err(SavedError::Unreadable(_))));
    let later = text.replacen("\"format_version\": 1", "\"format_version\": 2", 1);
    assert!(matches!(Saved::parse(later.as_bytes()), Err(SavedError::OtherVersion(2))));
    assert!(matches!(Saved::parse(b"{}"), Err(SavedError::Unreadable(_))));
    assert_eq!(Saved::parse(br#"{"version": 1}"#).unwrap(), None, "a manifest may be written as JSON");
}

#[test]
fn a_file_that_is_not_as_it_was_saved_is_refused() {
    let scenario = two();
    let text = text(&planned(&scenario), &scenario);
    let lines: Vec<&str> = text.lines().collect();
    for (place, line) in lines.iter().enumerate() {
        let mut less = lines.clone();
        less.remove(place);
        assert!(!matches!(Saved::parse(less.join("\n").as_bytes()), Ok(Some(_))), "without {line}");
        for (digit, other) in [("0", "1"), ("5", "4"), ("true", "false"), ("null", "7"), ("a", "b")] {
            let changed = line.replacen(digit, other, 1);
            let mut other = lines.clone();
            other[place] = &changed;
            let read = Saved::parse(other.join("\n").as_bytes());
            assert!(changed == *line || !matches!(read, Ok(Some(_))), "{line} changed to {changed}");
        }
    }
    assert!(Saved::parse(text.replace('\n', "\r\n").as_bytes()).is_ok(), "white space decides nothing");
}

#[test]
fn what_decides_is_seen_when_it_moves() {
    let scenario = two();
    let saved = saved(&planned(&scenario), &scenario);
    let mut observed = scenario.observed();
    observed.facts.orders[0].status = OrderStatus::Canceled;
    observed.payables[1].metadata.insert("order_id".to_owned(), "99".to_owned());
    observed.account = "acct_2CD".to_owned();
    let fresh = plan(&scenario.manifest(), &observed, &scenario.options());
    let moved: Vec<_> = saved.compare(&fresh, &observed).iter().map(ToString::to_string).collect();
    assert_eq!(moved[0], "Stripe account: acct_1AB → acct_2CD");
    assert!(moved[1].starts_with("order 11: pending"), "{}", moved[1]);
    assert!(moved[2].starts_with("session s2: expired"), "{}", moved[2]);
    assert_eq!(moved.len(), 3);
}

#[test]
fn urls_and_times_do_not_decide() {
    let scenario = two();
    let saved = saved(&planned(&scenario), &scenario);
    let mut observed = scenario.observed();
    observed.at += jiff::SignedDuration::from_mins(5);
    observed.payables[0].url = Some("https://checkout.example/other".to_owned());
    let fresh = plan(&scenario.manifest(), &observed, &scenario.options());
    assert_eq!(saved.compare(&fresh, &observed), []);
}

#[test]
fn less_is_done_only_if_allowed_and_more_never() {
    let scenario = two();
    let full = planned(&scenario);
    let mut less = full.clone();
    less.changes.remove(0);
    let whole = saved(&full, &scenario);
    assert_eq!(whole.restrict(less.clone(), false).unwrap_err().len(), 1);
    assert_eq!(in_words(&whole.restrict(less.clone(), true).unwrap()), ["2/5 renew expired-session"]);
    assert_eq!(saved(&less, &scenario).restrict(full, true).unwrap_err().len(), 1);
}

#[test]
fn recording_a_payment_is_always_allowed() {
    let mut paid = two();
    let saved = saved(&planned(&paid), &paid);
    paid.sessions[0].is = "paid".to_owned();
    assert!(saved.restrict(planned(&paid), false).is_err());
    let rest = saved.restrict(planned(&paid), true).unwrap();
    assert_eq!(in_words(&rest)[0], "1/5 record_payment missing-metadata unrecorded-payment");
}

#[test]
fn every_json_is_valid_by_the_published_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/plan.schema.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for scenario in all() {
        let value = json(&planned(&scenario));
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", scenario.name);
    }
    let codes: Vec<_> = tourney::plan::Finding::ALL.iter().map(|finding| finding.code()).collect();
    assert_eq!(schema["$defs"]["finding"]["enum"], serde_json::json!(codes));
}
