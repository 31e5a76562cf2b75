//! Saving a plan: only where nothing stands, or a plan.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::observe::Observation;
use crate::plan::{Options, Plan, Saved};
use crate::render::Failure;
use crate::world::{Clock as _, LiveClock};

/// How every saved plan begins, blanks left out: also one that was torn, or edited, or written by another version.
const BEGINS: &[u8] = b"{\"kind\":\"tourney-plan\"";
/// In so many bytes.
const LOOKED_AT: u64 = 200;

/// Where a plan is going to be saved.
#[derive(Debug)]
pub(super) struct Out {
    /// As it was typed.
    named: PathBuf,
    /// The file itself, also behind a link.
    file: PathBuf,
}

impl Out {
    /// Looks at what stands there, before anything is planned: what is replaced is gone, and only a plan can be made anew.
    ///
    /// # Errors
    /// `io`: a device, a pipe, a link to nowhere, or a file that is no saved plan.
    pub(super) fn at(named: &Path) -> Result<Self, Failure> {
        let refused = |why: &str| {
            Failure::new("io", format!("{} {why}; nothing was done", named.display()))
                .hint("--out makes a new file, or replaces a saved plan: name another")
        };
        let broken = |error: std::io::Error| refused(&format!("cannot be written: {error}"));
        let out = |file: &Path| Self { named: named.to_owned(), file: file.to_owned() };
        match fs::symlink_metadata(named) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = named.parent().filter(|folder| !folder.as_os_str().is_empty());
                folder.map_or(Ok(()), |folder| fs::metadata(folder).map(|_| ())).map_err(broken)?;
                return Ok(out(named));
            }
            found => found.map_err(broken)?,
        };
        let file = named.canonicalize().map_err(broken)?;
        let found = fs::metadata(&file).map_err(broken)?;
        if !found.is_file() {
            return Err(refused("is no file, and would be replaced by one"));
        }
        if found.len() > 0 && !is_plan(&file).map_err(broken)? {
            return Err(refused("is no saved plan, and would be replaced by one"));
        }
        Ok(out(&file))
    }

    /// Writes a plan; a file that stands is replaced only when the new one is whole.
    ///
    /// # Errors
    /// `io`; what stood there stands.
    pub(super) fn save(
        &self,
        manifest: &Path,
        planned: &Plan,
        observed: &Observation,
        options: &Options,
    ) -> Result<(), Failure> {
        let broken = |error: std::io::Error| {
            Failure::new("io", format!("{} could not be written: {error}", self.named.display()))
        };
        // Seen from the plan's folder, so that both can be carried elsewhere together.
        let beside = self.named.parent().unwrap_or_else(|| Path::new(""));
        let manifest =
            manifest.strip_prefix(beside).map_or_else(|_| std::path::absolute(manifest), |path| Ok(path.to_owned()));
        let text = Saved::new(planned, observed, options, &manifest.map_err(broken)?).to_text();
        // A name that nobody else has: whatever stands beside the plan is not ours to write to.
        let partial = self.file.with_added_extension(format!("{:08x}.partial", LiveClock.random() >> 96));
        let written =
            OpenOptions::new().write(true).create_new(true).open(&partial).map_err(broken)?.write_all(text.as_bytes());
        written.and_then(|()| fs::rename(&partial, &self.file)).map_err(|error| {
            let _ = fs::remove_file(&partial);
            broken(error)
        })
    }
}

fn is_plan(file: &Path) -> std::io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(file)?.take(LOOKED_AT).read_to_end(&mut beginning)?;
    beginning.retain(|byte| !byte.is_ascii_whitespace());
    Ok(beginning.starts_with(BEGINS))
}
