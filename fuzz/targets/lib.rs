//! What must hold of whatever bytes come in: one function for each way in, with properties that it asserts.
//!
//! Two runners share them: `fuzz/fuzz_targets/` under libFuzzer, and `tests/it/fuzzing.rs`, which replays the corpus and
//! tries a fixed number of mutations of it. They know the library's public side alone.

mod environments;
mod event;
mod form;
mod manifest;
mod roster;
mod said;
mod saved_plan;
mod signature;

pub use environments::environments;
pub use event::event;
pub use form::form;
pub use manifest::manifest;
pub use roster::roster;
pub use saved_plan::saved_plan;
pub use signature::signature;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It was taken, and everything that holds of what is taken held.
    Taken,
    /// It was refused as it should be.
    Refused,
}

/// What a target answers: an error says which property is broken.
pub type Held = Result<Came, String>;

/// A target.
pub type Target = fn(&[u8]) -> Held;

/// Every target under the name of its corpus.
pub const TARGETS: [(&str, Target); 7] = [
    ("manifest", manifest),
    ("environments", environments),
    ("saved_plan", saved_plan),
    ("signature", signature),
    ("event", event),
    ("form", form),
    ("roster", roster),
];

/// An error unless `holds`.
fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
