//! The harness itself: a test that stands on it may trust it.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, PgConnection, query, query_scalar};

use crate::support::{Answer, Folder, Listener, Relay, Then, cluster, database, wait_until};

#[tokio::test]
async fn each_test_has_a_postgres_database_of_its_own() {
    let (Some(one), Some(two)) = (database(), database()) else { return };
    let mut connection = PgConnection::connect(&one).await.unwrap();
    query("CREATE TABLE mine (id TEXT)").execute(&mut connection).await.unwrap();

    let mut connection = PgConnection::connect(&two).await.unwrap();
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(query_scalar::<_, i64>(tables).fetch_one(&mut connection).await.unwrap(), 0);
}

#[test]
fn the_postgres_server_ends_with_the_pipe_that_every_end_of_a_process_closes() {
    let Some(cluster) = cluster() else { return };
    let folder = Path::new(&cluster.folder).to_owned();
    let server = std::fs::read_to_string(folder.join("data/postmaster.pid"));
    // Its owner alone may read that file; where the tests run as root or as the owner it names the process.
    let process = server.ok().and_then(|text| text.lines().next().map(|pid| format!("/proc/{pid}")));
    assert!(folder.join(".s.PGSQL.5432").exists());

    drop(cluster);
    wait_until("the server's folder is gone", || !folder.exists());
    if let Some(process) = process {
        wait_until("the server has ended", || !Path::new(&process).exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_cuts_a_connection_where_it_is_told() {
    let Some(database) = database() else { return };
    let relay = Relay::start(&database, |sql| match sql {
        _ if sql.contains("'before'") => Then::CutBefore,
        _ if sql.contains("'after'") => Then::CutAfter,
        _ if sql.contains("'crash'") => Then::CrashAfter,
        _ if sql.contains("'vanish'") => Then::Vanish,
        _ => Then::Pass,
    });
    let mut direct = PgConnection::connect(&database).await.unwrap();
    query("CREATE TABLE said (word TEXT)").execute(&mut direct).await.unwrap();
    for (word, answered) in [("pass", true), ("before", false), ("after", false), ("crash", false), ("vanish", false)] {
        let mut through = PgConnection::connect(relay.url()).await.unwrap();
        let insert = AssertSqlSafe(format!("INSERT INTO said VALUES ('{word}')"));
        let said = query(insert).execute(&mut through).await;
        assert_eq!(said.is_ok(), answered, "{word}: {said:?}");
    }
    let words = query_scalar::<_, String>("SELECT word FROM said ORDER BY word").fetch_all(&mut direct).await.unwrap();
    assert_eq!(words, ["after", "crash", "pass"]);
}

#[test]
fn a_command_sees_nothing_of_our_environment() {
    let outcome = Folder::new().sh("env | sed 's/=.*//' | sort").env("DATABASE_URL", "sqlite://x").run().expect(0);
    // PWD, SHLVL and _ are the shell's own.
    let names: Vec<&str> =
        outcome.stdout.lines().filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name)).collect();
    assert_eq!(names, ["DATABASE_URL", "HOME", "PATH"]);
}

#[test]
fn a_command_runs_in_its_folder_and_says_how_it_ended() {
    let folder = Folder::new().with("a/tournament.yaml", "version: 1\n");
    let outcome =
        folder.sh("cat a/tournament.yaml - >copy; echo '{\"orders\": 21}'; echo why >&2; exit 3").stdin("2\n").run();
    let outcome = outcome.expect(3);
    assert_eq!((outcome.json()["orders"].as_i64(), outcome.stderr.as_str()), (Some(21), "why\n"));
    assert_eq!(folder.read("copy"), "version: 1\n2\n");
}

#[test]
fn the_binary_is_the_one_just_built() {
    Folder::new().tourney(["--help"]).run().expect(0);
    let found = Folder::new().sh("command -v tourney").run().expect(0).stdout;
    assert_eq!(found.trim_end(), env!("CARGO_BIN_EXE_tourney"));
}

#[test]
fn a_running_command_can_be_watched_and_signalled() {
    let running =
        Folder::new().sh("trap 'echo interrupted; exit 130' INT; echo up >&2; echo on; while :; do :; done").spawn();
    wait_until("it is up", || running.stderr().contains("up") && running.stdout().contains("on"));
    running.signal("INT");
    assert_eq!(running.wait().expect(130).stdout, "on\ninterrupted\n");
}

#[test]
fn a_killed_command_has_no_exit_code() {
    let running = Folder::new().sh("echo up; while :; do :; done").spawn();
    wait_until("it is up", || running.stdout().contains("up"));
    running.signal("KILL");
    assert_eq!(running.wait().code(), None);
}

#[tokio::test]
async fn the_listener_records_what_it_is_sent_and_answers_from_the_closure() {
    let listener = Listener::start(|request| Answer::new(if request.body == "good" { 200 } else { 400 }, "{}"));
    // No TLS is spoken here, but the client will not be built without a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let post = |body: &'static str| client.post(listener.url("/webhooks/stripe?a=1")).header("x-name", "v").body(body);
    assert_eq!(post("good").send().await.unwrap().status(), 200);
    let refused = post("bad").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.text().await.unwrap()), (400, "{}".to_owned()));

    let received = listener.received();
    assert_eq!(received.len(), 2);
    assert_eq!((received[0].method.as_str(), received[0].uri.to_string().as_str()), ("POST", "/webhooks/stripe?a=1"));
    assert_eq!((received[1].headers["x-name"].to_str().unwrap(), &received[1].body[..]), ("v", &b"bad"[..]));
}
