//! Environments: which one holds, what fills gaps, what is refused, and that no secret is ever shown.

use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use secrecy::ExposeSecret;
use tourney::config::{ConfigError, DatabaseUrl, EnvKind, Environment, Vars, Warning, resolve};
use tourney::domain::Mode;

const TEST_KEY: &str = "sk_test_51Hsecret";
const LIVE_KEY: &str = "rk_live_51Hsecret";

/// A repository in a temporary folder with a manifest in it.
struct Club {
    folder: tempfile::TempDir,
}

impl Club {
    fn new(environments: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("club/.git")).unwrap();
        std::fs::create_dir_all(folder.path().join("club/plans")).unwrap();
        if let Some(text) = environments {
            std::fs::write(folder.path().join("club/environments.yaml"), text).unwrap();
        }
        Self { folder }
    }

    fn manifest(&self) -> PathBuf {
        self.folder.path().join("club/plans/tournament.yaml")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn resolve(&self, wanted: Option<&str>, vars: &[(&str, &str)]) -> Result<Environment, ConfigError> {
        let vars = Vars(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
        resolve(&self.manifest(), wanted, &vars, Some(self.folder.path()), false)
    }

    fn refused(&self, wanted: Option<&str>, vars: &[(&str, &str)]) -> ConfigError {
        let error = self.resolve(wanted, vars).unwrap_err();
        let shown = shown(&error);
        assert!(!shown.contains("51Hsecret") && !shown.contains("hunter2"), "a secret is shown: {shown}");
        assert!(!error.hint().is_empty());
        error
    }
}

fn shown(error: &ConfigError) -> String {
    let mut text = format!("{error}\n{error:?}\n");
    if let ConfigError::File(errors) = error {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut text, errors).unwrap();
    }
    text
}

#[test]
fn without_anything_it_is_the_sandbox_beside_the_manifest() {
    let comments = "# test:\n#   mode: test\n";
    for club in [Club::new(None), Club::new(Some(comments)), Club::new(Some(""))] {
        let environment = club.resolve(None, &[("HOME", "/"), ("DATABASE_URL", "")]).unwrap();
        assert_eq!(environment.name, "sandbox");
        let state = club.manifest().with_file_name(".tourney");
        assert_eq!(environment.kind, EnvKind::Sandbox { state });
        assert!(environment.stripe.is_none());
    }
}

#[test]
fn the_sandbox_is_always_there_whatever_the_variables_say() {
    let club = Club::new(Some("test: {stripe: {nonsense: 1}}"));
    let vars = [("STRIPE_SECRET_KEY", LIVE_KEY), ("DATABASE_URL", "nonsense")];
    assert_eq!(club.resolve(Some("sandbox"), &vars).unwrap().name, "sandbox");
    let by_variable = [("TOURNEY_ENV", "sandbox"), ("STRIPE_SECRET_KEY", "nonsense")];
    assert_eq!(club.resolve(None, &by_variable).unwrap().name, "sandbox");
}

#[test]
fn variables_make_an_environment_called_test() {
    let club = Club::new(None);
    let vars = [
        ("DATABASE_URL", "postgres://club:hunter2@db1/club"),
        ("STRIPE_SECRET_KEY", TEST_KEY),
        ("STRIPE_API_BASE", "http://127.0.0.1:4242/"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_abc"),
        ("TOURNEY_WEBHOOK_URL", "http://localhost:8000/hook"),
        ("TOURNEY_SUCCESS_URL", "https://club.example/thanks"),
    ];
    let environment = club.resolve(None, &vars).unwrap();
    assert_eq!((environment.name.as_str(), &environment.kind), ("test", &EnvKind::Named));
    assert_eq!(environment.database.to_string(), "postgres club@db1/club");
    let stripe = environment.stripe.as_ref().unwrap();
    assert_eq!((stripe.mode, stripe.api_base.as_deref()), (Mode::Test, Some("http://127.0.0.1:4242")));
    assert_eq!(stripe.key.expose_secret(), TEST_KEY);
    assert_eq!(environment.webhook.as_ref().unwrap().url.as_deref(), Some("http://localhost:8000/hook"));
    assert_eq!(environment.checkout.success_url, "https://club.example/thanks");
    let debug = format!("{environment:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("51Hsecret") && !debug.contains("whsec_abc"), "{debug}");
}

#[test]
fn each_variable_alone_makes_it() {
    let club = Club::new(None);
    for (name, value) in [
        ("TOURNEY_ENV", "test"),
        ("STRIPE_SECRET_KEY", TEST_KEY),
        ("STRIPE_WEBHOOK_SECRET", "whsec_x"),
        ("STRIPE_API_BASE", "http://127.0.0.1:4242"),
        ("TOURNEY_WEBHOOK_URL", "http://localhost:8000/hook"),
        ("TOURNEY_SUCCESS_URL", "https://club.example/thanks"),
    ] {
        let error = club.refused(None, &[(name, value)]);
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("missing-database", "environment test has no database")
        );
        assert!(error.hint().contains("-e sandbox"), "{}", error.hint());
    }
    assert_eq!(club.resolve(None, &[("DATABASE_URL", "sqlite://a.db")]).unwrap().name, "test");
    assert_eq!(club.resolve(None, &[("TOURNEY_ENV", "sandbox")]).unwrap().name, "sandbox");
    let error = club.refused(None, &[("TOURNEY_ENV", "prod")]);
    assert_eq!((error.code(), error.exit_code()), ("unknown-environment", 64));
}

#[test]
fn the_sandbox_that_was_chosen_proves_the_webhook_of_the_variables() {
    let hook = [("TOURNEY_WEBHOOK_URL", "http://localhost:8000/hook"), ("STRIPE_WEBHOOK_SECRET", "whsec_abc")];
    let webhook = Club::new(None).resolve(Some("sandbox"), &hook).unwrap().webhook.unwrap();
    assert_eq!(webhook.url.as_deref(), Some("http://localhost:8000/hook"));
    assert_eq!(webhook.secret.unwrap().expose_secret(), "whsec_abc");
    assert!(Club::new(None).resolve(Some("sandbox"), &[]).unwrap().webhook.is_none());
    let bad = [("STRIPE_WEBHOOK_SECRET", TEST_KEY)];
    assert_eq!(Club::new(None).refused(Some("sandbox"), &bad).code(), "bad-secret");
}

#[test]
fn a_file_needs_a_choice() {
    let club = Club::new(Some("test: {database: {url: 'sqlite://orders.db'}}\nlive: {mode: live}\n"));
    let error = club.refused(None, &[]);
    assert_eq!((error.code(), error.exit_code()), ("environment-required", 64));
    let error = club.refused(Some("tset"), &[]);
    assert_eq!((error.code(), error.exit_code()), ("unknown-environment", 64));
    assert!(error.to_string().contains("test, live, sandbox"), "{error}");
    let environment = club.resolve(Some("test"), &[]).unwrap();
    let DatabaseUrl::Sqlite { path } = environment.database else { panic!("not SQLite") };
    assert!(path.ends_with("club/orders.db") && path.is_absolute(), "{}", path.display());
    assert_eq!(club.resolve(None, &[("TOURNEY_ENV", "test")]).unwrap().name, "test");
}

#[test]
fn a_file_above_the_repository_does_not_count() {
    let club = Club::new(None);
    club.write("environments.yaml", "test: {database: {url: 'sqlite://orders.db'}}\n");
    assert_eq!(club.resolve(None, &[]).unwrap().name, "sandbox");
}

#[test]
fn variables_fill_gaps_and_never_override() {
    let club = Club::new(Some("test: {database: {url_env: CLUB_DB}, stripe: {api_base: 'http://localhost:1'}}\n"));
    let db = ("CLUB_DB", "sqlite:///tmp/orders.db");
    let environment = club.resolve(Some("test"), &[db, ("STRIPE_SECRET_KEY", TEST_KEY)]).unwrap();
    assert_eq!(environment.stripe.unwrap().mode, Mode::Test);
    assert!(club.resolve(Some("test"), &[db, ("DATABASE_URL", db.1)]).is_ok());
    let error = club.refused(Some("test"), &[db, ("DATABASE_URL", "sqlite:///tmp/other.db")]);
    assert_eq!((error.code(), error.exit_code()), ("environment-conflict", 1));
    assert!(error.to_string().contains("CLUB_DB") && error.to_string().contains("DATABASE_URL"), "{error}");
    let error = club.refused(Some("test"), &[db, ("STRIPE_API_BASE", "http://localhost:2")]);
    assert!(error.to_string().contains("api_base") && error.to_string().contains("STRIPE_API_BASE"), "{error}");
    assert_eq!(club.refused(Some("test"), &[]).code(), "missing-variable");
}

#[test]
fn a_live_key_goes_only_where_live_is_meant() {
    let club = Club::new(Some(
        "test: {database: {url: 'sqlite://a.db'}}\nlive: {mode: live, database: {url: 'sqlite://b.db'}}\n",
    ));
    let live = ("STRIPE_SECRET_KEY", LIVE_KEY);
    assert_eq!(club.resolve(Some("live"), &[live]).unwrap().stripe.unwrap().mode, Mode::Live);
    assert_eq!(club.refused(Some("test"), &[live]).code(), "live-refused");
    assert_eq!(club.refused(None, &[live, ("TOURNEY_ENV", "live")]).code(), "live-refused", "only -e is meant");
    assert!(club.resolve(Some("live"), &[live, ("TOURNEY_ENV", "live")]).is_ok());
    assert_eq!(club.refused(Some("live"), &[("STRIPE_SECRET_KEY", TEST_KEY)]).code(), "wrong-mode");
    let elsewhere = ("STRIPE_API_BASE", "http://127.0.0.1:4242");
    assert_eq!(club.refused(Some("live"), &[live, elsewhere]).code(), "live-elsewhere");
    assert!(club.resolve(Some("live"), &[live, ("STRIPE_API_BASE", "https://api.stripe.com")]).is_ok());
    let alone = Club::new(None).refused(None, &[live, ("DATABASE_URL", "sqlite://a.db")]);
    assert_eq!((alone.code(), alone.exit_code()), ("live-refused", 1));
}

#[test]
fn keys_and_urls_are_named_as_what_they_are() {
    let club = Club::new(None);
    let db = ("DATABASE_URL", "sqlite://a.db");
    let cases = [
        ("STRIPE_SECRET_KEY", "pk_test_51Hsecret", "publishable"),
        ("STRIPE_SECRET_KEY", "whsec_51Hsecret", "webhook secret"),
        ("STRIPE_SECRET_KEY", "sk_test_51Hsecret\nx", "signs"),
        ("STRIPE_SECRET_KEY", "sk_test_", "cut off"),
        ("STRIPE_SECRET_KEY", "nonsense", "no secret key"),
        ("STRIPE_SECRET_KEY", "mk_1Hsecret", "id of a key"),
        ("STRIPE_SECRET_KEY", "\"sk_test_51Hsecret\"", "in quotes"),
        ("STRIPE_SECRET_KEY", "sk_test_...", "placeholder"),
        ("STRIPE_SECRET_KEY", "rk_test_*****cret", "in part"),
        ("STRIPE_WEBHOOK_SECRET", "we_1Hsecret", "endpoint's id"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_", "cut off"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_51Hsecret ", "signs"),
        ("STRIPE_WEBHOOK_SECRET", "pk_test_51Hsecret", "publishable"),
        ("STRIPE_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET=whsec_51Hsecret", ".env file"),
        ("STRIPE_WEBHOOK_SECRET", TEST_KEY, "secret key of the API"),
        ("STRIPE_WEBHOOK_SECRET", "nonsense", "whsec_"),
        ("STRIPE_API_BASE", "http://stripe.example", "in clear"),
        ("STRIPE_API_BASE", "ftp://127.0.0.1", "neither"),
        ("STRIPE_API_BASE", "localhost:80", "neither"),
        ("TOURNEY_WEBHOOK_URL", "nonsense", "no URL"),
        ("TOURNEY_SUCCESS_URL", "javascript:alert(1)", "neither"),
    ];
    for (name, value, word) in cases {
        let error = club.refused(None, &[db, (name, value)]);
        assert!(error.to_string().contains(word) && error.to_string().contains(name), "{name}={value}: {error}");
        assert_eq!(error.exit_code(), 1);
    }
    for url in ["mysql://club:hunter2@db/club", "nonsense", "sqlite::memory:", "sqlite://", "postgres://db"] {
        let error = club.refused(None, &[("DATABASE_URL", url)]);
        assert!(error.code() == "bad-url" && error.hint().contains("sqlite://"), "{url}: {}", error.hint());
    }
    assert_eq!(club.refused(None, &[("STRIPE_SECRET_KEY", TEST_KEY)]).code(), "missing-database");
}

#[test]
fn secret_files_are_read_from_home_and_judged() {
    let text = "test: {database: {url: 'sqlite://a.db'}, stripe: {secret_key_file: ~/key}, \
                checkout: {success_url: https://club.example/}}\n";
    let club = Club::new(Some(text));
    assert_eq!(club.refused(Some("test"), &[]).code(), "bad-secret");
    club.write("key", &format!("{TEST_KEY}\n"));
    let environment = club.resolve(Some("test"), &[]).unwrap();
    assert_eq!(environment.stripe.unwrap().key.expose_secret(), TEST_KEY);
    assert_eq!(environment.warnings.len(), usize::from(cfg!(unix)), "{:?}", environment.warnings);
    for bad in ["", "\n", "  \n", "sk_test_51Hsecret\nsk_test_51Hsecret\n", "pk_test_51Hsecret"] {
        club.write("key", bad);
        assert_eq!(club.refused(Some("test"), &[]).code(), "bad-secret", "{bad:?}");
    }
    let inside = Club::new(Some(&text.replace("~/key", "key")));
    inside.write("club/key", TEST_KEY);
    let warnings = inside.resolve(Some("test"), &[]).unwrap().warnings;
    let file = inside.folder.path().join("club/key").canonicalize().unwrap().display().to_string();
    assert!(warnings.contains(&Warning::InRepository { file }), "{warnings:?}");
}

/// What editors and people leave around a secret in its file.
#[test]
fn a_secret_file_is_read_as_it_was_meant_and_slips_are_named() {
    let text = "test: {database: {url: 'sqlite://a.db'}, webhook: {secret_file: ~/hook}, \
                checkout: {success_url: https://club.example/}}\n";
    let club = Club::new(Some(text));
    let hook = club.folder.path().join("hook");
    let write = |bytes: &[u8]| {
        std::fs::write(&hook, bytes).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    for (bytes, what) in [
        ("whsec_51Hsecret", None),
        ("whsec_51Hsecret\n", None),
        ("whsec_51Hsecret\n\n", None),
        ("whsec_51Hsecret\r\n", Some("has a Windows line end")),
        ("\u{feff}whsec_51Hsecret\r\n", Some("begins with a byte order mark")),
        ("  whsec_51Hsecret \n", Some("has blanks around the secret")),
    ] {
        write(bytes.as_bytes());
        let environment = club.resolve(Some("test"), &[]).unwrap();
        assert_eq!(environment.webhook.unwrap().secret.unwrap().expose_secret(), "whsec_51Hsecret", "{bytes:?}");
        let file = hook.display().to_string();
        let warned: Vec<Warning> = what.map(|what| Warning::Padded { file, what }).into_iter().collect();
        assert_eq!(environment.warnings, warned, "{bytes:?}");
    }
    for (bytes, word) in [
        (&b""[..], "is empty"),
        (b"\n", "is empty"),
        ("\u{feff}\r\n".as_bytes(), "is empty"),
        (b"whsec_51Hsecret\nwhsec_51Hsecret\n", "more than one line"),
        (b"STRIPE_WEBHOOK_SECRET=whsec_51Hsecret\n", ".env file"),
        (b"export STRIPE_WEBHOOK_SECRET='whsec_51Hsecret'\n", ".env file"),
        (b"'whsec_51Hsecret'\n", "in quotes"),
        ("\u{201c}whsec_51Hsecret\u{201d}\n".as_bytes(), "in quotes"),
        ("whsec_\u{2026}\n".as_bytes(), "placeholder"),
        (b"sk_test_51Hsecret\n", "secret key of the API"),
        (b"rk_live_51Hsecret\n", "secret key of the API"),
        (b"pk_test_51Hsecret\n", "publishable"),
        (b"we_1Hsecret\n", "endpoint's id"),
        (b"\xff\xfew\0h\0s\0e\0c\0_\0", "UTF-16"),
        (b"whsec_\xff\xfe", "no text"),
    ] {
        write(bytes);
        let error = club.refused(Some("test"), &[]);
        assert_eq!(error.code(), "bad-secret", "{bytes:?}");
        assert!(error.to_string().contains(word) && error.to_string().contains("hook"), "{bytes:?}: {error}");
    }
}

#[test]
fn broken_files_are_refused_with_their_places_and_without_their_secrets() {
    let cases = [
        ("test: {stripe: {secret_key: sk_test_51Hsecret}}", "a secret stands in this file"),
        ("test: {stripe: {secret_key_env: sk_live_51Hsecret}}", "a secret stands in this file"),
        ("test: {webhook: {secret_file: whsec_51Hsecret}}", "a secret stands in this file"),
        ("sk_test_51Hsecret: {}", "a secret stands in this file"),
        ("test: {database: {url: 'postgres://club:hunter2@db/club'}}", "a password stands in this file"),
        ("test: {database: {url_env: 'postgres://club:hunter2@db/club'}}", "no name of a variable"),
        ("test: {databse: {url_env: A}}", "did you mean `database`"),
        ("test: {database: {url: a, url_env: A}}", "cannot stand together"),
        ("test: {}\ntest: {}", "stands twice"),
        ("sandbox: {}", "always exists"),
        ("te st: {}", "no name for an environment"),
        ("test: {mode: lvie}", "did you mean `live`"),
        ("test: []", "not a mapping"),
        ("- test", "not a mapping"),
        ("test:\n", "this is nothing"),
        ("test: {checkout: {metadata: {order_id: 5}}}", "reserved"),
        ("test: {checkout: {metadata: {tourney_x: 5}}}", "reserved"),
        ("test: {checkout: {metadata: {'a b': 5}}}", "cannot stand here"),
        ("test: {database:\n}", "leave the key out"),
        ("test: {orders: {table: 'a; drop table b', columns: {}}}", "no name of a table"),
        ("test: {orders: {table: orders, columns: {id: id}, statuses: {}}}", "`player` is missing"),
        ("test: {players: players}", "not a mapping"),
        ("test: {players: {table: players}}", "`columns` is missing"),
        ("test: {players: {columns: {id: id, email: email}}}", "`table` is missing"),
        ("test: {players: {table: players, columns: {id: id}}}", "`email` is missing"),
        ("test: {players: {table: players, columns: {email: email}}}", "`id` is missing"),
        ("test: {players: {table: a.b.c, columns: {id: id, email: email}}}", "write players, or schema.players"),
        ("test: {players: {table: a, columns: {id: 'i\"d', email: email}}}", "no name of a column"),
        ("test: {players: {table: a, columns: {id: id, email: [a, b]}}}", "not a text"),
        ("test: {players: {table: a, columns: {id: id, email: e, name: []}}}", "this list is empty"),
        ("test: {players: {table: a, columns: {id: id, email: e, name: [[a]]}}}", "not a text"),
        ("test: {players: {table: a, columns: {id: id, email: e, name: [a, 'b;']}}}", "no name of a column"),
        ("test: {players: {table: a, columns: {id: id, email: e, nmae: n}}}", "did you mean `name`"),
        ("test: {verify: {canary: {player: 1}}}", "`fee` is missing"),
        (
            "test: {orders: {since: 11/01/2026, columns: {id: id, player: p, fee: f, amount: a, status: s, session: c, payment_intent: i, created_at: t}, table: orders, statuses: {pending: p, paid: q}}}",
            "has a problem",
        ),
        ("test: {database: [", "environments.yaml:"),
        ("test: &a {x: *a}", "environments.yaml:"),
    ];
    for (text, word) in cases {
        let club = Club::new(Some(text));
        let error = club.refused(Some("test"), &[]);
        assert_eq!((error.code(), error.exit_code()), ("bad-environments", 1), "{text}");
        assert!(shown(&error).contains(word), "{text}: {}", shown(&error));
    }
}

#[test]
fn a_bad_url_in_the_file_is_told_with_its_place() {
    let cases = [
        ("checkout", "success_url", "foo"),
        ("checkout", "cancel_url", "/back"),
        ("webhook", "url", "localhost"),
        ("stripe", "api_base", "http://stripe.example"),
    ];
    for (section, key, url) in cases {
        let text = format!("test:\n  database: {{url: 'sqlite://a.db'}}\n  {section}:\n    {key}: {url}\n");
        let error = Club::new(Some(&text)).refused(Some("test"), &[]);
        let place = format!("{section}.{key} in environments.yaml:4:{}", key.len() + 7);
        assert_eq!(error.code(), "bad-url");
        assert!(error.to_string().starts_with(&place), "{error}");
    }
    let error = Club::new(Some("test: {database: {url: 'mysql://db/club'}}")).refused(Some("test"), &[]);
    assert!(error.to_string().starts_with("database.url in environments.yaml:1:24"), "{error}");
}

#[test]
fn the_example_is_read() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/environments.yaml");
    let club = Club::new(Some(&std::fs::read_to_string(example).unwrap()));
    let vars = [("LIVE_DATABASE_URL", "postgres://db1/club"), ("LIVE_STRIPE_KEY", LIVE_KEY)];
    let environment = club.resolve(Some("live"), &vars).unwrap();
    assert_eq!(environment.mode_declared, Some(Mode::Live));
}

#[test]
fn a_mapping_is_read_as_it_is_written() {
    let text = "test:\n  database: {url: 'sqlite://a.db'}\n  orders:\n    table: club.orders\n    since: 2026-01-01\n    columns: {id: id, player: player_id, fee: product_id, amount: amount_cents, status: status, session: s, payment_intent: p, created_at: c}\n    amount_unit: major\n    statuses: {pending: PENDING, paid: PAID}\n    insert: {source: tourney, version: 1}\n";
    let orders = Club::new(Some(text)).resolve(Some("test"), &[]).unwrap().orders.unwrap();
    assert_eq!(orders.table, ["club", "orders"]);
    assert_eq!(orders.columns["fee"], "product_id");
    assert_eq!(orders.statuses["paid"], ["PAID"]);
    assert_eq!(orders.insert["version"], "1");
}

#[test]
fn a_mapping_of_players_is_read_as_it_is_written() {
    for (name, parts) in
        [("", &[][..]), (", name: full_name", &["full_name"]), (", name: [first, last]", &["first", "last"])]
    {
        let text = format!(
            "test:\n  database: {{url: 'sqlite://a.db'}}\n  players: {{table: club.members, columns: {{id: no, email: mail{name}}}}}\n"
        );
        let players = Club::new(Some(&text)).resolve(Some("test"), &[]).unwrap().players.unwrap();
        assert_eq!(players.table, ["club", "members"]);
        assert_eq!((players.id.as_str(), players.email.as_str()), ("no", "mail"));
        assert_eq!(players.name, parts);
    }
}
