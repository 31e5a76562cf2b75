//! The command line: one file per command, each with its `Args` and its `run`.

pub mod sandbox;
