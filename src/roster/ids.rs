//! Names as they are compared, and ids made from name and address: the same person gets the same id again, whatever the
//! order of the rows and whoever else is in the roster.

use sha2::{Digest as _, Sha256};

use crate::domain::{Email, Id, PlayerId};

/// How much of a name stands in an id; with the digest behind it the whole stays under [`Id::MAX_LEN`].
const NAME_IN_ID: usize = 40;
/// How many signs of the digest: enough that two namesakes never meet.
const DIGEST_IN_ID: usize = 8;

/// Latin letters with marks, and what is left without them.
const FOLDED: [(&str, &str); 24] = [
    ("àáâãåāăą", "a"),
    ("ä", "a"),
    ("æ", "ae"),
    ("çćčĉċ", "c"),
    ("ðďđ", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņňŋ", "n"),
    ("òóôõöøōŏő", "o"),
    ("œ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ţťŧțþ", "t"),
    ("ùúûüũūŭůűų", "u"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
    ("\u{2019}\u{2018}`", "'"),
];

/// A name without case, marks and superfluous blanks: by this names are the same, however a spreadsheet writes them.
pub(super) fn folded(name: &str) -> String {
    let lower = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut folded = String::with_capacity(lower.len());
    for c in lower.chars().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')) {
        match FOLDED.iter().find(|(letters, _)| letters.contains(c)) {
            Some((_, plain)) => folded.push_str(plain),
            None => folded.push(c),
        }
    }
    folded
}

/// The id of a player whom the roster gives none: `jordan-example-1a2b3c4d`.
pub(super) fn made(name: &str, email: &Email) -> PlayerId {
    let name = folded(name);
    let digest = hex::encode(Sha256::digest(format!("{name}\n{}", email.expose().to_ascii_lowercase())));
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(NAME_IN_ID);
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "player" } else { slug };
    PlayerId(Id::Slug(format!("{slug}-{}", &digest[..DIGEST_IN_ID])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, address: &str) -> String {
        made(name, &Email::parse(address).unwrap()).to_string()
    }

    #[test]
    fn an_id_stays_whatever_the_spelling_of_the_spreadsheet() {
        let first = id("Zoë O'Neil", "Parent@example.com");
        assert!(first.starts_with("zoe-o-neil-") && first.len() == "zoe-o-neil-".len() + 8, "{first}");
        for name in ["ZOË  O'NEIL ", "Zoe\u{308} O\u{2019}Neil", "zoe o'neil"] {
            assert_eq!(id(name, "parent@EXAMPLE.com"), first, "{name}");
        }
    }

    #[test]
    fn siblings_and_namesakes_have_their_own() {
        let ids = [
            id("Sam Example", "a@example.com"),
            id("Kim Example", "a@example.com"),
            id("Sam Example", "b@example.com"),
            id("李小龙", "a@example.com"),
            id("李小", "a@example.com"),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert!(ids[3].starts_with("player-"));
        let long = id(&"Maximilian ".repeat(18), "a@example.com");
        assert!(Id::slug(&long).is_ok(), "{long}");
    }
}
