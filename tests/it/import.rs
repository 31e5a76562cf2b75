//! `tourney import`: rosters as clubs keep them, into manifests as people write them.

mod bad;
mod edits;
mod fees;
mod kept;
mod looked_up;
mod mapped;
mod properties;

use crate::support::{Folder, Outcome, assert_valid};

/// A manifest as people write it: comments, blank lines, both styles.
pub(crate) const MANIFEST: &str = "\
# Reviewed by the board.
version: 1
tournament: {id: utah-2026, name: Utah Invitational, currency: usd}
fees:
  - {id: 5, name: 17U Elite, amount: 55.00}
  - {id: 7, name: 16U Elite, amount: 65.00}

players:
  # The captains
  - id: 1017   # from the old system
    name: \"Jordan Example\"
    email:   'parent17@example.com'   # asked for this one
    fee: 5
    amount: 40.00   # early bird
    # a remark of its own

  - {id: kim, name: Kim Sample, email: dune@example.com, fee: 7}   # sibling of Sam
  - id: sam
    email: dune@example.com
    name: Sam Sample
    fees: [5, {id: 7, amount: 60.00}]
    note: >-
      pays
      late

# The rules
policy: {stale: renew}
";

pub(crate) fn club(roster: &[u8]) -> Folder {
    let folder = Folder::new().with("tournament.yaml", MANIFEST);
    std::fs::write(folder.path("roster.csv"), roster).unwrap();
    folder
}

/// `tourney import roster.csv ARGS…`.
pub(crate) fn import(folder: &Folder, args: &[&str]) -> Outcome {
    folder.tourney([&["import", "roster.csv"], args].concat()).run()
}

/// The same with `--json`, which keeps to its schema.
#[track_caller]
pub(crate) fn imported(folder: &Folder, args: &[&str]) -> serde_json::Value {
    let document = import(folder, &[args, &["--json"]].concat()).expect(0).json();
    assert_valid("import", &document);
    document
}

/// Everyone who stands in [`MANIFEST`], as a roster without ids.
pub(crate) const EVERYBODY: &str = "\
Player,Parent Email,Fee,Team
Sam Sample,dune@example.com,5,
Kim Sample,dune@example.com,16U Elite,
Jordan Example,parent17@example.com,5,
";
