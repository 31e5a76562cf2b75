//! Terminal, JSON, Markdown, progress, and errors with their exit codes.

pub mod apply;
pub mod doctor;
mod errors;
mod exit;
mod failure;
pub mod history;
pub mod import;
pub mod links;
mod mask;
pub mod plan;
mod progress;
pub mod show;
pub mod status;
mod time;
mod ui;
pub mod verify;

pub use errors::{mass_retire, outdated, renew_refused};
pub use exit::Exit;
pub use failure::Failure;
pub use progress::Progress;
pub(crate) use time::{instant, span};
pub use ui::{ColorChoice, Ui};
