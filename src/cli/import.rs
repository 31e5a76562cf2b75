//! `tourney import`: a roster spreadsheet into a manifest.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};

use crate::domain::{FeeId, Id};
use crate::manifest::read::read_bytes;
use crate::render::{Exit, Failure, import as show};
use crate::roster::{FeeFrom, Field, File, Import, RosterError, Wanted, import};
use crate::world::{Clock as _, LiveClock};

use super::Shell;
use super::next;
use super::site::{self, DEFAULT_MANIFEST};

const NOTES: &str = "The roster is CSV with a header: commas, semicolons or tabs, quoted fields, UTF-8 or Windows-1252. Columns are \
guessed from the header and shown. A row is a player of the manifest by id, else by name and e-mail address, else by an address \
that nobody else has and where the row has no id. A row without an id gets one made from name and address, the same each time. \
In the manifest only what differs is edited: order, comments and formatting stay. An empty cell changes nothing.

A child who owes several fees has them in one cell, with ; , / + & or a line break between them (\"5; 7\"; a whole cell that is \
a fee's name is that fee), or stands in several rows with the same name and address. A single fee of the manifest is replaced by \
what the roster says; to several, new ones are added, and none is taken away. Amounts that the manifest has stay where the roster \
has none.

With --match email the ids are the application's own, from the table that the environment maps as players; it is read and \
never written. Of several players with one address the name decides. A row that leads to no one player is refused, and so is \
a second entry for a child whom the manifest has under another id: nothing is written then, and each error says what to do.";

/// What `import` takes.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// The roster, a CSV file
    #[arg(value_name = "ROSTER.csv")]
    roster: PathBuf,
    /// The manifest that it goes into
    #[arg(long, value_name = "FILE", default_value = DEFAULT_MANIFEST)]
    into: PathBuf,
    /// The fee that every player of the roster owes
    #[arg(long, value_name = "ID", value_parser = fee_id, allow_negative_numbers = true, conflicts_with = "fee_column")]
    fee: Option<FeeId>,
    /// The column that holds each player's fee or fees, by id or name
    #[arg(long, value_name = "NAME")]
    fee_column: Option<String>,
    /// The column of a field (id, name, email, fee, team, note, amount), for example email="Parent Email"; a name may be put
    /// together from two
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = mapped)]
    map: Vec<(Field, String)>,
    /// Give players the ids that the application has, found by their addresses in the table that the environment maps as
    /// `players`
    #[arg(long = "match", value_name = "BY")]
    by: Option<Match>,
    /// Show what would change in the manifest, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove players who are not in the roster; without it they are listed and kept
    #[arg(long)]
    remove_missing: bool,
}

/// By what an application's players are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Match {
    /// The e-mail address, without regard to capitals; where several players have it, the name decides
    Email,
}

impl Args {
    /// Whether a database is looked into, and so an environment.
    pub(super) const fn looks_up(&self) -> bool {
        self.by.is_some()
    }
}

fn fee_id(text: &str) -> Result<FeeId, String> {
    Id::parse(text).map(FeeId).map_err(|error| error.to_string())
}

fn mapped(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text.split_once('=').ok_or("write FIELD=COLUMN, for example email=\"Parent Email\"")?;
    if column.trim().is_empty() {
        return Err("no column is named behind the =".to_owned());
    }
    Ok((field.trim().parse()?, column.trim().to_owned()))
}

/// Runs the command: nothing is written before the whole of it is known to be right.
///
/// # Errors
/// `bad-roster`, `bad-manifest`, a flag that fits neither, a file that cannot be written; with `--match` an environment that
/// maps no players (`no-players`) or wrongly (`bad-mapping`).
pub(super) async fn run(args: &Args, shell: &Shell) -> Result<Exit, Failure> {
    let wanted = wanted(args)?;
    let known = match args.by {
        Some(Match::Email) => Some(site::players(shell, &site::resolve(shell, &args.into)?).await?),
        None => None,
    };
    let name = args.into.display().to_string();
    let missing = "run `tourney init` to write one, or name the file: tourney import ROSTER.csv --into FILE";
    let bytes = read_bytes(&args.into, &name, missing)?;
    let roster = crate::roster::read(&args.roster)?;
    let roster = File { name: &args.roster.display().to_string(), bytes: &roster };
    let import =
        import(roster, File { name: &name, bytes: &bytes }, &wanted, known.as_deref()).map_err(
            |error| match error {
                RosterError::Flags(why) => Failure::usage(why).hint("tourney import --help lists the flags"),
                RosterError::Files(errors) => errors.into(),
            },
        )?;
    shell.ui.note(&show::columns(&import.used));
    for remark in &import.remarks {
        shell.ui.always(&format!("warning: {remark}"));
    }
    let differs = import.before != import.after;
    let written = differs && !args.dry_run;
    if written {
        replace(&args.into, &bytes, &import.bytes)?;
    }
    tell(args, shell, &import, written);
    Ok(Exit::Done)
}

/// Data, then what follows from it.
fn tell(args: &Args, shell: &Shell, import: &Import, written: bool) {
    if shell.ui.json {
        shell.ui.json_data(&show::json(import, written));
    } else if args.dry_run {
        shell.ui.data(&show::diff(import, &args.into));
    }
    if !shell.ui.json {
        let said = show::terminal(import);
        if args.dry_run { shell.ui.note(&said) } else { shell.ui.data(&said) }
    }
    if !import.missing.is_empty() {
        let names: Vec<String> = import.missing.iter().map(|player| player.id.to_string()).collect();
        shell.ui.note(&format!("Not in the roster, and kept: {} (--remove-missing removes them)", names.join(", ")));
    }
    let plan = shell.command(["plan".to_owned()].into_iter().chain(next::manifest(&args.into)));
    shell.ui.note(&match (written, args.dry_run) {
        (true, _) => format!("Wrote {}: review it, then {plan}", args.into.display()),
        (false, true) => "Nothing was written: --dry-run".to_owned(),
        (false, false) => format!("{} says so already: nothing was written", args.into.display()),
    });
}

fn wanted(args: &Args) -> Result<Wanted, Failure> {
    let mut map = args.map.clone();
    let mut fee = match (&args.fee, &args.fee_column) {
        (Some(fee), _) => FeeFrom::All(fee.clone()),
        (None, Some(column)) => FeeFrom::Column(column.clone()),
        (None, None) => FeeFrom::Guess,
    };
    for field in Field::ALL {
        let columns: Vec<&String> = map.iter().filter(|(one, _)| *one == field).map(|(_, column)| column).collect();
        if columns.len() > 1 && field != Field::Name {
            return Err(Failure::usage(format!("--map {} stands twice", field.key())));
        }
    }
    if let Some(at) = map.iter().position(|(field, _)| *field == Field::Fee) {
        if fee != FeeFrom::Guess {
            return Err(Failure::usage("--map fee is the same as --fee-column, and does not go with it or with --fee"));
        }
        fee = FeeFrom::Column(map.remove(at).1);
    }
    Ok(Wanted { map, fee, remove_missing: args.remove_missing })
}

/// Writes a file beside the manifest and puts it in its place, which is there or not, but never half.
fn replace(manifest: &Path, before: &[u8], after: &[u8]) -> Result<(), Failure> {
    let broken = |error: std::io::Error| {
        Failure::new("io", format!("{} could not be written: {error}; it is as it was", manifest.display()))
    };
    // The file itself, also behind a link.
    let file = manifest.canonicalize().map_err(broken)?;
    let permissions = fs::metadata(&file).map_err(broken)?.permissions();
    let partial = file.with_added_extension(format!("{:08x}.partial", LiveClock.random() >> 96));
    let made = OpenOptions::new().write(true).create_new(true).open(&partial).map_err(broken)?;
    let written =
        (&made).write_all(after).and_then(|()| made.set_permissions(permissions)).and_then(|()| made.sync_all());
    let moved = written.and_then(|()| match fs::read(&file)? == before {
        true => fs::rename(&partial, &file),
        false => Err(std::io::Error::other("somebody changed it meanwhile; import again")),
    });
    moved.map_err(|error| {
        let _ = fs::remove_file(&partial);
        broken(error)
    })
}
