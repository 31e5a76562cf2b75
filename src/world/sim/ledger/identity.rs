//! The database's own id, and what it is bound to.

use crate::domain::{LedgerId, Mode, uuid};
use crate::ledger::Identity;

use super::{Result, State, rejected};

impl State {
    pub(super) fn prepare(&mut self, new_id: u128) -> Identity {
        let new = || Identity { ledger: LedgerId(uuid(new_id)), account: None, mode: None };
        self.identity.get_or_insert_with(new).clone()
    }

    /// The first binding stands.
    pub(super) fn bind(&mut self, account: &str, mode: Mode) -> Result<Identity> {
        let identity = self.identity.as_mut().ok_or_else(|| rejected("the database has no ledger id yet"))?;
        if identity.account.is_none() {
            identity.account = Some(account.to_owned());
            identity.mode = Some(mode);
        }
        Ok(identity.clone())
    }
}
