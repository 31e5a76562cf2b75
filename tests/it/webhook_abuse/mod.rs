//! What a receiver is sent by those who are not Stripe, or not well: cases on files, over real HTTP, on both databases.
//! Bad input changes nothing, which is shown by every row of every table and by what Stripe was asked; good input has
//! one effect, however often it comes.

mod case;
mod dump;
mod fill;
mod http;
mod many;
mod orders;
mod request;
mod run;
mod scene;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::support::figures;
use scene::Scene;

/// The files, in `tests/webhook-abuse`.
const FILES: [&str; 6] = ["signatures.yaml", "bodies.yaml", "http.yaml", "events.yaml", "money.yaml", "failures.yaml"];

/// What the issue asks for, in its words; every order of five events and a thousand at once are tests of their own.
const THEMES: [&str; 18] = [
    "wrong signatures",
    "partial signatures",
    "many signatures",
    "old signatures",
    "future signatures",
    "299 to 301 s",
    "v0 only",
    "giant bodies",
    "slow bodies",
    "broken UTF-8",
    "broken JSON",
    "wrong mode",
    "wrong amount",
    "wrong currency",
    "unknown types",
    "unpaid completion then async success",
    "unpaid completion then async failure",
    "unpaid completion",
];

const AT_LEAST: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_on_sqlite() {
    on_sqlite("signatures.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_on_postgres() {
    on_postgres("signatures.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_on_sqlite() {
    on_sqlite("bodies.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_on_postgres() {
    on_postgres("bodies.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_on_sqlite() {
    on_sqlite("http.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_on_postgres() {
    on_postgres("http.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_sqlite() {
    on_sqlite("events.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_on_postgres() {
    on_postgres("events.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_on_sqlite() {
    on_sqlite("money.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_on_postgres() {
    on_postgres("money.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_on_sqlite() {
    on_sqlite("failures.yaml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_on_postgres() {
    on_postgres("failures.yaml").await;
}

async fn on_sqlite(file: &str) {
    all_of(file, "sqlite", Scene::on_sqlite().await).await;
}

async fn on_postgres(file: &str) {
    let Some(scene) = Scene::on_postgres().await else { return };
    all_of(file, "postgres", scene).await;
}

async fn all_of(file: &str, database: &str, mut scene: Scene) {
    // One case, or all of them.
    let only = std::env::var("TOURNEY_WEBHOOK_CASE").ok();
    let (mut cases, mut wrong) = (0, Vec::new());
    for group in case::read(file) {
        for case in &group.cases {
            if only.as_ref().is_some_and(|only| !case.name.contains(only)) {
                continue;
            }
            cases += 1;
            wrong.extend(run::run(&mut scene, &group, case).await.err());
        }
    }
    wrong.extend(scene.all_could_be_paid().await.err());
    let figures = json!({"webhook_abuse": file, "database": database, "cases": cases, "violations": wrong.len()});
    eprintln!("{figures}");
    if only.is_none() {
        let told = json!({"cases": cases, "violations": wrong.len()});
        figures::write(&format!("abuse of the webhook: {file} on {database}"), &told);
    }
    assert!(wrong.is_empty(), "{} of {cases} cases of {file} on {database}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_are_enough_cases_and_none_twice() {
    let groups: Vec<_> = FILES.iter().flat_map(|file| case::read(file)).collect();
    let mut themes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for group in &groups {
        for case in &group.cases {
            assert!(!case.name.is_empty() && names.insert(&case.name), "{:?} is there twice", case.name);
            *themes.entry(&group.theme).or_default() += 1;
        }
    }
    assert!(names.len() >= AT_LEAST, "{} cases", names.len());
    for theme in THEMES {
        assert!(themes.contains_key(theme), "no case has {theme}: {themes:?}");
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhook-abuse");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, FILES.map(str::to_owned).into(), "a file that nobody runs");
}
