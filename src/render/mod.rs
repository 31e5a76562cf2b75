//! Terminal, JSON, Markdown, progress, and errors with their exit codes.
