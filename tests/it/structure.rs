//! Guards on the shape of the code: what `docs/ARCHITECTURE.md` says about rooms is true of the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tourney::plan::Finding;

/// Enough for one subject; a file that outgrows it has two.
const LINES_AT_MOST: usize = 500;

/// What a room must never know. Each word is looked for in its code, without comments and without its unit tests.
const NEVER: &[(&str, &[&str])] = &[
    ("apply", &["sqlx", "reqwest", "SELECT ", "crate::render", "crate::cli"]),
    ("cli", &["sqlx", "reqwest", "SELECT "]),
    ("config", &["sqlx", "reqwest", "crate::ledger", "crate::stripe", "crate::cli"]),
    ("doctor", &["async ", ".await", "sqlx", "reqwest", "std::fs", "crate::render", "crate::cli", "Timestamp::now"]),
    ("domain", &["async ", ".await", "tokio", "sqlx", "reqwest", "std::fs", "std::io", "std::net", "std::env"]),
    ("domain", &["Timestamp::now", "SystemTime", "getrandom"]),
    (
        "invariants",
        &["async ", ".await", "sqlx", "reqwest", "crate::apply", "crate::render", "crate::cli", "Timestamp::now"],
    ),
    ("invariants", &["crate::stripe", "crate::settle", "crate::verify", "crate::world", "match_up", "HashMap"]),
    ("ledger", &["reqwest", "stripe_checkout::", "crate::stripe", "crate::render", "crate::cli"]),
    ("manifest", &["tokio", "sqlx", "reqwest", "crate::ledger", "crate::stripe", "crate::cli"]),
    ("observe", &["sqlx", "reqwest", "crate::apply", "crate::render", "crate::cli"]),
    ("plan", &["async ", ".await", "tokio", "sqlx", "reqwest", "std::fs", "std::io", "std::net", "std::env"]),
    ("plan", &["Timestamp::now", "Zoned::now", "SystemTime", "Instant::now", "getrandom", "HashMap", "HashSet"]),
    ("plan", &["crate::stripe", "crate::world", "crate::apply", "crate::render", "crate::cli"]),
    ("render", &["sqlx", "reqwest", "tokio"]),
    (
        "roster",
        &["async ", "sqlx", "reqwest", "std::fs", "crate::config", "crate::ledger", "crate::stripe", "crate::cli"],
    ),
    ("sandbox", &["crate::apply", "crate::config", "crate::domain", "crate::ledger", "crate::manifest"]),
    (
        "sandbox",
        &["crate::observe", "crate::plan", "crate::settle", "crate::stripe", "crate::verify", "crate::webhook"],
    ),
    ("settle", &["crate::apply", "crate::cli", "crate::render", "crate::verify", "crate::webhook"]),
    ("stripe", &["sqlx", "crate::ledger", "crate::render", "crate::cli"]),
    ("webhook", &["crate::cli", "crate::render"]),
    ("world", &["crate::apply", "crate::cli", "crate::plan", "crate::render"]),
];

/// What no part of the simulated world may know: the same seed gives the same bytes.
const NEVER_SIMULATED: &[&str] =
    &["tokio", "std::thread", "std::time::Instant", "SystemTime", "Timestamp::now", "HashMap", "HashSet"];

/// The one file that builds the request for a new session, and the one for a new Payment Link.
const HELPERS: [(&str, &str, &str); 2] = [
    (
        "CreateCheckoutSession",
        "src/stripe/helper/session.rs",
        "stripe_checkout::checkout_session::CreateCheckoutSession::new",
    ),
    ("CreatePaymentLink", "src/stripe/helper/payment_link.rs", "stripe_payment::payment_link::CreatePaymentLink::new"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file under a folder, as its path from the root and its text.
fn sources(folder: &str) -> BTreeMap<String, String> {
    fn walk(folder: PathBuf, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root().join(folder), &mut found);
    assert!(!found.is_empty(), "no source under {folder}");
    found
}

/// The numbered lines of code: no comments, and nothing from the unit tests on.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    lines.map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

fn uses(sources: &BTreeMap<String, String>, word: &str) -> Vec<String> {
    let lines = sources.iter().flat_map(|(path, text)| code(text).map(move |(at, line)| (path, at, line)));
    lines
        .filter(|(_, _, line)| line.contains(word))
        .map(|(path, at, line)| format!("{path}:{at}: {}", line.trim()))
        .collect()
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let files = sources("src").into_iter().chain(sources("tests"));
    let long = files.map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > LINES_AT_MOST);
    assert_none(
        &long.map(|(path, lines)| format!("{path} has {lines} lines, {LINES_AT_MOST} are allowed")).collect::<Vec<_>>(),
    );
}

#[test]
fn no_room_knows_what_it_must_never_know() {
    let mut problems = Vec::new();
    for (room, words) in NEVER {
        let sources = sources(&format!("src/{room}"));
        for word in *words {
            problems
                .extend(uses(&sources, word).into_iter().map(|line| format!("{line}   <- {room} never knows {word}")));
        }
    }
    assert_none(&problems);
}

#[test]
fn nothing_real_reaches_the_simulated_world() {
    let mut sources = sources("src/world/sim");
    sources.extend(self::sources("src/world/faulty"));
    let words = NEVER_SIMULATED.iter().chain(&["getrandom", "sqlx", "reqwest", "std::fs", "std::net", "std::env"]);
    assert_none(&words.flat_map(|word| uses(&sources, word)).collect::<Vec<_>>());
}

#[test]
fn only_the_helper_builds_a_session() {
    only_its_helper_builds(0);
}

#[test]
fn only_the_helpers_sibling_builds_a_payment_link() {
    only_its_helper_builds(1);
}

/// No other file names the builder, and clippy forbids to call it.
#[track_caller]
fn only_its_helper_builds(which: usize) {
    let (builder, helper, constructor) = HELPERS[which];
    let mut callers = sources("src");
    callers.retain(|_, text| code(text).any(|(_, line)| line.contains(builder)));
    assert_eq!(callers.into_keys().collect::<Vec<_>>(), [helper]);
    assert!(read("clippy.toml").contains(constructor));
    // The path is spelled nowhere else either: a request by hand would need it.
    let path = format!("const PATH: &str = \"/v1/{}\"", if which == 0 { "checkout/sessions" } else { "payment_links" });
    let mut spelled = sources("src/stripe");
    spelled.retain(|_, text| text.contains(&path));
    assert_eq!(spelled.into_keys().collect::<Vec<_>>(), [helper]);
}

#[test]
fn only_settle_records_a_payment() {
    let mut callers = sources("src");
    callers.retain(|_, text| code(text).any(|(_, line)| line.contains(".mark_paid(")));
    // A ledger behind a reference or a decorator passes the call through: it decides nothing.
    callers.retain(|path, _| !path.starts_with("src/world/") && !path.starts_with("src/ledger/"));
    assert!(!callers.is_empty() && callers.keys().all(|path| path.starts_with("src/settle/")), "{:?}", callers.keys());
}

#[test]
fn only_what_faces_people_prints() {
    let mut sources = sources("src");
    sources.retain(|path, _| !["src/cli/", "src/render/", "src/main.rs"].iter().any(|room| path.starts_with(room)));
    assert_none(&["print!(", "println!(", "dbg!("].iter().flat_map(|word| uses(&sources, word)).collect::<Vec<_>>());
}

#[test]
fn the_invariants_name_only_tests_that_exist() {
    let text = read("docs/INVARIANTS.md");
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    for number in 1..=10 {
        let heading = format!("I{number}: ");
        let section = sections.iter().find(|section| section.starts_with(&heading));
        let section = section.unwrap_or_else(|| panic!("I{number} has no heading"));
        let held = section.contains("::") != section.contains("No test holds this yet.");
        assert!(held, "I{number} must name its tests, or say that it has none");
    }
    for name in text.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
        assert!(test_exists(name), "docs/INVARIANTS.md: there is no test {name}");
    }
}

/// Whether `room::file::tests::name` (a unit test) or `subject::name` (under `tests/it`) is a function of that file.
fn test_exists(name: &str) -> bool {
    let (path, function) = name.rsplit_once("::").unwrap();
    let path = path.trim_end_matches("::tests").replace("::", "/");
    let files = ["tests/it/", "src/"].map(|folder| [format!("{folder}{path}.rs"), format!("{folder}{path}/mod.rs")]);
    let texts = files.iter().flatten().filter_map(|file| std::fs::read_to_string(root().join(file)).ok());
    let is_there = |text: String| ["(", "<"].iter().any(|next| text.contains(&format!("fn {function}{next}")));
    texts.into_iter().any(is_there)
}

#[test]
fn the_runbook_explains_every_finding() {
    let runbook = read("docs/tournament-billing-runbook.md");
    let absent = Finding::ALL.iter().filter(|finding| !runbook.contains(&format!("\n### `{finding}`\n")));
    assert_none(
        &absent
            .map(|finding| format!("docs/tournament-billing-runbook.md says nothing of {finding}"))
            .collect::<Vec<_>>(),
    );
}
