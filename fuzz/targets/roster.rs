//! A roster in CSV, worked into a manifest.

use std::collections::HashSet;

use tourney::domain::{FeeId, Id};
use tourney::manifest::{Manifest, parse};
use tourney::roster::{FeeFrom, Field, File, Import, RosterError, Wanted, import};

use super::{Came, Held, ensure, manifest::whole, said};

/// What stands between the roster and the manifest that it goes into.
const CUT: &str = "\n%%% into\n";
/// The manifest where an input brings none: comments and both styles.
const INTO: &str = "\
# Reviewed by the board.
version: 1
tournament: {id: utah-2026, name: Utah Invitational, currency: usd}
fees:
  - {id: 5, name: 17U Elite, amount: 55.00}
  - {id: 7, name: 16U Elite, amount: 65.00}

players:
  # The captains
  - id: 1017   # from the old system
    name: \"Jordan Example\"
    email:   'parent17@example.com'   # asked for this one
    fee: 5
    amount: 40.00   # early bird

  - {id: kim, name: Kim Sample, email: dune@example.com, fee: 7}   # sibling of Sam
  - id: sam
    email: dune@example.com
    name: Sam Sample
    fees: [5, {id: 7, amount: 60.00}]
# The rules
policy: {stale: renew}
";

/// What is taken loses nobody and no comment, writes every cell as text, and is nothing new the second time; what is
/// refused is told by its line, without a whole address.
pub fn roster(bytes: &[u8]) -> Held {
    let cut = bytes.windows(CUT.len()).position(|window| window == CUT.as_bytes());
    let (roster, into) = cut.map_or((bytes, INTO.as_bytes()), |at| (&bytes[..=at], &bytes[at + CUT.len()..]));
    let Ok(before) = parse("tournament.yaml", into) else { return Ok(Came::Refused) };
    let mut came = Came::Refused;
    for (fee, remove_missing) in
        [(FeeFrom::Guess, false), (FeeFrom::All(FeeId(Id::Int(5))), false), (FeeFrom::All(FeeId(Id::Int(5))), true)]
    {
        let wanted = Wanted { map: Vec::new(), fee, remove_missing };
        let read = |into: &[u8]| {
            let manifest = File { name: "tournament.yaml", bytes: into };
            import(File { name: "roster.csv", bytes: roster }, manifest, &wanted, None)
        };
        match read(into) {
            Ok(import) => {
                taken(&import, &before, roster)?;
                let again = read(&import.bytes).map_err(|error| format!("refused the second time: {error:?}"))?;
                ensure(again.after == import.after, || twice(&import, &again))?;
                came = Came::Taken;
            }
            Err(RosterError::Flags(why)) => said::shown(&why)?,
            Err(RosterError::Files(errors)) => refused(errors, roster)?,
        }
    }
    Ok(came)
}

fn twice(first: &Import, second: &Import) -> String {
    format!("the second import changes something:\n{}\n---\n{}\n---\n{}", first.before, first.after, second.after)
}

fn refused(errors: tourney::manifest::ManifestErrors, roster: &[u8]) -> Result<(), String> {
    for problem in errors.problems() {
        let words = [Some(&problem.message), problem.help.as_ref(), Some(&problem.path)];
        for word in words.into_iter().flatten().flat_map(|words| words.split(|c: char| c.is_whitespace() || c == '"')) {
            let address = tourney::domain::Email::parse(word.trim_matches(|c: char| !c.is_alphanumeric()));
            let ours = address.is_ok_and(|address| !EXAMPLES.contains(&address.expose()) && !word.contains('*'));
            ensure(!ours, || format!("a whole address is told: {problem}"))?;
        }
    }
    // Decoded by its own rules: only of plain UTF-8 is the text known here.
    match std::str::from_utf8(roster) {
        Ok(text) if !text.contains('\u{feff}') => {
            let unix = if text.contains('\n') { text.to_owned() } else { text.replace('\r', "\n") };
            said::fit(errors, &unix)
        }
        _ => Ok(()),
    }
}

/// Addresses that helps give for an example.
const EXAMPLES: [&str; 2] = ["parent17@example.com", "parent@example.com"];

fn taken(import: &Import, before: &Manifest, roster: &[u8]) -> Result<(), String> {
    let after =
        parse("tournament.yaml", &import.bytes).map_err(|errors| format!("what is written is wrong: {errors}"))?;
    whole(&after, &import.bytes)?;
    ensure(
        (&before.tournament, &before.fees, &before.policy, &before.decisions)
            == (&after.tournament, &after.fees, &after.policy, &after.decisions),
        || "more than players was changed".to_owned(),
    )?;
    counted(import, before, &after)?;
    commented(import)?;
    nobody_lost(import, &after, roster)
}

/// Whoever was there is there, or is told to have left; whoever comes is told.
fn counted(import: &Import, before: &Manifest, after: &Manifest) -> Result<(), String> {
    let now: HashSet<_> = after.players.iter().map(|player| &player.id).collect();
    let left: HashSet<_> = import.removed.iter().map(|player| &player.id).collect();
    for player in &before.players {
        let fine = now.contains(&player.id) != left.contains(&player.id);
        ensure(fine, || format!("{} is lost", player.id))?;
    }
    let came = after.players.len() + import.removed.len() - before.players.len();
    ensure(came == import.added.len(), || format!("{came} came, {} are told", import.added.len()))?;
    let same = import.unchanged + import.changed.len() + import.missing.len() + import.removed.len();
    ensure(same == before.players.len(), || format!("{same} of {} players are told of", before.players.len()))?;
    for added in &import.added {
        let now = after.player(&added.id).ok_or_else(|| format!("{} is told and not there", added.id))?;
        ensure(now.name == added.name && now.email == added.email, || format!("{now:?} is not {added:?}"))?;
    }
    Ok(())
}

/// Where nobody leaves, every line with nothing but a comment is still there.
fn commented(import: &Import) -> Result<(), String> {
    if !import.removed.is_empty() || import.before.contains(['|', '>']) {
        return Ok(());
    }
    let after: HashSet<&str> = import.after.lines().collect();
    let lost = import.before.lines().find(|line| line.trim_start().starts_with('#') && !after.contains(line));
    ensure(lost.is_none(), || format!("the comment {lost:?} is lost in\n{}", import.after))
}

/// The address of every row is somebody's: read by another reader of CSV, where the header is plain.
fn nobody_lost(import: &Import, after: &Manifest, roster: &[u8]) -> Result<(), String> {
    let Some((_, title)) = import.used.shown().find(|(field, _)| *field == Field::Email) else {
        return Err("rows were taken without addresses".to_owned());
    };
    let text = roster.strip_prefix("\u{feff}".as_bytes()).unwrap_or(roster);
    let addresses: HashSet<String> = after.players.iter().map(|player| player.email.expose().to_lowercase()).collect();
    for delimiter in *b",;\t|" {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
        let Ok(header) = reader.headers().cloned() else { continue };
        if header.len() != import.used.header.len() {
            continue;
        }
        let Some(column) = header.iter().position(|cell| cell == title) else { continue };
        for record in reader.records().filter_map(Result::ok) {
            let cell = record.get(column).unwrap_or_default().trim().to_lowercase();
            let there = cell.is_empty() || addresses.contains(&cell);
            ensure(there, || format!("the row of {cell:?} is lost"))?;
        }
        return Ok(());
    }
    Ok(())
}
