//! Every finding and every combination that matters: `tests/scenarios/*.yaml`, each with what the plan must say.

use std::fmt::Write;
use std::path::Path;

use tourney::plan::{Plan, plan};
use tourney::render::plan::{json, terminal};

use super::scenario::Scenario;

fn scenarios(file: &str) -> Vec<Scenario> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(file);
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// All scenarios of all files.
pub(crate) fn all() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    files.iter().flat_map(|file| scenarios(file.to_str().unwrap())).collect()
}

/// The changes in the words of a scenario's `expect`.
pub(crate) fn in_words(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().map(|change| {
        let whose = change.subject.registration.as_ref().map(|whose| format!("{}/{}", whose.player, whose.fee));
        let findings: Vec<_> = change.findings.iter().map(|finding| finding.code()).collect();
        format!("{} {} {}", whose.unwrap_or_else(|| "-/-".to_owned()), change.action.word(), findings.join(" "))
    });
    changes.collect()
}

fn run(scenario: &Scenario) -> String {
    let (manifest, name) = (scenario.manifest(), &scenario.name);
    let plan = plan(&manifest, &scenario.observed(), &scenario.options());
    assert_eq!(in_words(&plan), scenario.expect, "{name}");
    assert_eq!(plan.notes.len(), scenario.notes.len(), "{name}: {:?}", plan.notes);
    for (note, part) in plan.notes.iter().zip(&scenario.notes) {
        assert!(note.text.contains(part.as_str()), "{name}: {} lacks {part}", note.text);
    }
    let sums = (plan.summary.unchanged, plan.money.unpayable, plan.money.paid, plan.links_stopping, plan.foreign.len());
    let expected =
        (scenario.unchanged, scenario.unpayable, scenario.paid, scenario.links_stopping, scenario.foreign as usize);
    assert_eq!(sums, expected, "{name}: unchanged, unpayable, paid, links stopping, foreign");
    assert_eq!(plan.mass_retire.is_some(), scenario.refused, "{name}: {:?}", plan.mass_retire);
    let refused = plan.renew_refused.iter().flat_map(|refused| &refused.registrations);
    assert_eq!(refused.map(ToString::to_string).collect::<Vec<_>>(), scenario.renew_refused, "{name}: refused");
    picture(name, &plan, &terminal(&plan, &manifest, false))
}

/// What is kept as a snapshot: the steps, which no output shows, and the terminal's text.
fn picture(name: &str, plan: &Plan, terminal: &str) -> String {
    let mut text = format!("## {name}\n");
    for change in &plan.changes {
        let steps: Vec<_> =
            change.steps.iter().map(|step| serde_json::to_value(step).unwrap()).map(|step| brief(&step)).collect();
        let _ = writeln!(text, "{}: {}", change.action.word(), steps.join(" > "));
    }
    assert!(json(plan)["changes"].is_array());
    text + terminal
}

fn brief(step: &serde_json::Value) -> String {
    let of = |pointer: &str| step.pointer(pointer).filter(|value| !value.is_null()).map(ToString::to_string);
    let parts = [
        "/step",
        "/session",
        "/order",
        "/seen/id",
        "/seen/status",
        "/how",
        "/reason",
        "/registration/player",
        "/amount",
        "/to",
    ];
    let words: Vec<_> = parts.into_iter().filter_map(of).collect();
    words.join(" ").replace('"', "")
}

macro_rules! families {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let text: Vec<_> = scenarios(concat!(stringify!($name), ".yaml")).iter().map(run).collect();
            insta::assert_snapshot!(stringify!($name), text.join("\n"));
        })*

        #[test]
        fn every_family_is_run() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
            let files = std::fs::read_dir(folder).unwrap().count();
            assert_eq!(files, [$(stringify!($name)),*].len());
        }
    };
}

families! { sessions metadata amounts duplicates payments manifest_changes stopped loose prior decisions guards webhook links }

#[test]
fn every_finding_is_met() {
    let seen: Vec<_> =
        all().into_iter().flat_map(|scenario| scenario.expect.into_iter().chain(scenario.notes)).collect();
    for finding in tourney::plan::Finding::ALL {
        let shown = *finding == tourney::plan::Finding::PaymentProcessing;
        assert!(shown || seen.iter().any(|line| line.split(' ').any(|word| word == finding.code())), "{finding}");
    }
}

#[test]
fn every_finding_is_explained_to_operators() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FINDINGS.md");
    let text = std::fs::read_to_string(path).unwrap();
    for finding in tourney::plan::Finding::ALL {
        assert!(text.contains(&format!("### {finding}\n")), "{finding}");
    }
}
