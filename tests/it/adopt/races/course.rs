//! Where in an apply a statement stands, so that a test can act there and nowhere else.

use crate::support::CONNECT;

/// The first statement of every transaction that checks the fence: a retirement, transaction A, transaction B.
const FENCE: &str = "UPDATE tourney_lock SET fence = fence WHERE";
/// The line of the history that ends a change.
const LOG: &str = "INSERT INTO tourney_run_steps";

/// A place in an apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The how manieth change, from 0.
    pub(crate) change: usize,
    /// How many transactions that check the fence were committed before, in this change: where an order is replaced, 0 is
    /// its retirement, 1 is transaction A, 2 is transaction B.
    pub(crate) stage: usize,
    /// The how manieth statement of such a transaction, from 0; none outside of them.
    pub(crate) step: Option<usize>,
}

/// Follows the statements of an apply with `--parallelism 1`.
#[derive(Debug, Default)]
pub(crate) struct Course(Place);

impl Course {
    /// Where this statement stands.
    pub(crate) fn at(&mut self, sql: &str) -> Place {
        if sql == CONNECT {
            return self.0;
        }
        self.0.step = if sql.starts_with(FENCE) { Some(0) } else { self.0.step.map(|step| step + 1) };
        let place = self.0;
        match sql {
            "COMMIT" if place.step.is_some() => self.0 = Place { stage: place.stage + 1, step: None, ..place },
            "COMMIT" | "ROLLBACK" => self.0.step = None,
            _ if sql.starts_with(LOG) => self.0 = Place { change: place.change + 1, ..Place::default() },
            _ => {}
        }
        place
    }

    /// The statement there was not answered: whoever asked begins its transaction anew.
    pub(crate) fn broke_off(&mut self, place: Place) {
        self.0 = Place { step: None, ..place };
    }
}
