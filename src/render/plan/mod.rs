//! A plan for people (terminal), for programs (JSON) and for reviews that others read (Markdown).

mod json;
mod markdown;
mod terminal;
mod words;

pub use json::{head, json};
pub use markdown::markdown;
pub use terminal::terminal;
pub(in crate::render) use words::plain;
