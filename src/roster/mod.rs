//! A roster as clubs keep it (CSV from a spreadsheet), and how it becomes lines of a manifest.
//!
//! Guarantees: nothing here writes a file; a text is edited only where a value differs, a player comes or a player goes, and
//! what came of it is read again and must say exactly that.

mod columns;
mod decode;
mod edit;
mod fees;
mod ids;
mod known;
mod look_up;
mod merge;
mod owes;
mod people;
mod rows;
mod sheet;
mod who;
mod yaml;

use std::path::Path;

use crate::manifest::problem::Problems;
use crate::manifest::read::text_of;
use crate::manifest::source::Source;
use crate::manifest::{Manifest, ManifestErrors, Player};

pub use columns::{FeeFrom, Field, Used};
pub use known::Known;
pub use merge::{Added, Change, Changed};

use sheet::Sheet;

/// The error code of a roster that cannot be taken as it is.
const CODE: &str = "bad-roster";

/// What the command line says about the columns.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The column of a field, by its name in the header; a name may be put together from several.
    pub map: Vec<(Field, String)>,
    /// Where the fee of a row stands.
    pub fee: FeeFrom,
    /// Whether players who are not in the roster leave the manifest.
    pub remove_missing: bool,
}

/// Why nothing came of an import.
#[derive(Debug)]
pub enum RosterError {
    /// The command line does not fit the files.
    Flags(String),
    /// The roster is wrong, or the manifest.
    Files(ManifestErrors),
}

impl From<ManifestErrors> for RosterError {
    fn from(errors: ManifestErrors) -> Self {
        Self::Files(errors)
    }
}

/// What came of it: the new text of the manifest, and what is different in it.
#[derive(Debug)]
pub struct Import {
    /// The manifest's text before, without its byte order mark.
    pub before: String,
    /// And after.
    pub after: String,
    /// What is to be written: the text after, with the byte order mark that the file had.
    pub bytes: Vec<u8>,
    /// Which column was taken for what.
    pub used: Used,
    /// The players who came.
    pub added: Vec<Added>,
    /// The players of whom something differed.
    pub changed: Vec<Changed>,
    /// The players who left.
    pub removed: Vec<Player>,
    /// The players who are not in the roster and were kept.
    pub missing: Vec<Player>,
    /// How many players are the same on both sides.
    pub unchanged: usize,
    /// What a person should look at.
    pub remarks: Vec<String>,
}

/// A file as it was read: its name, for people, and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct File<'f> {
    /// Its name.
    pub name: &'f str,
    /// What it holds.
    pub bytes: &'f [u8],
}

/// Reads a roster.
///
/// # Errors
/// `bad-roster`: it is missing, too large, or no file.
pub fn read(path: &Path) -> Result<Vec<u8>, ManifestErrors> {
    let help = "name a CSV file: in a spreadsheet, save as CSV";
    crate::manifest::read::read_bytes(path, &path.display().to_string(), help).map_err(coded)
}

/// Works a roster into a manifest. Pure: the same input gives the same bytes. With `known`, the ids are those that an
/// application has, found by the addresses; without it, a row that has no id gets one made from name and address.
///
/// # Errors
/// [`RosterError`]: everything that is wrong with the roster at once (`bad-roster`), or with the manifest (`bad-manifest`).
pub fn import(
    roster: File<'_>,
    manifest: File<'_>,
    wanted: &Wanted,
    known: Option<&[Known]>,
) -> Result<Import, RosterError> {
    let File { name: manifest_name, bytes } = manifest;
    let model = crate::manifest::parse(manifest_name, bytes)?;
    let before = text_of(manifest_name, bytes)?;
    let File { name, bytes: roster } = roster;
    let text = decode::decode(roster).map_err(|(why, help)| coded(ManifestErrors::whole_file(name, why, help)))?;
    let mut problems = Problems::new(Source::new(name, &crate::domain::mask_addresses(&text)));
    let Some(sheet) = Sheet::read(text, &mut problems) else { return Err(coded(problems.into_errors()).into()) };
    let Some(used) = columns::used(&sheet, wanted, &mut problems).map_err(RosterError::Flags)? else {
        return Err(coded(problems.into_errors()).into());
    };
    if let FeeFrom::All(fee) = &wanted.fee
        && model.fee(fee).is_none()
    {
        let known: Vec<String> = model.fees.iter().map(|fee| fee.id.to_string()).collect();
        let known = known.join(", ");
        return Err(RosterError::Flags(format!("--fee {fee}: {manifest_name} has no such fee; it has {known}")));
    }
    let mut rows = rows::rows(&sheet, &used, &wanted.fee, &model, &mut problems);
    let looked_up = known.map(|known| look_up::look_up(&mut rows, known, &model, &used, &mut problems));
    if !problems.is_empty() {
        return Err(coded(problems.into_errors()).into());
    }
    let mut merged = merge::merge(&rows, &model, wanted.remove_missing, matches!(wanted.fee, FeeFrom::All(_)));
    merged.remarks.splice(0..0, looked_up.unwrap_or_default());
    finish(problems, merged, &model, before, bytes, used, manifest_name)
}

fn coded(errors: ManifestErrors) -> ManifestErrors {
    errors.with_code(CODE)
}

/// Edits the text, reads it again and holds it against what was meant.
fn finish(
    mut problems: Problems,
    merged: merge::Merged,
    model: &Manifest,
    before: &str,
    bytes: &[u8],
    used: Used,
    name: &str,
) -> Result<Import, RosterError> {
    let after = match edit::edited(before, model, &merged, &mut problems) {
        Some(after) => after,
        None => return Err(coded(problems.into_errors()).into()),
    };
    let mark = if bytes.starts_with("\u{feff}".as_bytes()) { "\u{feff}" } else { "" };
    let new_bytes = format!("{mark}{after}").into_bytes();
    match crate::manifest::parse(name, &new_bytes) {
        Ok(again) => merged.check(model, &again, &mut problems),
        Err(errors) => merged.blame(&errors, model, &mut problems),
    }
    problems.finish(Some(())).map_err(coded)?;
    let player = |index: &usize| model.players[*index].clone();
    let (gone, missing) = if merged.remove { (&merged.absent[..], &[][..]) } else { (&[][..], &merged.absent[..]) };
    Ok(Import {
        before: before.to_owned(),
        after,
        bytes: new_bytes,
        used,
        removed: gone.iter().map(player).collect(),
        missing: missing.iter().map(player).collect(),
        unchanged: model.players.len() - merged.changed.len() - merged.absent.len(),
        remarks: merged.remarks,
        added: merged.added,
        changed: merged.changed,
    })
}
