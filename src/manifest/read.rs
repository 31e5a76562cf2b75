//! From a file to the validated model.

use std::io::{ErrorKind, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::model::{Manifest, Policy};
use super::players::Checked;
use super::problem::{ManifestErrors, Problems};
use super::scalars::scalar;
use super::source::Source;
use super::tree::{self, Kind, MAX_BYTES, Node, Value};
use super::{decisions, players, tournament};

/// Reads and validates a manifest.
///
/// # Errors
/// [`ManifestErrors`] holds everything that is wrong with the file at once.
pub fn read(path: &Path) -> Result<Manifest, ManifestErrors> {
    let name = path.display().to_string();
    let bytes = read_bytes(path, &name, "name another file after the command, or run `tourney init` to write one")?;
    parse(&name, &bytes)
}

/// The bytes of a file, at most one more than are read.
pub(crate) fn read_bytes(path: &Path, name: &str, missing: &str) -> Result<Vec<u8>, ManifestErrors> {
    let fail = |message: String, help: &str| Err(ManifestErrors::whole_file(name, message, help));
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    let result = std::fs::metadata(path).and_then(|meta| match meta.file_type() {
        kind if kind.is_dir() => Err(ErrorKind::IsADirectory.into()),
        // Opening a pipe waits for whoever writes to it, perhaps for ever.
        kind if !kind.is_file() => Err(std::io::Error::other("it is a pipe or a device, not a regular file")),
        _ => std::fs::File::open(path),
    });
    match result.and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => fail("there is no such file".to_owned(), missing),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            fail("this is a folder, not a file".to_owned(), "name the file in it, for example tournament.yaml")
        }
        Err(error) => fail(format!("it cannot be read: {error}"), "name a regular file that you may read"),
    }
}

/// Validates a manifest's bytes; `name` is shown as the file's name.
///
/// # Errors
/// [`ManifestErrors`] holds everything that is wrong with the text at once.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Manifest, ManifestErrors> {
    let text = text_of(name, bytes)?;
    let mut problems = Problems::new(Source::new(name, text));
    let manifest = tree::parse(text, &mut problems).and_then(|root| manifest(&root, bytes, &mut problems));
    problems.finish(manifest)
}

/// The text of a file: UTF-8 of modest size, without its byte order mark.
pub(crate) fn text_of<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str, ManifestErrors> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES / 1024 / 1024);
        return Err(ManifestErrors::whole_file(name, message, "no real one comes near: is it the right file?"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let mut problems = Problems::new(Source::new(name, &format!("{valid}?")));
            let help = "save the file as UTF-8";
            problems.add(&(valid.len()..valid.len() + 1), "", "here the file is no longer UTF-8", help);
            Err(problems.into_errors())
        }
    }
}

fn manifest(root: &Node, bytes: &[u8], problems: &mut Problems) -> Option<Manifest> {
    if matches!(root.value, Value::Null) {
        problems.add(&(0..0), "", "the file is empty", "run `tourney init` in another folder for one to begin with");
        return None;
    }
    let known = ["version", "tournament", "fees", "players", "policy", "decisions"];
    let top = Fields::of(root, "", &known, problems)?;
    let version = top.need("version", "1", problems).and_then(|node| version(node, problems));
    let (tournament, currency) = top
        .need("tournament", "{id: …, name: …, currency: usd}", problems)
        .map_or((None, None), |node| tournament::tournament(node, problems));
    let fees = top
        .need("fees", "[{id: 1, name: …, amount: 55.00}]", problems)
        .map(|node| tournament::fees(node, currency, problems));
    let checked = Checked { currency, fees: fees.as_ref() };
    let players = top.need("players", "[]", problems).and_then(|node| players::players(node, &checked, problems));
    let policy =
        top.get("policy", problems).map_or_else(|| Some(Policy::default()), |node| tournament::policy(node, problems));
    let decisions = top
        .get("decisions", problems)
        .map_or_else(|| Some(Vec::new()), |node| decisions::decisions(node, &checked, problems));
    version?;
    let sha256 = hex::encode(Sha256::digest(bytes));
    Some(Manifest {
        tournament: tournament?,
        fees: fees?.valid?,
        players: players?,
        policy: policy?,
        decisions: decisions?,
        sha256,
    })
}

fn version(node: &Node, problems: &mut Problems) -> Option<()> {
    let scalar = scalar(node, "version", "the number 1", problems)?;
    if scalar.kind == Kind::Int && scalar.text == "1" {
        return Some(());
    }
    problems.add(&node.at, "version", "this version of the manifest is not known", "write 1");
    None
}

/// The items of a list; none where the value is something else.
pub(crate) fn items<'n>(node: &'n Node, path: &str, problems: &mut Problems) -> Option<&'n [Node]> {
    if let Value::List(list) = &node.value {
        return Some(list);
    }
    if node.is_unread() {
        return None;
    }
    problems.add(
        &node.at,
        path,
        format!("this is {}, not a list", node.what()),
        "write a list: each item begins with `- `",
    );
    None
}
