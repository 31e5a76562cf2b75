//! Refused because of the embedded sandbox: its folder, its port, its owner. And what stands in for Stripe.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::story::club::Club;
use crate::support::{Answer, Folder, Listener, Outcome, Running, applied_camp, camp, wait_until};

use super::{is_refusal, refused};

/// Serves the sandbox of a folder; gives its address.
fn serve(folder: &Folder, args: &[&str]) -> (Running, String) {
    let serving = folder.tourney([&["sandbox"], args].concat()).spawn();
    wait_until("the sandbox is served", || serving.stdout().contains("Ctrl-C ends it"));
    let url = serving.stdout().split_whitespace().nth(2).unwrap().to_owned();
    (serving, url)
}

#[test]
fn a_port_that_is_taken_and_a_state_that_is_served() {
    let folder = camp();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let listen = |address: &str| folder.tourney(["sandbox", "--json", "--listen", address]).run();
    let error = is_refusal(listen(&address), 1, "sandbox-listen");
    assert!(error["message"].as_str().unwrap().contains(&address), "{error:#}");
    let (serving, url) = serve(&folder, &["--listen", "127.0.0.1:0"]);
    let error = is_refusal(listen("127.0.0.1:0"), 1, "sandbox-served");
    assert!(error["message"].as_str().unwrap().contains(&url), "{error:#}");
    is_refusal(folder.tourney(["sandbox", "--json"]).run(), 1, "sandbox-served");
    serving.signal("TERM");
    serving.wait().expect(0);
}

#[test]
fn a_state_that_cannot_be_used() {
    let folder = camp().with(".tourney", "no folder");
    is_refusal(folder.tourney(["plan", "--json"]).run(), 1, "sandbox-state");
    is_refusal(folder.tourney(["sandbox", "--json", "--listen", "127.0.0.1:0"]).run(), 1, "sandbox-state");
    let folder = camp();
    let error = is_refusal(folder.tourney(["sandbox", "--json", "nodir/cup.yaml"]).run(), 1, "sandbox-state");
    assert!(error["message"].as_str().unwrap().contains("nodir"), "{error:#}");
    assert!(!folder.path("nodir").exists(), "a folder was made");
}

#[test]
fn a_link_that_was_printed_is_good_while_the_sandbox_runs() {
    let folder = applied_camp();
    let links = folder.tourney(["links", "--json"]).run().expect(0).json();
    let link = links["links"][0]["url"].as_str().unwrap().to_owned();
    let (serving, url) = serve(&folder, &[]);
    assert!(link.starts_with(&url), "{link} leads elsewhere than {url}");
    let status = tokio::runtime::Runtime::new().unwrap().block_on(async {
        tourney::stripe::install_tls();
        reqwest::get(&link).await.unwrap().status()
    });
    assert_eq!(status, 200, "{link}");
    serving.signal("INT");
    serving.wait().expect(0);
    // An address that is asked for is that address.
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (_serving, url) = serve(&folder, &["--listen", &elsewhere]);
    assert_eq!(url, format!("http://{elsewhere}"));
}

#[test]
fn a_scene_is_put_once_and_only_into_the_sandbox() {
    let folder = camp();
    let seed = || folder.tourney(["sandbox", "seed", "incident", "--json"]);
    seed().run().expect(0);
    is_refusal(seed().run(), 1, "already-seeded");
    is_refusal(seed().env("DATABASE_URL", "sqlite://orders.db").run(), 64, "usage");
}

/// Another process owns the state, and is no sandbox of this version: it answers as `control` says.
fn with_an_owner(control: &'static str) -> Outcome {
    let folder = camp();
    std::fs::create_dir(folder.path(".tourney")).unwrap();
    let lock = std::fs::File::create(folder.path(".tourney/sandbox.lock")).unwrap();
    lock.lock().unwrap();
    let owner = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", owner.local_addr().unwrap());
    folder.write(".tourney/sandbox.addr", &json!({"url": url, "instance": "other"}).to_string());
    // It ends with the test: it holds nothing but its socket.
    std::thread::spawn(move || owner.incoming().for_each(|stream| answer(stream.unwrap(), control)));
    folder.tourney(["sandbox", "seed", "incident", "--json"]).run()
}

/// Answers one request and hangs up.
fn answer(stream: TcpStream, control: &str) {
    let mut request = BufReader::new(stream);
    let mut first = String::new();
    request.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        request.read_line(&mut header).unwrap();
        let header = header.trim().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    request.by_ref().take(length).read_to_end(&mut Vec::new()).unwrap();
    let (status, body) = match first.split_whitespace().nth(1).unwrap() {
        "/_sandbox/health" => ("200 OK", r#"{"instance": "other"}"#),
        "/_sandbox/control" if control.is_empty() => return,
        "/_sandbox/control" => ("409 Conflict", control),
        _ => ("200 OK", r#"{"id": "acct_1AB", "object": "account"}"#),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = request.into_inner().write_all(format!("{head}{body}").as_bytes());
}

#[test]
fn an_owner_that_hangs_up_and_one_that_refuses() {
    is_refusal(with_an_owner(""), 1, "sandbox-unreachable");
    let error = is_refusal(with_an_owner(r#"{"error": {"message": "no such command"}}"#), 1, "sandbox-refused");
    assert!(error["message"].as_str().unwrap().contains("no such command"), "{error:#}");
}

#[test]
fn a_stripe_that_is_busy_for_good() {
    let club = Club::on_sqlite();
    club.bill();
    let busy = json!({"error": {"type": "rate_limit_error", "message": "Too many requests"}}).to_string();
    let stripe = Listener::start(move |_| Answer::new(429, busy.clone()).header("stripe-should-retry", "false"));
    let plan = || club.tourney(["plan", "--json"]).env("STRIPE_API_BASE", stripe.url("")).run();
    is_refusal(club.untouched(plan), 1, "stripe-busy");
    assert_eq!(stripe.received().len(), 1, "Stripe has said that trying again is of no use");
}

#[test]
fn a_run_whose_name_is_not_whole() {
    let club = Club::on_sqlite();
    club.bill();
    for id in ["aaaa1", "aaaa2"] {
        club.sql(&format!(
            "INSERT INTO tourney_runs (id, command, tournament_id, environment, manifest_sha256, who, started_at) \
             VALUES ('{id}', 'apply', 'cup', 'test', '00', 'ana@club', 0)"
        ));
    }
    let error = refused(&club, ["history", "aaaa", "--json"], 1, "ambiguous");
    assert!(error["message"].as_str().unwrap().contains("aaaa2, aaaa1"), "{error:#}");
    club.tourney(["history", "aaaa2"]).run().expect(0);
}

#[test]
fn a_person_cannot_pay_where_no_event_arrives() {
    let club = Club::on_sqlite();
    club.bill();
    refused(&club, ["verify", "--pay", "--json"], 1, "no-endpoint");
}

#[test]
fn a_canary_cannot_pay_where_nothing_costs_anything() {
    let folder = camp();
    let text = folder.read("tournament.yaml");
    folder.write("tournament.yaml", &text.replace("240.00", "0.00").replace("18.00", "0.00"));
    let told = folder.tourney(["verify", "--json"]).run().expect(1).json();
    assert_eq!((&told["error"]["code"], &told["passed"]), (&"canary".into(), &false.into()), "{told:#}");
    folder.tourney(["verify", "--audit-only"]).run().expect(0);
}
