//! `tourney status`, and the published schemas of what `--json` prints.

use serde_json::{Value, json};
use tourney::plan::Finding;
use tourney::sandbox::core::{Control, TestCard};

use crate::support::{Folder, applied_camp, assert_valid, camp, control, schema};

fn registrations<const N: usize>(folder: &Folder, args: [&str; N]) -> Vec<Value> {
    let document = folder.tourney(args).run().expect(0).json();
    assert_valid("status", &document);
    document["registrations"].as_array().unwrap().clone()
}

fn subjects(registrations: &[Value]) -> Vec<(Value, Value)> {
    registrations.iter().map(|one| (one["player"].clone(), one["fee"].clone())).collect()
}

#[test]
fn before_the_first_apply_every_registration_lacks_its_order() {
    let folder = camp();
    let all = registrations(&folder, ["status", "--json"]);
    assert_eq!(subjects(&all), [(json!(1), json!("camp")), (json!(1), json!(7)), (json!("kim"), json!("camp"))]);
    let nothing = json!({
        "player": 1, "fee": "camp", "order_id": null, "order_status": null, "payment_intent": null, "session_id": null,
        "session_status": null, "payment_status": null, "url": null, "kind": null, "expires_at": null, "findings": ["missing-order"],
    });
    assert_eq!(all[0], nothing);
    assert!(!folder.path(".tourney/orders.db").exists(), "status made a database");
}

#[test]
fn an_open_link_is_shown_with_its_life() {
    let folder = applied_camp();
    for one in registrations(&folder, ["status", "--json"]) {
        assert_eq!((&one["order_status"], &one["session_status"]), (&json!("pending"), &json!("open")));
        assert_eq!((&one["payment_status"], &one["findings"]), (&json!("unpaid"), &json!([])));
        assert!(one["url"].as_str().unwrap().contains(one["session_id"].as_str().unwrap()), "{one:#}");
    }
    let shown = folder.tourney(["status"]).run().expect(0);
    assert!(
        shown.stdout.contains("open, dies in 23 h ") && shown.stdout.contains("1 Robin Sample"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("3 registrations: 0 paid, 3 with a link that is in order, 0 with findings."));
    assert!(!shown.stdout.contains("example.com") && shown.stderr.starts_with("sandbox · "), "{}", shown.stdout);
    assert!(folder.tourney(["status", "--problems"]).run().expect(0).stdout.starts_with("0 registrations"));
}

#[test]
fn a_payment_is_shown_before_and_after_it_is_recorded() {
    let folder = applied_camp();
    let before = registrations(&folder, ["status", "--json"]);
    let session = before[1]["session_id"].as_str().unwrap().to_owned();
    control(&folder, Control::Pay { session: session.clone(), card: TestCard::Success, email: None });

    let problems = registrations(&folder, ["status", "--json", "--problems"]);
    assert_eq!(subjects(&problems), [(json!(1), json!(7))]);
    let paid = &problems[0];
    assert_eq!((&paid["order_status"], &paid["payment_status"]), (&json!("pending"), &json!("paid")));
    assert_eq!((&paid["session_status"], &paid["url"]), (&json!("complete"), &Value::Null));
    assert_eq!((&paid["payment_intent"], &paid["findings"]), (&Value::Null, &json!(["unrecorded-payment"])));
    let shown = folder.tourney(["status", "--color", "always"]).run().expect(0).stdout;
    let line = shown.lines().find(|line| line.contains("paid, not recorded")).unwrap();
    assert!(line.contains("unrecorded-payment") && line.contains("\u{1b}["), "{line}");
    assert!(shown.contains("tourney plan shows what apply would do"), "{shown}");

    let applied = folder.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    assert_valid("apply", &applied);
    let after = registrations(&folder, ["status", "--json", "--player", "1"]);
    assert_eq!(after.len(), 2);
    assert_eq!((&after[1]["order_status"], &after[1]["findings"]), (&json!("paid"), &json!([])));
    assert!(after[1]["payment_intent"].as_str().unwrap().starts_with("pi_"));
    assert_eq!(after[1]["session_id"], json!(session));
}

#[test]
fn orders_that_no_registration_has_come_last() {
    let folder = applied_camp();
    let text = folder.read("tournament.yaml").replace("fees: [camp, 7]", "fee: 7");
    folder.write("tournament.yaml", &text);
    let all = registrations(&folder, ["status", "--json"]);
    assert_eq!(subjects(&all), [(json!(1), json!(7)), (json!("kim"), json!("camp")), (json!(1), json!("camp"))]);
    assert_eq!((&all[2]["order_status"], &all[2]["findings"]), (&json!("pending"), &json!(["withdrawn"])));
}

#[test]
fn what_is_wrong_on_the_command_line_or_in_the_manifest_is_refused() {
    let folder = camp();
    let typo = folder.tourney(["status", "--json", "--player", "99"]).run().expect(64).json();
    assert_eq!(typo["error"]["code"], "usage");
    folder.tourney(["status", "--problem"]).run().expect(64);
    folder.write("bad.yaml", "version: 1\n");
    let bad = folder.tourney(["status", "bad.yaml", "--json"]).run().expect(1).json();
    assert_eq!(bad["error"]["code"], "bad-manifest");
    folder.tourney(["status", "-e", "nowhere"]).run().expect(64);
}

#[test]
fn apply_and_verify_print_what_their_schemas_say() {
    let folder = camp();
    let applied = folder.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    assert_valid("apply", &applied);
    assert_eq!(applied["results"].as_array().unwrap().len(), 3);
    assert_eq!((&applied["proof"]["live"], &applied["remaining"]["unchanged"]), (&json!(3), &json!(3)));
    let again = folder.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
    assert_valid("apply", &again);
    assert_eq!(again["results"], json!([]));
    let audit = folder.tourney(["verify", "--audit-only", "--json"]).run().expect(0).json();
    assert_valid("verify", &audit);
    assert!(
        audit["passed"] == json!(true) && audit["checks"].as_array().unwrap().iter().any(|one| one["passed"].is_null())
    );
}

#[test]
fn the_schemas_know_every_finding_and_refuse_what_the_contract_does_not_allow() {
    let codes: Vec<_> = Finding::ALL.iter().map(|finding| finding.code()).collect();
    for name in ["status", "apply"] {
        assert_eq!(schema(name)["$defs"]["finding"]["enum"], json!(codes), "{name}");
    }
    let plan = schema("plan");
    for name in ["status", "links", "apply", "verify"] {
        let schema = schema(name);
        for key in ["environment", "tournament", "manifest_sha256", "observed_at", "money", "summary"] {
            assert_eq!(schema["properties"][key], plan["properties"][key], "{name}: {key}");
        }
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        assert!(!validator.is_valid(&json!({"error": {"code": "locked"}})), "{name}");
    }
}
