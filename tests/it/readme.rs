//! Every command of README that is marked to run does run, in the order and the words in which it stands there.

use crate::support::Folder;

/// The shell blocks of README whose fence says `sh run`.
fn blocks() -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let fenced = readme.split("\n```sh run\n").skip(1);
    fenced.map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_main_job_runs_in_one_command() {
    let blocks = blocks();
    let command = blocks[0].strip_prefix("cargo run -- ").expect("the main job is the first block");
    // Without cargo, which would wait for its own lock: the tests already hold a build of this very binary.
    let told = Folder::new().sh(&format!("tourney {command}")).run().expect(0);
    assert!(told.stdout.contains("tourney verify"), "{}", told.stdout);
}

#[test]
fn the_first_tournament_goes_from_nothing_to_verified() {
    let folder = Folder::new();
    let blocks = blocks();
    let block = &blocks[1];
    assert!(block.starts_with("tourney init") && block.contains("tourney verify"));
    folder.sh(block).run().expect(0);
    assert!(folder.path("tournament.yaml").is_file());
}
