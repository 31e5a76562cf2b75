//! How long links live: what a plan says of sessions that die before `pay_by`, and what it refuses of Payment Links.

use tourney::domain::PayableKind;
use tourney::plan::{Plan, plan};
use tourney::render::plan::{json, terminal};

use super::scenario::Scenario;

const OPEN: &str = "
orders: [{id: o1, session: cs_test_1}]
sessions: [{id: cs_test_1, is: open, for: o1}]";
const LINK: &str = "
orders: [{id: o1, session: plink_1}]
sessions: [{id: plink_1, is: open, for: o1}]";

/// The plan of a scenario in a few lines of YAML, under a policy.
fn planned(yaml: &str, link: PayableKind) -> (Plan, String) {
    let scenario: Scenario = serde_saphyr::from_str(&format!("name: lives\nexpect: []\n{yaml}")).unwrap();
    let (mut manifest, mut observed) = (scenario.manifest(), scenario.observed());
    manifest.policy.link = link;
    for payable in &mut observed.payables {
        payable.kind = PayableKind::of(&payable.id);
    }
    let plan = plan(&manifest, &observed, &scenario.options());
    let shown = terminal(&plan, &manifest, false);
    (plan, shown)
}

fn warns(yaml: &str, link: PayableKind) -> bool {
    let (plan, shown) = planned(yaml, link);
    let notes = json(&plan)["notes"].as_array().unwrap().clone();
    let told = notes.iter().any(|note| note["text"].as_str().unwrap().starts_with("sessions die within 24 hours"));
    assert_eq!(told, shown.contains("sessions die within 24 hours"), "{shown}");
    told
}

#[test]
fn sessions_that_die_before_pay_by_are_warned_about() {
    // It is the 13th.
    let (_, shown) = planned(&format!("pay_by: 2026-04-20{OPEN}"), PayableKind::Session);
    let expected = "· the tournament: sessions die within 24 hours, pay_by is in 7 days: policy: { link: payment_link } makes \
                    links that do not";
    assert!(shown.contains(expected), "{shown}");
    assert!(warns("pay_by: 2026-04-20", PayableKind::Session), "sessions will be made");
    assert!(warns("pay_by: 2026-04-15", PayableKind::Session));
}

#[test]
fn where_no_session_is_or_will_be_payable_nothing_is_said() {
    for (what, yaml) in [
        ("tomorrow", format!("pay_by: 2026-04-14{OPEN}")),
        ("passed", format!("pay_by: 2026-04-10{OPEN}")),
        ("no date", OPEN.to_owned()),
        ("closed", format!("pay_by: 2026-04-20\nopen: false{OPEN}")),
        ("waived", "pay_by: 2026-04-20\nplayers: [{id: 1, owes: [[5, 0]]}]".to_owned()),
        ("paid", "pay_by: 2026-04-20\norders: [{id: o1, status: paid}]".to_owned()),
        ("another player", format!("pay_by: 2026-04-20\nonly: [2]{OPEN}")),
        ("the webhook forbids links", format!("pay_by: 2026-04-20\nwebhook_cancels: true{OPEN}")),
    ] {
        assert!(!warns(&yaml, PayableKind::Session), "{what}");
    }
    assert!(!warns(&format!("pay_by: 2026-04-20{LINK}"), PayableKind::PaymentLink));
    assert!(!warns(&format!("pay_by: 2026-04-20{OPEN}"), PayableKind::PaymentLink), "they are on their way out");
}

fn refused(yaml: &str, link: PayableKind) -> Vec<String> {
    let (plan, shown) = planned(&format!("webhook_cancels: true\n{yaml}"), link);
    let refused = plan.renew_refused.as_ref();
    assert_eq!(refused.is_some(), shown.contains("Refused: policy"), "{shown}");
    assert!(refused.is_none_or(|refused| refused.kind == link), "{shown}");
    refused.iter().flat_map(|refused| &refused.registrations).map(ToString::to_string).collect()
}

#[test]
fn links_are_refused_while_the_webhook_cancels() {
    let one = ["player 1 fee 5"];
    for (what, yaml) in [
        ("it is open", LINK),
        ("it would be made", ""),
        ("it would take a session's place", OPEN),
        ("a pending order has none", "orders: [{id: o1}]"),
    ] {
        assert_eq!(refused(yaml, PayableKind::PaymentLink), one, "{what}");
    }
    for (what, yaml) in [
        ("it is closed by the stop button", format!("open: false{LINK}")),
        ("its order is paid", "orders: [{id: o1, status: paid, session: plink_1, intent: pi_1}]".to_owned()),
        ("it goes with a player who has left", format!("players: []\nallow_mass_retire: true{LINK}")),
        ("another player is asked for", format!("only: [2]{LINK}")),
    ] {
        assert_eq!(refused(&yaml, PayableKind::PaymentLink), Vec::<String>::new(), "{what}");
    }
    assert_eq!(refused(OPEN, PayableKind::Session), Vec::<String>::new());
}
