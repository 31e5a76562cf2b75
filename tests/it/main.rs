//! The one test binary. A module for each subject; `every_test_file_is_compiled` guards that none is forgotten.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that meets the unexpected has failed"
)]

mod adopt;
mod cli_reference;
mod club_api;
mod config;
mod doctor;
mod error_codes;
mod examples;
mod faults;
mod figures;
mod fuzzing;
mod harness;
mod help;
mod history;
mod hostile;
mod import;
mod invariants;
mod ledger;
mod ledger_canaries;
mod ledger_full;
mod ledger_handler;
mod ledger_held;
mod ledger_peers;
mod ledger_seen;
mod links;
mod lock;
mod manifest;
mod manifest_told;
mod pictures;
mod plan;
mod processes;
mod readme;
mod recovery;
mod refusals;
mod sandbox_browser;
mod sandbox_core;
mod sandbox_http;
mod sandbox_links;
mod sdk;
mod secrets;
mod show;
mod signals;
mod simulation;
mod status;
mod story;
mod stripe;
mod structure;
mod supply_chain;
mod support;
mod webhook;
mod webhook_abuse;

#[test]
fn every_test_file_is_compiled() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(root.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(
            module == "main" || module == "snapshots" || main.contains(&format!("mod {module};")),
            "{name} is not compiled"
        );
    }
}
