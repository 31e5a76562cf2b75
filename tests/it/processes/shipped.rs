//! What makes trouble for tests stands in a program of its own: the one that is shipped has no way to it.

use std::path::Path;

use super::world::{cup, players};
use crate::recovery::scene::MANIFEST;
use crate::support::{Folder, Tourney};
use tourney::domain::PayableKind;

/// What the program with faults reads of its environment.
const VARIABLES: [(&str, &str); 3] =
    [("TOURNEY_FAULT", "crash before at ledger identity #1"), ("TOURNEY_TRACE", "trace"), ("TOURNEY_MOST_PAGES", "1")];

fn in_trouble(command: Tourney) -> Tourney {
    VARIABLES.iter().fold(command, |command, (name, value)| command.env(name, value))
}

#[test]
fn the_shipped_program_has_no_hook() {
    let manifest = cup("cup", &players("12"), PayableKind::Session);
    let folder = Folder::new().with(MANIFEST, &manifest);
    assert!(in_trouble(folder.tourney_faults(["apply", "--yes"])).run().was_killed(), "they mean something");
    in_trouble(folder.tourney(["apply", "--yes"])).run().expect(0);
    assert!(!folder.path("trace").exists());
    let has = |program: &str, name: &str| {
        let program = std::fs::read(program).unwrap();
        program.windows(name.len()).any(|bytes| bytes == name.as_bytes())
    };
    for (name, _) in VARIABLES {
        assert!(has(env!("CARGO_BIN_EXE_tourney-faults"), name), "{name}");
        assert!(!has(env!("CARGO_BIN_EXE_tourney"), name), "{name}");
    }
}

/// `cargo install` makes what is shipped.
#[test]
fn the_program_with_faults_is_built_for_tests_alone() {
    let package = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let (shipped, tests) = package.split_once("[dev-dependencies]").unwrap();
    let bin =
        "[[bin]]\nname = \"tourney-faults\"\npath = \"src/bin/tourney-faults.rs\"\nrequired-features = [\"faults\"]\n";
    assert!(shipped.contains(bin) && !shipped.contains("\ndefault = "), "{shipped}");
    assert!(tests.contains("tourney = { path = \".\", features = [\"faults\"] }"), "{tests}");
}
