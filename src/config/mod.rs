//! Environments, secrets, and where each value came from.
