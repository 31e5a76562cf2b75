//! What is left after kills, faults at Stripe and moved facts, and that a rerun settles it: through the real binary, on
//! SQLite and PostgreSQL, against a sandbox that this process serves.

mod faults;
mod kills;
mod links;
mod links_stopped;
mod moved;
mod random;
mod saved;
pub(crate) mod scene;

/// Makes the scene of a manifest on one of the databases; none where that is not installed.
type On = fn(&str) -> Option<scene::Scene>;

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $test() {
                super::$test(|manifest| Some(crate::recovery::scene::Scene::sqlite(manifest)));
            })*
        }

        mod postgres {
            $(#[test]
            fn $test() {
                super::$test(crate::recovery::scene::Scene::postgres);
            })*
        }
    };
}
pub(crate) use on_both;
