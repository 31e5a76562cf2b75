//! The sample application of `examples/club-api`, unmodified, as a peer: adopted, billed, verified, paid.
//!
//! It is installed under `target/sdk/` at the first run, like Stripe's SDKs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::adopt::app::{error, incident, live, script};
use crate::sdk::{installed, run};
use crate::story::club::{Club, text};
use crate::story::links::LINKS;
use crate::story::on_both;
use crate::story::trip::{detail, passed};
use crate::support::wait_until;

on_both!(
    an_application_with_its_own_handler_is_adopted,
    a_roster_is_billed_by_the_application_s_own_ids,
    what_is_paid_at_links_reaches_the_application_s_own_handler,
    each_fault_of_a_handler_is_told,
    what_a_handler_cancels_on_an_old_sessions_end_is_not_renewed,
);

/// What a handler does wrong, the check that fails, and what is said of it.
const FAULTS: [(&str, &str, &str); 5] = [
    ("signatures", "tampered-body", "DOES NOT VERIFY SIGNATURES"),
    ("field", "order-paid", "another field than order_id"),
    ("error", "signed-event", "500"),
    ("fetch", "order-paid", "--pay"),
    ("expired", "expired-predecessor", "the order changed"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/club-api")
}

fn python() -> Result<PathBuf, String> {
    let requirements = folder().join("requirements.txt");
    let folder = installed("club-api", &std::fs::read_to_string(&requirements).unwrap(), |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
        let pip = folder.join("venv/bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "-r"]).arg(&requirements)).map(drop)
    })?;
    Ok(folder.join("venv/bin/python"))
}

/// The application, until it is dropped.
struct Api {
    process: Child,
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Api {
    /// Started beside the club, with its endpoint registered at Stripe and its mapping beside the manifest; none where
    /// it cannot be installed.
    fn start(club: &Club, fault: &str) -> Option<Self> {
        let python = match python() {
            Ok(python) => python,
            Err(why) => {
                assert!(std::env::var_os("CI").is_none(), "the application cannot be installed: {why}");
                eprintln!("SKIPPED, since the application cannot be installed here: {why}");
                return None;
            }
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let form = format!("url={base}/webhooks/stripe&enabled_events[]=checkout.session.completed");
        let secret = text(&club.stripe("webhook_endpoints", Some(&form))["secret"]).to_owned();
        let database =
            club.database().replace("postgres://", "postgresql+psycopg://").replace("sqlite://", "sqlite:///");
        let mut command = Command::new(python);
        command.arg(folder().join("app.py")).env("DATABASE_URL", database).env("STRIPE_WEBHOOK_SECRET", &secret);
        command.env("STRIPE_SECRET_KEY", tourney::sandbox::SECRET_KEY).env("STRIPE_API_BASE", club.stripe_base());
        command.env("PORT", port.to_string()).env("CLUB_FAULT", fault).env("PYTHONDONTWRITEBYTECODE", "1");
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let api = Self { process };
        wait_until("the application listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let environments = std::fs::read_to_string(folder().join("environments.yaml")).unwrap();
        // The secret is another one with each endpoint: a file is read by every command, a variable only where it is set.
        let environments = environments.replace("http://localhost:8000", &base);
        let environments = environments.replace("secret_env: STRIPE_WEBHOOK_SECRET", "secret_file: ~/webhook-secret");
        club.folder.write("environments.yaml", &environments);
        club.folder.write("webhook-secret", &secret);
        Some(api)
    }
}

fn verify(club: &Club, code: i32) -> Value {
    club.tourney(["verify", "--json"]).run().expect(code).json()
}

fn rows(club: &Club) {
    script(
        club,
        "INSERT INTO products (id, name) VALUES (5, '17U Elite'), (6, '17U Select'), (7, '16U Elite'), (99, 'Hoodie');
         INSERT INTO players (id, name) VALUES (1, 'Test'), (1001, 'A'), (1002, 'B'), (1003, 'C')",
    );
}

fn an_application_with_its_own_handler_is_adopted(club: &Club) {
    script(club, "");
    let Some(_api) = Api::start(club, "") else { return };
    rows(club);
    script(
        club,
        "INSERT INTO orders (player_id, product_id, amount_cents, status, source, created_at, updated_at) VALUES
         (1001, 99, 4500, 'pending', 'web', '2026-02-01 10:00:00', '2026-02-01 10:00:00')",
    );
    let hoodies =
        || club.sql("SELECT CAST(status AS TEXT), CAST(updated_at AS TEXT) FROM orders WHERE product_id = 99");
    let before = hoodies();
    let players = incident(club);
    let expected: Vec<String> = players
        .iter()
        .map(|(player, fee)| format!("{player}/{fee} replace expired-session missing-metadata"))
        .collect();
    club.plans(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);

    let verdict = verify(club, 0);
    assert_eq!((passed(&verdict, "order-paid"), passed(&verdict, "payment-intent")), (json!(true), json!(true)));
    // The handler wrote a receipt for it.
    assert!(detail(&verdict, "clean-up").contains("cancelled"), "{verdict:#}");

    let (player, fee) = &players[0];
    club.pay(live(club, player, fee).2.as_deref().unwrap());
    wait_until("the application's own handler marks the order paid", || live(club, player, fee).1 == "paid");
    club.plans(&[]);
    assert_eq!(hoodies(), before, "other rows are what they were");
}

fn a_roster_is_billed_by_the_application_s_own_ids(club: &Club) {
    script(club, "");
    let Some(_api) = Api::start(club, "") else { return };
    rows(club);
    script(
        club,
        "UPDATE players SET parent_email = 'parent01@example.com', name = 'Avery Alder' WHERE id = 1001;
         UPDATE players SET parent_email = 'family@example.com', name = 'Blake Birch' WHERE id = 1002;
         UPDATE players SET parent_email = 'family@example.com', name = 'Casey Birch' WHERE id = 1003",
    );
    let text = club.folder.read("tournament.yaml");
    let (head, _) = text.split_once("players:").unwrap();
    club.folder.write("tournament.yaml", &format!("{head}players: []\n"));
    let roster = "Player,Parent Email,Division\nAvery Alder,Parent01@example.com,17U Elite\n\
                  Casey Birch,family@example.com,17U Elite; 17U Select\nBlake Birch,family@example.com,6\n";
    club.folder.write("roster.csv", roster);
    let words = ["import", "roster.csv", "--match", "email", "--fee-column", "Division"];
    club.tourney(words).run().expect(0);
    let creates = ["1001/5", "1003/5", "1003/6", "1002/6"].map(|one| format!("{one} create missing-order"));
    club.plans(&creates.each_ref().map(String::as_str));
    club.tourney(["apply", "--yes"]).run().expect(0);
    for (player, fee) in [("1001", "5"), ("1003", "5"), ("1003", "6"), ("1002", "6")] {
        assert_eq!(live(club, player, fee).1, "pending");
    }
    assert_eq!(club.tourney(words).run().expect(0).stdout, "0 added, 0 changed, 0 removed, 0 missing, 3 unchanged.\n");
    club.plans(&[]);
}

/// Nothing of the application knows of links: its handler goes by the `order_id` of the session that a visit makes.
fn what_is_paid_at_links_reaches_the_application_s_own_handler(club: &Club) {
    script(club, "");
    let Some(_api) = Api::start(club, "") else { return };
    rows(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert!(live(club, "1001", "5").2.is_some(), "sessions at first");
    club.append(LINKS);
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    let verdict = verify(club, 0);
    assert_eq!((passed(&verdict, "order-paid"), passed(&verdict, "payment-intent")), (json!(true), json!(true)));

    let registrations = [("1001", "5"), ("1002", "6"), ("1003", "5")];
    for (player, fee) in registrations {
        let (order, status, session) = live(club, player, fee);
        assert_eq!((status.as_str(), session), ("pending", None), "the column for sessions is the application's");
        let links = club.links();
        let its = |link: &&Value| link["active"] == true && link["metadata"]["order_id"] == order.as_str();
        let link = links.iter().find(its).unwrap();
        club.pay(&club.visit(text(&link["id"])));
    }
    let paid = || registrations.iter().all(|(player, fee)| live(club, player, fee).1 == "paid");
    wait_until("the application's own handler marks the orders paid", paid);
    club.plans(&[]);
}

fn each_fault_of_a_handler_is_told(club: &Club) {
    script(club, "");
    for (at, (fault, check, said)) in FAULTS.into_iter().enumerate() {
        let Some(_api) = Api::start(club, fault) else { return };
        if at == 0 {
            rows(club);
            club.tourney(["apply", "--yes"]).run().expect(0);
        }
        let verdict = verify(club, 1);
        assert_eq!(passed(&verdict, check), json!(false), "{fault}: {verdict:#}");
        assert!(detail(&verdict, check).contains(said), "{fault}: {verdict:#}");
        assert_eq!(passed(&verdict, "clean-up"), json!(true), "{fault}: {verdict:#}");
        assert_eq!(passed(&verdict, "other-orders"), json!(true), "{fault}: {verdict:#}");
    }
}

/// A handler that cancels on expired events: nothing is renewed behind which it would cancel, until it is mended.
fn what_a_handler_cancels_on_an_old_sessions_end_is_not_renewed(club: &Club) {
    script(club, "");
    let Some(api) = Api::start(club, "expired") else { return };
    rows(club);
    club.tourney(["apply", "--yes"]).run().expect(0);
    let said = detail(&verify(club, 1), "expired-predecessor");
    assert!(said.contains("policy: { stale: replace }"), "{said}");

    let (stale, _, session) = live(club, "1001", "5");
    club.expire(session.as_deref().unwrap());
    for args in [["plan", "--json", "-q"], ["apply", "--json", "-y"]] {
        let refusal = club.untouched(|| club.tourney(args).run()).expect(1);
        assert!(error(&refusal, "renew-refused")["details"]["registrations"][0]["player"] == 1001);
    }
    club.append("policy: {stale: replace}");
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    let (replaced, _, session) = live(club, "1001", "5");
    assert_ne!(replaced, stale);
    club.pay(session.as_deref().unwrap());
    wait_until("the application's own handler marks the order paid", || live(club, "1001", "5").1 == "paid");

    drop(api);
    let Some(_mended) = Api::start(club, "") else { return };
    verify(club, 0);
    club.edit("policy: {stale: replace}", "policy: {stale: renew}");
    let (kept, _, session) = live(club, "1003", "5");
    club.expire(session.as_deref().unwrap());
    club.plans(&["1003/5 renew expired-session"]);
    club.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(live(club, "1003", "5").0, kept);
}
