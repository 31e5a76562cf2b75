//! The receiver: verify, store, then settle.
