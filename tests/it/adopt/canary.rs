//! The canary in an application's own table: made through the mapping, removed, or canceled where it cannot go.

use serde_json::{Value, json};

use super::app::{error, installed, script};
use crate::story::application::{Application, Handler, SECRET};
use crate::story::club::Club;
use crate::story::on_both;
use crate::story::trip::{detail, passed};

on_both!(
    a_canary_that_cannot_go_is_canceled_and_named,
    a_canary_needs_rows_that_exist,
    a_canary_that_paid_an_order_of_another_database_is_told_on_both_sides,
    a_status_that_is_crosswise_is_told_as_such,
);

fn a_canary_that_cannot_go_is_canceled_and_named(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    // The application writes a receipt for every payment, so that the canary's row is referred to.
    let receipt = "INSERT INTO receipts (order_id) SELECT id FROM orders WHERE player_id = 1 AND status = 'paid'";
    let handler = Handler { meanwhile: Some(receipt.to_owned()), ..Handler::default() };
    for _ in 0..2 {
        let application = Application::start(club, handler.clone());
        let command = club.tourney(["verify", "--json", "--endpoint", application.url()]);
        let verdict = command.env("STRIPE_WEBHOOK_SECRET", SECRET).run().expect(0).json();
        assert_eq!(passed(&verdict, "clean-up"), json!(true), "{verdict:#}");
        let told = detail(&verdict, "clean-up");
        assert!(told.contains("is cancelled: ") && told.contains("receipts"), "{told}");
        script(club, "DELETE FROM receipts");
    }
    let left = club.sql("SELECT CAST(status AS TEXT) FROM orders WHERE player_id = 1");
    assert_eq!(left, [[Some("canceled".to_owned())], [Some("canceled".to_owned())]]);
    club.plans(&[]);
    shows_whose_they_are(club);
}

/// `show` says of a canary's order that it is one, by its id and by the address that the environment gives it.
#[track_caller]
fn shows_whose_they_are(club: &Club) {
    let rows = club.sql("SELECT CAST(id AS TEXT) FROM orders WHERE player_id = 1 ORDER BY id");
    let id = rows[0][0].clone().unwrap();
    let page = club.tourney(["show", &id]).run().expect(0).stdout;
    assert!(page.contains(&format!("order {id} is a canary of tourney verify, nobody's order")), "{page}");
    assert!(page.contains("Next: nothing"), "{page}");
    let page = club.tourney(["show", "canary@club.example", "--json"]).run().expect(0).json();
    assert_eq!(page["orders"].as_array().unwrap().len(), 2, "{page:#}");
    assert!(page["canaries"].as_array().unwrap().iter().all(|one| one["stands"] == true), "{page:#}");
    assert!(!page["sessions"].as_array().unwrap().is_empty(), "{page:#}");
}

/// An application on another database, with the same numbers for its orders, takes the canary's event for its own order's.
fn a_canary_that_paid_an_order_of_another_database_is_told_on_both_sides(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let other = Club::on_sqlite();
    installed(&other);
    other.edit("players:\n", "players:\n  - {id: 2001, name: Dana Dogwood, email: parent04@example.com, fee: 5}\n");
    other.tourney(["apply", "--yes"]).run().expect(0);
    // The canary here has the number that the last order has there.
    let last = "SELECT CAST(MAX(id) AS TEXT) FROM orders";
    let number = other.sql(last)[0][0].clone().unwrap();
    assert_eq!(club.sql(last)[0][0].clone().unwrap().parse::<i64>().unwrap() + 1, number.parse::<i64>().unwrap());
    let application = Application::start(&other, Handler::default());
    let command = club.tourney(["verify", "--json", "--endpoint", application.url()]);
    let verdict = command.env("STRIPE_WEBHOOK_SECRET", SECRET).run().expect(1).json();
    assert_eq!(passed(&verdict, "order-paid"), json!(false), "{verdict:#}");
    let row =
        other.sql(&format!("SELECT CAST(status AS TEXT), stripe_payment_intent_id FROM orders WHERE id = {number}"));
    let intent = row[0][1].clone().unwrap();
    assert_eq!(row[0][0].as_deref(), Some("paid"), "the harm is done");
    let told = detail(&verdict, "order-paid");
    assert!(told.contains("another database") && told.contains(&intent), "{told}");
    assert!(told.contains(&format!("ORDER {number} THERE")) && told.contains("by hand"), "{told}");
    assert!(told.contains("15 s") && told.contains("queue"), "{told}");
    is_seen_there(&other, &number, &intent);
}

/// Whoever looks at the other database sees an order that nobody paid, and how it is put right.
#[track_caller]
fn is_seen_there(other: &Club, number: &str, intent: &str) {
    let player = other.sql(&format!("SELECT CAST(player_id AS TEXT) FROM orders WHERE id = {number}"));
    let player = player[0][0].clone().unwrap();
    let fee = if player == "1002" { 6 } else { 5 };
    let plan = other.tourney(["plan", "--json", "--detailed-exitcode"]).run().expect(2).json();
    let change = plan["changes"].as_array().unwrap().iter().find(|one| one["action"] == "attention").unwrap();
    assert_eq!(change["findings"], json!(["paid-amount-differs"]), "{plan:#}");
    let told = change["detail"].as_str().unwrap();
    assert!(told.contains("NOBODY PAID") && told.contains(intent), "{told}");
    assert_eq!((&plan["money"]["paid"], &plan["undecided_money"]), (&json!(0), &json!([])), "{plan:#}");
    let status = other.tourney(["status"]).run().expect(0).stdout;
    assert!(status.contains("paid-amount-differs") && status.contains(intent), "{status}");
    let audit = other.tourney(["verify", "--audit-only", "--json"]).run().json();
    assert_eq!(passed(&audit, "money-matched"), Value::Null, "{audit:#}");
    let told = detail(&audit, "money-matched");
    assert!(told.starts_with(&format!("1 finding waits for a person's decision: order {number} ")), "{told}");

    let mut line = format!("{player}/{fee} decided paid-amount-differs");
    other.append(&format!("decisions:\n  - {{player: {player}, fee: {fee}, finding: paid-amount-differs}}"));
    other.tourney(["apply", "--yes"]).run().expect(0);
    other.plans(&[&line]);
    // Put right by hand: the order is pending again, and payable.
    line = format!("{player}/{fee} renew expired-session");
    other.sql(&format!("UPDATE orders SET status = 'pending', stripe_payment_intent_id = NULL WHERE id = {number}"));
    other.plans(&[&line]);
}

fn a_status_that_is_crosswise_is_told_as_such(club: &Club) {
    installed(club);
    // The application's own word for paid is the one that the mapping takes for refunded.
    if club.is_sqlite() {
        club.sql(
            "CREATE TRIGGER own_word AFTER UPDATE ON orders WHEN NEW.status = 'paid' BEGIN \
             UPDATE orders SET status = 'refunded' WHERE id = NEW.id; END",
        );
    } else {
        club.sql(
            "CREATE FUNCTION own_word() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.status := 'refunded'; RETURN NEW; END $$",
        );
        club.sql(
            "CREATE TRIGGER own_word BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.status = 'paid') \
             EXECUTE FUNCTION own_word()",
        );
    }
    club.tourney(["apply", "--yes"]).run().expect(0);
    let application = Application::start(club, Handler::default());
    let command = club.tourney(["verify", "--json", "--endpoint", application.url()]);
    let verdict = command.env("STRIPE_WEBHOOK_SECRET", SECRET).run().expect(1).json();
    let told = detail(&verdict, "order-paid");
    assert!(told.contains("changed to refunded instead of paid") && told.contains("`statuses`"), "{told}");
    assert!(!told.contains("order_id") && !told.contains("another database"), "{told}");
}

fn a_canary_needs_rows_that_exist(club: &Club) {
    installed(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let text = club.folder.read("environments.yaml").replace("player: 1,", "player: 77,");
    club.folder.write("environments.yaml", &text);
    let command = club.tourney(["verify", "--json", "--endpoint", "http://127.0.0.1:1/hook"]);
    let verdict = command.env("STRIPE_WEBHOOK_SECRET", SECRET).run().expect(1);
    let told = error(&verdict, "bad-mapping").to_string();
    assert!(told.contains("players has no row for player 77") && told.contains("canary"), "{told}");
    let left = club.sql("SELECT CAST(id AS TEXT) FROM orders WHERE player_id IN (1, 77)");
    assert_eq!(left, Vec::<Vec<_>>::new());
}
