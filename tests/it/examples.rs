//! Everything under `examples/` and `plans/`, through the binary.

use std::path::{Path, PathBuf};

use crate::support::Folder;

fn manifests(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        path.extension().is_some_and(|ending| ending == "yaml")
            && path.file_stem().is_some_and(|stem| stem != "environments")
    });
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no manifest");
    found
}

/// Ids are given at random: they are left out of what is compared.
fn without_ids(text: &str) -> String {
    let word = |word: &str| match word {
        _ if word.starts_with("ord_") => "ord_…".to_owned(),
        _ if word.starts_with("cs_test_") => "cs_test_…".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn every_example_converges_and_is_verified() {
    for path in manifests("examples").into_iter().chain(manifests("plans")) {
        let folder = Folder::new().with("tournament.yaml", &std::fs::read_to_string(&path).unwrap());
        folder.tourney(["validate"]).run().expect(0);
        let applied = folder.tourney(["apply", "--yes", "--json"]).run().expect(0).json();
        let made = applied["results"].as_array().unwrap().len();
        assert!(made > 0, "{} makes nothing", path.display());
        folder.tourney(["plan", "--detailed-exitcode"]).run().expect(0);
        folder.tourney(["verify"]).run().expect(0);
    }
}

#[test]
fn the_reviewed_plan_of_the_incident_is_what_plan_prints() {
    let manifest = include_str!("../../plans/utah-invitational.yaml");
    let folder = Folder::new().with("tournament.yaml", manifest);
    folder.tourney(["sandbox", "seed", "incident"]).run().expect(0);
    let plan = folder.tourney(["plan", "--markdown"]).run().expect(0).stdout;
    let golden = include_str!("../../plans/utah-invitational.plan.md");
    assert_eq!(without_ids(&plan), golden, "plans/utah-invitational.plan.md is the reviewed plan");
    let picture = folder.tourney(["plan"]).run().expect(0).stdout;
    let readme = include_str!("../../README.md");
    let (first, last) = (picture.lines().next().unwrap(), picture.lines().last().unwrap());
    assert!(readme.contains(first) && readme.contains(last), "README shows another plan than this:\n{picture}");
}
