//! The exit codes of the contract.

use std::process::ExitCode;

/// How a command ended. The numbers are part of the public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; nothing to change, nothing undecided.
    Done = 0,
    /// It failed, was declined, or was refused.
    Failed = 1,
    /// Only `plan --detailed-exitcode`: there are changes.
    Changes = 2,
    /// Undecided attention, all else done.
    Attention = 3,
    /// The command line was wrong.
    Usage = 64,
    /// SIGINT or SIGTERM; safe to run again.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
