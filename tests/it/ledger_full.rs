//! A SQLite file on a disk that is full, and has room again.

use tourney::ledger::{Event, Ledger as _, LedgerError, StoredEvent};

use crate::ledger::{at, sqlite_in};

fn event(id: &str, size: usize) -> Event {
    Event {
        id: id.to_owned(),
        kind: "checkout.session.completed".to_owned(),
        session: None,
        payment_intent: None,
        body: "x".repeat(size),
        received_at: at(1),
        outcome: None,
    }
}

#[tokio::test]
async fn what_found_no_room_was_not_done_and_what_comes_after_it_is() {
    let folder = tempfile::tempdir().unwrap();
    sqlite_in(folder.path()).await.prepare(1).await.unwrap();
    let ledger = sqlite_in(folder.path()).await;
    ledger.most_pages(60);
    for id in ["one", "two"] {
        let full = ledger.store_event(&event(id, 1 << 20)).await;
        let Err(LedgerError::NotDone(said)) = full else { panic!("{full:?}") };
        assert!(said.contains("database or disk is full"), "{said}");
    }
    assert!(matches!(ledger.store_event(&event("one", 1)).await.unwrap(), StoredEvent::New), "there is room for this");
    drop(ledger);
    let ledger = sqlite_in(folder.path()).await;
    assert!(matches!(ledger.store_event(&event("two", 1 << 20)).await.unwrap(), StoredEvent::New));
    assert_eq!(ledger.unfinished_events(10).await.unwrap().len(), 2);
}
