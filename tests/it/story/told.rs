//! What the commands say, and what must be true after them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::Outcome;

use super::club::{Club, Order, text};

impl Club {
    /// Applies the manifest for the first time: each of its players gets an order and a link.
    #[track_caller]
    pub(crate) fn bill(&self) {
        self.tourney(["apply", "--yes"]).run().expect(0);
    }

    /// Asserts what `plan` says, as `1001/5 replace expired-session missing-metadata`, and the exit code that follows.
    #[track_caller]
    pub(crate) fn plans(&self, expected: &[&str]) -> Value {
        let outcome = self.tourney(["plan", "--json", "--detailed-exitcode"]).run();
        let code = if expected.iter().any(|line| is_work(line)) { 2 } else { code_of_left(expected) };
        let outcome = outcome.expect(code);
        let plan = outcome.json();
        let lines: Vec<String> = plan["changes"].as_array().unwrap().iter().map(line).collect();
        assert_eq!(lines, expected, "{plan:#}");
        plan
    }

    /// The whole story's end: `plan` says exactly `expected`, `apply` does all of it that it may, the next plan holds
    /// exactly `left`, and what is payable is right. Gives what `apply --json` printed.
    #[track_caller]
    pub(crate) fn converges(&self, expected: &[&str], left: &[&str]) -> Value {
        self.plans(expected);
        let applied = self.tourney(["apply", "--yes", "--json"]).run().expect(code_of_left(left)).json();
        let results = applied["results"].as_array().unwrap();
        let lines: Vec<String> = results.iter().map(|one| format!("{} {}", line(one), text(&one["outcome"]))).collect();
        let work: Vec<String> =
            expected.iter().filter(|line| is_work(line)).map(|line| format!("{line} done")).collect();
        assert_eq!(lines, work, "{applied:#}");
        assert!(results.iter().all(|one| one["error"].is_null()), "{applied:#}");
        self.plans(left);
        self.payables_are_right(left);
        applied
    }

    /// At most one live order for a registration; every open session of ours is recorded on exactly one pending order,
    /// names it, and asks its amount. Where a person must look at a session first, that one is as it was found.
    #[track_caller]
    fn payables_are_right(&self, left: &[&str]) {
        let orders = self.orders();
        let mut live = BTreeMap::new();
        for order in orders.iter().filter(|order| ["pending", "paid"].contains(&order.status.as_str())) {
            let before = live.insert((&order.tournament, &order.player, &order.fee), order);
            assert_eq!(before, None, "two live orders: {orders:#?}");
        }
        if left.iter().any(|line| line.contains("wrong-metadata")) {
            return;
        }
        let ledger = self.ledger();
        let links = self.links();
        let mut payable_at = BTreeMap::new();
        let sessions = self.sessions();
        for session in sessions.iter().filter(|one| one["status"] == "open") {
            // A visit is a part of its link, which must be open and lead to the same order.
            if let Some(link) = links.iter().find(|link| link["id"] == session["payment_link"]) {
                if link["metadata"]["tourney_ledger"] == ledger.as_str() {
                    assert_eq!(
                        (&link["active"], &link["metadata"]),
                        (&json!(true), &session["metadata"]),
                        "{session:#}"
                    );
                }
                continue;
            }
            let owners: Vec<&Order> =
                orders.iter().filter(|one| one.session.as_deref() == session["id"].as_str()).collect();
            if owners.is_empty() && session["metadata"]["tourney_ledger"] != ledger.as_str() {
                continue;
            }
            let [owner] = owners[..] else { panic!("owned by {owners:#?}: {session:#}") };
            assert_eq!(owner.status, "pending", "{session:#}");
            assert_eq!(session["metadata"]["order_id"], owner.id.as_str(), "{session:#}");
            assert_eq!(session["amount_total"], owner.amount, "{session:#}");
            assert_eq!(session["currency"], owner.currency.as_str(), "{session:#}");
            payable_at.insert(owner.id.as_str(), &session["id"]);
        }
        let ours = |link: &&Value| link["active"] == true && link["metadata"]["tourney_ledger"] == ledger.as_str();
        for link in links.iter().filter(ours) {
            let owner = orders.iter().find(|order| link["metadata"]["order_id"] == order.id.as_str());
            let owner = owner.unwrap_or_else(|| panic!("a link of nobody: {link:#}"));
            assert_eq!((owner.status.as_str(), owner.session.as_deref()), ("pending", None), "{link:#}");
            assert_eq!(link["payment_intent_data"]["metadata"]["order_id"], owner.id.as_str(), "{link:#}");
            assert_eq!(link["restrictions"]["completed_sessions"]["limit"], 1, "{link:#}");
            let line = &link["line_items"]["data"][0];
            assert_eq!((&line["amount_total"], &line["quantity"]), (&json!(owner.amount), &json!(1)), "{link:#}");
            assert_eq!(link["currency"], owner.currency.as_str(), "{link:#}");
            let besides = payable_at.insert(owner.id.as_str(), &link["id"]);
            assert_eq!(besides, None, "payable twice: {link:#}");
        }
    }

    /// Runs a command that must write nothing: not a byte of a SQLite file, no row of PostgreSQL, no request to Stripe
    /// but reads.
    #[track_caller]
    pub(crate) fn untouched(&self, command: impl FnOnce() -> Outcome) -> Outcome {
        let before = self.everything();
        self.control(json!({"command": "reset_stats"}));
        let outcome = command();
        let writes: Vec<Value> = self.requests().into_iter().filter(|request| request["method"] != "GET").collect();
        assert_eq!(writes, Vec::<Value>::new(), "{outcome:?}");
        assert!(self.everything() == before, "the database was written to: {outcome:?}");
        outcome
    }
}

/// One entry of `changes` or `results` in a line.
fn line(change: &Value) -> String {
    let id = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let findings: Vec<&str> = change["findings"].as_array().unwrap().iter().map(text).collect();
    format!("{}/{} {} {}", id(&change["player"]), id(&change["fee"]), text(&change["action"]), findings.join(" "))
}

/// Whether `apply` does something about a line.
fn is_work(line: &str) -> bool {
    !line.contains(" attention ") && !line.contains(" decided ")
}

/// The exit code where only what a person decides is left.
fn code_of_left(left: &[&str]) -> i32 {
    if left.iter().any(|line| line.contains(" attention ")) { 3 } else { 0 }
}
