//! Which column holds what: as the command line says, else guessed from the header's words.

use std::str::FromStr;

use super::Wanted;
use super::sheet::Sheet;
use crate::domain::FeeId;
use crate::manifest::problem::Problems;

/// What a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The player's id.
    Id,
    /// The player's name.
    Name,
    /// Where the link goes.
    Email,
    /// The fee, by its id or its name.
    Fee,
    /// The player's own amount.
    Amount,
    /// The team.
    Team,
    /// A remark.
    Note,
}

impl Field {
    /// All of them, in the order in which a manifest writes them.
    pub const ALL: [Self; 7] = [Self::Id, Self::Name, Self::Email, Self::Fee, Self::Amount, Self::Team, Self::Note];

    /// Its key in the manifest.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Email => "email",
            Self::Fee => "fee",
            Self::Amount => "amount",
            Self::Team => "team",
            Self::Note => "note",
        }
    }

    /// The headers by which it is guessed, letters and digits alone.
    const fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["id", "playerid", "memberid", "participantid", "athleteid", "membernumber", "playernumber"],
            Self::Name => &[
                "name",
                "fullname",
                "player",
                "playername",
                "playerfullname",
                "participant",
                "participantname",
                "athlete",
                "athletename",
                "child",
                "childname",
                "childsname",
                "student",
                "studentname",
            ],
            Self::Email => &[
                "email",
                "emailaddress",
                "mail",
                "emails",
                "parentemail",
                "parentemailaddress",
                "parentsemail",
                "guardianemail",
                "guardianemailaddress",
                "parentguardianemail",
                "contactemail",
                "primaryemail",
                "billingemail",
                "payeremail",
                "familyemail",
            ],
            Self::Fee => &["fee", "feeid"],
            Self::Amount => &["amount", "amountdue", "amountowed"],
            Self::Team => &["team", "teamname", "squad"],
            Self::Note => &["note", "notes", "remark", "remarks", "comment", "comments"],
        }
    }
}

/// A name in two columns: the first names, then the last.
const NAMES: [&[&str]; 2] = [
    &["firstname", "first", "givenname", "playerfirstname", "participantfirstname", "athletefirstname"],
    &["lastname", "last", "surname", "familyname", "playerlastname", "participantlastname", "athletelastname"],
];

impl FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let keys: Vec<&str> = Self::ALL.iter().map(|field| field.key()).collect();
        Self::ALL
            .into_iter()
            .find(|field| field.key() == text)
            .ok_or_else(|| format!("there is no field of that name: write {}", keys.join(", ")))
    }
}

/// Where the fee of a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeeFrom {
    /// All rows owe this one.
    All(FeeId),
    /// In this column.
    Column(String),
    /// In a column whose header says so.
    Guess,
}

/// Which column was taken for what.
#[derive(Clone, Debug, Default)]
pub struct Used {
    columns: Vec<(Field, Vec<usize>)>,
    /// The header's words.
    pub header: Vec<String>,
}

impl Used {
    /// The columns of a field; several only of a name.
    pub(super) fn of(&self, field: Field) -> &[usize] {
        self.columns.iter().find(|(one, _)| *one == field).map_or(&[], |(_, columns)| columns)
    }

    /// What stands above the columns of a field.
    pub(super) fn title(&self, field: Field) -> String {
        let titles: Vec<&str> = self.of(field).iter().map(|column| self.header[*column].as_str()).collect();
        titles.join(" + ")
    }

    /// Field by field, what stands above its columns.
    pub fn shown(&self) -> impl Iterator<Item = (Field, String)> {
        self.columns.iter().map(|(field, _)| (*field, self.title(*field)))
    }

    /// The headers of the columns of which nothing was taken.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let used = |column: &usize| self.columns.iter().any(|(_, columns)| columns.contains(column));
        let titled = self.header.iter().enumerate().filter(move |(column, title)| !used(column) && !title.is_empty());
        titled.map(|(_, title)| title.as_str())
    }
}

/// Finds the columns; none where the header does not say enough, which is a problem.
///
/// # Errors
/// A flag that names a column that is not there, or no fee at all: the command line does not fit the roster.
pub(super) fn used(sheet: &Sheet, wanted: &Wanted, problems: &mut Problems) -> Result<Option<Used>, String> {
    let header: Vec<String> = sheet.header.cells.iter().map(|cell| cell.text.clone()).collect();
    let mut finder = Finder { sheet, problems, used: Used { columns: Vec::new(), header }, fine: true };
    for field in Field::ALL {
        let flag = if field == Field::Fee { "--fee-column".to_owned() } else { format!("--map {}", field.key()) };
        let mapped = wanted.map.iter().filter(|(one, _)| *one == field).map(|(_, title)| title.as_str());
        let named: Vec<&str> = match &wanted.fee {
            FeeFrom::All(_) if field == Field::Fee => continue,
            FeeFrom::Column(title) if field == Field::Fee => vec![title],
            _ => mapped.collect(),
        };
        let columns = if named.is_empty() { finder.guessed(field) } else { finder.named(&flag, &named)? };
        if !columns.is_empty() {
            finder.used.columns.push((field, columns));
        }
    }
    if finder.fine && finder.used.of(Field::Fee).is_empty() && wanted.fee == FeeFrom::Guess {
        return Err("nothing says what the players owe: --fee ID for all, or --fee-column NAME".to_owned());
    }
    Ok(finder.fine.then_some(finder.used))
}

struct Finder<'f> {
    sheet: &'f Sheet,
    problems: &'f mut Problems,
    used: Used,
    fine: bool,
}

impl Finder<'_> {
    /// The columns whose titles were given.
    fn named(&mut self, flag: &str, titles: &[&str]) -> Result<Vec<usize>, String> {
        let mut columns = Vec::with_capacity(titles.len());
        for title in titles {
            let header = &self.used.header;
            let exact = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
                header.iter().enumerate().filter(|(_, one)| same(one)).map(|(column, _)| column).collect()
            };
            let mut found = exact(&|one| one == title.trim());
            if found.is_empty() {
                found = exact(&|one| key(one) == key(title) && !key(one).is_empty());
            }
            match found.as_slice() {
                [column] => columns.push(*column),
                [] => {
                    let known: Vec<String> =
                        header.iter().filter(|one| !one.is_empty()).map(|one| format!("{one:?}")).collect();
                    return Err(format!("{flag}: the roster has no column {title:?}; it has {}", known.join(", ")));
                }
                [_, second, ..] => {
                    self.twice(*second, &format!("two columns are called {title:?}"), "rename one of them")
                }
            }
        }
        Ok(columns)
    }

    /// The column whose title says what it holds. Two of them are not chosen between: a link must not go to the wrong person.
    fn guessed(&mut self, field: Field) -> Vec<usize> {
        let found = self.titled(field.headers());
        let key = field.key();
        match found.as_slice() {
            [column] => vec![*column],
            [] if field == Field::Name => self.names(),
            [] => {
                if field == Field::Email {
                    self.lacking(field, "parent's e-mail address");
                }
                Vec::new()
            }
            [first, second, ..] => {
                let (one, other) = (&self.used.header[*first], &self.used.header[*second]);
                let why = format!("both {one:?} and {other:?} could be the {key}");
                let help = format!("say which: --map {key}={one:?}");
                self.twice(*second, &why, &help);
                Vec::new()
            }
        }
    }

    /// First and last names in columns of their own.
    fn names(&mut self) -> Vec<usize> {
        match (self.titled(NAMES[0]).as_slice(), self.titled(NAMES[1]).as_slice()) {
            ([first], [last]) => vec![*first, *last],
            _ => {
                self.lacking(Field::Name, "player's name");
                Vec::new()
            }
        }
    }

    fn titled(&self, titles: &[&str]) -> Vec<usize> {
        let fits = |title: &str| titles.contains(&key(title).as_str());
        self.used.header.iter().enumerate().filter(|(_, one)| fits(one)).map(|(column, _)| column).collect()
    }

    fn lacking(&mut self, field: Field, what: &str) {
        self.fine = false;
        let titles: Vec<&str> = self.used.header.iter().filter(|one| !one.is_empty()).map(String::as_str).collect();
        let key = field.key();
        let message = format!("no column of this header is the {what}");
        let help = format!("say which: --map {key}={:?}; is the first row a header?", titles.first().unwrap_or(&"…"));
        self.problems.add(&self.sheet.header.at, key, message, help);
    }

    fn twice(&mut self, column: usize, message: &str, help: &str) {
        self.fine = false;
        self.problems.add(&self.sheet.header.cells[column].at, "", message, help);
    }
}

/// A title in its letters and digits.
fn key(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
