//! Manifests whose text is wrong: the shared table, and a matrix of every line of a good one with every wrong value.

use super::{BASE, applied, assert_untouched, broken, code_of, contents, refused};

/// What can stand in the place of no single value.
const NO_SCALAR: [&str; 9] =
    ["~", "[]", "{}", "[[1]]", "{a: b}", "*nowhere", "\"\\0\"", "!!binary \"////\"", "\"unclosed"];
/// What can stand in the place of no section.
const NO_SECTION: [&str; 8] = ["5", "text", "true", "~", "[5]", "[[]]", "\"\"", "{nobody: knows}"];
/// The sections, each with the line that begins it.
const SECTIONS: [&str; 5] = ["tournament:", "fees:", "players:", "policy:", "decisions:"];
/// Every command that reads a manifest, as it is typed up to the manifest's name.
const READERS: [&[&str]; 7] = [
    &["plan"],
    &["apply", "--yes"],
    &["verify"],
    &["status"],
    &["links"],
    &["sandbox", "seed", "incident"],
    &["show", "1017", "--manifest"],
];

/// Every line `key: value` of the good manifest with its number, what stands before the value, and whether it is one of a list.
fn lines() -> Vec<(usize, &'static str, &'static str)> {
    let line = |(at, line): (usize, &'static str)| {
        let (key, value) = line.split_once(": ")?;
        (!value.starts_with(['{', '[']) && !key.contains('{')).then_some((at, line, key))
    };
    BASE.lines().enumerate().filter_map(line).collect()
}

/// The good manifest with one line replaced.
fn with_line(at: usize, new: &str) -> String {
    BASE.lines().enumerate().map(|(n, line)| if n == at { format!("{new}\n") } else { format!("{line}\n") }).collect()
}

/// The good manifest with the value of one section replaced.
fn with_section(section: &str, value: &str) -> String {
    let mut within = false;
    let kept = |line: &&str| {
        if !line.starts_with([' ', '-']) {
            within = line.starts_with(section);
        }
        !within
    };
    let rest: String = BASE.lines().filter(kept).map(|line| format!("{line}\n")).collect();
    format!("{rest}{section} {value}\n")
}

/// Wrong types everywhere, every key twice, every key misspelt.
fn matrix() -> Vec<(String, String)> {
    let mut cases = Vec::new();
    for (at, line, key) in lines() {
        let name = key.trim_start_matches([' ', '-']);
        for value in NO_SCALAR {
            cases.push((format!("line {at}: {name}: {value}"), with_line(at, &format!("{key}: {value}"))));
        }
        let again = key.replace('-', " ");
        cases.push((format!("line {at}: {name} twice"), with_line(at, &format!("{line}\n{again}: 1"))));
        cases
            .push((format!("line {at}: {name} misspelt"), with_line(at, &line.replacen(name, &format!("{name}z"), 1))));
    }
    for section in SECTIONS {
        for value in NO_SECTION {
            cases.push((format!("{section} {value}"), with_section(section, value)));
        }
        cases.push((format!("{section} twice"), format!("{BASE}{section} []\n")));
    }
    cases
}

/// Puts every case into a file of its own and gives their names.
fn written(folder: &crate::support::Folder, cases: &[(String, String)]) -> Vec<String> {
    let write = |(n, (_, text)): (usize, &(String, String))| {
        let name = format!("bad/case-{n:04}.yaml");
        folder.write(&name, text);
        name
    };
    cases.iter().enumerate().map(write).collect()
}

#[test]
fn every_broken_manifest_is_refused_by_name() {
    let folder = applied();
    let cases: Vec<_> = broken().into_iter().chain(matrix()).collect();
    assert!(cases.len() > 500, "{} broken manifests", cases.len());
    let files = written(&folder, &cases);
    let before = contents(&folder);
    let outcome = refused("validate", folder.tourney(["validate".to_owned()].iter().chain(&files)));
    for (file, (name, text)) in files.iter().zip(&cases) {
        let named = outcome.stderr.contains(&format!("{file}:"));
        assert!(named, "{name} was taken for valid, or not named ({}):\n{text}", outcome.stderr.contains(file));
    }
    assert_eq!(outcome.stdout, "", "taken for valid");
    assert_untouched(&before, &contents(&folder), "validate");
}

#[test]
fn every_broken_manifest_has_its_place_in_the_json() {
    let folder = applied();
    let cases: Vec<_> = broken().into_iter().chain(matrix()).collect();
    let files = written(&folder, &cases);
    let outcome = folder.tourney(["validate", "--json"].into_iter().chain(files.iter().map(String::as_str))).run();
    let outcome = outcome.expect(1);
    let document = outcome.json();
    assert_eq!(document["error"]["code"], "bad-manifest");
    let reports = document["manifests"].as_array().unwrap();
    assert_eq!(reports.len(), cases.len());
    for (report, (name, _)) in reports.iter().zip(&cases) {
        let problem = &report["problems"][0];
        assert_eq!(report["valid"], false, "{name}");
        assert!(problem["line"].as_u64().is_some_and(|line| line > 0), "{name}: {report}");
        assert!(problem["message"].as_str().is_some_and(|text| !text.is_empty()), "{name}: {report}");
    }
}

/// A good sample, through every command that reads a manifest.
#[test]
fn no_command_goes_on_with_a_broken_manifest() {
    let folder = applied();
    let cases: Vec<_> = broken().into_iter().chain(matrix()).step_by(17).collect();
    let files = written(&folder, &cases);
    let before = contents(&folder);
    for (n, (file, (name, _))) in files.iter().zip(&cases).enumerate() {
        let reader = READERS[n % READERS.len()];
        let json = if n % 2 == 0 { &["--json"][..] } else { &[] };
        let args = reader.iter().copied().chain([file.as_str()]).chain(json.iter().copied());
        let outcome = refused(&format!("{reader:?} {name}"), folder.tourney(args));
        assert_eq!(outcome.code(), Some(1), "{name}");
        if json.is_empty() {
            assert!(outcome.stderr.contains(file), "{reader:?} {name} names no file:\n{}", outcome.stderr);
        } else {
            assert_eq!(code_of(&outcome), "bad-manifest", "{reader:?} {name}");
            assert!(outcome.json()["error"]["details"][0]["line"].is_u64(), "{reader:?} {name}: {}", outcome.stdout);
        }
    }
    assert_untouched(&before, &contents(&folder), "a broken manifest");
}

/// Beside a good one, each bad one is refused and the good one is still said to be good.
#[test]
fn one_bad_manifest_among_good_ones_fails_the_lot() {
    let folder = applied().with("bad.yaml", "version: 1\n");
    let outcome = folder.tourney(["validate", "tournament.yaml", "bad.yaml"]).run().expect(1);
    assert!(outcome.stdout.contains("tournament.yaml: Utah Invitational"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("bad.yaml"), "{}", outcome.stderr);
    let outcome = folder.tourney(["validate", "--json", "bad.yaml"]).run().expect(1);
    assert_eq!(outcome.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["error"]);
}
