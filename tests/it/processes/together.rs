//! Sixteen applies at once, of one manifest and of two. Half of them wait for the lock; the others are refused where it is held.

use tourney::domain::PayableKind;

use super::figures::{Came, Figures};
use super::world::{CHANGED, Template, cup, players};
use crate::recovery::on_both;
use crate::recovery::scene::{MANIFEST, Scene};

/// So many run at once.
const RUNS: usize = 16;

on_both!(sixteen_of_one_manifest, sixteen_of_two_tournaments, sixteen_of_two_versions);

fn sixteen_of_one_manifest(on: fn(&str) -> Option<Scene>) {
    let Some(mut template) = Template::changing(on, PayableKind::Session) else { return };
    template.learn();
    together("16 at once, one manifest", &template, &[MANIFEST]);
}

/// Of the two tournaments neither touches what is the other's.
fn sixteen_of_two_tournaments(on: fn(&str) -> Option<Scene>) {
    let Some(template) = Template::changing(on, PayableKind::Session) else { return };
    let shield = cup("shield", &players("12345678"), PayableKind::Session);
    together("16 at once, two tournaments", &template.with("shield.yaml", &shield), &[MANIFEST, "shield.yaml"]);
}

/// What one version asks for the other takes back.
fn sixteen_of_two_versions(on: fn(&str) -> Option<Scene>) {
    let Some(template) = Template::changing(on, PayableKind::Session) else { return };
    let edited = CHANGED.replace("amount: 40.00", "amount: 45.00").replace("fee: 5, renamed_from: 6}", "fee: 5}");
    let edited = edited.replace("id: 7", "id: 77").replace("parent8@", "another8@");
    let edited = cup("cup", &edited, PayableKind::Session);
    together("16 at once, two versions", &template.with("edited.yaml", &edited), &[MANIFEST, "edited.yaml"]);
}

fn together(name: &str, template: &Template, manifests: &[&str]) {
    let figures = Figures::of(format!("{name}: {}", template.known.name), RUNS, 2).each([name], |_| {
        let scene = template.copy();
        // Long enough that whoever comes second meets the first at work.
        scene.latency(20);
        let run = |nth: usize| {
            let patience = if is_patient(nth) { "60s" } else { "0s" };
            let manifest = manifests[nth / 2 % manifests.len()];
            scene.tourney(["apply", "--yes", "--json", "--lock-timeout", patience, manifest]).spawn()
        };
        let all: Vec<_> = (0..RUNS).map(run).collect();
        let mut came = Came::default();
        for (nth, one) in all.into_iter().enumerate() {
            let ended = one.wait();
            let refused = ended.code() == Some(1) && ended.json()["error"]["code"] == "locked";
            came.struck |= refused;
            if ended.code() != Some(0) && (is_patient(nth) || !refused) {
                came.wrong.push(format!("run {nth}: {ended:?}"));
            }
        }
        scene.latency(0);
        for manifest in manifests {
            scene.folder.write(MANIFEST, &scene.folder.read(manifest));
            let (reruns, wrong) = template.known.reruns(&scene, false);
            came.reruns = came.reruns.max(reruns);
            came.wrong.extend(wrong);
        }
        came
    });
    figures.assert_fine();
}

const fn is_patient(nth: usize) -> bool {
    nth % 2 == 1
}
