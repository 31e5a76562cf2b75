//! The incident that this tool is for: 21 links made by scripts, without `order_id`, expired, unpaid.

use serde_json::{Value, json};

use super::club::{Club, Order};
use super::on_both;

pub(super) const UTAH: &str = "utah-invitational-2026";

on_both!(the_utah_invitational_is_put_right);

#[test]
fn on_the_embedded_sandbox() {
    the_utah_invitational_is_put_right(&Club::embedded());
}

fn the_utah_invitational_is_put_right(club: &Club) {
    // Another tournament of the same club was billed before: its orders are nobody's business here.
    club.bill();
    let others = club.orders();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/utah-invitational.yaml");
    club.folder.write("tournament.yaml", &std::fs::read_to_string(manifest).unwrap());
    let players = scripts_bill(club);

    let expected: Vec<String> = players
        .iter()
        .map(|(player, fee)| format!("{player}/{fee} replace expired-session missing-metadata"))
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(expected.len(), 21);
    let plan = club.plans(&expected);
    assert_eq!(plan["money"], json!({"currency": "usd", "owed": 123_500, "paid": 0, "unpayable": 123_500}));
    assert_eq!((&plan["summary"]["replace"], &plan["summary"]["unchanged"]), (&json!(21), &json!(0)));
    let headline = club.tourney(["plan"]).run().expect(0).stdout;
    let said = "21 orders, $1,235.00 cannot be paid: 21 sessions expired, 21 lack order_id";
    assert_eq!(headline.lines().next(), Some(said));

    let applied = club.converges(&expected, &[]);

    assert_eq!(applied["proof"], json!({"live": 21, "without_order_id": []}), "{applied:#}");
    for (player, _) in &players {
        assert_eq!(club.status(&format!("club-{player}")), "canceled");
    }
    verifies(club);

    for (player, _) in &players[..3] {
        club.pay(pending(club, player).session());
    }
    let paid: Vec<String> =
        players[..3].iter().map(|(player, fee)| format!("{player}/{fee} record_payment unrecorded-payment")).collect();
    club.converges(&paid.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    verifies(club);
    for order in others {
        assert_eq!(club.row(&order.id), Some(order));
    }
}

/// The pending order of a player for the Utah Invitational.
pub(super) fn pending(club: &Club, player: &str) -> Order {
    let theirs = |order: &Order| order.tournament == UTAH && order.player == player && order.status == "pending";
    club.orders().into_iter().find(theirs).expect("the player has a pending order")
}

/// What the club's one-off scripts left behind, a week ago. Gives player and fee of every registration.
pub(super) fn scripts_bill(club: &Club) -> Vec<(String, String)> {
    let plan = club.tourney(["plan", "--json"]).run().expect(0).json();
    let bill = |change: &Value| {
        let (player, fee) = (change["player"].to_string(), change["fee"].to_string());
        let amount = change["desired"]["amount"].as_i64().unwrap();
        let past = json!({"amount": amount, "created_seconds_ago": 604_800, "expired_seconds_ago": 518_400});
        let session = club.script_makes(past);
        let row =
            format!("('club-{player}', '{UTAH}', '{player}', '{fee}', {amount}, 'usd', 'pending', '{session}', 1, 1)");
        ((player, fee), row)
    };
    let (players, rows): (Vec<_>, Vec<_>) = plan["changes"].as_array().unwrap().iter().map(bill).unzip();
    club.sql(&format!(
        "INSERT INTO orders (id, tournament_id, player_id, fee_id, amount_cents, currency, status, \
         stripe_checkout_session_id, created_at, updated_at) VALUES {}",
        rows.join(", ")
    ));
    players
}

/// The audit and the round trip both pass, and the canary leaves no order behind.
#[track_caller]
pub(super) fn verifies(club: &Club) {
    let before = club.orders();
    let verdict = club.tourney(["verify", "--json"]).run().expect(0).json();
    assert_eq!(verdict["passed"], true, "{verdict:#}");
    let checks = verdict["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["passed"] != false), "{verdict:#}");
    assert_eq!(club.orders(), before);
    club.plans(&[]);
}
