//! What is left after kills, faults at Stripe and moved facts, and that a rerun settles it: through the real binary, on
//! SQLite and PostgreSQL, against a sandbox that this process serves.

mod faults;
mod kills;
mod moved;
mod saved;
pub(crate) mod scene;
