//! What we build on, checked without the network: licences, sources, duplicates, banned crates, and a snapshot of the
//! RustSec advisories. The policy is `.ci/supply-chain.json`; `docs/DEPENDENCIES.md` says what this does not give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use semver::{Version, VersionReq};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

#[derive(Deserialize)]
struct Policy {
    reviewed: String,
    licences: BTreeSet<String>,
    exceptions: BTreeSet<String>,
    sources: BTreeSet<String>,
    banned: BTreeMap<String, String>,
    duplicates: BTreeMap<String, String>,
    accepted_advisories: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Version,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Snapshot {
    date: String,
    advisories: usize,
}

#[derive(Deserialize)]
struct Advisory {
    package: String,
    id: String,
    kind: String,
    patched: Vec<VersionReq>,
    unaffected: Vec<VersionReq>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn policy() -> Policy {
    serde_json::from_str(&std::fs::read_to_string(root().join(".ci/supply-chain.json")).unwrap()).unwrap()
}

/// Every crate of `Cargo.lock` but our own, for every platform.
fn packages() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--offline", "--format-version", "1"]).current_dir(root());
    let mut output = command.output().unwrap();
    if !output.status.success() {
        // A crate of another platform may not have been downloaded yet: only its manifest is wanted.
        assert!(
            Command::new(command.get_program())
                .args(["fetch", "--locked"])
                .current_dir(root())
                .status()
                .unwrap()
                .success()
        );
        output = command.output().unwrap();
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    metadata.packages.into_iter().filter(|package| package.name != env!("CARGO_PKG_NAME")).collect()
}

/// A whole snapshot where `.ci/refresh-advisories` has made one, else the reviewed list.
fn advisories() -> (Snapshot, Vec<Advisory>) {
    let snapshot = std::fs::read_to_string(root().join("target/advisories.jsonl"));
    let text = snapshot.unwrap_or_else(|_| std::fs::read_to_string(root().join(".ci/advisories.jsonl")).unwrap());
    let (first, rest) = text.split_once('\n').unwrap();
    let advisories: Vec<Advisory> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let snapshot: Snapshot = serde_json::from_str(first).unwrap();
    assert_eq!(snapshot.advisories, advisories.len());
    (snapshot, advisories)
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\nRead docs/DEPENDENCIES.md, then .ci/supply-chain.json.", problems.join("\n"));
}

/// Whether the policy's licences alone satisfy the expression; `/` is how older crates wrote `OR`.
fn is_allowed(policy: &Policy, expression: &str) -> bool {
    let allowed = |requirement: &LicenseReq| {
        let (licence, exception) = (requirement.license.id(), requirement.addition.as_ref().map(|a| a.id()));
        licence.is_some_and(|id| policy.licences.contains(id.name))
            && exception.is_none_or(|id| id.is_some_and(|id| policy.exceptions.contains(id.name)))
    };
    Expression::parse_mode(expression, ParseMode::LAX).is_ok_and(|parsed| parsed.evaluate(allowed))
}

fn concerns(advisory: &Advisory, package: &Package) -> bool {
    let matches = |ranges: &[VersionReq]| ranges.iter().any(|range| range.matches(&package.version));
    advisory.package == package.name && !matches(&advisory.patched) && !matches(&advisory.unaffected)
}

#[test]
fn every_licence_is_an_allowed_one() {
    let (policy, packages) = (policy(), packages());
    let refused = packages.iter().filter(|p| !p.license.as_deref().is_some_and(|text| is_allowed(&policy, text)));
    assert_none(&refused.map(|p| format!("{} {}: licence {:?}", p.name, p.version, p.license)).collect::<Vec<_>>());
    println!("{} crates: every licence satisfied by {:?}", packages.len(), policy.licences);
}

#[test]
fn a_licence_expression_is_evaluated_and_not_searched() {
    let policy = policy();
    for allowed in ["MIT", "MIT/Apache-2.0", "MIT OR GPL-3.0-only", "(MIT OR GPL-2.0-only) AND ISC"] {
        assert!(is_allowed(&policy, allowed), "{allowed}");
    }
    for refused in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "MIT WITH GCC-exception-3.1", "LicenseRef-Mine", ""] {
        assert!(!is_allowed(&policy, refused), "{refused}");
    }
}

#[test]
fn every_crate_comes_from_an_allowed_source_and_none_is_banned() {
    let (policy, packages) = (policy(), packages());
    let mut problems = Vec::new();
    for package in &packages {
        if !package.source.as_ref().is_some_and(|source| policy.sources.contains(source)) {
            problems.push(format!("{} {}: source {:?}", package.name, package.version, package.source));
        }
        if let Some(why) = policy.banned.get(&package.name) {
            problems.push(format!("{} {} is banned: {why}", package.name, package.version));
        }
    }
    assert_none(&problems);
    println!("{} crates: from {:?}; none of {:?}", packages.len(), policy.sources, policy.banned.keys());
}

#[test]
fn the_duplicates_are_exactly_the_reviewed_ones() {
    let (policy, packages) = (policy(), packages());
    let mut versions: BTreeMap<&str, Vec<&Version>> = BTreeMap::new();
    for package in &packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let unreviewed = versions.iter().filter(|(name, _)| !policy.duplicates.contains_key(**name));
    let mut problems: Vec<_> = unreviewed.map(|(name, all)| format!("{name}: a new duplicate, {all:?}")).collect();
    let gone = policy.duplicates.keys().filter(|name| !versions.contains_key(name.as_str()));
    problems.extend(gone.map(|name| format!("{name}: no duplicate any more, take it off the list")));
    assert_none(&problems);
    println!("{} crates in several versions, each with its reason (reviewed {})", versions.len(), policy.reviewed);
}

#[test]
fn no_crate_is_named_by_a_known_advisory() {
    let (policy, packages, (snapshot, advisories)) = (policy(), packages(), advisories());
    let mut problems = Vec::new();
    let mut accepted = policy.accepted_advisories.clone();
    for package in &packages {
        for advisory in advisories.iter().filter(|advisory| concerns(advisory, package)) {
            let known =
                accepted.remove(&advisory.id).is_some() || policy.accepted_advisories.contains_key(&advisory.id);
            if !known {
                problems.push(format!("{} {}: {} ({})", package.name, package.version, advisory.id, advisory.kind));
            }
        }
    }
    problems.extend(accepted.keys().map(|id| format!("{id}: concerns nothing any more, take it off the list")));
    assert_none(&problems);
    let advised: BTreeSet<&str> = advisories.iter().map(|advisory| advisory.package.as_str()).collect();
    let met = packages.iter().filter(|package| advised.contains(package.name.as_str())).count();
    println!(
        "{} advisories of {}: {met} of {} crates have had one, none in its version",
        advisories.len(),
        snapshot.date,
        packages.len()
    );
}

#[test]
fn an_advisory_concerns_the_versions_before_its_patch() {
    let (_, advisories) = advisories();
    let package = |version| Package {
        name: "ring".into(),
        version: Version::parse(version).unwrap(),
        license: None,
        source: None,
    };
    let panics = advisories.iter().find(|advisory| advisory.id == "RUSTSEC-2025-0009").unwrap();
    assert!(concerns(panics, &package("0.17.11")));
    assert!(!concerns(panics, &package("0.17.12")));
}
