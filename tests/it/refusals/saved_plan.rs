//! A saved plan does what was reviewed or nothing.

use serde_json::json;

use crate::story::club::Club;
use crate::story::on_both;

use super::{is_refusal, refused};

on_both!(
    a_saved_plan_is_carried_out_once,
    any_fact_that_moves_outdates_a_saved_plan,
    allow_less_skips_what_has_become_unnecessary_and_refuses_more,
    a_damaged_plan_is_refused,
);

fn save(club: &Club) {
    club.untouched(|| club.tourney(["plan", "--out", "saved.plan"]).run().expect(0));
}

fn outdated(club: &Club, what: &str) {
    let error = refused(club, ["apply", "--yes", "--json", "saved.plan"], 1, "plan-outdated");
    assert!(error["message"].as_str().unwrap().contains(what), "it shows what moved ({what}): {error:#}");
}

fn a_saved_plan_is_carried_out_once(club: &Club) {
    save(club);
    let text = club.folder.read("saved.plan");
    assert!(!text.contains("example.com") && !text.contains("Alder") && !text.contains("http"), "{text}");
    club.tourney(["apply", "--yes", "saved.plan"]).run().expect(0);
    club.plans(&[]);
    outdated(club, "order ");
}

fn any_fact_that_moves_outdates_a_saved_plan(club: &Club) {
    club.bill();
    let (stale, paid) = (club.order("1001"), club.order("1002"));
    club.expire(stale.session());
    save(club);
    // Somebody pays another order.
    club.pay(paid.session());
    outdated(club, paid.session());
    club.tourney(["apply", "--yes", "--player", "1002"]).run().expect(0);
    save(club);
    // Somebody edits the manifest, if only in a remark.
    let whole = club.folder.read("tournament.yaml");
    club.folder.write("tournament.yaml", &format!("{whole}# reviewed\n"));
    outdated(club, "manifest");
    club.folder.write("tournament.yaml", &whole);
    // Another program changes an order.
    club.sql("UPDATE orders SET amount_cents = 5400 WHERE player_id = '1003'");
    outdated(club, &club.order("1003").id);
    club.sql("UPDATE orders SET amount_cents = 5500 WHERE player_id = '1003'");
    // All as it was: the plan is good again.
    club.tourney(["apply", "--yes", "saved.plan"]).run().expect(0);
    assert_eq!(club.order("1001").id, stale.id);
    club.plans(&[]);
}

fn allow_less_skips_what_has_become_unnecessary_and_refuses_more(club: &Club) {
    club.bill();
    let orders = club.orders();
    for player in ["1001", "1002"] {
        club.expire(club.order(player).session());
    }
    save(club);
    let text = club.folder.read("saved.plan");
    club.tourney(["apply", "--yes", "--player", "1001"]).run().expect(0);
    let renewed = club.order("1001");
    outdated(club, &renewed.id);
    let applied = club.tourney(["apply", "--yes", "--json", "--allow-less", "saved.plan"]).run().expect(0).json();
    assert_eq!(applied["results"].as_array().map(Vec::len), Some(1), "{applied:#}");
    assert_eq!((&applied["results"][0]["player"], &applied["results"][0]["outcome"]), (&json!(1002), &json!("done")));
    assert_eq!(club.order("1001"), renewed);

    club.folder.write("saved.plan", &text);
    club.expire(club.order("1003").session());
    let error = refused(club, ["apply", "--yes", "--json", "--allow-less", "saved.plan"], 1, "plan-outdated");
    assert!(error["message"].as_str().unwrap().contains("player 1003"), "{error:#}");
    assert_eq!(club.orders().len(), orders.len());
    refused(club, ["apply", "--yes", "--json", "--player=1003", "saved.plan"], 64, "usage");
}

fn a_damaged_plan_is_refused(club: &Club) {
    club.bill();
    club.expire(club.order("1001").session());
    save(club);
    let good = club.folder.read("saved.plan");
    let apply = |text: &str| {
        club.folder.write("saved.plan", text);
        club.tourney(["apply", "--yes", "--json", "saved.plan"]).run()
    };
    let bad = |text: &str| {
        is_refusal(club.untouched(|| apply(text)), 1, "bad-plan");
    };
    for share in [1, 3, 7] {
        bad(&good[..good.len() * share / 8]);
    }
    bad(&good.replacen("\"format_version\": 1", "\"format_version\": 2", 1));
    bad(&good.replacen("\"kind\": \"tourney-plan\"", "\"kind\": \"plan\"", 1));
    bad("{}");
    // Whatever line is lost, and whatever digit is changed.
    let lines: Vec<&str> = good.lines().collect();
    for place in (0..lines.len()).step_by(lines.len().div_ceil(24)) {
        let mut less = lines.clone();
        less.remove(place);
        if less[0] == "{" {
            bad(&less.join("\n"));
        }
    }
    for digit in "0123456789".chars() {
        let place = good.rfind(digit).unwrap();
        bad(&format!("{}{}{}", &good[..place], 9 - digit.to_digit(10).unwrap(), &good[place + 1..]));
    }
    apply(&good).expect(0);
    club.plans(&[]);
}
