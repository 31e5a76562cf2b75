//! Saved plans: what was reviewed is what is done.

use serde_json::Value;
use tourney::domain::SessionId;
use tourney::ledger::{Ledger as _, RetireHow, Written};
use tourney::sandbox::core::Control;

use super::On;
use super::scene::{CUP, Scene};

super::on_both!(
    a_saved_plan_does_what_it_says_and_no_more,
    a_saved_plan_finds_its_manifest_from_anywhere,
    a_session_that_expired_since_the_plan_refuses_it,
    metadata_that_moved_since_the_plan_refuses_it,
    an_order_that_moved_since_the_plan_refuses_it,
    allow_less_refuses_a_change_that_stands_on_other_facts,
);

const PLAN: &str = "plan.json";

fn planned(on: On) -> Option<(Scene, [SessionId; 4])> {
    let scene = on(CUP)?;
    let sessions = scene.one_of_each();
    scene.tourney(["plan", "--out", PLAN]).run().expect(0);
    Some((scene, sessions))
}

/// Applies the saved plan, which must be refused before anything is written; gives what moved.
#[track_caller]
fn refused(scene: &Scene) -> Vec<String> {
    let before = (scene.facts(), scene.sessions());
    let error = scene.tourney(["apply", PLAN, "--yes", "--json"]).run().expect(1).json();
    assert_eq!(error["error"]["code"], "plan-outdated", "{error}");
    assert_eq!((scene.facts(), scene.sessions()), before, "nothing was done");
    error["error"]["details"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn is_refused_over(scene: &Scene, what: &str) {
    let moved = refused(scene);
    assert!(moved.iter().any(|line| line.contains(what)), "{what} not in {moved:#?}");
}

fn subjects(changes: &Value) -> Vec<(u64, String)> {
    let all = changes.as_array().unwrap().iter();
    all.map(|one| (one["player"].as_u64().unwrap(), one["action"].as_str().unwrap().to_owned())).collect()
}

fn a_saved_plan_does_what_it_says_and_no_more(on: On) {
    let Some((scene, _)) = planned(on) else { return };
    let said = scene.tourney(["plan", "--json"]).run().expect(0).json();
    let done = scene.tourney(["apply", PLAN, "--yes", "--json"]).run().expect(0).json();
    assert_eq!(subjects(&done["results"]), subjects(&said["changes"]));
    assert!(done["results"].as_array().unwrap().iter().all(|one| one["outcome"] == "done"), "{done}");
    scene.assert_converged();
    assert!(!refused(&scene).is_empty(), "it is carried out once only");
}

fn a_saved_plan_finds_its_manifest_from_anywhere(on: On) {
    let Some((scene, _)) = planned(on) else { return };
    let plan = scene.folder.path(PLAN);
    scene.folder.write("elsewhere/note", "");
    let script = format!("cd elsewhere && tourney apply {} --yes", plan.display());
    scene.in_environment(scene.folder.sh(&script)).run().expect(0);
    scene.assert_converged();
}

fn a_session_that_expired_since_the_plan_refuses_it(on: On) {
    let Some((scene, [_, open, ..])) = planned(on) else { return };
    scene.control(Control::Expire { session: open.to_string() });
    is_refused_over(&scene, "expired");
}

fn metadata_that_moved_since_the_plan_refuses_it(on: On) {
    let Some((scene, [_, open, ..])) = planned(on) else { return };
    let order = scene.facts().orders.iter().find(|order| order.session.as_ref() == Some(&open)).unwrap().id.clone();
    scene.name(&open, &order.to_string());
    is_refused_over(&scene, "details");
}

fn an_order_that_moved_since_the_plan_refuses_it(on: On) {
    let Some((scene, [expired, ..])) = planned(on) else { return };
    let order = scene.facts().orders.into_iter().find(|order| order.session.as_ref() == Some(&expired)).unwrap();
    let guard = crate::lock::held(&scene);
    let now = jiff::Timestamp::now();
    let retired =
        scene.block_on(scene.ledger.retire(&guard, &order.seen(), RetireHow::Cancel, "withdrawn", now)).unwrap();
    assert_eq!(retired, Written::Done);
    scene.block_on(scene.ledger.unlock(&guard)).unwrap();
    is_refused_over(&scene, &format!("order {}", order.id));
}

fn allow_less_refuses_a_change_that_stands_on_other_facts(on: On) {
    let Some((scene, [.., renewed, _])) = planned(on) else { return };
    scene.control(Control::Expire { session: renewed.to_string() });
    let error = scene.tourney(["apply", PLAN, "--yes", "--json", "--allow-less"]).run().expect(1).json();
    assert_eq!(error["error"]["code"], "plan-outdated", "{error}");
    assert_eq!(scene.creates(), 0);
}
