//! Environments, secrets, and where each value came from.

mod error;
mod file;
mod mapping;
mod model;
mod resolve;
mod secret;
mod warning;

pub use error::ConfigError;
pub use model::{
    Canary, Checkout, DEFAULT_SUCCESS_URL, DatabaseUrl, EnvKind, Environment, MappedUnit, OPTIONAL_COLUMNS,
    OrdersMapping, PlayersMapping, REQUIRED_COLUMNS, StripeAccess, Vars, WebhookTarget,
};
pub use resolve::{VARIABLES, resolve};
pub use warning::Warning;
