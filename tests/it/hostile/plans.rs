//! Saved plans that are damaged, foreign, or not plans at all.

use serde_json::{Value, json};

use super::{BASE, ahead, applied, assert_untouched, code_of, contents, refused};
use crate::support::Folder;

/// A folder that has been applied, where one player's amount has changed since, and that change's saved plan.
fn planned() -> (Folder, Value) {
    let folder = applied();
    folder.write("tournament.yaml", &ahead().replace("amount: 40.00}", "amount: 45.00}"));
    folder.tourney(["plan", "--out", "plan.json"]).run().expect(0);
    let plan = serde_json::from_str(&folder.read("plan.json")).unwrap();
    (folder, plan)
}

/// The plan with one value replaced, or taken away.
fn with(plan: &Value, pointer: &str, value: Option<Value>) -> String {
    let mut plan = plan.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = plan.pointer_mut(parent).unwrap_or_else(|| panic!("the plan has no {pointer}"));
    match value {
        Some(value) => parent[key] = value,
        None => drop(parent.as_object_mut().unwrap().remove(key)),
    }
    plan.to_string()
}

/// Every key of an object under a pointer, as pointers.
fn keys(plan: &Value, under: &str) -> Vec<String> {
    plan.pointer(under).and_then(Value::as_object).unwrap().keys().map(|key| format!("{under}/{key}")).collect()
}

fn damaged(plan: &Value) -> Vec<(String, Vec<u8>)> {
    let text = serde_json::to_string_pretty(plan).unwrap();
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for part in 1..20 {
        cases.push((format!("cut at {part}/20"), text.as_bytes()[..text.len() * part / 20].to_vec()));
    }
    let wrong = [json!(null), json!(5), json!("x"), json!([[1]]), json!({"a": 1}), json!(-1), json!(1e300)];
    let required = ["kind", "format_version", "manifest", "facts", "plan", "allow_mass_retire"];
    for key in required {
        cases.push((format!("without {key}"), with(plan, &format!("/{key}"), None).into()));
        for value in wrong.iter().filter(|value| key != "manifest" || !value.is_string()) {
            cases.push((format!("{key}: {value}"), with(plan, &format!("/{key}"), Some(value.clone())).into()));
        }
    }
    for pointer in keys(plan, "/plan") {
        // A guard that did not speak may be left out.
        if pointer != "/plan/mass_retire" {
            cases.push((format!("without {pointer}"), with(plan, &pointer, None).into()));
        }
        cases.push((format!("{pointer} wrong"), with(plan, &pointer, Some(json!({"nonsense": [1]}))).into()));
    }
    cases.push(("an unknown key".to_owned(), with(plan, "/extra", Some(json!(1))).into()));
    cases.push(("a line after the end".to_owned(), [text.as_bytes(), b"\n{}"].concat()));
    cases.push(("a NUL after the end".to_owned(), [text.as_bytes(), b"\0"].concat()));
    cases.push((
        "no UTF-8".to_owned(),
        text.replacen("tourney-plan", "tourney-\u{7f}", 1)
            .into_bytes()
            .into_iter()
            .map(|b| if b == 0x7f { 0xff } else { b })
            .collect(),
    ));
    cases.push(("deep".to_owned(), format!("{{\"kind\":\"tourney-plan\",\"plan\":{}", "[".repeat(100_000)).into()));
    cases.push(("an empty object".to_owned(), b"{}".to_vec()));
    cases.push(("half an object".to_owned(), b"{".to_vec()));
    cases
}

#[test]
fn damaged_plans_are_refused() {
    let (folder, plan) = planned();
    let cases = damaged(&plan);
    assert!(cases.len() > 70, "{}", cases.len());
    for (n, (_, bytes)) in cases.iter().enumerate() {
        std::fs::write(folder.path(&format!("damaged-{n}.json")), bytes).unwrap();
    }
    let before = contents(&folder);
    for (n, (name, _)) in cases.iter().enumerate() {
        let file = format!("damaged-{n}.json");
        let json = if n % 2 == 0 { &["--json"][..] } else { &[] };
        let args = ["apply", "--yes", file.as_str()].into_iter().chain(json.iter().copied());
        let outcome = refused(name, folder.tourney(args));
        assert_eq!(outcome.code(), Some(1), "{name}");
        if json.is_empty() {
            assert!(outcome.stderr.contains(&file), "{name} names no file:\n{}", outcome.stderr);
        } else {
            let code = code_of(&outcome);
            assert!(["bad-plan", "bad-manifest"].contains(&code.as_str()), "{name}: {}", outcome.stdout);
        }
    }
    assert_untouched(&before, &contents(&folder), "a damaged plan");
}

/// Plans that were changed by hand, so that they can still be read and say something else.
#[test]
fn plans_that_say_something_else_are_refused() {
    let (folder, plan) = planned();
    let first = |key: &str| format!("/plan/changes/0/{key}");
    let fact = keys(&plan, "/facts").remove(0);
    let cases = [
        ("a manifest that is not there", with(&plan, "/manifest", Some(json!("nowhere.yaml"))), "bad-plan"),
        ("a manifest without end", with(&plan, "/manifest", Some(json!("/dev/zero"))), "bad-plan"),
        ("a folder for a manifest", with(&plan, "/manifest", Some(json!("/"))), "bad-plan"),
        ("itself for a manifest", with(&plan, "/manifest", Some(json!("plan.json"))), "bad-plan"),
        ("one fact less", with(&plan, &fact, None), "bad-plan"),
        ("another fact", with(&plan, &fact, Some(json!({"says": "paid", "sha256": "00"}))), "bad-plan"),
        ("one fact more", with(&plan, "/facts/order nothing", Some(json!({"says": "x", "sha256": ""}))), "bad-plan"),
        ("no change", with(&plan, "/plan/changes", Some(json!([]))), "bad-plan"),
        ("no step", with(&plan, &first("steps"), Some(json!([]))), "bad-plan"),
        ("another environment", with(&plan, "/plan/head/environment", Some(json!("live"))), "bad-plan"),
        ("another account", with(&plan, "/plan/head/account", Some(json!("acct_other"))), "bad-plan"),
        ("another manifest", with(&plan, "/plan/head/manifest_sha256", Some(json!("00"))), "bad-plan"),
        ("another database", with(&plan, "/ledger", Some(json!("0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a"))), "bad-plan"),
    ];
    for (n, (_, text, _)) in cases.iter().enumerate() {
        folder.write(&format!("other-{n}.json"), text);
    }
    let before = contents(&folder);
    for (n, (name, _, code)) in cases.iter().enumerate() {
        let outcome = refused(name, folder.tourney(["apply", "--yes", "--json", &format!("other-{n}.json")]));
        assert_eq!((outcome.code(), code_of(&outcome).as_str()), (Some(1), *code), "{name}: {}", outcome.stdout);
    }
    assert_untouched(&before, &contents(&folder), "a plan that says something else");
    folder.tourney(["apply", "--yes", "plan.json"]).run().expect(0);
}

/// A manifest may be written as JSON, which is YAML too: `apply` takes it as `plan` does.
#[test]
fn a_manifest_written_as_json_is_no_damaged_plan() {
    let manifest: Value = serde_saphyr::from_str(&BASE.replace("amount: 55.00", "amount: '55.00'")).unwrap();
    let folder = Folder::new().with("tournament.json", &manifest.to_string());
    folder.tourney(["validate", "tournament.json"]).run().expect(0);
    folder.tourney(["apply", "--yes", "tournament.json"]).run().expect(0);
}
