//! From cells to players: every cell is held to the manifest's own rules, and everything wrong is told at once.

use std::ops::Range;

use rust_decimal::Decimal;

use super::columns::{FeeFrom, Field, Used};
use super::fees::Fees;
use super::people::gather;
use super::sheet::{Cell, Line, Sheet};
use crate::domain::{Currency, Email, FeeId, Money, PlayerId, mask_addresses};
use crate::manifest::problem::Problems;
use crate::manifest::source::without_secrets;
use crate::manifest::tree::{Kind, Node, Scalar, Value};
use crate::manifest::{Manifest, scalars};

/// One fee that a player owes, as the roster says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) fee: FeeId,
    /// The player's own amount, where the roster has one.
    pub(super) amount: Option<Money>,
}

/// A player as the roster has them, in one row or in several.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The line of the roster, from 1; of several rows the first.
    pub(super) line: usize,
    pub(super) at: Range<usize>,
    pub(super) id: Option<PlayerId>,
    pub(super) name: String,
    pub(super) email: Email,
    /// What is owed, at least one, each fee once, in the roster's order.
    pub(super) owes: Vec<Due>,
    pub(super) team: Option<String>,
    pub(super) note: Option<String>,
}

/// Every player whose rows are in order; of the others everything is told.
pub(super) fn rows(
    sheet: &Sheet,
    used: &Used,
    fee: &FeeFrom,
    manifest: &Manifest,
    problems: &mut Problems,
) -> Vec<Row> {
    let mut reader = Reader { used, fee, fees: Fees::of(&manifest.fees), manifest, problems };
    let rows: Vec<Row> = sheet.rows.iter().filter_map(|line| reader.row(line)).collect();
    gather(rows, used, matches!(fee, FeeFrom::All(_)), problems)
}

struct Reader<'r> {
    used: &'r Used,
    fee: &'r FeeFrom,
    fees: Fees<'r>,
    manifest: &'r Manifest,
    problems: &'r mut Problems,
}

impl Reader<'_> {
    fn row(&mut self, line: &Line) -> Option<Row> {
        let (has, wants) = (line.cells.len(), self.used.header.len());
        if has < wants || line.cells[wants..].iter().any(|cell| !cell.text.is_empty()) {
            let help = "give each row as many cells as the header; a cell that holds the separator stands in quotes";
            let cells = if has == 1 { "cell" } else { "cells" };
            self.problems.add(&line.at, "", format!("this row has {has} {cells}, and the header has {wants}"), help);
            return None;
        }
        self.refuse_secrets(line)?;
        let id = self.id(line);
        let name = self.name(line);
        let email = self.needed(line, Field::Email);
        let email = email.and_then(|(node, title)| scalars::email(&node, &title, self.problems));
        let fees = self.fees(line);
        let amount = self.amount(line);
        let owes = fees.zip(amount).and_then(|(fees, amount)| self.owes(line, fees, amount));
        let team = self.text(line, Field::Team);
        let note = self.text(line, Field::Note);
        Some(Row {
            line: line.number,
            at: line.at.clone(),
            id: id?,
            name: name?,
            email: email?,
            owes: owes?,
            team: team?,
            note: note?,
        })
    }

    /// What is reviewed in git holds no key; one that was pasted into a cell is not carried there.
    fn refuse_secrets(&mut self, line: &Line) -> Option<()> {
        let mut columns = Field::ALL.iter().flat_map(|field| self.used.of(*field));
        let pasted = columns.find(|column| without_secrets(&line.cells[**column].text) != line.cells[**column].text);
        let Some(column) = pasted else { return Some(()) };
        let help = "remove it from the roster, and roll it in Stripe's dashboard: others have seen it";
        self.problems.add(&line.cells[*column].at, &self.used.header[*column], "a secret stands in this cell", help);
        None
    }

    /// The cell of a field in which something stands.
    fn cell<'l>(&self, line: &'l Line, field: Field) -> Option<&'l Cell> {
        let cell = line.cells.get(*self.used.of(field).first()?)?;
        (!cell.text.is_empty()).then_some(cell)
    }

    /// The cell of a field that every row must have.
    fn needed(&mut self, line: &Line, field: Field) -> Option<(Node, String)> {
        let title = self.used.title(field);
        if let Some(cell) = self.cell(line, field) {
            return Some((node(&cell.text, &cell.at, Kind::Text), title));
        }
        let at = self.used.of(field).first().map_or(&line.at, |column| &line.cells[*column].at);
        // An empty cell leaves nothing to underline.
        let at = if at.is_empty() { &line.at } else { at };
        let message = format!("the {} is missing", if field == Field::Email { "e-mail address" } else { field.key() });
        self.problems.add(at, &title, message, "write one, or remove the row");
        None
    }

    /// The outer layer says whether all is well, the inner one whether there is an id.
    fn id(&mut self, line: &Line) -> Option<Option<PlayerId>> {
        let Some(cell) = self.cell(line, Field::Id) else { return Some(None) };
        let digits = cell.text.strip_prefix('-').unwrap_or(&cell.text);
        let kind = if digits.bytes().all(|byte| byte.is_ascii_digit()) { Kind::Int } else { Kind::Text };
        let id = scalars::id(&node(&cell.text, &cell.at, kind), &self.used.title(Field::Id), self.problems)?;
        Some(Some(PlayerId(id)))
    }

    /// A name, perhaps from several columns, each of which may be empty but not all.
    fn name(&mut self, line: &Line) -> Option<String> {
        let cells = self.used.of(Field::Name).iter().map(|column| &line.cells[*column]);
        let cells: Vec<&Cell> = cells.filter(|cell| !cell.text.is_empty()).collect();
        let Some((first, last)) = cells.first().zip(cells.last()) else {
            return self.needed(line, Field::Name).map(|_| String::new());
        };
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        let at = if first.at.start <= last.at.start { first.at.start..last.at.end } else { first.at.clone() };
        scalars::text(&node(&texts.join(" "), &at, Kind::Text), &self.used.title(Field::Name), self.problems)
    }

    fn text(&mut self, line: &Line, field: Field) -> Option<Option<String>> {
        let Some(cell) = self.cell(line, field) else { return Some(None) };
        let title = self.used.title(field);
        scalars::text(&node(&cell.text, &cell.at, Kind::Text), &title, self.problems).map(Some)
    }

    fn fees(&mut self, line: &Line) -> Option<Vec<FeeId>> {
        if let FeeFrom::All(fee) = self.fee {
            return Some(vec![fee.clone()]);
        }
        self.needed(line, Field::Fee)?;
        let cell = self.cell(line, Field::Fee)?;
        let read = self.fees.read(cell);
        let told = |(message, help): (String, String)| {
            self.problems.add(&cell.at, &self.used.title(Field::Fee), message, help);
        };
        read.map_err(told).ok()
    }

    /// An amount is a single fee's own. Beside several it says nothing where it is what they come to, and else nobody knows
    /// which of them it is for.
    fn owes(&mut self, line: &Line, fees: Vec<FeeId>, amount: Option<Money>) -> Option<Vec<Due>> {
        if let [fee] = fees.as_slice() {
            return Some(vec![Due { fee: fee.clone(), amount }]);
        }
        let total = fees.iter().filter_map(|fee| self.manifest.fee(fee)).map(|fee| fee.amount.minor).sum::<i64>();
        if let Some(amount) = amount.filter(|amount| amount.minor != total) {
            let cell = self.cell(line, Field::Amount)?;
            let total = Money::new(total, amount.currency);
            let message = format!("for which of the {} fees is this amount? Together they come to {total}", fees.len());
            let help = "give each fee a row of its own, with the same name and address and its amount; or leave the cell \
                        empty and write the amount into the manifest: fees: [5, {id: 7, amount: 40.00}]";
            self.problems.add(&cell.at, &self.used.title(Field::Amount), message, help);
            return None;
        }
        Some(fees.into_iter().map(|fee| Due { fee, amount: None }).collect())
    }

    fn amount(&mut self, line: &Line) -> Option<Option<Money>> {
        let Some(cell) = self.cell(line, Field::Amount) else { return Some(None) };
        let currency = self.manifest.tournament.currency;
        // What is no amount is shown, and may be an address that a comma too many has put here.
        let text = mask_addresses(&plain_amount(&cell.text, currency));
        let title = self.used.title(Field::Amount);
        scalars::amount(&node(&text, &cell.at, Kind::Float), &title, Some(currency), self.problems).map(Some)
    }
}

/// A cell as the manifest's rules take it.
fn node(text: &str, at: &Range<usize>, kind: Kind) -> Node {
    Node { value: Value::Scalar(Scalar { text: text.to_owned(), kind }), at: at.clone() }
}

/// An amount as spreadsheets write it (`$1,235.00`, `55,00 €`, `EUR 55`) in plain digits; what is not certain stays as it is.
fn plain_amount(text: &str, currency: Currency) -> String {
    let without_code = text.to_lowercase().replace(currency.code(), "");
    let bare: String = without_code.chars().filter(|c| !c.is_whitespace() && !"$€£¥".contains(*c)).collect();
    let (whole, part) = match (bare.rfind('.'), bare.rfind(',')) {
        (Some(point), comma) if comma.is_none_or(|comma| comma < point) => (&bare[..point], Some(&bare[point + 1..])),
        // Three digits behind a comma may be thousands or thousandths: nobody can tell.
        (_, Some(comma)) if bare.len() - comma != 4 => (&bare[..comma], Some(&bare[comma + 1..])),
        _ => (bare.as_str(), None),
    };
    let mut groups = whole.split([',', '.']);
    let first = groups.next().unwrap_or_default();
    let grouped = groups.all(|group| group.len() == 3) && (part.is_some() || first.len() == whole.len());
    let plain: String = whole.chars().filter(|c| !matches!(c, ',' | '.')).collect();
    let plain = part.map_or(plain.clone(), |part| format!("{plain}.{part}"));
    if grouped && Decimal::from_str_exact(&plain).is_ok() { plain } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_spreadsheets_become_plain() {
        let usd = Currency::parse("usd").unwrap();
        for (text, plain) in [
            ("$1,235.00", "1235.00"),
            ("55,00 €", "55.00"),
            ("USD 55", "55"),
            ("1.235,50", "1235.50"),
            ("0", "0"),
            ("1,235", "1,235"),
            ("12,35.00", "12,35.00"),
            ("free", "free"),
            ("-5", "-5"),
        ] {
            assert_eq!(plain_amount(text, usd), plain, "{text}");
        }
    }
}
