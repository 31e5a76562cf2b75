//! Refused because of what one of the two sides says, or because it says nothing.

use serde_json::json;

use crate::story::club::Club;
use crate::story::on_both;
use crate::support::{Answer, Listener};

use super::{is_refusal, refused};

on_both!(
    another_account_is_refused,
    another_mode_is_refused,
    a_session_of_the_other_mode_is_refused,
    orders_of_another_tournament_are_refused,
    a_key_that_stripe_refuses,
    a_stripe_that_is_not_there,
    a_stripe_that_breaks_off,
    a_stripe_that_has_no_time,
    a_stripe_that_speaks_something_else,
    a_database_that_is_not_there,
    a_database_that_is_not_as_it_should_be,
    an_orders_table_of_somebody_else,
    an_environment_that_is_not_whole,
);

fn everywhere(club: &Club, code: &str) {
    refused(club, ["plan", "--json"], 1, code);
    refused(club, ["apply", "--yes", "--json"], 1, code);
    refused(club, ["verify", "--json"], 1, code);
    refused(club, ["verify", "--audit-only", "--json"], 1, code);
}

fn another_account_is_refused(club: &Club) {
    club.bill();
    club.sql("UPDATE tourney_ledger SET account = 'acct_other'");
    everywhere(club, "wrong-account");
}

fn another_mode_is_refused(club: &Club) {
    club.bill();
    club.sql("UPDATE tourney_ledger SET mode = 'live'");
    everywhere(club, "wrong-mode");
}

fn a_session_of_the_other_mode_is_refused(club: &Club) {
    club.bill();
    club.record(&club.order("1001").id, "cs_live_a1B2c3");
    everywhere(club, "wrong-mode");
}

fn orders_of_another_tournament_are_refused(club: &Club) {
    club.bill();
    let order = club.order("1001").id;
    club.edit("{id: cup,", "{id: league,");
    club.sql(&format!("UPDATE orders SET tournament_id = 'league' WHERE id = '{order}'"));
    everywhere(club, "scope-overlap");
}

fn a_key_that_stripe_refuses(club: &Club) {
    club.bill();
    // Well formed here, and no key of Stripe's there.
    let run = |args: [&str; 3]| club.tourney(args).env("STRIPE_SECRET_KEY", "sk_test_a-b").run();
    is_refusal(club.untouched(|| run(["plan", "--json", "-q"])), 1, "stripe-key");
    is_refusal(club.untouched(|| run(["apply", "--json", "-y"])), 1, "stripe-key");
}

fn a_stripe_that_is_not_there(club: &Club) {
    club.bill();
    let run = |args: [&str; 3]| club.tourney(args).env("STRIPE_API_BASE", "http://127.0.0.1:1").run();
    is_refusal(club.untouched(|| run(["apply", "--json", "-y"])), 1, "stripe-unreachable");
    is_refusal(club.untouched(|| run(["plan", "--json", "-q"])), 1, "stripe-unreachable");
}

fn a_stripe_that_breaks_off(club: &Club) {
    club.bill();
    let cut = json!({"command": "fault", "path_prefix": "/v1/checkout", "when": "before", "what": "cut", "times": 99});
    club.control(cut);
    refused(club, ["apply", "--yes", "--json"], 1, "stripe-unreachable");
    club.control(json!({"command": "clear_faults"}));
    let status = json!({"command": "fault", "when": "before", "what": {"status": 400}, "times": 99});
    club.control(status);
    refused(club, ["plan", "--json"], 1, "stripe-refused");
}

fn a_stripe_that_has_no_time(club: &Club) {
    club.bill();
    club.expire(club.order("1001").session());
    // A few refusals are waited out.
    let busy = json!({"command": "fault", "when": "before", "what": "rate_limited", "times": 2});
    club.control(busy);
    club.converges(&["1001/5 renew expired-session"], &[]);
}

fn a_stripe_that_speaks_something_else(club: &Club) {
    club.bill();
    let run = |answer: Answer| {
        let stripe = Listener::start(move |_| answer.clone());
        club.untouched(|| club.tourney(["apply", "--yes", "--json"]).env("STRIPE_API_BASE", stripe.url("")).run())
    };
    is_refusal(run(Answer::new(200, "<html>Log in to the hotel's network</html>")), 1, "stripe-unknown");
    let denied =
        json!({"error": {"type": "invalid_request_error", "message": "The key of parent@example.com may not"}});
    is_refusal(run(Answer::new(403, denied.to_string())), 1, "stripe-key");
}

fn a_database_that_is_not_there(club: &Club) {
    club.bill();
    let gone = if club.is_sqlite() {
        // A folder stands where the file should be.
        std::fs::create_dir(club.folder.path("gone.db")).unwrap();
        format!("sqlite://{}", club.folder.path("gone.db").display())
    } else {
        "postgres://nobody:hunter2secret@127.0.0.1:1/orders".to_owned()
    };
    let run = |args: [&str; 3]| club.tourney(args).env("DATABASE_URL", &gone).run();
    for args in [["plan", "--json", "-q"], ["apply", "--json", "-y"]] {
        let outcome = club.untouched(|| run(args));
        assert!(!format!("{outcome:?}").contains("hunter2secret"), "{outcome:?}");
        let error = is_refusal(outcome, 1, "database");
        let message = error["message"].as_str().unwrap();
        assert!(club.is_sqlite() || message.contains("127.0.0.1:1/orders"), "{message}");
    }
    if !club.is_sqlite() {
        let other = club.database().replace("/test_", "/no_test_");
        let error =
            is_refusal(club.tourney(["plan", "--json"]).env("DATABASE_URL", other).run(), 1, "database-refused");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(":5432/no_test_") && message.contains("does not exist"), "{message}");
    }
}

fn a_database_that_is_not_as_it_should_be(club: &Club) {
    club.bill();
    club.sql("ALTER TABLE orders RENAME COLUMN status TO state");
    everywhere(club, "database-refused");
    let message = refused(club, ["plan", "--json"], 1, "database-refused")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("status") && !message.contains(" at line "), "not the server's own source: {message}");
    club.sql("ALTER TABLE orders RENAME COLUMN state TO status");
    club.plans(&[]);
    club.sql("UPDATE tourney_migrations SET version = 99 WHERE version = 1");
    club.expire(club.order("1001").session());
    let error = refused(club, ["apply", "--yes", "--json"], 1, "database-refused");
    assert!(error["message"].as_str().unwrap().contains("newer tourney"), "{error:#}");
}

fn an_orders_table_of_somebody_else(club: &Club) {
    if club.is_sqlite() {
        club.folder.write("orders.db", "");
    }
    club.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT)");
    for args in [["plan", "--json", "-q"], ["apply", "--json", "-y"], ["status", "--json", "-q"]] {
        let error = refused(club, args, 1, "database-refused");
        assert!(error["message"].as_str().unwrap().contains("tourney did not make"), "{error:#}");
    }
}

fn an_environment_that_is_not_whole(club: &Club) {
    club.bill();
    let run = |name: &str, value: &str| club.tourney(["plan", "--json"]).env(name, value).run();
    is_refusal(run("STRIPE_SECRET_KEY", "pk_test_123"), 1, "bad-secret");
    is_refusal(run("STRIPE_SECRET_KEY", "sk_live_123"), 1, "live-refused");
    is_refusal(run("DATABASE_URL", "mysql://localhost/orders"), 1, "bad-url");
    is_refusal(run("DATABASE_URL", ""), 1, "missing-database");
    is_refusal(run("STRIPE_SECRET_KEY", ""), 1, "no-stripe-key");
    is_refusal(run("TOURNEY_ENV", "prod"), 64, "unknown-environment");
}
