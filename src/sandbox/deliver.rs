//! Posts the webhooks that fall due.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::core::Delivery;
use super::host::Host;

/// How often the clock is looked at while nothing happens.
const PULSE: Duration = Duration::from_millis(250);
/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long deliveries that are due get when the sandbox closes.
const FAREWELL: Duration = Duration::from_secs(3);
/// The most deliveries under way at once.
const AT_ONCE: usize = 16;

/// A client that follows no redirect, as Stripe's does not, and knows no proxy: endpoints are local.
///
/// # Errors
/// Where the TLS of this build cannot be set up.
pub(super) fn client() -> reqwest::Result<reqwest::Client> {
    // Whoever came first has chosen; one provider of TLS serves the whole process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()
}

/// Delivers until `stop`, then gives what is due a brief chance: a short-lived process sends its webhooks too.
pub(super) async fn until(host: &Arc<Host>, client: &reqwest::Client, stop: impl Future) {
    let mut under_way = JoinSet::new();
    {
        let mut stop = std::pin::pin!(stop);
        loop {
            begin(host, client, &mut under_way).await;
            let pulse = sleep_until(Instant::now() + PULSE);
            tokio::select! {
                _ = &mut stop => break,
                () = host.bell.notified() => {}
                Some(_) = under_way.join_next() => {}
                () = pulse => {}
            }
        }
    }
    let farewell = async {
        begin(host, client, &mut under_way).await;
        while under_way.join_next().await.is_some() {
            begin(host, client, &mut under_way).await;
        }
    };
    if timeout(FAREWELL, farewell).await.is_err() {
        tracing::warn!("some webhooks were not answered in time; they are tried again when the sandbox is opened");
    }
}

/// Starts what is due. A store that failed stops deliveries as it stops everything else.
async fn begin(host: &Arc<Host>, client: &reqwest::Client, under_way: &mut JoinSet<()>) {
    if under_way.len() >= AT_ONCE {
        return;
    }
    let Ok(due) = host.due().await else { return };
    for delivery in due {
        under_way.spawn(deliver(Arc::clone(host), client.clone(), delivery));
    }
}

async fn deliver(host: Arc<Host>, client: reqwest::Client, delivery: Delivery) {
    let sent = client
        .post(&delivery.url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("Stripe-Signature", &delivery.signature)
        .body(delivery.body)
        .send()
        .await;
    let status = match sent {
        Ok(answer) => Some(answer.status().as_u16()),
        Err(error) => {
            tracing::debug!(error = %error.without_url(), attempt = delivery.attempt, "a webhook was not answered");
            None
        }
    };
    if let Err(error) = host.delivered(&delivery.id, status).await {
        tracing::error!(%error, "a delivery's outcome could not be kept");
    }
}
