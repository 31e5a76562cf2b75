//! What a refusal says to do next: it is shown whole, it is true, and what is to be typed works as it stands.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};
use tourney::stripe::signature;

use crate::story::club::Club;
use crate::support::{Answer, Folder, Listener, Outcome, applied_camp, camp};

use super::is_refusal;

const SECRET: &str = "whsec_club";

fn text<'v>(error: &'v Value, key: &str) -> &'v str {
    error[key].as_str().unwrap()
}

#[test]
fn how_a_secret_begins_is_shown_and_a_secret_is_not() {
    let folder = camp();
    let plan = |name: &str, value: &str| {
        let command = folder.tourney(["plan", "--json"]).env("DATABASE_URL", "sqlite://a.db");
        command.env("STRIPE_SECRET_KEY", "sk_test_51H").env(name, value).run()
    };
    let error = is_refusal(plan("STRIPE_SECRET_KEY", "nonsense"), 1, "bad-secret");
    assert!(text(&error, "message").ends_with("begin with sk_test_, sk_live_, rk_test_ or rk_live_"), "{error:#}");
    assert!(text(&error, "hint").ends_with("API keys sk_… or rk_…, webhook secrets whsec_…"), "{error:#}");
    let plain = folder.tourney(["plan"]).env("STRIPE_SECRET_KEY", "nonsense").run().expect(1);
    assert!(plain.stderr.contains("sk_test_") && !plain.stderr.contains("***"), "{}", plain.stderr);
    let error = is_refusal(plan("DATABASE_URL", "postgres://db"), 1, "bad-url");
    assert!(text(&error, "message").ends_with("postgres://user@host/database"), "{error:#}");
    // Typed in the wrong place, they are named as what they are.
    let typed = |word: &str| folder.tourney(["history", word]).run().expect(1).stderr;
    assert!(typed("sk_test_51Hidden").contains("no run begins with sk_test_***"), "{}", typed("sk_test_51Hidden"));
    let url = typed("postgres://club:hunter2@db1/club");
    assert!(url.contains("postgres://club:***@db1/club"), "{url}");
}

#[test]
fn a_bad_database_is_told_about_databases() {
    let folder = camp();
    for url in ["mysql://localhost/orders", "nonsense", "sqlite::memory:", "postgres://db"] {
        let outcome =
            folder.tourney(["plan", "--json"]).env("DATABASE_URL", url).env("STRIPE_SECRET_KEY", "sk_test_51H");
        let error = is_refusal(outcome.run(), 1, "bad-url");
        let hint = "write postgres://user@host/database (postgresql:// is the same), or sqlite:///folder/orders.db";
        assert_eq!(text(&error, "hint"), hint, "{url}");
    }
    for (url, word) in
        [("postgresql+psycopg://club@db1/club", "postgresql://"), ("sqlite+aiosqlite:///a.db", "sqlite://")]
    {
        let outcome =
            folder.tourney(["plan", "--json"]).env("DATABASE_URL", url).env("STRIPE_SECRET_KEY", "sk_test_51H");
        let error = is_refusal(outcome.run(), 1, "bad-url");
        let message = text(&error, "message");
        assert!(message.contains("leave it out") && message.contains(word), "{url}: {error:#}");
    }
}

/// A club whose environment must be named.
fn named() -> Club {
    let club = Club::on_sqlite();
    club.folder.write("environments.yaml", "test: {checkout: {success_url: 'https://club.example/thanks'}}\n");
    club
}

#[test]
fn a_saved_plan_is_carried_out_by_the_command_that_is_shown() {
    let club = named();
    let saved = club.tourney(["-e", "test", "plan", "--out", "my plan.json"]).run().expect(0);
    let line = saved.stderr.lines().last().unwrap();
    let command = line.split_once("carry it out with ").unwrap().1;
    assert_eq!(command, "tourney -e test apply 'my plan.json'");
    let error = is_refusal(club.in_shell(&format!("{command} --json")).run(), 1, "confirmation-needed");
    let again = text(&error, "hint").split_once("then run ").unwrap().1;
    assert_eq!(again, "tourney -e test apply --yes 'my plan.json'");
    club.in_shell(again).run().expect(0);
    assert_eq!(club.sessions().len(), 3);
}

#[test]
fn without_a_terminal_both_commands_are_shown_as_they_must_be_typed() {
    let club = named();
    club.in_shell("mkdir plans; mv tournament.yaml plans/cup.yaml").run().expect(0);
    let asked = ["apply", "--json", "-e", "test", "plans/cup.yaml", "--allow-mass-retire", "--player", "1001", "1002"];
    let error = is_refusal(club.tourney(asked).run(), 1, "confirmation-needed");
    let (look, again) = text(&error, "hint").strip_prefix("look at ").unwrap().split_once(", then run ").unwrap();
    assert_eq!(look, "tourney -e test plan plans/cup.yaml --allow-mass-retire --player 1001 1002");
    assert_eq!(again, "tourney -e test apply --yes plans/cup.yaml --allow-mass-retire --player 1001 1002");
    club.in_shell(look).run().expect(0);
    club.in_shell(again).run().expect(0);
    assert_eq!(club.sessions().len(), 2);
}

#[test]
fn a_manifest_behind_player_is_told_to_stand_before_it() {
    let folder = camp().with("roster", "").with("my.plan", "");
    for word in ["roster.yaml", "other.yml", "roster", "my.plan"] {
        for command in ["plan", "apply", "status", "links"] {
            let yes = if command == "apply" { &["--yes"][..] } else { &[] };
            let args = [&[command, "--json"], yes, &["--player", "1", word]].concat();
            let error = is_refusal(folder.tourney(&args).run(), 64, "usage");
            let said = format!("{} {}", text(&error, "message"), text(&error, "hint"));
            assert!(said.contains("put MANIFEST before --player") && said.contains(word), "{args:?}: {error:#}");
        }
    }
    folder.tourney(["plan", "tournament.yaml", "--player", "1"]).run().expect(0);
}

#[test]
fn a_player_may_have_a_negative_id() {
    let folder = camp();
    folder.write("tournament.yaml", &folder.read("tournament.yaml").replace("{id: 1,", "{id: -3,"));
    let changes = |args: &[&str]| folder.tourney(args).run().expect(0).json()["changes"].as_array().unwrap().len();
    assert_eq!(changes(&["plan", "--json", "--player", "-3"]), 2);
    assert_eq!(changes(&["plan", "--json", "--player", "kim", "-3"]), 3);
    folder.tourney(["apply", "--yes", "--player", "-3"]).run().expect(0);
    let shown = |args: &[&str]| folder.tourney(args).run().expect(0).json()["registrations"].as_array().unwrap().len();
    assert_eq!(shown(&["status", "--json", "--player", "-3"]), 2);
    assert_eq!(shown(&["show", "-3", "--json"]), 2);
    assert_eq!(folder.tourney(["links", "--player", "-3"]).run().expect(0).stdout.lines().count(), 3);
}

/// An application with its own handler, which knows nothing of tourney but the orders table.
fn application(folder: &Folder) -> Listener {
    let database = Arc::new(format!("sqlite://{}", folder.path(".tourney/orders.db").display()));
    Listener::start(move |request| {
        let header = request.headers.get(signature::HEADER).and_then(|header| header.to_str().ok()).unwrap_or_default();
        if signature::verify(
            header,
            &request.body,
            &[SecretString::from(SECRET)],
            Timestamp::now(),
            signature::TOLERANCE,
        )
        .is_err()
        {
            return Answer::new(400, "no");
        }
        let event: Value = serde_json::from_slice(&request.body).unwrap();
        if event["type"] == "checkout.session.completed" {
            let database = Arc::clone(&database);
            // A thread of its own, because the listener is already inside a runtime.
            std::thread::spawn(move || mark_paid(&database, &event["data"]["object"])).join().unwrap();
        }
        Answer::new(200, "")
    })
}

fn mark_paid(database: &str, session: &Value) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = SqliteConnection::connect(database).await.unwrap();
        let paid =
            "UPDATE orders SET status = 'paid', stripe_payment_intent_id = $1 WHERE id = $2 AND status = 'pending'";
        let order = session["metadata"]["order_id"].as_str();
        sqlx::query(paid).bind(session["payment_intent"].as_str()).bind(order).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[track_caller]
fn is_verified(outcome: Outcome, endpoint: &str) {
    let outcome = outcome.expect(0);
    assert!(outcome.stderr.contains(&format!("Round trip against {endpoint}\n")), "{}", outcome.stderr);
}

#[test]
fn an_endpoint_is_proved_in_the_sandbox_by_the_command_that_is_shown() {
    let folder = applied_camp();
    let application = application(&folder);
    let url = application.url("/hook");
    let verify = |url: &str| folder.tourney(["verify", "--json", "--endpoint", url]).run();
    let error = is_refusal(verify("not a url"), 1, "bad-endpoint");
    assert!(text(&error, "message").contains("not a url"), "the address comes first: {error:#}");
    let error = is_refusal(verify(&url), 1, "no-webhook-secret");
    let command = text(&error, "hint");
    assert_eq!(command, format!("STRIPE_WEBHOOK_SECRET=whsec_… tourney -e sandbox verify --endpoint {url}"));
    is_verified(folder.sh(&command.replace("whsec_…", SECRET)).run(), &url);
    assert!(!application.received().is_empty());
    // The same by its variables; and an endpoint that is named so is never passed over for our own receiver.
    let chosen = || folder.tourney(["-e", "sandbox", "verify", "--json"]).env("TOURNEY_WEBHOOK_URL", &url);
    is_refusal(chosen().run(), 1, "no-webhook-secret");
    is_verified(chosen().env("STRIPE_WEBHOOK_SECRET", SECRET).run(), &url);
}
