//! I9: secrets and whole addresses are planted wherever they can be configured or mistyped; none comes out again.

use std::path::Path;

use crate::hostile::ahead;
use crate::support::{Answer, Folder, Listener, Outcome, Running, Tourney, database, wait_until};

/// The keys, webhook secrets and passwords that are planted. Each holds a word that nothing else does.
const KEY: &str = "sk_test_51PlantedKey";
const HOOK: &str = "whsec_PlantedHook";
const PASSWORD: &str = "PlantedPassword";
/// The words by which they are found again, also in part or in another spelling.
const WORDS: [&str; 3] = ["plantedkey", "plantedhook", "plantedpassword"];
/// The addresses of the manifest.
const ADDRESSES: [&str; 2] = ["planted.parent@example.com", "planted.sibling@example.com"];

const VERBOSITIES: [&[&str]; 5] = [&[], &["-q"], &["-v"], &["-vv"], &["--json"]];

fn manifest() -> String {
    let text = ahead().replace("parent17@example.com", ADDRESSES[0]).replace("sam@example.com", ADDRESSES[1]);
    assert!(ADDRESSES.iter().all(|address| text.contains(address)));
    // Without the settled player's mark, so that both get a link.
    text.replace("    paid: {how: cash, on: 2026-04-12, note: given to the treasurer}\n", "")
}

fn club() -> Folder {
    Folder::new().with("tournament.yaml", &manifest())
}

#[track_caller]
fn assert_no_secret(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for word in WORDS {
        assert!(!lower.contains(word), "{what} shows {word}:\n{text}");
    }
}

#[track_caller]
fn assert_no_address(what: &str, text: &str) {
    for address in ADDRESSES {
        assert!(!text.contains(address), "{what} shows {address}:\n{text}");
    }
}

/// Both streams of a command, which must show no secret.
#[track_caller]
fn said(what: &str, command: Tourney) -> Outcome {
    let outcome = command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace").run();
    assert_no_secret(what, &outcome.stdout);
    assert_no_secret(what, &outcome.stderr);
    assert!(outcome.code().is_some_and(|code| code != 101), "{what}: {}", outcome.stderr);
    outcome
}

/// Every file that is written to be read by people, or may be: all but the databases, which hold what they are for.
fn assert_no_secret_in_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            assert_no_secret_in_files(&path);
        } else if !name.contains(".db") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert_no_secret(&name, &text);
            if name != "tournament.yaml" {
                assert_no_address(&name, &text);
            }
        }
    }
}

/// The embedded sandbox on its own, and the key it takes.
struct Served {
    _server: Running,
    _folder: Folder,
    url: String,
    key: String,
}

impl Served {
    fn start() -> Self {
        let folder = Folder::new();
        let server = folder.tourney(["sandbox", "--listen", "127.0.0.1:0"]).spawn();
        wait_until("the sandbox is served", || server.stdout().contains("STRIPE_SECRET_KEY="));
        let text = server.stdout();
        let word = |name: &str| text.split(name).nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let (url, key) = (word("STRIPE_API_BASE="), word("STRIPE_SECRET_KEY="));
        Self { _server: server, _folder: folder, url, key }
    }
}

/// A real PostgreSQL whose URL carries a password, a real sandbox, and a webhook secret: every command, however much it is
/// asked to say.
#[test]
fn no_command_shows_a_secret_however_much_it_says() {
    let Some(database) = database() else { return };
    let database = database.replacen("postgres@", &format!("postgres:{PASSWORD}@"), 1);
    assert!(database.contains(PASSWORD));
    let served = Served::start();
    let folder = club();
    let tourney = |args: &[&str]| {
        let command = folder.tourney(args).env("DATABASE_URL", &database).env("STRIPE_SECRET_KEY", &served.key);
        command.env("STRIPE_API_BASE", &served.url).env("STRIPE_WEBHOOK_SECRET", HOOK)
    };
    said("plan --out", tourney(&["plan", "--out", "plan.json"])).expect(0);
    said("apply -vv", tourney(&["apply", "--yes", "-vv"])).expect(0);
    let commands: [&[&str]; 15] = [
        &["plan"],
        &["plan", "--player", "1017"],
        &["apply", "--yes"],
        &["apply", "--yes", "plan.json"],
        &["verify"],
        &["verify", "--audit-only"],
        &["status"],
        &["show", "1017"],
        &["show", ADDRESSES[0]],
        &["show", "nobody@planted.example"],
        &["links"],
        &["history"],
        &["unlock"],
        &["validate"],
        &["doctor"],
    ];
    for verbosity in VERBOSITIES {
        for command in commands {
            let args = [command, verbosity].concat();
            let what = format!("{args:?}");
            let outcome = said(&what, tourney(&args));
            assert!(
                !outcome.stderr.contains(&served.key) && !outcome.stdout.contains(&served.key),
                "{what} shows the key"
            );
            if command[0] == "links" {
                assert!(
                    outcome.stdout.contains(ADDRESSES[0]),
                    "{what}: links are made for sending\n{}",
                    outcome.stderr
                );
            } else {
                assert_no_address(&what, &outcome.stdout);
            }
            assert_no_address(&what, &outcome.stderr);
        }
    }
    let markdown = said("plan --markdown", tourney(&["plan", "--markdown"]));
    assert_no_address("plan --markdown", &markdown.stdout);
    assert_no_secret_in_files(&folder.path(""));
}

/// The same in the embedded sandbox, with changes still to be made: plans and reports have something to show.
#[test]
fn what_is_shown_and_saved_of_changes_holds_no_address() {
    let folder = club();
    for (n, verbosity) in VERBOSITIES.iter().enumerate() {
        let state = folder.path(".tourney");
        let _ = std::fs::remove_dir_all(state);
        let out = format!("plan-{n}.json");
        for command in [
            &["sandbox", "seed", "incident"][..],
            &["plan", "--out", &out],
            &["apply", "--yes"],
            &["status"],
            &["history"],
        ] {
            let args = [command, verbosity].concat();
            let outcome = said(&format!("{args:?}"), folder.tourney(&args));
            let outcome = outcome.expect(0);
            assert_no_address(&format!("{args:?}"), &outcome.stdout);
            assert_no_address(&format!("{args:?}"), &outcome.stderr);
        }
    }
    assert_no_secret_in_files(&folder.path(""));
}

/// A stand-in for Stripe that throws back whatever it was sent, as the answer to everything.
fn echo(status: u16) -> Listener {
    Listener::start(move |request| {
        let sent = format!("{:?} {} {}", request.headers, request.uri, String::from_utf8_lossy(&request.body));
        let sent = sent.replace(['"', '\\'], " ");
        Answer::new(
            status,
            format!(r#"{{"error":{{"type":"invalid_request_error","message":"{sent} {KEY} {HOOK}"}}}}"#),
        )
    })
}

#[test]
fn failures_show_no_secret() {
    let bad_key = echo(401);
    let refuses = echo(400);
    let breaks = Listener::start(|_| Answer::new(200, format!("<html>{KEY} {HOOK} {}", ADDRESSES[0])));
    let (bad_key, refuses, breaks) = (bad_key.url(""), refuses.url(""), breaks.url(""));
    let postgres = format!("postgres://club:{PASSWORD}@127.0.0.1:9/club");
    let sqlite = "sqlite://orders.db";
    let cases: &[(&str, &str, &str)] = &[
        ("a bad key", sqlite, &bad_key),
        ("a refusal", sqlite, &refuses),
        ("an answer that is none", sqlite, &breaks),
        ("a Stripe that is not there", sqlite, "http://127.0.0.1:9"),
        ("a URL with a password", sqlite, "http://club:PlantedPassword@127.0.0.1:9"),
        ("a URL with a secret in its query", sqlite, "http://127.0.0.1:9/?key=PlantedKey"),
        ("no database", &format!("postgres://club:{PASSWORD}@127.0.0.1:9"), &bad_key),
        ("a password with a slash", &format!("postgres://club:12/{PASSWORD}@127.0.0.1:9/club"), &bad_key),
        ("a password with a hash", &format!("postgres://club:12#{PASSWORD}@127.0.0.1:9/club"), &bad_key),
        ("a password behind", &format!("postgres:///?password={PASSWORD}"), &bad_key),
        ("another database", &format!("mysql://club:{PASSWORD}@127.0.0.1/club"), &bad_key),
        ("a setting for a URL", &format!("host=127.0.0.1 password={PASSWORD}"), &bad_key),
    ];
    for (what, database, stripe) in cases {
        let folder = club();
        for (command, verbosity) in [["plan"], ["verify"], ["status"], ["links"], ["show"]].iter().zip(VERBOSITIES) {
            let word = if command[0] == "show" { &["1017"][..] } else { &[] };
            let args = [&command[..], word, verbosity].concat();
            let command = folder.tourney(&args).env("DATABASE_URL", database).env("STRIPE_API_BASE", stripe);
            let outcome = said(
                &format!("{what}: {args:?}"),
                command.env("STRIPE_SECRET_KEY", KEY).env("STRIPE_WEBHOOK_SECRET", HOOK),
            );
            assert_eq!(outcome.code(), Some(1), "{what}: {args:?} {}", outcome.stderr);
            assert_no_address(what, &format!("{}{}", outcome.stdout, outcome.stderr));
        }
        for form in [&["doctor"][..], &["doctor", "--json"]] {
            let command = folder.tourney(form).env("DATABASE_URL", database).env("STRIPE_API_BASE", stripe);
            let command = command.env("STRIPE_SECRET_KEY", KEY).env("STRIPE_WEBHOOK_SECRET", HOOK);
            let outcome = said(&format!("{what}: {form:?}"), command).expect(1);
            assert_no_address(what, &format!("{}{}", outcome.stdout, outcome.stderr));
        }
    }
    // One line is enough: the time until it gives up is long.
    let unreachable =
        club().tourney(["history", "-vv"]).env("DATABASE_URL", &postgres).env("STRIPE_SECRET_KEY", KEY).run();
    assert_no_secret("a database that is not there", &format!("{}{}", unreachable.stdout, unreachable.stderr));
}

/// Secrets in the variables they are not for.
#[test]
fn a_secret_in_the_wrong_variable_is_not_shown() {
    let folder = club();
    let names =
        ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "DATABASE_URL", "TOURNEY_WEBHOOK_URL"];
    for name in names.into_iter().chain(["TOURNEY_SUCCESS_URL", "TOURNEY_ENV"]) {
        for value in [
            KEY,
            HOOK,
            "sk_live_51PlantedKey",
            "rk_live_PlantedKey",
            "whsec_PlantedHook\n",
            "https://u:PlantedPassword@h/",
        ] {
            let told =
                folder.tourney(["doctor", "--json"]).env("STRIPE_API_BASE", "http://127.0.0.1:9").env(name, value);
            said(&format!("doctor: {name}={value:?}"), told);
            for verbosity in VERBOSITIES {
                let command = folder.tourney([&["plan"], verbosity].concat()).env("DATABASE_URL", "sqlite://orders.db");
                let command = command.env("STRIPE_API_BASE", "http://127.0.0.1:9").env(name, value);
                let outcome = said(&format!("{name}={value:?} {verbosity:?}"), command);
                assert!(matches!(outcome.code(), Some(1 | 64)), "{name}: {}", outcome.stdout);
            }
        }
    }
}

/// A roster's addresses are masked in whatever is said of them, and a secret that was pasted into one is blanked.
#[test]
fn an_import_shows_neither_addresses_nor_secrets() {
    let good = format!("Name,Email,Team,{KEY}\nPat,{},Blue,{HOOK}\nJordan Example,{},,\n", ADDRESSES[1], ADDRESSES[1]);
    let bad = format!("Name,Email,Team\n,{},{KEY}\nPat,{}@,{HOOK}\nPat,{0},{HOOK}\n", ADDRESSES[0], ADDRESSES[1]);
    for (text, code) in [(good, 0), (bad, 1)] {
        for args in [&["--dry-run"][..], &[]] {
            for verbosity in VERBOSITIES {
                let folder = club().with("roster.csv", &text);
                let line = [&["import", "roster.csv", "--fee", "5"], args, verbosity].concat();
                let outcome = said(&format!("{line:?}"), folder.tourney(&line)).expect(code);
                assert_no_address(&format!("{line:?}"), &format!("{}{}", outcome.stdout, outcome.stderr));
            }
        }
    }
}

/// Secrets typed where a word of the command line stands.
#[test]
fn a_secret_on_the_command_line_is_not_repeated() {
    let folder = club();
    let url = format!("http://club:{PASSWORD}@127.0.0.1:9/hook");
    for secret in [KEY, HOOK, url.as_str()] {
        for line in [
            &["-e", secret, "plan"][..],
            &[secret],
            &["plan", secret],
            &["plan", "--player", secret],
            &["plan", "--bogus", secret],
            &["validate", secret],
            &["apply", "--yes", secret],
            &["apply", "--yes", "--lock-timeout", secret],
            &["show", secret],
            &["history", secret],
            &["links", "--format", secret],
            &["verify", "--endpoint", secret],
            &["completions", secret],
            &["sandbox", "--listen", secret],
        ] {
            for json in [&[][..], &["--json"], &["--color", "always"]] {
                said(&format!("{line:?} {json:?}"), folder.tourney([line, json].concat()));
            }
        }
    }
}

/// Secrets pasted into files that are reviewed in git.
#[test]
fn a_secret_in_a_file_is_named_and_not_shown() {
    for (name, text) in [
        ("key", format!("test: {{stripe: {{secret_key: {KEY}}}}}")),
        ("key as a variable", format!("test: {{stripe: {{secret_key_env: {KEY}}}}}")),
        ("key as an environment", format!("{KEY}: {{}}")),
        ("key twice", format!("test: {{stripe: {{secret_key_env: A, secret_key_env: {KEY}}}}}")),
        ("key after the end", format!("test: {{}}\n{KEY}")),
        ("key in a comment of a broken line", format!("test: [ # {KEY}")),
        ("key within a word", format!("test: {{mode: old-{KEY}}}")),
        ("webhook secret", format!("test: {{webhook: {{secret: {HOOK}}}}}")),
        ("password", format!("test: {{database: {{url: 'postgres://club:{PASSWORD}@db1/club'}}}}")),
        ("password behind", format!("test: {{database: {{url: 'postgres://db1/club?password={PASSWORD}'}}}}")),
        ("password as a variable", format!("test: {{database: {{url_env: 'postgres://club:{PASSWORD}@db1/club'}}}}")),
        ("password of a page", format!("test: {{webhook: {{url: 'https://club:{PASSWORD}@club.example'}}}}")),
    ] {
        let folder = club().with("environments.yaml", &text);
        for verbosity in VERBOSITIES {
            let outcome =
                said(&format!("{name} {verbosity:?}"), folder.tourney([&["plan", "-e", "test"], verbosity].concat()));
            assert!(matches!(outcome.code(), Some(1 | 64)), "{name}: {}", outcome.stderr);
        }
    }
    for (name, from, to) in [
        ("name", "name: Jordan Example", format!("name: [{KEY}]")),
        ("unknown key", "    team: 17U Gold", format!("    {KEY}: a")),
        ("id", "id: utah-2026", format!("id: {KEY} {HOOK}")),
        ("fee", "    fee: 5\n", format!("    fee: {KEY}\n")),
        ("note on a broken line", "note: early bird", format!("note: \"{KEY} postgres://a:{PASSWORD}@b")),
        ("e-mail", ADDRESSES[0], format!("{HOOK}@")),
    ] {
        let text = manifest().replacen(from, &to, 1);
        assert!(text.contains("Planted"), "{name}");
        let folder = Folder::new().with("tournament.yaml", &text);
        for args in [&["validate"][..], &["plan", "-vv"], &["apply", "--yes", "--json"], &["validate", "--json"]] {
            said(&format!("{name} {args:?}"), folder.tourney(args)).expect(1);
        }
    }
}

/// Secret files: their text is shown in no error, whatever is wrong with it.
#[test]
fn a_secret_file_that_is_wrong_is_named_and_not_shown() {
    let text =
        "test: {database: {url: 'sqlite://a.db'}, stripe: {secret_key_file: key}, webhook: {secret_file: hook}}\n";
    let folder = club().with("environments.yaml", text);
    for (key, hook) in [
        (format!("{KEY}\n{KEY}\n"), HOOK.to_owned()),
        (format!(" {KEY}"), HOOK.to_owned()),
        (format!("export STRIPE_SECRET_KEY={KEY}"), HOOK.to_owned()),
        (HOOK.to_owned(), KEY.to_owned()),
        (KEY.to_owned(), KEY.to_owned()),
        (KEY.to_owned(), format!("{HOOK}\u{e9}")),
        ("sk_live_PlantedKey".to_owned(), HOOK.to_owned()),
    ] {
        folder.write("key", &key);
        folder.write("hook", &hook);
        for verbosity in VERBOSITIES {
            let outcome = said(&format!("{key:?}"), folder.tourney([&["plan", "-e", "test"], verbosity].concat()));
            assert_eq!(outcome.code(), Some(1), "{}", outcome.stderr);
        }
    }
}
