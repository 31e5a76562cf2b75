//! Environments that are wrong: `environments.yaml`, keys, URLs, variables, and servers that are not what they should be.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{BASE, assert_untouched, code_of, contents, refused};
use crate::support::{Answer, Folder, Listener};

/// `name | text` of a broken `environments.yaml` in each line.
const BROKEN: &str = include_str!("../../hostile/environments.txt");

const KEY: &str = "sk_test_51Hsecret";
const LIVE: &str = "sk_live_51Hsecret";

/// Every command that works in an environment.
const COMMANDS: [&[&str]; 8] = [
    &["plan"],
    &["apply", "--yes"],
    &["verify"],
    &["status"],
    &["links"],
    &["history"],
    &["unlock", "--force", "--yes"],
    &["show", "1017"],
];

/// Values of variables that cannot be right, and the code of their refusal. A good database and key stand beside them.
const VARIABLES: &[(&str, &str, &str)] = &[
    ("STRIPE_SECRET_KEY", LIVE, "live-refused"),
    ("STRIPE_SECRET_KEY", "rk_live_51Hsecret", "live-refused"),
    ("STRIPE_SECRET_KEY", "pk_test_51Hsecret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "pk_live_51Hsecret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "whsec_51Hsecret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_test_", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_51Hsecret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "SK_TEST_51Hsecret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_test_51Hsecret\n", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_test_51Hsecret\r", "bad-secret"),
    ("STRIPE_SECRET_KEY", " sk_test_51Hsecret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_test_51H secret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "\"sk_test_51Hsecret\"", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_test_51Hs\u{e9}cret", "bad-secret"),
    ("STRIPE_SECRET_KEY", "sk_test_51Hsecret\nX-Evil: 1", "bad-secret"),
    ("STRIPE_SECRET_KEY", "acct_1AB", "bad-secret"),
    ("STRIPE_SECRET_KEY", "nonsense", "bad-secret"),
    ("STRIPE_SECRET_KEY", "~/secrets/stripe/test-key", "bad-secret"),
    ("STRIPE_WEBHOOK_SECRET", KEY, "bad-secret"),
    ("STRIPE_WEBHOOK_SECRET", "pk_test_51Hsecret", "bad-secret"),
    ("STRIPE_WEBHOOK_SECRET", "whsec_", "bad-secret"),
    ("STRIPE_WEBHOOK_SECRET", "whsec_51Hsecret\n", "bad-secret"),
    ("STRIPE_WEBHOOK_SECRET", "we_51Hsecret", "bad-secret"),
    ("STRIPE_WEBHOOK_SECRET", "nonsense", "bad-secret"),
    ("STRIPE_API_BASE", "nonsense", "bad-url"),
    ("STRIPE_API_BASE", "localhost:4242", "bad-url"),
    ("STRIPE_API_BASE", "//127.0.0.1", "bad-url"),
    ("STRIPE_API_BASE", "http://", "bad-url"),
    ("STRIPE_API_BASE", "http://127.0.0.1:99999", "bad-url"),
    ("STRIPE_API_BASE", "http://127.0.0.1.evil.example", "bad-url"),
    ("STRIPE_API_BASE", "http://localhost@evil.example", "bad-url"),
    ("STRIPE_API_BASE", "http://api.stripe.com", "bad-url"),
    ("STRIPE_API_BASE", "https://a:hunter2@stripe.example", "bad-url"),
    ("STRIPE_API_BASE", "unix:///tmp/stripe", "bad-url"),
    ("STRIPE_API_BASE", "http://127.0.0.1:1/?key=hunter2", "bad-url"),
    ("STRIPE_API_BASE", "http://127.0.0.1:1/#v1", "bad-url"),
    ("TOURNEY_WEBHOOK_URL", "nonsense", "bad-url"),
    ("TOURNEY_WEBHOOK_URL", "localhost:8000/hook", "bad-url"),
    ("TOURNEY_WEBHOOK_URL", "https://a:hunter2@club.example", "bad-url"),
    ("TOURNEY_WEBHOOK_URL", "mailto:parent17@example.com", "bad-url"),
    ("TOURNEY_SUCCESS_URL", "/thanks", "bad-url"),
    ("TOURNEY_SUCCESS_URL", "javascript:alert(1)", "bad-url"),
    ("TOURNEY_SUCCESS_URL", "data:text/html,x", "bad-url"),
    ("DATABASE_URL", "nonsense", "bad-url"),
    ("DATABASE_URL", "orders.db", "bad-url"),
    ("DATABASE_URL", "sqlite:", "bad-url"),
    ("DATABASE_URL", "sqlite://", "bad-url"),
    ("DATABASE_URL", "sqlite::memory:", "bad-url"),
    ("DATABASE_URL", "sqlite://?mode=rwc", "bad-url"),
    ("DATABASE_URL", "mysql://club:hunter2@localhost/club", "bad-url"),
    ("DATABASE_URL", "https://club.example/orders", "bad-url"),
    ("DATABASE_URL", "postgres://", "bad-url"),
    ("DATABASE_URL", "postgres:///", "bad-url"),
    ("DATABASE_URL", "postgres://club:hunter2@localhost", "bad-url"),
    ("DATABASE_URL", "postgres://club:12/hunter2@localhost/club", "bad-url"),
    ("DATABASE_URL", "postgres://club:hunter2@local host/club", "bad-url"),
    ("DATABASE_URL", "postgres://club:hunter2@localhost:port/club", "bad-url"),
    ("DATABASE_URL", "host=localhost password=hunter2 dbname=club", "bad-url"),
    ("TOURNEY_ENV", "live", "unknown-environment"),
    ("TOURNEY_ENV", "Sandbox", "unknown-environment"),
    ("TOURNEY_ENV", " sandbox", "unknown-environment"),
    ("TOURNEY_ENV", "../test", "unknown-environment"),
    ("TOURNEY_ENV", "te\u{1b}[31mst", "unknown-environment"),
];

/// SQLite files that are none: the URL, and the shell's words that prepare the place.
const DATABASES: &[(&str, &str)] = &[
    ("sqlite://text.db", "echo 'this is not a database, however long it is; it goes on and on and on and on' >text.db"),
    ("sqlite://folder.db", "mkdir folder.db"),
    ("sqlite://tournament.yaml", ":"),
    ("sqlite://torn.db", "printf 'SQLite format 3\\000\\020\\000\\001\\001garbage' >torn.db"),
    ("sqlite:///dev/null/orders.db", ":"),
    ("sqlite://tournament.yaml/orders.db", ":"),
    ("sqlite://strange.db", "printf 'SQLite format 3\\000' >strange.db; head -c 5000 /dev/zero >>strange.db"),
];

fn club() -> Folder {
    Folder::new().with("tournament.yaml", BASE)
}

/// The broken files of the table: name and text.
pub(crate) fn broken() -> Vec<(String, String)> {
    let unescape = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\e", "\u{1b}") + "\n";
    let rows = BROKEN.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let (name, text) = row.split_once(" | ").unwrap_or_else(|| panic!("not a row: {row}"));
        (name.to_owned(), unescape(text))
    })
    .collect()
}

#[test]
fn broken_environments_are_refused_with_their_places() {
    let rows = broken();
    assert!(rows.len() > 90, "{}", rows.len());
    let folder = club();
    for (n, (name, text)) in rows.iter().enumerate() {
        folder.write("environments.yaml", text);
        let before = contents(&folder);
        let command = COMMANDS[n % COMMANDS.len()].iter().copied().chain(["-e", "test"]);
        let json = if n % 3 == 0 { &["--json"][..] } else { &[] };
        let command = folder.tourney(command.chain(json.iter().copied())).env("GOOD_KEY", KEY);
        let outcome = refused(name, command);
        assert!(!outcome.stderr.contains("hunter2") && !outcome.stderr.contains("51Hsecret"), "{name} shows a secret");
        assert_untouched(&before, &contents(&folder), name);
    }
}

#[test]
fn an_environments_file_that_is_no_file_is_refused_and_never_passed_over() {
    for make in ["mkdir", "mkfifo", "ln -s nowhere", "ln -s /dev/zero", "ln -s environments.yaml"] {
        let folder = club();
        folder.sh(&format!("{make} environments.yaml")).run().expect(0);
        let before = contents(&folder);
        let outcome = refused(make, folder.tourney(["plan", "--json"]));
        assert_eq!(code_of(&outcome), "bad-environments", "{make}");
        assert_untouched(&before, &contents(&folder), make);
    }
    let folder = club();
    std::fs::write(folder.path("environments.yaml"), b"test: {mode: \xff}\n").unwrap();
    assert_eq!(code_of(&refused("no UTF-8", folder.tourney(["plan", "--json"]))), "bad-environments");
}

#[test]
fn variables_that_cannot_be_right_are_refused() {
    let folder = club();
    let before = contents(&folder);
    for (n, (name, value, code)) in VARIABLES.iter().enumerate() {
        let command = folder.tourney(COMMANDS[n % COMMANDS.len()].iter().copied().chain(["--json"]));
        let command = command.env("DATABASE_URL", "sqlite://orders.db").env("STRIPE_SECRET_KEY", KEY);
        let outcome = refused(&format!("{name}={value:?}"), command.env(name, value));
        assert_eq!(code_of(&outcome), *code, "{name}={value:?}: {}", outcome.stdout);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains(name) || *name == "TOURNEY_ENV", "{name}={value:?} is not named: {said}");
        assert!(!said.contains("hunter2") && !said.contains("51Hs"), "{name} shows its value: {said}");
    }
    assert_untouched(&before, &contents(&folder), "a wrong variable");
}

/// A variable that cannot be read must not pass for one that is not set: then the sandbox would take its place.
#[test]
fn variables_that_are_no_text_are_refused() {
    let folder = club();
    for name in ["DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_API_BASE"] {
        let command = folder.tourney(["plan", "--json"]).env("DATABASE_URL", "sqlite://orders.db");
        let command = command.env("STRIPE_SECRET_KEY", KEY).env(name, OsStr::from_bytes(b"sqlite://\xff\xfe"));
        let outcome = refused(name, command);
        assert_eq!(code_of(&outcome), "bad-variable", "{}", outcome.stdout);
        assert!(outcome.stdout.contains(name), "{}", outcome.stdout);
    }
    let outcome =
        refused("TOURNEY_ENV", folder.tourney(["plan", "--json"]).env("TOURNEY_ENV", OsStr::from_bytes(b"t\xff")));
    assert_eq!((outcome.code(), code_of(&outcome).as_str()), (Some(64), "unknown-environment"));
    assert_eq!(contents(&folder).len(), 1);
}

#[test]
fn two_places_that_differ_are_both_named() {
    let folder = club().with(
        "environments.yaml",
        "test: {database: {url: 'sqlite://a.db'}, stripe: {secret_key_env: MINE, api_base: 'http://127.0.0.1:1'}}\n",
    );
    for (name, value) in
        [("DATABASE_URL", "sqlite://b.db"), ("STRIPE_SECRET_KEY", KEY), ("STRIPE_API_BASE", "http://127.0.0.1:2")]
    {
        let command = folder.tourney(["plan", "-e", "test", "--json"]).env("MINE", "sk_test_51Hother").env(name, value);
        let outcome = refused(name, command);
        assert_eq!(code_of(&outcome), "environment-conflict", "{}", outcome.stdout);
        assert!(outcome.stdout.contains(name), "{}", outcome.stdout);
    }
}

#[test]
fn files_that_are_no_database_are_left_as_they_are() {
    let stripe = Listener::start(|_| Answer::new(200, r#"{"id":"acct_1AB","object":"account"}"#));
    for (n, (url, prepare)) in DATABASES.iter().enumerate() {
        let folder = club();
        folder.sh(prepare).run().expect(0);
        let before = contents(&folder);
        for args in [COMMANDS[n % 5], &["apply", "--yes"]] {
            let command = folder.tourney(args.iter().copied().chain(["--json"])).env("DATABASE_URL", url);
            let command = command.env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", stripe.url(""));
            refused(&format!("{args:?} {url}"), command);
        }
        assert_untouched(&before, &contents(&folder), url);
    }
}

/// Servers in Stripe's place that are nothing of the kind.
#[test]
fn answers_that_are_not_stripes_are_refused() {
    let answers = [
        (200, String::new()),
        (200, "null".to_owned()),
        (200, "<html>Welcome to nginx!</html>".to_owned()),
        (200, r#"{"object":"account"}"#.to_owned()),
        (200, r#"{"id":5}"#.to_owned()),
        (200, "[".repeat(100_000)),
        (301, "moved".to_owned()),
        (400, "{}".to_owned()),
        (401, r#"{"error":{"message":"Invalid API Key provided: sk_test_51Hsecret"}}"#.to_owned()),
        (403, "\u{1b}[31mforbidden".to_owned()),
        (404, String::new()),
    ];
    for (status, body) in answers {
        let what = format!("{status} {}", body.chars().take(40).collect::<String>());
        let stripe =
            Listener::start(move |_| Answer::new(status, body.clone()).header("location", "http://127.0.0.1:1/"));
        let folder = club();
        for args in [&["plan", "--json"][..], &["apply", "--yes"]] {
            let command = folder.tourney(args).env("DATABASE_URL", "sqlite://orders.db");
            let command = command.env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", stripe.url(""));
            let outcome = refused(&what, command);
            assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("51Hsecret"), "{what} shows the key");
        }
        assert_eq!(contents(&folder).len(), 1, "{what} wrote {:?}", contents(&folder).keys());
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = club();
    let command = folder.tourney(["plan", "--json"]).env("DATABASE_URL", "sqlite://orders.db");
    let command = command.env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", "http://127.0.0.1:9");
    assert_eq!(code_of(&refused("no Stripe", command)), "stripe-unreachable");
    let command = folder.tourney(["history", "--json"]).env("DATABASE_URL", "postgres://club:hunter2@127.0.0.1:9/club");
    let outcome = refused("no database", command.env("STRIPE_SECRET_KEY", KEY));
    assert_eq!(code_of(&outcome), "database");
    assert!(outcome.stdout.contains("127.0.0.1") && !outcome.stdout.contains("hunter2"), "{}", outcome.stdout);
    assert_eq!(contents(&folder).len(), 1);
}

/// The embedded sandbox's own folder, damaged.
#[test]
fn a_damaged_state_folder_is_refused() {
    for damage in [
        "echo >.tourney",
        "ln -s .tourney .tourney",
        "mkdir -p .tourney/sandbox.db",
        "mkdir -p .tourney/orders.db",
        "mkdir .tourney; seq 1 500 >.tourney/sandbox.db",
        "mkdir .tourney; seq 1 500 >.tourney/orders.db",
    ] {
        let folder = club();
        folder.sh(damage).run().expect(0);
        refused(damage, folder.tourney(["plan", "--json"]));
        refused(damage, folder.tourney(["apply", "--yes"]));
    }
}
