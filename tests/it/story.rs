//! The main job through the real binary, on SQLite and on PostgreSQL: a world is made and tampered with as other people
//! and programs would, then `plan`, `apply` and `plan` again must say and do what the contract promises.

pub(crate) mod application;
mod audit;
mod canary;
pub(crate) mod club;
mod incident;
mod link_audit;
pub(crate) mod links;
mod money;
mod orders;
mod races;
mod reading;
mod roster;
mod said;
mod sessions;
mod told;
pub(crate) mod trip;
mod webhook;

/// Tells each story on both databases, in a club of its own.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $story() {
                super::$story(&crate::story::club::Club::on_sqlite());
            })*
        }

        mod postgres {
            $(#[test]
            fn $story() {
                if let Some(club) = crate::story::club::Club::on_postgres() {
                    super::$story(&club);
                }
            })*
        }
    };
}
pub(crate) use on_both;
