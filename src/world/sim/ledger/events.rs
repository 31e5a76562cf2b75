//! Stored webhook events.

use crate::ledger::{Event, EventOutcome, StoredEvent};

use super::State;

impl State {
    pub(super) fn store_event(&mut self, event: &Event) -> StoredEvent {
        match self.events.get(&event.id) {
            Some(Event { outcome: None, .. }) => StoredEvent::Unfinished,
            Some(_) => StoredEvent::Finished,
            None => {
                let received_at = self.at(event.received_at);
                self.events.insert(event.id.clone(), Event { received_at, ..event.clone() });
                StoredEvent::New
            }
        }
    }

    /// The first outcome stays.
    pub(super) fn finish_event(&mut self, id: &str, outcome: &EventOutcome) {
        if let Some(event) = self.events.get_mut(id) {
            event.outcome.get_or_insert_with(|| outcome.clone());
        }
    }

    /// The events that are so, oldest first.
    pub(super) fn events_that(&self, are: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events: Vec<Event> = self.events.values().filter(|event| are(event)).cloned().collect();
        events.sort_by_key(|event| event.received_at);
        events
    }
}
