//! What the tests stand on: the real binary, a real PostgreSQL, a real HTTP listener.

mod camp;
mod endpoint;
pub(crate) mod figures;
mod http;
mod payable;
mod postgres;
mod relay;
mod schema;
mod tourney;
mod wait;

pub(crate) use camp::{applied_camp, camp, control, linked_camp};
pub(crate) use endpoint::Endpoint;
pub(crate) use http::{Answer, Listener};
pub(crate) use payable::payable;
pub(crate) use postgres::{Cluster, cluster, copy_of, database, database_sorted_by_people, small_cluster};
pub(crate) use relay::{CONNECT, Relay, Then};
pub(crate) use schema::{assert_valid, schema};
pub(crate) use tourney::{Folder, Outcome, Running, Tourney};
pub(crate) use wait::wait_until;
