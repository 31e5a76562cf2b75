//! The same with Payment Links, and while the policy switches from sessions to links and back.

use std::collections::BTreeSet;

use tourney::domain::{OrderStatus, SessionId};
use tourney::sandbox::core::{Control, Prefill, What, When};

use super::On;
use super::scene::{CUP, MANIFEST, Scene, UTAH};
use crate::support::wait_until;

super::on_both!(
    an_apply_of_links_killed_at_any_point_is_finished_by_the_next,
    a_switch_that_is_killed_anywhere_is_finished_by_the_next,
    a_fault_that_passes_is_overcome_wherever_it_strikes_a_switch,
    a_fault_that_stays_is_told_and_overcome_later,
    links_whose_answers_were_lost_are_found_by_their_metadata_a_day_later,
    what_was_paid_at_a_link_that_nobody_heard_of_is_recorded,
    a_link_that_was_made_before_the_stop_button_is_closed,
    a_link_that_is_paid_while_it_is_replaced_is_recorded_as_paid,
    a_switch_while_an_attempt_is_open_ends_with_one_payable,
);

const LINK: (&str, &str) = ("POST", "/v1/payment_links");
const SESSION: (&str, &str) = ("POST", "/v1/checkout/sessions");

fn fault(scene: &Scene, (method, path): (&str, &str), when: When, what: What, times: u32, skip: u32) {
    let (method, path_prefix) = (Some(method.to_owned()), path.to_owned());
    scene.control(Control::Fault { method, path_prefix, when, what, times, skip });
}

fn visit(scene: &Scene, link: &SessionId) -> SessionId {
    let visit = scene.control(Control::Visit { link: link.to_string(), prefill: Prefill::default() });
    SessionId::from(visit["id"].as_str().unwrap())
}

/// Kills an apply as soon as Stripe has met so many requests; gives whether it was still at work.
fn killed_at(scene: &Scene, requests: u64) -> bool {
    scene.control(Control::ResetStats);
    let apply = scene.tourney(["apply", "--yes"]).spawn();
    wait_until("so many requests, or the end", || {
        let met = scene.control(Control::Stats)["requests"].as_u64().unwrap();
        met >= requests || !apply.stdout().is_empty()
    });
    apply.signal("KILL");
    apply.wait().code().is_none()
}

/// After at most two reruns everything is as it should be; never before was anybody payable twice.
#[track_caller]
fn converges(scene: &Scene) {
    scene.assert_payable_once();
    if scene.apply().code() != Some(0) {
        scene.assert_payable_once();
        scene.apply().expect(0);
    }
    scene.assert_converged();
}

fn an_apply_of_links_killed_at_any_point_is_finished_by_the_next(on: On) {
    for links in [1, 9] {
        let Some(scene) = on(UTAH) else { return };
        scene.link_policy("payment_link");
        scene.incident();
        scene.latency(60);
        for links in [links, links + 3] {
            let apply = scene.tourney(["apply", "--yes"]).spawn();
            wait_until("links are being made", || scene.links_created() >= links);
            apply.signal("KILL");
            assert_eq!(apply.wait().code(), None);
            scene.assert_payable_once();
        }
        scene.latency(0);
        let report = scene.apply().expect(0).json();
        assert!(report["recovered"].as_u64() > Some(0), "{report}");
        assert_eq!(report["proof"]["live"], 21);
        scene.assert_converged();
        assert_eq!(scene.links().len(), 21);
        assert_eq!(scene.facts().orders.len(), 42, "no order was made twice");
    }
}

fn a_switch_that_is_killed_anywhere_is_finished_by_the_next(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.apply().expect(0);
    let mut killed = 0;
    for (round, requests) in (2..34).step_by(3).enumerate() {
        scene.link_policy(if round % 2 == 0 { "payment_link" } else { "session" });
        scene.latency(15);
        killed += u32::from(killed_at(&scene, requests));
        scene.latency(0);
        converges(&scene);
        let links = if round % 2 == 0 { 4 } else { 0 };
        assert_eq!(scene.links().len(), links, "round {round}");
        for link in scene.links().iter().take(2) {
            visit(&scene, &link.id);
        }
    }
    assert!(killed >= 8, "only {killed} were met at work");
    assert_eq!(scene.facts().orders.len(), 4, "orders are kept");
}

fn a_fault_that_passes_is_overcome_wherever_it_strikes_a_switch(on: On) {
    let requests = [
        ("GET", "/v1/prices"),
        ("POST", "/v1/prices"),
        LINK,
        ("GET", "/v1/payment_links"),
        ("POST", "/v1/payment_links/"),
        ("GET", "/v1/checkout/sessions"),
        ("POST", "/v1/checkout/sessions/"),
        SESSION,
    ];
    for (when, what) in [(When::Before, What::Cut), (When::After, What::Cut), (When::Before, What::RateLimited)] {
        let Some(scene) = on(CUP) else { return };
        scene.apply().expect(0);
        for (round, policy) in ["payment_link", "session", "payment_link"].into_iter().enumerate() {
            scene.link_policy(policy);
            for request in requests {
                fault(&scene, request, when, what, 1, 0);
            }
            scene.apply().expect(0);
            scene.control(Control::ClearFaults);
            scene.assert_converged();
            let made = scene.sessions().len() + scene.links().len();
            assert_eq!(made, [8, 8, 12][round], "{when:?} {what:?}: a lost answer makes no second payable");
        }
    }
}

/// Each kind of request that a switch makes fails for good, once; whatever comes of it, the rerun without the fault converges.
fn a_fault_that_stays_is_told_and_overcome_later(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.apply().expect(0);
    let mut policy = "session";
    for (request, to) in [
        (("POST", "/v1/checkout/sessions/"), "payment_link"),
        (("POST", "/v1/payment_links/"), "session"),
        (("GET", "/v1/prices"), "payment_link"),
        (SESSION, "session"),
        (LINK, "payment_link"),
    ] {
        assert_ne!(std::mem::replace(&mut policy, to), to, "each is a switch");
        scene.link_policy(to);
        // Each try of the second registration fails, and the answer is not what became of it.
        fault(&scene, request, When::After, What::Status(500), 5, 1);
        let failed = scene.tourney(["apply", "--yes", "--parallelism", "1"]).run();
        assert!([Some(0), Some(1)].contains(&failed.code()), "{request:?}");
        scene.control(Control::ClearFaults);
        converges(&scene);
    }
    assert_eq!(scene.facts().orders.len(), 4, "orders are kept");
}

/// An apply whose every answer about a new link was lost.
fn unheard(scene: &Scene) -> Vec<SessionId> {
    scene.link_policy("payment_link");
    fault(scene, LINK, When::After, What::Cut, 50, 0);
    scene.apply().expect(1);
    scene.control(Control::ClearFaults);
    assert_eq!((scene.links().len(), scene.facts().attempts.len()), (4, 4));
    scene.assert_payable_once();
    scene.links().into_iter().map(|link| link.id).collect()
}

fn links_whose_answers_were_lost_are_found_by_their_metadata_a_day_later(on: On) {
    let Some(scene) = on(CUP) else { return };
    let made: BTreeSet<SessionId> = unheard(&scene).into_iter().collect();
    // Stripe has forgotten the keys.
    scene.control(Control::Advance { seconds: 25 * 3_600 });
    let asked = scene.links_created();
    let report = scene.apply().expect(0).json();
    assert_eq!(report["recovered"], 4, "{report}");
    assert_eq!(scene.links_created(), asked, "they were found, not made again");
    assert_eq!(scene.links().into_iter().map(|link| link.id).collect::<BTreeSet<_>>(), made);
    scene.assert_converged();
}

fn what_was_paid_at_a_link_that_nobody_heard_of_is_recorded(on: On) {
    for hours in [0, 25] {
        let Some(scene) = on(CUP) else { return };
        let made = unheard(&scene);
        let (paid, open) = (visit(&scene, &made[0]), visit(&scene, &made[1]));
        scene.pay(&paid);
        scene.control(Control::Advance { seconds: hours * 3_600 });
        if hours > 0 {
            // The visit has lived its day; somebody else has come since.
            visit(&scene, &made[1]);
        }
        if scene.apply().code() != Some(0) {
            scene.apply().expect(0);
        }
        scene.assert_converged();
        let facts = scene.facts();
        assert_eq!(facts.orders.iter().filter(|order| order.status == OrderStatus::Paid).count(), 1);
        assert_eq!(scene.links().len(), 3, "no new bill beside the payment");
        assert_eq!(scene.sessions().iter().any(|one| one.id == open && one.is_open()), hours == 0);
    }
}

fn a_link_that_was_made_before_the_stop_button_is_closed(on: On) {
    for hours in [0, 25] {
        let Some(scene) = on(CUP) else { return };
        let made = unheard(&scene);
        visit(&scene, &made[0]);
        scene.control(Control::Advance { seconds: hours * 3_600 });
        let text = scene.folder.read(MANIFEST);
        scene.folder.write(MANIFEST, &text.replace("currency: usd}", "currency: usd, open: false}"));
        scene.apply().expect(0);
        assert_eq!((scene.open(), scene.facts().attempts), (vec![], vec![]));
        assert!(scene.sessions().iter().all(|session| !session.is_open()), "no visit outlives its link");
        scene.tourney(["plan", "--detailed-exitcode"]).run().expect(0);
    }
}

/// The parent pays at a visit between our look and our closing: the payment is recorded, and no new bill is made.
fn a_link_that_is_paid_while_it_is_replaced_is_recorded_as_paid(on: On) {
    let Some(scene) = on(CUP) else { return };
    scene.link_policy("payment_link");
    scene.apply().expect(0);
    let last = scene.facts().orders.into_iter().find(|order| order.registration.player.to_string() == "4").unwrap();
    let session = visit(&scene, last.session.as_ref().unwrap());
    scene.link_policy("session");
    scene.control(Control::ResetStats);
    scene.latency(200);
    let apply = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).spawn();
    scene.wait_for_creates(1);
    scene.pay(&session);
    let report = apply.wait().expect(0).json();
    scene.latency(0);
    let skipped = report["results"].as_array().unwrap().iter().find(|one| one["player"] == 4).unwrap();
    assert_eq!(skipped["outcome"], "skipped", "{report}");
    assert!(skipped["detail"].as_str().unwrap().contains("it was paid meanwhile"), "{skipped}");
    super::faults::assert_told_as_recorded(&report, &last.id.to_string(), session.as_str());
    assert_eq!(scene.creates(), 3, "no new bill");
    let order = scene.facts().orders.into_iter().find(|order| order.id == last.id).unwrap();
    assert_eq!(order.status, OrderStatus::Paid);
    scene.assert_converged();
}

/// The policy goes back while links are made of which nobody has heard: what the attempts made is settled as it is, and
/// then closed for what the policy asks.
fn a_switch_while_an_attempt_is_open_ends_with_one_payable(on: On) {
    for hours in [0, 25] {
        let Some(scene) = on(CUP) else { return };
        let made = unheard(&scene);
        visit(&scene, &made[2]);
        scene.control(Control::Advance { seconds: hours * 3_600 });
        scene.link_policy("session");
        converges(&scene);
        assert_eq!(scene.links(), []);
        assert_eq!(scene.facts().orders.len(), 4);
    }
}
