//! The fees that a cell names: one, or several with a sign between them.

use std::collections::HashMap;

use super::ids::folded;
use super::sheet::Cell;
use crate::domain::{FeeId, mask_addresses};
use crate::manifest::Fee;
use crate::manifest::fields::shorten;

/// What may stand between two fees. Each may stand in a fee's name too.
const BETWEEN: [char; 7] = [';', ',', '/', '+', '&', '\n', '\r'];
/// So many pieces of a cell are looked at: nobody owes more fees.
const PIECES: usize = 100;

/// So many fees are named in an error: any number of rows may have one.
const SHOWN: usize = 10;

/// Where the piece before a fee ends, and the fee; none where no fee ends.
type Reached<'m> = Option<(usize, &'m FeeId)>;

/// A manifest's fees by what a cell may call them.
pub(super) struct Fees<'m> {
    all: &'m [Fee],
    ids: HashMap<String, &'m FeeId>,
    names: HashMap<String, Vec<&'m FeeId>>,
    /// Of how many pieces a name can be made.
    widest: usize,
}

impl<'m> Fees<'m> {
    pub(super) fn of(all: &'m [Fee]) -> Self {
        let mut names: HashMap<String, Vec<&FeeId>> = HashMap::new();
        for fee in all {
            names.entry(folded(&fee.name)).or_default().push(&fee.id);
        }
        let ids = all.iter().map(|fee| (fee.id.to_string(), &fee.id)).collect();
        let widest = all.iter().map(|fee| fee.name.matches(BETWEEN).count() + 1).max().unwrap_or(1);
        Self { all, ids, names, widest }
    }

    /// The fees of a cell, each once, in the cell's order: the whole of it where that is the id or the name of one, else its
    /// pieces where there is one way to read them. Or why not, and what to write.
    pub(super) fn read(&self, cell: &Cell) -> Result<Vec<FeeId>, (String, String)> {
        if let Some(fee) = self.find(&cell.text) {
            return Ok(vec![fee.clone()]);
        }
        let pieces = pieces(&cell.lines);
        if pieces.is_empty() || pieces.len() > PIECES {
            return Err(self.none(&cell.text));
        }
        let (ways, from) = self.ways(&cell.lines, &pieces);
        match ways[pieces.len()] {
            // Every piece before the last that can be reached is a fee: the next is none.
            0 => {
                let (start, end) = ways.iter().rposition(|ways| *ways > 0).map_or((0, 0), |at| pieces[at]);
                Err(self.none(&cell.lines[start..end]))
            }
            1 => self.each_once(&fees_of(&from)),
            _ => {
                let message = "the fees of this cell can be told apart in several ways".to_owned();
                Err((message, format!("write their ids: {}", self.known())))
            }
        }
    }

    /// In how many ways (0, 1 or 2 for more) the pieces up to each one are fees, and by what fee each was last reached.
    fn ways(&self, text: &str, pieces: &[(usize, usize)]) -> (Vec<u8>, Vec<Reached<'m>>) {
        let (mut ways, mut from) = (vec![0_u8; pieces.len() + 1], vec![None; pieces.len() + 1]);
        ways[0] = 1;
        for first in 0..pieces.len() {
            for last in first..pieces.len().min(first + self.widest) {
                if ways[first] == 0 {
                    break;
                }
                if let Some(fee) = self.find(&text[pieces[first].0..pieces[last].1]) {
                    ways[last + 1] = (ways[last + 1] + ways[first]).min(2);
                    from[last + 1] = Some((first, fee));
                }
            }
        }
        (ways, from)
    }

    /// The one fee of this id, else of this name.
    fn find(&self, text: &str) -> Option<&'m FeeId> {
        let by_name = || match self.names.get(&folded(text)).map(Vec::as_slice) {
            Some([fee]) => Some(*fee),
            _ => None,
        };
        self.ids.get(text.trim()).copied().or_else(by_name)
    }

    fn each_once(&self, fees: &[&FeeId]) -> Result<Vec<FeeId>, (String, String)> {
        for (at, fee) in fees.iter().enumerate() {
            if fees[..at].contains(fee) {
                let message = format!("fee {fee} stands twice in this cell, and can be owed once");
                return Err((message, "leave one of the two out; for more make a fee of its own".to_owned()));
            }
        }
        Ok(fees.iter().map(|fee| (*fee).clone()).collect())
    }

    fn none(&self, text: &str) -> (String, String) {
        let shown = shorten(&mask_addresses(text.trim()));
        if let Some(fees) = self.names.get(&folded(text)).filter(|fees| fees.len() > 1) {
            let ids: Vec<String> = fees.iter().take(SHOWN).map(ToString::to_string).collect();
            let message = format!("{} fees are called {shown:?}", fees.len());
            return (message, format!("write the id: {}", ids.join(" or ")));
        }
        let help = format!("the manifest has {}; several stand in a cell with a semicolon between them", self.known());
        (format!("there is no fee {shown:?}"), help)
    }

    fn known(&self) -> String {
        let named = self.all.iter().take(SHOWN).map(|fee| format!("{} ({})", fee.id, fee.name));
        let more = (self.all.len() > SHOWN).then(|| "…".to_owned());
        named.chain(more).collect::<Vec<_>>().join(", ")
    }
}

/// The pieces of a cell in which something stands, by their bytes.
fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for piece in text.split(BETWEEN) {
        if !piece.trim().is_empty() {
            pieces.push((start, start + piece.len()));
        }
        // Every sign between is one byte.
        start += piece.len() + 1;
    }
    pieces
}

/// The fees on the one way to the last piece.
fn fees_of<'m>(from: &[Reached<'m>]) -> Vec<&'m FeeId> {
    let (mut fees, mut at) = (Vec::new(), from.len() - 1);
    while let Some((before, fee)) = from[at] {
        fees.push(fee);
        at = before;
    }
    fees.reverse();
    fees
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, Id, Money};

    fn read(names: &[&str], text: &str) -> Result<Vec<String>, String> {
        let usd = Currency::parse("usd").unwrap();
        let fee = |(at, name): (usize, &&str)| Fee {
            id: FeeId(Id::Int(i64::try_from(at).unwrap() + 5)),
            name: (*name).to_owned(),
            amount: Money::new(5500, usd),
        };
        let fees: Vec<Fee> = names.iter().enumerate().map(fee).collect();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let cell = Cell { text: line, lines: text.to_owned(), at: 0..text.len() };
        let read = Fees::of(&fees).read(&cell);
        read.map(|fees| fees.iter().map(ToString::to_string).collect()).map_err(|(message, _)| message)
    }

    #[test]
    fn a_cell_is_a_fee_or_several() {
        let names = ["17U Elite", "16U Elite", "Shirt, size M", "Entry & Shirt"];
        for (text, fees) in [
            ("5", &["5"][..]),
            ("16u  ELITE", &["6"]),
            ("5; 6", &["5", "6"]),
            ("6,5", &["6", "5"]),
            ("17U Elite, 16U Elite", &["5", "6"]),
            ("17U Elite\n16U\n", &[]),
            ("17U Elite\r\n16U Elite\r\n", &["5", "6"]),
            ("17U Elite + 6 / Shirt, size M", &["5", "6", "7"]),
            ("Shirt, size M", &["7"]),
            ("shirt, size m; Entry & Shirt & 5", &["7", "8", "5"]),
            ("5;;6;", &["5", "6"]),
            (";5", &["5"]),
        ] {
            let expected: Vec<String> = fees.iter().map(|fee| (*fee).to_owned()).collect();
            assert_eq!(read(&names, text).unwrap_or_default(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_certain_is_refused() {
        let names = ["A", "B", "C", "A, B", "B, C", "Twin", "twin"];
        for (text, message) in [
            ("A, B, C", "several ways"),
            ("5; 5", "stands twice"),
            ("5; 05", "no fee \"05\""),
            ("A; D; B", "no fee \"D\""),
            ("Twin", "2 fees are called \"Twin\""),
            ("A; Twin", "2 fees are called \"Twin\""),
            (" ; ", "no fee"),
            (&"5;".repeat(5000), "no fee"),
        ] {
            assert!(read(&names, text).unwrap_err().contains(message), "{text:?}: {:?}", read(&names, text));
        }
        // The whole cell is tried first, and what can be read in one way only is read.
        assert_eq!(read(&names, "A, B").unwrap(), ["8"]);
        assert_eq!(read(&names, "C; A").unwrap(), ["7", "5"]);
    }
}
