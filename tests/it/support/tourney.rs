//! The real binary, run in a folder of its own with a clean environment.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use super::wait_until;

/// A throw-away folder in which commands are run one after the other: `.tourney/` lives on between them.
#[must_use]
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("tourney-it-").tempdir().unwrap() }
    }

    /// Puts a file in place; folders on its way are made.
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        self.write(name, text);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `tourney ARGS…` in this folder; nothing happens before `run` or `spawn`.
    pub(crate) fn tourney(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Tourney {
        Tourney::new(self.folder.path(), env!("CARGO_BIN_EXE_tourney").as_ref(), args)
    }

    /// The same program with faults at the effects of its `apply` (`src/bin/tourney-faults.rs`).
    pub(crate) fn tourney_faults(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Tourney {
        Tourney::new(self.folder.path(), env!("CARGO_BIN_EXE_tourney-faults").as_ref(), args)
    }

    /// A folder with the same in it: nothing may be at work in this one.
    pub(crate) fn copy(&self) -> Self {
        fn copy(from: &Path, to: &Path) {
            std::fs::create_dir_all(to).unwrap();
            for entry in std::fs::read_dir(from).unwrap() {
                let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
                if path.is_dir() {
                    copy(&path, &to);
                } else {
                    std::fs::copy(path, to).unwrap();
                }
            }
        }
        let made = Self::new();
        copy(self.folder.path(), made.folder.path());
        made
    }

    /// A shell script in this folder that stops at its first failure; it finds our `tourney` first.
    pub(crate) fn sh(&self, script: &str) -> Tourney {
        Tourney::new(self.folder.path(), "/bin/sh".as_ref(), ["-euc", script])
    }
}

/// One command line, not yet run.
#[must_use]
pub(crate) struct Tourney {
    command: Command,
    stdin: String,
}

impl Tourney {
    /// Nothing of the caller's environment reaches the binary, least of all a key or a database.
    fn new(folder: &Path, program: &Path, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let ours = Path::new(env!("CARGO_BIN_EXE_tourney")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([ours].into_iter().chain(std::env::split_paths(&path))).unwrap();
        let mut command = Command::new(program);
        command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("PATH", path);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, stdin: String::new() }
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the command reads on standard input; nothing, if this is not called.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.to_owned();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Starts it and returns at once, for a command that runs until it is told to stop.
    pub(crate) fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        // A command that ends without reading closes the pipe; that is its right.
        let _ = stdin.write_all(self.stdin.as_bytes());
        Running { child, stdout, stderr }
    }
}

/// A command that is running. Killed when it is dropped.
#[must_use]
pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    /// Sends a signal by its name without `SIG`: `INT`, `TERM`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`, since a minimal machine has no such program.
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Kills it at once (`SIGKILL`), and gives how it ended: without a code where it was still at work.
    pub(crate) fn kill(mut self) -> Outcome {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it has written to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for its end; panics when that does not come within a minute.
    pub(crate) fn wait(mut self) -> Outcome {
        let mut ended = None;
        wait_until("the command ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        let status = ended.unwrap();
        Outcome { status, stdout: self.stdout.finish(), stderr: self.stderr.finish() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The exit code; `None` when a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether `SIGKILL` ended it.
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }

    /// Asserts the exit code, showing everything the command said when it differs.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not JSON: {e}\n{}\n{}", self.stdout, self.stderr))
    }
}

/// Collects what a pipe delivers, so that the other side never blocks on a full one.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}
