//! An application's own orders table is adopted: the main job on schemas that other people made, and mappings that
//! cannot work.

pub(crate) mod app;
mod canary;
mod habits;
pub(crate) mod races;
mod story;
mod wrong;
