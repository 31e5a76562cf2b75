//! `tourney sandbox seed`: scenes for the embedded sandbox, to see the tool at work on what went wrong once.

use serde_json::{Map, Value};

use crate::config::EnvKind;
use crate::domain::{Mode, SessionId};
use crate::ledger::{Ledger as _, SeedOrder};
use crate::render::{Exit, Failure};
use crate::sandbox::core::{Control, Seed};
use crate::world::{Clock as _, LiveClock};

use super::Shell;
use super::next;
use super::sandbox::Scene;
use super::site::{self, Loaded, Site};

/// The sessions of the incident were made two days ago, and died a day ago.
const MADE_SECONDS_AGO: i64 = 48 * 3_600;
const EXPIRED_SECONDS_AGO: i64 = 24 * 3_600;

/// Runs the command.
///
/// # Errors
/// An environment that is not the embedded sandbox; a sandbox that has orders of this tournament already.
pub(super) async fn run(scene: &Scene, shell: &Shell) -> Result<Exit, Failure> {
    let Scene::Incident { manifest } = scene;
    let env = site::resolve(shell, manifest)?;
    if !matches!(env.kind, EnvKind::Sandbox { .. }) {
        return Err(Failure::usage(format!("scenes are for the embedded sandbox, not for {}", env.name))
            .hint("tourney -e sandbox sandbox seed incident"));
    }
    let loaded = site::load(shell, &env, manifest)?;
    let site = Site::open(shell, env, Some(&loaded.manifest)).await?;
    let seeded = incident(&site, &loaded).await;
    site.close().await;
    let count = seeded?;
    shell.ui.note(&format!(
        "Seeded {count} pending orders whose sessions carry no order_id and have expired. Next: {}",
        shell.command(["plan".to_owned()].into_iter().chain(next::manifest(manifest)))
    ));
    Ok(Exit::Done)
}

/// For each registration that owes something, a pending order whose session a one-off script made: no `order_id`, dead.
async fn incident(site: &Site, loaded: &Loaded) -> Result<usize, Failure> {
    if !site.ledger.read(&loaded.scope()).await?.orders.is_empty() {
        return Err(Failure::new(
            "already-seeded",
            "the sandbox has orders of this tournament already; nothing was done",
        )
        .hint("remove the .tourney folder beside the manifest to begin anew"));
    }
    site.ledger.prepare(LiveClock.random()).await?;
    site.ledger.bind(&site.account, Mode::Test).await?;
    let manifest = &loaded.manifest;
    let made_at = LiveClock.now() - jiff::SignedDuration::from_secs(MADE_SECONDS_AGO);
    let mut orders = Vec::new();
    for (player, owed) in manifest.registrations().filter(|(_, owed)| owed.amount.minor > 0) {
        let fee = manifest.fee(&owed.fee).map_or("", |fee| fee.name.as_str());
        let session =
            site.control(&Control::SeedSession(Box::new(seed(player.email.expose(), owed.amount, fee)))).await?;
        let session = session["id"].as_str().unwrap_or_default();
        let order = SeedOrder {
            tournament: manifest.tournament.id.clone(),
            registration: crate::domain::Registration { player: player.id.clone(), fee: owed.fee.clone() },
            amount: owed.amount,
            session: SessionId::from(session),
            created_at: made_at,
        };
        orders.push((order, LiveClock.random()));
    }
    Ok(site.ledger.seed(&orders).await?.len())
}

fn seed(email: &str, amount: crate::domain::Money, fee: &str) -> Seed {
    Seed {
        amount: amount.minor,
        currency: amount.currency.code().to_owned(),
        name: fee.to_owned(),
        metadata: Map::<String, Value>::new(),
        payment_intent_metadata: Map::new(),
        email: Some(email.to_owned()),
        client_reference_id: None,
        created_seconds_ago: MADE_SECONDS_AGO,
        expired_seconds_ago: Some(EXPIRED_SECONDS_AGO),
        live: false,
        success_url: "https://club.example/thanks".to_owned(),
    }
}
