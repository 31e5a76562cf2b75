//! I7: `plan` and `verify --audit-only` write nothing, anywhere.

use serde_json::json;

use super::club::Club;
use super::on_both;

on_both!(plan_and_audit_write_nothing, a_plan_of_an_empty_database_makes_nothing);

fn plan_and_audit_write_nothing(club: &Club) {
    club.bill();
    let (stale, paid) = (club.order("1001"), club.order("1002"));
    club.expire(stale.session());
    club.pay(paid.session());
    club.script_makes(json!({"metadata": club.ours("0000", "1003", "5")}));

    let plans =
        ["1001/5 renew expired-session", "1002/6 record_payment unrecorded-payment", "1003/5 expire ad-hoc-session"];
    let before = club.orders();
    club.untouched(|| {
        club.plans(&plans);
        club.tourney(["plan", "--out", "saved.plan"]).run().expect(0)
    });
    let shared = club.untouched(|| club.tourney(["plan", "--markdown"]).run().expect(0)).stdout;
    assert!(!["Alder", "example.com", "http"].iter().any(|word| shared.contains(word)), "{shared}");
    club.untouched(|| club.tourney(["verify", "--audit-only", "--json"]).run().expect(1));
    assert_eq!(club.orders(), before);
}

fn a_plan_of_an_empty_database_makes_nothing(club: &Club) {
    let outcome = club.untouched(|| club.tourney(["plan", "--json", "--detailed-exitcode"]).run().expect(2));
    assert_eq!(outcome.json()["summary"]["create"], 3);
    club.untouched(|| club.tourney(["verify", "--audit-only"]).run().expect(0));
    assert!(!club.folder.path("orders.db").exists(), "no database is made by looking");
}
