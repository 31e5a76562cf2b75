//! Links under an application's webhook that cancels an order when a session of it expires.

use serde_json::json;

use crate::story::application::{Application, Handler, OnExpired};
use crate::story::club::{Club, text};
use crate::story::on_both;
use crate::story::webhook::{cancels, found, is_refused, verify};
use crate::support::wait_until;

on_both!(
    payment_links_are_refused_and_sessions_are_not,
    links_that_are_out_are_refused_once_the_webhook_is_known,
    the_stop_button_closes_a_link_that_somebody_looks_at,
    what_was_verified_with_sessions_says_little_of_links,
);

/// The visits of a link end in expired events, each of which would cancel the order behind the open link.
fn payment_links_are_refused_and_sessions_are_not(club: &Club) {
    let application = found(club, cancels());
    let sessions: Vec<_> = ["1001", "1002", "1003"].map(|player| club.order(player)).into();
    club.append("policy: {link: payment_link}");
    let error = is_refused(club, ["plan", "--json"]);
    assert_eq!(error["details"]["registrations"].as_array().unwrap().len(), 3, "{error:#}");
    for part in ["3 orders would be payable by a payment link", "expires within 24 hours", application.url()] {
        assert!(text(&error["message"]).contains(part), "{error:#}");
    }
    for part in ["policy: { link: session, stale: replace }", "mend the handler", "run tourney verify against it again"]
    {
        assert!(text(&error["hint"]).contains(part), "{error:#}");
    }
    is_refused(club, ["apply", "--yes", "--json"]);
    is_refused(club, ["plan", "--json", "--out", "saved.plan"]);
    let one = is_refused(club, ["plan", "--json", "--player", "1002"]);
    assert_eq!(one["details"]["registrations"], json!([{"player": 1002, "fee": 6}]), "{one:#}");
    let shown = club.tourney(["plan"]).run().expect(1).stdout;
    assert!(shown.contains("Refused: policy asks for payment links (3 orders)"), "{shown}");
    // The stop button works whatever the policy is.
    club.edit("open: true", "open: false");
    club.untouched(|| club.tourney(["plan"]).run()).expect(0);
    club.edit("open: false", "open: true");

    club.edit("policy: {link: payment_link}", "policy: {link: session, stale: replace}");
    club.plans(&[]);
    club.edit("policy: {link: session, stale: replace}", "policy: {link: payment_link}");
    // A handler that was mended is believed again.
    drop(application);
    let mended = Application::start(club, Handler::default());
    verify(club, &mended).expect(0);
    let billed = ["1001/5 renew changed-link", "1002/6 renew changed-link", "1003/5 renew changed-link"];
    club.converges(&billed, &[]);
    assert!(sessions.iter().all(|before| !club.is_open(before.session()) && club.status(&before.id) == "pending"));
}

fn links_that_are_out_are_refused_once_the_webhook_is_known(club: &Club) {
    club.append("policy: {link: payment_link}");
    let application = found(club, cancels());
    // Nothing is to be done, and yet nothing may stay as it is.
    let error = is_refused(club, ["plan", "--json"]);
    assert_eq!(error["details"]["registrations"].as_array().unwrap().len(), 3, "{error:#}");
    let before = club.order("1001");
    club.edit("policy: {link: payment_link}", "policy: {link: session}");
    let error = is_refused(club, ["plan", "--json"]);
    assert!(text(&error["hint"]).contains("policy: { stale: replace }"), "{error:#}");

    club.edit("policy: {link: session}", "policy: {link: session, stale: replace}");
    application.register(club);
    let replaced = ["1001/5 replace changed-link", "1002/6 replace changed-link", "1003/5 replace changed-link"];
    club.converges(&replaced, &[]);
    let after = club.order("1001");
    assert!(after.id != before.id && club.is_open(after.session()));
    let intent = club.pay(after.session());
    wait_until("the handler marks the order paid", || club.order("1001").status == "paid");
    assert_eq!(club.order("1001").intent, Some(intent));
    club.plans(&[]);
}

/// Whoever has a link's page open keeps it from nothing: the visit is closed with its link, and cannot be paid afterwards.
fn the_stop_button_closes_a_link_that_somebody_looks_at(club: &Club) {
    club.append("policy: {link: payment_link}");
    found(club, cancels());
    let (_, link) = club.linked("1001");
    let visit = club.visit(&link);
    club.edit("open: true", "open: false");

    club.tourney(["apply", "--yes"]).run().expect(0);

    assert!(!club.is_active(&link) && !club.is_open(&visit));
    club.plans(&[]);
}

/// An order with a link holds no session: what its handler makes of that, a round trip with sessions does not show.
fn what_was_verified_with_sessions_says_little_of_links(club: &Club) {
    club.bill();
    let spares_others = Handler { on_expired: OnExpired::CancelsUnlessItHoldsAnother, ..Handler::default() };
    let application = Application::start(club, spares_others);
    verify(club, &application).expect(0);
    club.plans(&[]);
    club.append("policy: {link: payment_link}");
    let notes = || club.tourney(["plan", "--json"]).run().expect(0).json()["notes"].to_string();
    assert!(notes().contains("verified with sessions only"), "{}", notes());
    assert!(club.tourney(["plan"]).run().expect(0).stdout.contains("run tourney verify once more"));
    verify(club, &application).expect(1);
    is_refused(club, ["apply", "--yes", "--json"]);

    drop(application);
    verify(club, &Application::start(club, Handler::default())).expect(0);
    assert_eq!(notes(), "[]");
    club.converges(&["1001/5 renew changed-link", "1002/6 renew changed-link", "1003/5 renew changed-link"], &[]);
}
