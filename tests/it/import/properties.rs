//! What holds of every import, over random rosters and random manifests.

use proptest::prelude::*;
use tourney::roster::{FeeFrom, File, Import, RosterError, Wanted, import};

const HEAD: &str = "version: 1
tournament: {id: a, name: A, currency: usd}
fees:
  - {id: 5, name: 17U Elite, amount: 55}
  - {id: 7, name: 16U Elite, amount: 65}
  - {id: shirt, name: \"Shirt, size M\", amount: 18}
players:
";

/// Children, some of whom share a name or an address.
const CHILDREN: [(&str, &str); 5] = [
    ("Ann Ash", "ash@example.com"),
    ("Bob Ash", "ash@example.com"),
    ("Zoë Birch", "birch@example.com"),
    ("Ann Ash", "cedar@example.com"),
    ("Dee Dune", "dune@example.com"),
];
const CELLS: [&str; 10] = [
    "5",
    "7",
    "shirt",
    "17U Elite",
    "5; 7",
    "\"7, 5\"",
    "5/shirt",
    "\"16U Elite, Shirt, size M\"",
    "5+7+shirt",
    "shirt & 7",
];
const OWES: [&str; 7] = [
    "fee: 5",
    "fee: 7, amount: 40.00",
    "fee: shirt, amount: 0.00",
    "fees: [5, 7]",
    "fees: [{id: 7, amount: 40.00}, 5]",
    "fees: [{id: shirt, amount: 10.00}]",
    "fee: 5, paid: {how: cash}",
];

/// One child of the manifest: which, whether as a block, and what is owed.
fn entry(index: usize, child: usize, block: bool, owes: usize) -> String {
    let (name, email) = CHILDREN[child];
    let pairs = format!("id: c{child}, name: {name}, email: {email}, {}, team: Old", OWES[owes]);
    if !block {
        return format!("  - {{{pairs}}}   # remark {index}\n");
    }
    let pairs = pairs.replace("{how: cash}", "cash").replace("paid: cash", "note: cash");
    let mut lines = String::new();
    let mut depth = 0;
    for piece in pairs.split(", ") {
        lines.push_str(if lines.is_empty() {
            "  - "
        } else if depth > 0 {
            ", "
        } else {
            "\n    "
        });
        lines.push_str(piece);
        depth += piece.matches(['[', '{']).count();
        depth -= piece.matches([']', '}']).count();
        if depth == 0 {
            lines.push_str(&format!("   # remark {index} {}", piece.len()));
        }
    }
    lines + "\n"
}

fn manifest() -> impl Strategy<Value = String> {
    let children = proptest::sample::subsequence((0..CHILDREN.len()).collect::<Vec<_>>(), 0..=CHILDREN.len());
    let styles = proptest::collection::vec((any::<bool>(), 0..OWES.len()), CHILDREN.len());
    (children, styles, any::<bool>()).prop_map(|(children, styles, windows)| {
        let entries: String = children
            .iter()
            .zip(styles)
            .enumerate()
            .map(|(at, (child, (block, owes)))| entry(at, *child, block, owes))
            .collect();
        let text =
            if entries.is_empty() { HEAD.replace("players:\n", "players: []\n") } else { format!("{HEAD}{entries}") };
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}

fn roster() -> impl Strategy<Value = String> {
    let amounts = prop_oneof![12 => Just(""), 1 => Just("40"), 1 => Just("120.00"), 1 => Just("0")];
    let row = (0..CHILDREN.len(), 0..CELLS.len(), amounts, any::<bool>(), 0..4_usize);
    proptest::collection::vec(row, 1..5).prop_map(|rows| {
        let row = |(child, cell, amount, capitals, id): (usize, usize, &str, bool, usize)| {
            let (name, email) = CHILDREN[child];
            let name = if capitals { name.to_uppercase() } else { name.to_owned() };
            let id = if id == 0 { format!("c{child}") } else { String::new() };
            format!("{id},{name},{email},{},{amount},{}\n", CELLS[cell], if id.is_empty() { "" } else { "New" })
        };
        "id,name,email,fee,amount,team\n".to_owned() + &rows.into_iter().map(row).collect::<String>()
    })
}

fn imported(roster: &str, manifest: &[u8], remove_missing: bool) -> Result<Import, RosterError> {
    let wanted = Wanted { map: Vec::new(), fee: FeeFrom::Guess, remove_missing };
    let roster = File { name: "roster.csv", bytes: roster.as_bytes() };
    import(roster, File { name: "tournament.yaml", bytes: manifest }, &wanted)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_import_does_what_the_roster_says_and_no_more(manifest in manifest(), roster in roster(), remove in any::<bool>()) {
        let before = tourney::manifest::parse("t", manifest.as_bytes()).unwrap();
        match imported(&roster, manifest.as_bytes(), remove) {
            Err(RosterError::Flags(why)) => panic!("{why}"),
            Err(RosterError::Files(errors)) => {
                prop_assert_eq!(errors.code(), "bad-roster");
                prop_assert!(errors.problems().iter().all(|problem| problem.line > 1 && problem.help.is_some()));
                // These styles can all be edited.
                let unedited = |message: &str| message.contains("cannot be edited") || message.contains("would be wrong");
                prop_assert!(!errors.problems().iter().any(|problem| unedited(&problem.message)), "{manifest}{errors:?}");
            }
            Ok(first) => {
                let again = imported(&roster, &first.bytes, remove).unwrap();
                prop_assert_eq!(&again.bytes, &first.bytes, "twice is once:\n{}", first.after);
                prop_assert!(again.added.is_empty() && again.changed.is_empty() && again.removed.is_empty());
                let after = tourney::manifest::parse("t", &first.bytes).unwrap();
                for player in &before.players {
                    let Some(now) = after.player(&player.id) else {
                        prop_assert!(first.removed.iter().any(|gone| gone.id == player.id));
                        continue;
                    };
                    // One fee may be replaced; of several none is ever taken away.
                    let kept = player.owes.iter().filter(|owed| now.owes.iter().any(|one| one.fee == owed.fee)).count();
                    prop_assert!(kept == player.owes.len() || player.owes.len() == 1, "{}", first.after);
                    prop_assert_eq!(&now.paid, &player.paid);
                }
                let gone = first.removed.len();
                let remarks = manifest.lines().filter_map(|line| line.split_once('#')).map(|(_, remark)| remark);
                let lost = remarks.filter(|remark| !first.after.contains(remark.trim_end())).count();
                prop_assert!(gone > 0 || lost == 0, "a comment is lost:\n{}", first.after);
            }
        }
    }
}
