//! The Stripe client: over a scripted wire where answers get lost, over real HTTP where bytes count.

mod helper;
mod http;
mod lists;
mod retries;
mod script;
mod sessions;
