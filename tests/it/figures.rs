//! The figures in README are those that the sweeps have written, and good.

use crate::support::figures::{pages, written};

#[test]
fn every_page_shows_what_the_sweeps_have_written() {
    let (sweeps, _lock) = written();
    for (name, page) in pages(&sweeps) {
        let shown = std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(shown == page, "{name}: figures were edited by hand: run the sweeps with TOURNEY_WRITE_FIGURES=1");
    }
}

#[test]
fn no_sweep_has_found_anything_wrong() {
    let (sweeps, _lock) = written();
    assert!(!sweeps.is_empty());
    for (name, figures) in sweeps {
        assert!(figures["cases"].as_u64() > Some(0) && figures["violations"] == 0, "{name}: {figures:?}");
    }
}
