//! `tourney show`: one page on whatever a word leads to.

use serde_json::{Value, json};
use tourney::sandbox::core::{Control, Seed, TestCard};

use crate::support::{Folder, applied_camp, control, wait_until};

fn page(folder: &Folder, what: &str) -> Value {
    folder.tourney(["show", what, "--json"]).run().expect(0).json()
}

#[test]
fn a_player_leads_to_its_orders_sessions_and_the_next_command() {
    let folder = applied_camp();
    let page = page(&folder, "1");
    assert_eq!((page["registrations"].as_array().unwrap().len(), page["orders"].as_array().unwrap().len()), (2, 2));
    assert_eq!(page["registrations"][0]["email"], "s***@example.com");
    let order = &page["orders"][0];
    assert_eq!(
        (&order["attempts"][0]["state"], &order["attempts"][0]["session_id"]),
        (&json!("recorded"), &order["session_id"])
    );
    for session in page["sessions"].as_array().unwrap() {
        assert_eq!(session["metadata_order_id"], session["order_id"]);
        assert_eq!((&session["status"], &session["customer_email"]), (&json!("open"), &json!("s***@example.com")));
    }
    assert_eq!(page["next"], "tourney links --player 1");
    let text = folder.tourney(["show", "kim"]).run().expect(0).stdout;
    assert!(
        text.contains("pays late") && text.contains("$240.00 by the manifest") && text.contains("Next: tourney links"),
        "{text}"
    );
    assert!(!text.contains("dune@"), "{text}");
}

#[test]
fn every_name_of_an_order_leads_to_it() {
    let folder = applied_camp();
    let order = page(&folder, "kim")["orders"][0].clone();
    let session = order["session_id"].as_str().unwrap().to_owned();
    control(&folder, Control::Pay { session: session.clone(), card: TestCard::Success, email: None });
    assert_eq!(page(&folder, "kim")["next"], "tourney plan --player kim");
    folder.tourney(["apply", "--yes"]).run().expect(0);
    let by_session = page(&folder, &session);
    let intent = by_session["orders"][0]["payment_intent"].as_str().unwrap().to_owned();
    assert_eq!(by_session["sessions"][0]["payment"]["state"], "succeeded");
    assert_eq!(by_session["events"][0]["type"], "checkout.session.completed");
    assert_eq!(by_session["next"], "nothing: all is in order");
    for what in [order["id"].as_str().unwrap(), &intent, "DUNE@example.com"] {
        let page = page(&folder, what);
        assert_eq!(page["orders"], by_session["orders"], "{what}");
        assert_eq!(page["sessions"], by_session["sessions"], "{what}");
    }
    let text = folder.tourney(["show", &intent]).run().expect(0).stdout;
    assert!(text.contains(&format!("payment {intent}")) && text.contains("checkout.session.completed"), "{text}");
}

#[test]
fn a_session_of_nobody_is_shown_as_such() {
    let folder = applied_camp();
    let seed: Seed = serde_json::from_value(json!({
        "amount": 5500, "currency": "usd", "name": "By hand", "metadata": {"order_id": "ord_elsewhere"}, "email": "someone@example.com",
    }))
    .unwrap();
    let seeded = control(&folder, Control::SeedSession(Box::new(seed)));
    let page = page(&folder, seeded["id"].as_str().unwrap());
    assert_eq!((&page["orders"], &page["registrations"]), (&json!([]), &json!([])));
    assert_eq!(
        (&page["sessions"][0]["order_id"], &page["sessions"][0]["metadata_order_id"]),
        (&Value::Null, &json!("ord_elsewhere"))
    );
    assert!(page["next"].as_str().unwrap().starts_with("tourney verify --audit-only"));
}

#[test]
fn without_a_manifest_the_database_still_answers() {
    let folder = applied_camp();
    let order = page(&folder, "kim")["orders"][0].clone();
    std::fs::rename(folder.path("tournament.yaml"), folder.path("camp.yaml")).unwrap();
    let id = order["id"].as_str().unwrap();
    let bare = page(&folder, id);
    assert_eq!((&bare["orders"][0], &bare["registrations"]), (&order, &json!([])));
    assert!(bare["next"].as_str().unwrap().starts_with("tourney status"));
    let named = folder.tourney(["show", id, "--manifest", "camp.yaml", "--json"]).run().expect(0).json();
    assert_eq!(named["registrations"][0]["player"], "kim");
    assert_eq!(named["next"], "tourney links camp.yaml --player kim");
    folder.sh(named["next"].as_str().unwrap()).run().expect(0);
    folder.tourney(["show", id, "--manifest", "absent.yaml"]).run().expect(1);
}

#[test]
fn the_order_of_a_player_who_left_is_found_and_its_next_command_works() {
    let folder = applied_camp();
    let kim = folder.read("tournament.yaml").lines().find(|line| line.contains("kim")).unwrap().to_owned();
    folder.write("tournament.yaml", &folder.read("tournament.yaml").replace(&kim, ""));
    let page = folder.tourney(["show", "kim", "-e", "sandbox", "--json"]).run().expect(0).json();
    assert_eq!(page["registrations"][0]["findings"], json!(["withdrawn"]));
    assert_eq!((&page["registrations"][0]["name"], &page["orders"][0]["status"]), (&Value::Null, &json!("pending")));
    assert_eq!(page["next"], "tourney -e sandbox plan");
    folder.sh(page["next"].as_str().unwrap()).run().expect(0);
}

#[test]
fn what_leads_nowhere_is_not_found() {
    let folder = applied_camp();
    for what in ["99", "cs_test_none", "pi_none", "nobody@example.com", "ord_none"] {
        let error = folder.tourney(["show", what, "--json"]).run().expect(1).json();
        assert_eq!(error["error"]["code"], "not-found", "{what}");
        assert!(error["error"]["hint"].is_string() && !error.to_string().contains("nobody@"), "{error}");
    }
    folder.tourney(["show"]).run().expect(64);
}

#[test]
fn a_canary_that_a_person_paid_is_told_as_paid_and_shown_as_what_it_was() {
    let folder = applied_camp();
    let verify = folder.tourney(["verify", "--pay", "--json"]).spawn();
    let asks = "Pay the canary with a test card at ";
    wait_until("a person is asked to pay", || verify.stderr().split(asks).nth(1).is_some_and(|url| url.contains('\n')));
    let url = verify.stderr().split(asks).nth(1).unwrap().lines().next().unwrap().to_owned();
    let session = url.rsplit('/').next().unwrap().to_owned();
    control(&folder, Control::Pay { session: session.clone(), card: TestCard::Success, email: None });
    let checks = verify.wait().expect(0).json()["checks"].clone();
    let detail = |name: &str| {
        let check = checks.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
        check["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(detail("clean-up"), "its session was paid and its row removed");
    let order = detail("canary").split(' ').nth(1).unwrap().to_owned();
    for what in [order.as_str(), &session] {
        let page = page(&folder, what);
        assert_eq!(page["canaries"][0]["order_id"], order.as_str(), "{what}: {page:#}");
        assert_eq!(page["canaries"][0]["stands"], false, "{what}: {page:#}");
    }
    let text = folder.tourney(["show", &order]).run().expect(0).stdout;
    assert!(text.contains("was a canary of tourney verify, and is removed"), "{text}");
}
