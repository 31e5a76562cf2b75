//! The Stripe client: over a scripted wire where answers get lost, over real HTTP where bytes count.

mod helper;
mod http;
mod links;
mod lists;
mod prices;
mod retries;
mod script;
mod sessions;
