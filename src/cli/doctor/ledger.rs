//! What the orders database says.

use crate::config::{EnvKind, Environment};
use crate::doctor::{self, Check};
use crate::ledger::{Health, Identity, Ledger as _, Mapping, SchemaState, SqlLedger};
use crate::manifest::Manifest;
use crate::render::Failure;
use crate::world::{Clock as _, LiveClock};

use super::super::site;
use super::{failed, unmade};

/// The checks of a database that answers, beside `database` itself.
const OTHERS: [&str; 5] = ["database-rights", "database-clock", "schema", "mapping", "binding"];

/// What was seen; each part may have failed by itself.
pub(super) struct Looked {
    health: Health,
    state: Result<SchemaState, Failure>,
    identity: Result<Option<Identity>, Failure>,
    /// Whether the mapping works, where there is one.
    mapping: Result<(), Failure>,
    /// Whether a manifest said what it asks of the orders table.
    judged: bool,
}

/// Looks at the database; an adopted orders table is judged by what the manifest asks.
///
/// # Errors
/// Where it does not answer.
pub(super) async fn look(env: &Environment, manifest: Option<&Manifest>) -> Result<Looked, Failure> {
    let url = env.database.url();
    let ledger = match &env.orders {
        Some(orders) => SqlLedger::beside(&url, orders).await?,
        None => SqlLedger::open(&url, Mapping::own()).await?,
    };
    let health = ledger.health(|| LiveClock.now()).await?;
    let mapping = judge(env, manifest).await;
    Ok(Looked {
        health,
        state: ledger.schema_state().await.map_err(Failure::from),
        identity: ledger.identity().await.map_err(Failure::from),
        mapping,
        judged: manifest.is_some(),
    })
}

/// Whether the mappings work and, by a manifest, whether they have a meaning for every row in scope.
async fn judge(env: &Environment, manifest: Option<&Manifest>) -> Result<(), Failure> {
    if let Some(players) = &env.players {
        SqlLedger::judge_players(&env.database.url(), players).await?;
    }
    if env.orders.is_some() {
        let ledger = site::ledger_of(env, manifest).await?;
        if let Some(manifest) = manifest {
            ledger.read(&site::scope_of(manifest)).await?;
        }
    }
    Ok(())
}

/// The checks of it; `account` where Stripe told whose the key is.
pub(super) fn checks(env: &Environment, looked: Result<Looked, Failure>, account: Option<&str>) -> Vec<Check> {
    let looked = match looked {
        Ok(looked) => looked,
        Err(failure) => {
            let detail = format!("{}: {}", env.database, failure.message);
            let first = Check::failure("database", detail, failure.hint.unwrap_or_default());
            return std::iter::once(first).chain(unmade(&OTHERS, "not made: see database")).collect();
        }
    };
    let Looked { health, state, identity, mapping, judged } = looked;
    let known = state.as_ref().ok();
    let binding = match (&env.kind, env.stripe.as_ref(), identity) {
        (EnvKind::Sandbox { .. }, ..) => {
            Check::skipped("binding", "the embedded sandbox has a database and an account of its own")
        }
        (EnvKind::Named, _, Err(failure)) => failed("binding", failure),
        (EnvKind::Named, None, Ok(_)) => Check::skipped("binding", "not made: there is no key"),
        (EnvKind::Named, Some(access), Ok(identity)) => doctor::binding(identity.as_ref(), account, access.mode),
    };
    vec![
        doctor::database(env, &health, known),
        doctor::rights(&health, known),
        doctor::database_clock(&health),
        state.as_ref().map_or_else(|failure| unreadable("schema", failure), doctor::schema),
        mapping.map_or_else(|failure| failed("mapping", failure), |()| doctor::mapping(env, &health, judged)),
        binding,
    ]
}

fn unreadable(name: &'static str, failure: &Failure) -> Check {
    Check::failure(name, failure.message.clone(), failure.hint.clone().unwrap_or_default())
}
