//! What the library is told of the process it runs in. The library itself never reads the environment.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// Variables, home and terminal of the process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// The environment's variables; bytes that are not UTF-8 stand as U+FFFD.
    pub vars: BTreeMap<String, String>,
    /// The user's home, for `~` in paths.
    pub home: Option<PathBuf>,
}

impl Process {
    /// Of the process that calls.
    #[must_use]
    pub fn of_this_process() -> Self {
        let vars = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self { vars, home: std::env::home_dir() }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// User, host and process, for the history and the lock. Where the system tells (Linux), with marks of where and since
    /// when the process runs, by which `is_gone` knows it again: `ann@desk (process 4321, 1f3a90bc-8812345)`.
    #[must_use]
    pub fn who(&self) -> String {
        let user = self.var("USER").or_else(|| self.var("LOGNAME")).unwrap_or("someone");
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        let host = self.var("HOSTNAME").map_or_else(|| host.trim().to_owned(), ToOwned::to_owned);
        let host = if host.is_empty() { "localhost".to_owned() } else { host };
        let id = std::process::id();
        let marks = place().zip(Stat::of(id).and_then(|stat| stat.began));
        let marks = marks.map(|(place, began)| format!(", {place}-{began}")).unwrap_or_default();
        format!("{user}@{host} (process {id}{marks})")
    }
}

/// Whether the process that called itself so by [`Process::who`] is known to be gone: it ran on this machine since its
/// last start and among the processes that we can see, and there is none of its number, or one that began at another time.
///
/// Assumes Linux' `/proc`, with every process visible; whatever cannot be known is not gone.
#[must_use]
pub(super) fn is_gone(who: &str) -> bool {
    let everyone_is_visible = Path::new("/proc/1").exists();
    everyone_is_visible && is_gone_from(who, place().as_deref(), Stat::of)
}

fn is_gone_from(who: &str, here: Option<&str>, look: impl Fn(u32) -> Option<Stat>) -> bool {
    let marks = || {
        let (id, marks) = who.rsplit_once(" (process ")?.1.strip_suffix(')')?.split_once(", ")?;
        let (place, began) = marks.split_once('-')?;
        Some((id.parse().ok()?, place, began.parse::<u64>().ok()?))
    };
    let Some((id, place, began)) = marks() else { return false };
    here == Some(place) && look(id).is_some_and(|stat| stat.has_ended || stat.began.is_some_and(|other| other != began))
}

/// What tells this machine, since its last start, and this set of processes (a container has its own) from any other.
fn place() -> Option<String> {
    let start = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let digest = Sha256::digest(format!("{start}{}", processes.display()));
    Some(hex::encode(&digest[..4]))
}

/// What the system says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    /// There is no such process, or only its exit code.
    has_ended: bool,
    /// When it began, in clock ticks since the machine's start.
    began: Option<u64>,
}

impl Stat {
    /// None where the system does not tell.
    fn of(id: u32) -> Option<Self> {
        match std::fs::read_to_string(format!("/proc/{id}/stat")) {
            Ok(text) => Self::read(&text),
            Err(error) if error.kind() == ErrorKind::NotFound => Some(Self { has_ended: true, began: None }),
            Err(_) => None,
        }
    }

    /// Reads `/proc/N/stat` (proc(5)): the state is field 3, the start time field 22; the name before them may hold anything.
    fn read(text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        Some(Self { has_ended: matches!(state, "Z" | "X" | "x"), began: fields.nth(18)?.parse().ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "ann@desk (process 4321, 1f3a90bc-8812)";

    fn alive(began: u64) -> Option<Stat> {
        Some(Stat { has_ended: false, began: Some(began) })
    }

    #[test]
    fn a_process_is_gone_when_its_number_is_free_or_has_a_new_owner() {
        let ended = Some(Stat { has_ended: true, began: None });
        assert!(is_gone_from(WHO, Some("1f3a90bc"), |id| ended.filter(|_| id == 4321)));
        assert!(is_gone_from(WHO, Some("1f3a90bc"), |_| alive(9_000)));
    }

    #[test]
    fn what_lives_or_cannot_be_known_is_not_gone() {
        assert!(!is_gone_from(WHO, Some("1f3a90bc"), |_| alive(8_812)), "it is at work");
        assert!(!is_gone_from(WHO, Some("1f3a90bc"), |_| None), "the system does not tell");
        let ended = |_| Some(Stat { has_ended: true, began: None });
        assert!(!is_gone_from(WHO, Some("00000000"), ended), "another machine");
        assert!(!is_gone_from(WHO, None, ended), "no Linux");
        for who in ["", "ann@desk", "ann@desk (process 4321)", "(process x, 1f3a90bc-8812)", "a (process 1, 1f3a90bc)"]
        {
            assert!(!is_gone_from(who, Some("1f3a90bc"), ended), "{who}");
        }
    }

    #[test]
    fn a_stat_line_is_read_whatever_the_name_of_the_program() {
        let line = |state| format!("7 (a) b (c) {state} 1 7 7 0 -1 4194304 5 0 0 0 1 1 0 0 20 0 3 0 8812 1000 10 184");
        assert_eq!(Stat::read(&line("S")), alive(8_812));
        assert!(Stat::read(&line("Z")).unwrap().has_ended);
        assert_eq!(Stat::read("7 (a"), None);
    }

    #[test]
    fn we_are_here() {
        assert!(!is_gone(&Process::default().who()));
    }
}
