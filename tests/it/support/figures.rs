//! What the sweeps have tried, in figures that they write themselves: `docs/figures.json`, and the tables made of it in
//! `docs/FIGURES.md` and README.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

/// Where it is set, every sweep writes what it has tried.
const WRITE: &str = "TOURNEY_WRITE_FIGURES";
/// What every sweep says besides its own figures.
const COLUMNS: [&str; 4] = ["points", "modes", "cases", "violations"];
/// Between these two lines of README stands the table.
const MARKERS: [&str; 2] = ["<!-- figures: written by the tests -->\n", "<!-- end of the figures -->"];

/// The sweeps by their names.
pub(crate) type Sweeps = BTreeMap<String, Map<String, Value>>;

/// Says what a sweep has tried. Its name is what is tried, for people; README adds up what is called the same up to a colon, as
/// "a kind of sweep: over this, on that". `figures` is an object of numbers: `cases` and `violations` always, `points` (where something can go
/// wrong) and `modes` (in how many ways) where there are any, and whatever else is to be told, by its name.
///
/// Written only where `TOURNEY_WRITE_FIGURES` is set, with the commit that is checked out.
#[track_caller]
pub(crate) fn write(sweep: &str, figures: &Value) {
    let mut figures = figures.as_object().expect("figures are an object").clone();
    assert!(figures.values().all(Value::is_u64), "{sweep}: figures are numbers: {figures:?}");
    assert!(figures.contains_key("cases") && figures.contains_key("violations"), "{sweep}: {figures:?}");
    if std::env::var_os(WRITE).is_none() {
        return;
    }
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path("docs/figures.json"));
    let file = file.as_mut().unwrap();
    // Other sweeps write at the same time, also in other processes.
    file.lock().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    let mut sweeps: Sweeps = if text.is_empty() { Sweeps::new() } else { serde_json::from_str(&text).unwrap() };
    figures.insert("commit".to_owned(), commit().into());
    sweeps.insert(sweep.to_owned(), figures);
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    writeln!(file, "{}", serde_json::to_string_pretty(&sweeps).unwrap()).unwrap();
    for (name, page) in pages(&sweeps) {
        // Others read it at any moment.
        let new = path(&format!("{name}.new"));
        std::fs::write(&new, page).unwrap();
        std::fs::rename(&new, path(name)).unwrap();
    }
}

/// What has been written. No sweep writes for as long as the second value lives.
pub(crate) fn written() -> (Sweeps, File) {
    let file = File::open(path("docs/figures.json")).unwrap();
    file.lock_shared().unwrap();
    (serde_json::from_str(&read("docs/figures.json")).unwrap(), file)
}

/// The pages that show figures, by their paths, as they must be: README by kind of sweep, with one row for each, and all of them.
pub(crate) fn pages(sweeps: &Sweeps) -> [(&'static str, String); 2] {
    let readme = read("README.md");
    let [(before, rest), (_, after)] =
        MARKERS.map(|marker| readme.split_once(marker).expect("README marks its figures"));
    assert!(rest.contains(MARKERS[1]), "README marks where its figures end");
    let ([begin, end], kinds, all) = (MARKERS, table(&by_kind(sweeps)), table(sweeps));
    let page = format!("# Figures\n\nWritten by the tests, as CONTRIBUTING.md says; nothing here is edited.\n\n{all}");
    [("README.md", format!("{before}{begin}{kinds}{end}{after}")), ("docs/FIGURES.md", page)]
}

/// The sums of all sweeps that are called the same up to a colon.
fn by_kind(sweeps: &Sweeps) -> Sweeps {
    let mut kinds = Sweeps::new();
    for (sweep, figures) in sweeps {
        let kind = sweep.split_once(": ").map_or(sweep.as_str(), |(kind, _)| kind);
        let sums = kinds.entry(kind.to_owned()).or_default();
        for (name, value) in figures.iter().filter(|(name, _)| COLUMNS.contains(&name.as_str())) {
            let (here, before) = (value.as_u64().unwrap(), sums.get(name).and_then(Value::as_u64).unwrap_or_default());
            // The modes are the same ones everywhere.
            let both = if name == "modes" { here.max(before) } else { here + before };
            sums.insert(name.clone(), both.into());
        }
        let commit = sums.entry("commit").or_insert_with(|| figures["commit"].clone());
        if *commit != figures["commit"] {
            *commit = "several".into();
        }
    }
    kinds
}

fn table(sweeps: &Sweeps) -> String {
    let besides = |name: &str, value: &Value| !COLUMNS.contains(&name) && value.is_u64();
    let all = sweeps.values().any(|figures| figures.iter().any(|(name, value)| besides(name, value)));
    let [more, line] = if all { [" besides |", " --- |"] } else { [""; 2] };
    let mut table = format!("| what was tried | points | modes | cases | violations |{more} commit |\n");
    writeln!(table, "| --- | --: | --: | --: | --: |{line} --- |").unwrap();
    for (sweep, figures) in sweeps {
        let number = |name: &str| figures.get(name).and_then(Value::as_u64).map(grouped).unwrap_or_default();
        let [points, modes, cases, violations] = COLUMNS.map(number);
        let others = figures.iter().filter(|(name, value)| besides(name, value));
        let others: Vec<String> = others.map(|(name, _)| format!("{} {name}", number(name))).collect();
        let others = if all { format!(" {} |", others.join(", ")) } else { String::new() };
        let (numbers, commit) = (format!("{points} | {modes} | {cases} | {violations}"), &figures["commit"]);
        writeln!(table, "| {sweep} | {numbers} |{others} {} |", commit.as_str().unwrap()).unwrap();
    }
    table
}

/// With a comma after each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..].chunks(3).map(|group| std::str::from_utf8(group).unwrap());
    let groups = std::iter::once(&digits[..first]).filter(|group| !group.is_empty()).chain(groups);
    groups.collect::<Vec<_>>().join(",")
}

/// What is checked out; whether it was changed since, but for the figures themselves.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let said = Command::new("git").current_dir(path("")).args(arguments).output().ok()?;
        said.status.success().then(|| String::from_utf8(said.stdout).unwrap().trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "no commit".to_owned() };
    let others = ["status", "--porcelain", "--", ".", ":!docs/figures.json", ":!docs/FIGURES.md", ":!README.md"];
    if git(&others).is_some_and(|changes| changes.is_empty()) { head } else { format!("{head} + changes") }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
