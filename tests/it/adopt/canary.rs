//! The canary in an application's own table: made through the mapping, removed, or canceled where it cannot go.

use serde_json::json;

use super::app::{error, installed, script};
use crate::story::application::{Application, Handler, SECRET};
use crate::story::club::Club;
use crate::story::on_both;
use crate::story::trip::passed;

on_both!(a_canary_that_cannot_go_is_canceled_and_named, a_canary_needs_rows_that_exist);

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
        assert!(verdict.to_string().contains("cancelled"), "{verdict:#}");
        script(club, "DELETE FROM receipts");
    }
    let left = club.sql("SELECT CAST(status AS TEXT) FROM orders WHERE player_id = 1");
    assert_eq!(left, [[Some("canceled".to_owned())], [Some("canceled".to_owned())]]);
    club.plans(&[]);
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
