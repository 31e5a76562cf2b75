//! A run is killed while it makes links, and nobody is to pay at them any more before the next one: the day passes, a player
//! leaves, a fee is waived. What the killed run made is closed, also where Stripe has forgotten the request.

use tourney::domain::{OrderStatus, SessionId};
use tourney::sandbox::core::{Control, Prefill};

use super::On;
use super::scene::{CUP, MANIFEST, Scene};
use crate::support::wait_until;

super::on_both!(
    links_of_a_killed_run_are_closed_when_their_day_has_passed,
    a_link_of_a_killed_run_is_closed_when_its_player_leaves,
    a_link_of_a_killed_run_is_closed_when_its_fee_is_waived,
    what_was_paid_at_a_link_of_a_killed_run_is_recorded_when_the_day_has_passed,
    what_was_paid_at_a_link_of_a_killed_run_is_for_a_person_when_its_player_leaves,
);

/// Hours until the next run: in the last case Stripe knows no request of the killed one any more.
const LATER: [i64; 2] = [0, 25];

const SECOND: &str = "  - {id: 2, name: Devon Dogwood, email: parent2@example.com, fee: 5}\n";

/// A run is killed while Stripe makes the link of each player; it hears of none.
fn killed(on: On) -> Option<Scene> {
    let scene = on(CUP)?;
    scene.link_policy("payment_link");
    scene.latency(200);
    let apply = scene.tourney(["apply", "--yes"]).spawn();
    wait_until("every link is asked for", || scene.links_created() == 4);
    assert_eq!(apply.kill().code(), None);
    scene.latency(0);
    wait_until("every link is made", || scene.links().len() == 4);
    assert_eq!(scene.facts().attempts.len(), 4, "nothing was heard of them");
    scene.assert_payable_once();
    Some(scene)
}

fn edit(scene: &Scene, before: &str, after: &str) {
    let text = scene.folder.read(MANIFEST);
    assert_eq!(text.matches(before).count(), 1, "{before}");
    scene.folder.write(MANIFEST, &text.replace(before, after));
}

/// Somebody opens the link that was made for a player.
fn visit(scene: &Scene, player: &str) -> SessionId {
    let its =
        |link: &SessionId| scene.links().iter().any(|one| one.id == *link && one.metadata["tourney_player"] == player);
    let link = scene.links().into_iter().map(|link| link.id).find(its).unwrap();
    let visit = scene.control(Control::Visit { link: link.to_string(), prefill: Prefill::default() });
    SessionId::from(visit["id"].as_str().unwrap())
}

fn later(scene: &Scene, hours: i64) {
    scene.control(Control::Advance { seconds: hours * 3_600 });
}

/// No attempt is left open, nothing open is without its live order, and nothing is left to do but for what exits with `code`.
#[track_caller]
fn is_settled(scene: &Scene, open: usize, code: i32) {
    assert_eq!((scene.links().len(), scene.facts().attempts), (open, vec![]));
    assert!(scene.sessions().iter().all(|session| !session.is_open()), "no visit outlives its link");
    scene.assert_payable_once();
    scene.tourney(["plan", "--detailed-exitcode"]).run().expect(code);
}

fn status(scene: &Scene, player: &str) -> OrderStatus {
    let orders = scene.facts().orders;
    let mut its = orders.iter().filter(|order| order.registration.player.to_string() == player);
    let order = its.next().unwrap();
    assert_eq!(its.next(), None);
    order.status
}

fn links_of_a_killed_run_are_closed_when_their_day_has_passed(on: On) {
    for hours in LATER {
        let Some(scene) = killed(on) else { return };
        visit(&scene, "2");
        later(&scene, hours);
        edit(&scene, "currency: usd}", "currency: usd, pay_by: 2020-04-25}");
        scene.apply().expect(0);
        is_settled(&scene, 0, 0);
        assert!(scene.facts().orders.iter().all(|order| order.status == OrderStatus::Pending), "orders are kept");
    }
}

fn a_link_of_a_killed_run_is_closed_when_its_player_leaves(on: On) {
    for hours in LATER {
        let Some(scene) = killed(on) else { return };
        visit(&scene, "2");
        later(&scene, hours);
        edit(&scene, SECOND, "");
        scene.apply().expect(0);
        is_settled(&scene, 3, 0);
        assert_eq!(status(&scene, "2"), OrderStatus::Canceled);
        assert!(scene.links().iter().all(|link| link.metadata["tourney_player"] != "2"));
    }
}

fn a_link_of_a_killed_run_is_closed_when_its_fee_is_waived(on: On) {
    for hours in LATER {
        let Some(scene) = killed(on) else { return };
        visit(&scene, "2");
        later(&scene, hours);
        edit(&scene, SECOND, &SECOND.replace("fee: 5", "fee: 5, amount: 0.00"));
        scene.apply().expect(0);
        is_settled(&scene, 3, 0);
        assert_eq!(status(&scene, "2"), OrderStatus::Canceled);
    }
}

fn what_was_paid_at_a_link_of_a_killed_run_is_recorded_when_the_day_has_passed(on: On) {
    for hours in LATER {
        let Some(scene) = killed(on) else { return };
        scene.pay(&visit(&scene, "2"));
        later(&scene, hours);
        edit(&scene, "currency: usd}", "currency: usd, pay_by: 2020-04-25}");
        scene.apply().expect(0);
        is_settled(&scene, 0, 0);
        assert_eq!(status(&scene, "2"), OrderStatus::Paid);
    }
}

fn what_was_paid_at_a_link_of_a_killed_run_is_for_a_person_when_its_player_leaves(on: On) {
    for hours in LATER {
        let Some(scene) = killed(on) else { return };
        scene.pay(&visit(&scene, "2"));
        later(&scene, hours);
        edit(&scene, SECOND, "");
        scene.apply().expect(3);
        is_settled(&scene, 3, 3);
        assert_eq!(status(&scene, "2"), OrderStatus::Paid, "the money is never dropped");
    }
}
