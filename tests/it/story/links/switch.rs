//! From sessions to links and back: at most one payable for a registration, whatever the policy was.

use serde_json::{Value, json};

use super::LINKS;
use crate::story::club::{Club, text};
use crate::story::on_both;

on_both!(
    sessions_become_links_and_links_sessions,
    a_visit_that_is_open_is_closed_with_its_link,
    a_visit_that_was_paid_is_recorded_and_not_switched,
    a_session_that_was_paid_is_recorded_and_not_switched,
    a_payment_on_its_way_is_not_switched,
    what_expired_meanwhile_becomes_a_link,
);

const BACK: &str = "policy: {link: session}";

fn all(remedy: &str) -> [String; 3] {
    ["1001/5", "1002/6", "1003/5"].map(|one| format!("{one} {remedy}"))
}

/// Switches the policy, and looks at the order of the requests: for each registration the old payable is closed before
/// the new one is made.
#[track_caller]
fn switches(club: &Club) {
    club.control(json!({"command": "reset_stats"}));
    club.plans(&all("renew changed-link").each_ref().map(String::as_str));
    // One after the other, so that the requests of one registration stand together.
    club.tourney(["apply", "--yes", "--parallelism", "1"]).run().expect(0);
    let writes = club.writes();
    let (mut closed, mut made) = (0, 0);
    for request in &writes {
        let path = request.strip_prefix("POST ").unwrap_or_else(|| panic!("{request}"));
        match path {
            "/v1/checkout/sessions" | "/v1/payment_links" => {
                made += 1;
                assert!(closed >= made, "made before the old one was closed: {writes:#?}");
            }
            "/v1/prices" => {}
            // Either is the end of the old one, or of a visit of it.
            _ if path.ends_with("/expire") || path.starts_with("/v1/payment_links/") => closed += 1,
            _ => panic!("what for? {request}"),
        }
    }
    assert_eq!((closed, made), (3, 3), "{writes:#?}");
    club.converges(&[], &[]);
}

fn sessions_become_links_and_links_sessions(club: &Club) {
    club.bill();
    let orders = club.orders();
    let ids = |club: &Club| club.orders().into_iter().map(|order| order.id).collect::<Vec<_>>();
    let sessions: Vec<String> = orders.iter().map(|order| order.session().to_owned()).collect();
    club.append(LINKS);
    switches(club);
    assert!(sessions.iter().all(|session| !club.is_open(session)));
    let links: Vec<String> = club.orders().iter().map(|order| club.link_of(order)).collect();
    assert!(links.iter().all(|link| club.is_active(link)));

    club.edit(LINKS, BACK);
    switches(club);
    assert!(links.iter().all(|link| !club.is_active(link)));
    assert!(club.orders().iter().all(|order| club.is_open(order.session())));

    club.edit(BACK, LINKS);
    switches(club);
    assert_eq!(ids(club), orders.into_iter().map(|order| order.id).collect::<Vec<_>>(), "orders are kept");
    let again: Vec<String> = club.orders().iter().map(|order| club.link_of(order)).collect();
    assert!(again.iter().all(|link| club.is_active(link) && !links.contains(link)));
    club.pay(&club.visit(&again[0]));
    let player = &club.orders()[0].player.clone();
    let fee = club.orders()[0].fee.clone();
    club.converges(&[&format!("{player}/{fee} record_payment unrecorded-payment")], &[]);
}

fn a_visit_that_is_open_is_closed_with_its_link(club: &Club) {
    club.bill_by_links();
    let (_, link) = club.linked("1001");
    let visits = [club.visit(&link), club.visit(&link)];
    club.edit(LINKS, BACK);
    club.converges(&all("renew changed-link").each_ref().map(String::as_str), &[]);
    assert!(!club.is_active(&link) && visits.iter().all(|visit| !club.is_open(visit)));
    assert!(club.is_open(club.order("1001").session()));
}

fn a_visit_that_was_paid_is_recorded_and_not_switched(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let intent = club.pay(&club.visit(&link));
    club.edit(LINKS, BACK);
    let plan = ["1001/5 record_payment unrecorded-payment", "1002/6 renew changed-link", "1003/5 renew changed-link"];
    club.converges(&plan, &[]);
    let after = club.row(&order.id).unwrap();
    assert_eq!((after.status.as_str(), after.intent, after.session), ("paid", Some(intent), None));
}

fn a_session_that_was_paid_is_recorded_and_not_switched(club: &Club) {
    club.bill();
    let order = club.order("1001");
    let intent = club.pay(order.session());
    club.append(LINKS);
    let plan = ["1001/5 record_payment unrecorded-payment", "1002/6 renew changed-link", "1003/5 renew changed-link"];
    club.converges(&plan, &[]);
    assert_eq!(club.row(&order.id).unwrap().intent, Some(intent));
    let made: Vec<Value> = club.links();
    assert_eq!(made.len(), 2, "{made:#?}");
}

fn a_payment_on_its_way_is_not_switched(club: &Club) {
    club.bill_by_links();
    let (order, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.pay_with(&visit, "delayed_success");
    club.edit(LINKS, BACK);
    club.converges(&["1002/6 renew changed-link", "1003/5 renew changed-link"], &[]);
    assert_eq!(club.row(&order.id), Some(order.clone()));
    club.control(json!({"command": "settle_delayed", "session": visit, "succeed": true}));
    club.converges(&["1001/5 record_payment unrecorded-payment"], &[]);
}

fn what_expired_meanwhile_becomes_a_link(club: &Club) {
    club.bill();
    for order in club.orders() {
        club.expire(order.session());
    }
    club.append(LINKS);
    club.converges(&all("renew expired-session").each_ref().map(String::as_str), &[]);
    assert_eq!(club.links().iter().filter(|link| link["active"] == true).count(), 3);
    let urls: Vec<_> = club.links().iter().map(|link| text(&link["url"]).to_owned()).collect();
    assert_eq!(urls.len(), 3);
}
