//! Files of hostile size: four times as much takes about four times as long, and not sixteen.

use std::time::{Duration, Instant};

use super::targets::{Held, Target, environments, event, form, manifest, roster, saved_plan, signature};

/// The smaller of two sizes, in bytes; the other is four times as large.
const SMALL: usize = 32 * 1024;
/// What linear work takes, twice over; quadratic work takes sixteen times as long.
const MOST: u32 = 8;
/// Below this much of the processor nothing is told by a comparison.
const SLACK: Duration = Duration::from_millis(150);
/// How often a comparison is made anew before it counts: another test may have been in the way.
const TRIES: usize = 3;

/// A head, a piece for each number, and a tail: pieces are added until so many bytes are there.
fn filled(head: &str, piece: impl Fn(usize) -> String, tail: &str, size: usize) -> String {
    let mut text = head.to_owned();
    for n in 0.. {
        if text.len() >= size {
            break;
        }
        text.push_str(&piece(n));
    }
    text + tail
}

const HEAD: &str = "version: 1\ntournament: {id: a, name: A, currency: usd}\n";
const FEE: &str = "fees: [{id: 5, name: Fee, amount: 55.00}]\n";
const CSV: &str = "Name,Email,Fee,Note\n";

type Made = fn(usize) -> String;

fn players(piece: impl Fn(usize) -> String, size: usize) -> String {
    filled(&format!("{HEAD}{FEE}players:\n"), piece, "", size)
}

/// Manifests: good ones, and everything that could be told, repeated, nested or read again without end.
const MANIFESTS: [(&str, Made); 20] = [
    ("players", |size| players(|n| format!("- {{id: {n}, name: A B, email: a{n}@example.com, fee: 5}}\n"), size)),
    ("players on one line", |size| {
        let player = |n| format!("{{id: {n}, name: A B, email: a{n}@example.com, fee: 5}}, ");
        filled(&format!("{HEAD}{FEE}players: ["), player, "]\n", size)
    }),
    ("errors on one line", |size| filled(&format!("{HEAD}{FEE}players: ["), |n| format!("{{x: {n}}}, "), "]\n", size)),
    ("one player many times", |size| {
        players(|_| "- {id: 1, name: A B, email: a@example.com, fee: 5}\n".to_owned(), size)
    }),
    ("fees that there are not", |size| {
        let fees = filled(
            &format!("{HEAD}fees:\n"),
            |n| format!("- {{id: {n}, name: A, amount: 5}}\n"),
            "players:\n",
            size / 2,
        );
        filled(&fees, |n| format!("- {{id: {n}, name: A, email: a@example.com, fee: x}}\n"), "", size)
    }),
    ("fees of one player", |size| {
        let fees = filled(&format!("{HEAD}fees:\n"), |n| format!("- {{id: {n}, name: A, amount: 5}}\n"), "", size / 2);
        let head = format!("{fees}players:\n- {{id: 1, name: A, email: a@example.com, fees: [");
        filled(&head, |n| format!("{n}, "), "]}\n", size)
    }),
    ("renamed players", |size| {
        players(|n| format!("- {{id: {n}, name: A B, email: a@example.com, fee: 5, renamed_from: {}}}\n", n + 1), size)
    }),
    ("one key many times", |size| filled("", |_| "version: 1\n".to_owned(), "", size)),
    ("keys that are not known", |size| filled("", |n| format!("verzion{n}: 1\n"), "", size)),
    ("one long key", |size| format!("{}: 1\n", "k".repeat(size))),
    ("one long text", |size| format!("version: 1\ntournament: {{name: {}}}\n", "n".repeat(size))),
    ("brackets", |size| "[".repeat(size)),
    ("mappings in brackets", |size| "{a: ".repeat(size / 4)),
    ("dashes", |size| "- ".repeat(size / 2)),
    ("laughs", |size| {
        let level = |n: usize| format!("a{}: &a{} [{}]\n", n + 1, n + 1, format!("*a{n}, ").repeat(9));
        filled("a0: &a0 [lol, lol]\n", level, "", size)
    }),
    ("aliases without anchors", |size| filled("a: [", |n| format!("*a{n}, "), "]\n", size)),
    ("anchors", |size| filled("", |n| format!("a{n}: &a{n} x\n"), "", size)),
    ("documents", |size| "---\na: 1\n".repeat(size / 9)),
    ("quotes and tabs", |size| filled("", |_| "\t\"a\\\"b' # '\n".to_owned(), "", size)),
    ("secrets", |size| players(|_| "- sk_test_51Hsecret ://a:b@c password=x\n".to_owned(), size)),
];

const ENVIRONMENTS: [(&str, Made); 6] = [
    ("environments", |size| filled("", |n| format!("e{n}: {{}}\n"), "test: {}\n", size)),
    ("environments on one line", |size| {
        filled("{", |n| format!("e{n}: {{checkout: {{success_url: 'https://a.example'}}}}, "), "test: {}}\n", size)
    }),
    ("one environment many times", |size| filled("", |_| "test: {}\n".to_owned(), "", size)),
    ("below a long key", |size| {
        filled(&format!("? {}\n: [", "k".repeat(size / 2)), |_| "{a: 1}, ".to_owned(), "]\n", size)
    }),
    ("secrets below a long key", |size| {
        filled(&format!("? {}\n: [", "k".repeat(size / 2)), |_| "sk_a, ".to_owned(), "]\n", size)
    }),
    ("metadata", |size| filled("test: {checkout: {metadata: {", |n| format!("k{n}: v, "), "}}}\n", size)),
];

const ROSTERS: [(&str, Made); 8] = [
    ("rows", |size| filled(CSV, |n| format!("A B{n},a{n}@example.com,5,x\n"), "", size)),
    ("one child", |size| filled(CSV, |n| format!("A B,a@example.com,5,note {n}\n"), "", size)),
    ("one address", |size| filled(CSV, |n| format!("A B{n},a@example.com,5,\n"), "", size)),
    ("quotes inside", |size| filled("Name,Email\n", |_| "x\"y,\"a\"b\"\n".to_owned(), "", size)),
    ("a quote that stays open", |size| filled(&format!("{CSV}\""), |n| format!("A B{n},a@example.com,5,\n"), "", size)),
    ("columns", |size| filled("Name,Email,Fee", |n| format!(",c{n}"), "\nA B,a@example.com,5\n", size)),
    ("fees in a cell", |size| filled(&format!("{CSV}A B,a@example.com,\""), |_| "5; 7, ".to_owned(), "\",\n", size)),
    ("empty rows", |size| filled(CSV, |_| ",,,\r\n\n".to_owned(), "A B,a@example.com,5,\n", size)),
];

const OTHERS: [(&str, Target, Made); 10] = [
    ("plan: brackets", saved_plan, |size| "[".repeat(size)),
    ("plan: objects", saved_plan, |size| "{\"plan\":".repeat(size / 8)),
    ("plan: facts", saved_plan, |size| {
        let fact = |n| format!("\"order {n}\":{{\"says\":\"x\",\"sha256\":\"\"}},");
        filled("{\"kind\":\"tourney-plan\",\"format_version\":1,\"facts\":{", fact, "\"x\":1}}", size)
    }),
    ("signature: many", signature, |size| filled("t=1776074400,", |_| "v1={3},".to_owned(), "v1={1}\nbody", size)),
    ("signature: times", signature, |size| filled("", |n| format!("t={n},"), "v1={1}\nbody", size)),
    ("event: keys", event, |size| filled("{", |n| format!("\"k{n}\":[],"), "\"id\":\"evt_1\",\"type\":\"a\"}", size)),
    ("event: brackets", event, |size| format!("{{\"id\":\"evt_1\",\"type\":\"a\",\"data\":{}", "[".repeat(size))),
    ("form: items", form, |size| filled("POST /v1/products\n", |_| "images[]=1&".to_owned(), "name=a", size)),
    ("form: metadata", form, |size| filled("POST /v1/products\n", |n| format!("metadata[k{n}]=1&"), "name=a", size)),
    ("form: nested", form, |size| filled("POST /v1/products\na", |_| "[a]".to_owned(), "=1", size)),
];

/// What the processor has spent on this thread; where nobody says it, what the clock says.
fn spent(since: Instant) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = said.as_deref().and_then(|said| said.split_whitespace().next()?.parse().ok());
    spent.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// How long it takes, and what came of it.
fn timed(target: Target, bytes: &[u8]) -> (Duration, Held) {
    let since = Instant::now();
    let before = spent(since);
    let held = target(bytes);
    (spent(since).saturating_sub(before), held)
}

/// What is wrong with a target's time for one kind of file.
fn grown(name: &str, target: Target, made: Made) -> Option<String> {
    let (small, large) = (made(SMALL), made(4 * SMALL));
    let mut told = Vec::new();
    for _ in 0..TRIES {
        let (short, _) = timed(target, small.as_bytes());
        let (long, held) = timed(target, large.as_bytes());
        if let Err(broken) = held {
            return Some(format!("{name}: {}", broken.chars().take(500).collect::<String>()));
        }
        if long <= short * MOST + SLACK {
            eprintln!("{name}: {} and {} ms", short.as_millis(), long.as_millis());
            return None;
        }
        told.push(format!("{short:?} and {long:?}"));
    }
    Some(format!("{name}: {SMALL} bytes and four times as many take {}", told.join("; ")))
}

#[test]
fn four_times_as_much_takes_about_four_times_as_long() {
    let manifests = MANIFESTS.map(|(name, made)| (name, manifest as Target, made));
    let environments = ENVIRONMENTS.map(|(name, made)| (name, environments as Target, made));
    let rosters = ROSTERS.map(|(name, made)| (name, roster as Target, made));
    let all = manifests.into_iter().chain(environments).chain(rosters).chain(OTHERS);
    let wrong: Vec<String> = all.filter_map(|(name, target, made)| grown(name, target, made)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
