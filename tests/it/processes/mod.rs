//! The whole program, killed with `SIGKILL` before and after each effect, cut off from its database, out of room, and run
//! sixteen times at once: on SQLite and PostgreSQL.
//!
//! A deterministic share of the cases is run each time; every one of them with `TOURNEY_PROCESSES=all`.

mod commit;
mod disk;
mod figures;
mod kills;
mod server;
mod shipped;
mod together;
mod world;

/// Of so many cases one is run, unless all are asked for.
fn share(usual: usize) -> usize {
    if std::env::var("TOURNEY_PROCESSES").is_ok_and(|text| text == "all") { 1 } else { usual }
}
