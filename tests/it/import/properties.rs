//! What holds of every import, over random rosters and random manifests.

use proptest::prelude::*;
use tourney::roster::{FeeFrom, File, Import, Known, RosterError, Wanted, import};

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

/// The application's players: some of the children, 100 to 104, with or without names, an address in any writing or none.
fn application() -> impl Strategy<Value = Vec<(String, Option<String>, Option<String>)>> {
    let child = (proptest::bool::weighted(0.9), 0..4_usize, any::<bool>());
    proptest::collection::vec(child, CHILDREN.len()).prop_map(|children| {
        let known = children.into_iter().zip(CHILDREN).enumerate().filter(|(_, ((there, ..), _))| *there);
        let known = known.map(|(child, ((_, written, named), (name, email)))| {
            let emails =
                [Some(email.to_owned()), Some(format!(" {} ", email.to_uppercase())), Some(email.to_owned()), None];
            (format!("10{child}"), emails[written].clone(), named.then(|| name.to_lowercase()))
        });
        known.collect()
    })
}

fn imported(
    roster: &str,
    manifest: &[u8],
    remove_missing: bool,
    known: Option<&[Known]>,
) -> Result<Import, RosterError> {
    let wanted = Wanted { map: Vec::new(), fee: FeeFrom::Guess, remove_missing };
    let roster = File { name: "roster.csv", bytes: roster.as_bytes() };
    import(roster, File { name: "tournament.yaml", bytes: manifest }, &wanted, known)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_import_does_what_the_roster_says_and_no_more(manifest in manifest(), roster in roster(), remove in any::<bool>()) {
        let before = tourney::manifest::parse("t", manifest.as_bytes()).unwrap();
        match imported(&roster, manifest.as_bytes(), remove, None) {
            Err(RosterError::Flags(why)) => panic!("{why}"),
            Err(RosterError::Files(errors)) => {
                prop_assert_eq!(errors.code(), "bad-roster");
                prop_assert!(errors.problems().iter().all(|problem| problem.line > 1 && problem.help.is_some()));
                // These styles can all be edited.
                let unedited = |message: &str| message.contains("cannot be edited") || message.contains("would be wrong");
                prop_assert!(!errors.problems().iter().any(|problem| unedited(&problem.message)), "{manifest}{errors:?}");
            }
            Ok(first) => {
                let again = imported(&roster, &first.bytes, remove, None).unwrap();
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
    #[test]
    fn an_id_that_is_looked_up_is_the_applications(
        manifest in manifest(), roster in roster(), known in application(), slugs in any::<u8>()
    ) {
        // Some ids are the application's, others were made by an earlier import.
        let manifest = (0..CHILDREN.len()).filter(|child| slugs >> child & 3 != 0).fold(manifest, |text, child| {
            text.replace(&format!("id: c{child}"), &format!("id: 10{child}"))
        });
        let roster = roster.replace("\nc", "\n10");
        let known: Vec<Known> = known.into_iter().map(|(id, email, name)| Known { id, email, name }).collect();
        let before = tourney::manifest::parse("t", manifest.as_bytes()).unwrap();
        match imported(&roster, manifest.as_bytes(), false, Some(&known)) {
            Err(RosterError::Flags(why)) => panic!("{why}"),
            Err(RosterError::Files(errors)) => prop_assert_eq!(errors.code(), "bad-roster"),
            Ok(first) => {
                let again = imported(&roster, &first.bytes, false, Some(&known)).unwrap();
                prop_assert_eq!(&again.bytes, &first.bytes, "twice is once:\n{}", first.after);
                let of = |id: String| known.iter().find(|one| one.id == id);
                for player in &first.added {
                    let one = of(player.id.to_string());
                    prop_assert!(one.is_some(), "{} is nobody's", player.id);
                    let name = one.and_then(|one| one.name.as_ref());
                    let siblings = known.iter().filter(|one| one.email.as_ref().is_some_and(|email| player.email.same_as(email.trim())));
                    // A name that is known is wrong only where the address has nobody else.
                    let fits = name.is_none_or(|name| *name == player.name.to_lowercase());
                    prop_assert!(fits || siblings.count() == 1, "{} is {:?}", player.id, player.name);
                }
                // Nobody stands there for a second time, and whoever stood there has the same id.
                let after = tourney::manifest::parse("t", &first.bytes).unwrap();
                for player in &first.added {
                    let twin = |one: &&tourney::manifest::Player| one.name == player.name && one.email == player.email;
                    prop_assert_eq!(after.players.iter().filter(twin).count(), 1, "{}", first.after);
                }
                let ids: Vec<_> = after.players.iter().map(|player| &player.id).take(before.players.len()).collect();
                prop_assert_eq!(ids, before.players.iter().map(|player| &player.id).collect::<Vec<_>>());
            }
        }
    }
}
