//! An adopted orders table on PostgreSQL while things go wrong: two runs at once, connections that are cut, a server that is
//! restarted, and an application that writes in the very moment between our look and our write.

mod acts;
pub(crate) mod course;
mod cuts;
mod gone;
mod meanwhile;
mod restart;
mod shop;
mod together;
