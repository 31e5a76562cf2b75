//! Terminal, JSON, Markdown, progress, and errors with their exit codes.

pub mod plan;
