//! Whatever bytes come in: the targets of `fuzz/targets/` over the committed corpus, over the tables of hostile files, over
//! files of hostile size, and over a fixed number of mutations. The long run is libFuzzer's; CONTRIBUTING.md has both commands.

mod growth;
mod mutate;
#[allow(unreachable_pub, reason = "the other runner, a crate of its own, takes them from outside")]
#[path = "../../fuzz/targets/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::hostile;
use crate::support::figures;
use mutate::{Dictionary, Draw, mutated};
use targets::{Came, TARGETS, Target};

/// Mutations of each target where no variable says otherwise.
const CASES: usize = 400;
const SEED: u64 = 1;
/// Longer than any input of these sizes takes on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// One target's share.
#[derive(Debug, Default, Serialize)]
struct Figures {
    target: &'static str,
    corpus: usize,
    cases: usize,
    taken: usize,
    refused: usize,
    violations: usize,
    #[serde(skip)]
    wrong: Vec<String>,
}

impl Figures {
    fn of(target: &'static str) -> Self {
        Self { target, ..Self::default() }
    }

    /// Tries an input; one that breaks a property is kept in a file.
    fn try_one(&mut self, target: Target, what: &str, bytes: &[u8]) {
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| target(bytes))).unwrap_or_else(|panic| Err(said(&*panic)));
        let took = began.elapsed();
        let held = held.and_then(|came| if took < PATIENCE { Ok(came) } else { Err(format!("it took {took:?}")) });
        self.cases += 1;
        match held {
            Ok(Came::Taken) => self.taken += 1,
            Ok(Came::Refused) => self.refused += 1,
            Err(broken) => {
                self.violations += 1;
                let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{}", self.target, self.violations));
                std::fs::write(&file, bytes).unwrap();
                self.wrong.push(format!("{} {what}, kept as {}:\n{broken}", self.target, file.display()));
            }
        }
    }
}

/// Nothing was wrong, and of each target something was taken and something refused.
#[track_caller]
fn assert_fine(all: &[Figures]) {
    let wrong: Vec<&str> = all.iter().flat_map(|figures| figures.wrong.iter().take(3)).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for figures in all {
        assert!(figures.taken > 0 && figures.refused > 0, "{figures:?}: either nothing is taken or everything");
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("it panicked: {}", text.unwrap_or_default())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed files of a target with their names, in order.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (named(path), std::fs::read(path).unwrap())).collect()
}

/// The tables of hostile files that the binary is tried with.
fn tables(target: &str) -> Vec<(String, Vec<u8>)> {
    let rows = match target {
        "manifest" => hostile::broken(),
        "environments" => hostile::environments::broken(),
        _ => Vec::new(),
    };
    rows.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

#[test]
fn the_corpus_holds_every_property() {
    let mut all = Vec::new();
    for (name, target) in TARGETS {
        let mut figures = Figures::of(name);
        for (file, bytes) in corpus(name).into_iter().chain(tables(name)) {
            figures.try_one(target, &file, &bytes);
        }
        all.push(figures);
    }
    assert_fine(&all);
}

/// `TOURNEY_FUZZ_CASES` of each target, drawn from `TOURNEY_FUZZ_SEED`.
#[test]
fn mutations_hold_every_property() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let cases = number("TOURNEY_FUZZ_CASES").map_or(CASES, |cases| usize::try_from(cases).unwrap());
    let seed = number("TOURNEY_FUZZ_SEED").unwrap_or(SEED);
    let dictionary = Dictionary::read(&root().join("fuzz/dictionary.txt"));
    let mut all = Vec::new();
    for (name, target) in TARGETS {
        let files: Vec<Vec<u8>> = corpus(name).into_iter().map(|(_, bytes)| bytes).collect();
        let mut figures = Figures { corpus: files.len(), ..Figures::of(name) };
        for case in 0..cases {
            let mut draw = Draw::new(seed, name, case);
            let bytes = mutated(&files, &dictionary, &mut draw);
            figures.try_one(target, &format!("seed {seed} case {case}"), &bytes);
        }
        all.push(figures);
    }
    eprintln!("{}", serde_json::json!({"fuzzing": all, "seed": seed}));
    for target in &all {
        let told = serde_json::json!({
            "cases": target.cases, "violations": target.violations, "files of the corpus": target.corpus,
        });
        figures::write(&format!("mutated input: {}", target.target), &told);
    }
    assert_fine(&all);
    assert!(all.iter().all(|figures| figures.cases == cases));
}

/// The same seed and case give the same bytes, and other ones others.
#[test]
fn a_case_is_had_again_by_its_seed() {
    let dictionary = Dictionary::read(&root().join("fuzz/dictionary.txt"));
    let files: Vec<Vec<u8>> = corpus("manifest").into_iter().map(|(_, bytes)| bytes).collect();
    let drawn = |seed: u64| -> Vec<Vec<u8>> {
        (0..50).map(|case| mutated(&files, &dictionary, &mut Draw::new(seed, "manifest", case))).collect()
    };
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
    assert!(drawn(3).into_iter().collect::<BTreeSet<_>>().len() > 40);
}

/// libFuzzer's targets, their corpora and this test know the same names.
#[test]
fn every_target_is_fuzzed_and_has_a_corpus() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz/fuzz_targets"), known);
    assert_eq!(names("fuzz/corpus"), known);
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not built");
        let thin = std::fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(thin.contains(&format!("tourney_fuzz::{name}(data)")), "{name} tries another target");
    }
    let size: usize = TARGETS.iter().flat_map(|(name, _)| corpus(name)).map(|(_, bytes)| bytes.len()).sum();
    assert!(size < 1024 * 1024, "the corpora have {size} bytes");
}
