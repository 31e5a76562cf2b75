//! What a club may declare: one tournament, a few players, and how it is edited.

use std::sync::OnceLock;

use tourney::ledger::Scope;
use tourney::manifest::Manifest;

const HEAD: &str = "version: 1
fees:
  - {id: 5, name: 17U Elite, amount: 55.00}
  - {id: 6, name: 17U Select, amount: 65.00}
";

const ONE: &str = "id: 1, name: Jordan Example, email: jordan@example.com";
const TWO: &str = "id: 2, name: Robin Example, email: robin@example.com";

/// The rosters: lines of players, and whether the tournament is open.
const ROSTERS: usize = 10;
const LINKS: [&str; 2] = ["session", "payment_link"];
const RETIRE: [&str; 2] = ["cancel", "delete"];
const STALE: [&str; 2] = ["renew", "replace"];

/// How many manifests there are.
pub(crate) const MANIFESTS: usize = ROSTERS * 8;

fn roster(number: usize) -> (Vec<String>, bool) {
    let one = |rest: &str| format!("{{{ONE}, {rest}}}");
    let two = |rest: &str| format!("{{{TWO}, {rest}}}");
    match number {
        0 => (vec![one("fee: 5")], true),
        1 => (vec![one("fee: 5, amount: 40.00")], true),
        2 => (vec![one("fee: 6")], true),
        3 => (vec![one("fees: [5, 6]")], true),
        4 => (vec![two("fee: 5")], true),
        5 => (vec![one("fee: 5"), two("fee: 5")], true),
        6 => (
            vec!["{id: 11, renamed_from: 1, name: Jordan Example, email: jordan@example.com, fee: 5}".to_owned()],
            true,
        ),
        7 => (vec![one("fee: 5, paid: {how: cash}"), two("fee: 5")], true),
        8 => (vec![one("fee: 5")], false),
        _ => (vec!["{id: 1, name: Jordan Example, email: other@example.com, fee: 5}".to_owned()], true),
    }
}

fn text(number: usize) -> String {
    let (players, open) = roster(number % ROSTERS);
    let policies = number / ROSTERS;
    let (link, retire, stale) = (LINKS[policies % 2], RETIRE[policies / 2 % 2], STALE[policies / 4 % 2]);
    let players: String = players.iter().map(|player| format!("  - {player}\n")).collect();
    format!(
        "{HEAD}tournament: {{id: cup, name: Cup, currency: usd, open: {open}}}\nplayers:\n{players}policy: {{link: {link}, \
         retire: {retire}, stale: {stale}, max_retired: 100%}}\n"
    )
}

/// One of them.
pub(crate) fn manifest(number: usize) -> &'static Manifest {
    static ALL: [OnceLock<Manifest>; MANIFESTS] = [const { OnceLock::new() }; MANIFESTS];
    ALL[number].get_or_init(|| {
        let text = text(number);
        tourney::manifest::parse("tournament.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{text}\n{error:?}"))
    })
}

/// What it says, in a few words.
pub(crate) fn told(number: usize) -> String {
    let (players, open) = roster(number % ROSTERS);
    let short = |player: &String| player.replace("name: ", "").replace("email: ", "");
    let policies = number / ROSTERS;
    format!(
        "{}{}; {}, {}, {}",
        players.iter().map(short).collect::<Vec<_>>().join(" "),
        if open { "" } else { ", closed" },
        LINKS[policies % 2],
        RETIRE[policies / 2 % 2],
        STALE[policies / 4 % 2]
    )
}

/// The scope of all of them: they declare the same fees.
pub(crate) fn scope() -> Scope {
    let manifest = manifest(0);
    Scope {
        tournament: manifest.tournament.id.clone(),
        fees: manifest.fees.iter().map(|fee| fee.id.clone()).collect(),
        currency: manifest.tournament.currency,
    }
}
