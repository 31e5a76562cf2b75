//! Runs the steps of a plan, holds the lock, and reports.
