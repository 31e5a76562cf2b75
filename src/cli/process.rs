//! What the library is told of the process it runs in. The library itself never reads the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Variables, home and terminal of the process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// The environment's variables; names and values that are no UTF-8 are left out.
    pub vars: BTreeMap<String, String>,
    /// The user's home, for `~` in paths.
    pub home: Option<PathBuf>,
}

impl Process {
    /// Of the process that calls.
    #[must_use]
    pub fn of_this_process() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { vars, home: std::env::home_dir() }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// User and host, for the history and the lock.
    #[must_use]
    pub fn who(&self) -> String {
        let user = self.var("USER").or_else(|| self.var("LOGNAME")).unwrap_or("someone");
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        let host = self.var("HOSTNAME").map_or_else(|| host.trim().to_owned(), ToOwned::to_owned);
        let host = if host.is_empty() { "localhost".to_owned() } else { host };
        format!("{user}@{host} (process {})", std::process::id())
    }
}
