//! The account's webhook endpoints against the one that is configured, and what became of its events.

use jiff::{SignedDuration, Timestamp};
use url::{Host, Url};

use crate::stripe::{StripeEvent, WebhookEndpoint};

use super::Check;

/// The events of Checkout, and whether an order stays pending without it.
const EVENTS: [(&str, bool); 4] = [
    ("checkout.session.completed", true),
    ("checkout.session.async_payment_succeeded", false),
    ("checkout.session.async_payment_failed", false),
    ("checkout.session.expired", false),
];
/// Younger than this, an event may well be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(5);

/// What is known of the webhook.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints<'e> {
    /// The configured endpoint's URL.
    pub wanted: Option<&'e str>,
    /// Those that are registered.
    pub registered: &'e [WebhookEndpoint],
    /// The recent events of Checkout.
    pub events: &'e [StripeEvent],
    /// Now.
    pub now: Timestamp,
    /// Whether real money is taken here.
    pub live: bool,
}

impl Endpoints<'_> {
    /// The types of event that are asked for.
    pub const KINDS: [&'static str; 4] = [EVENTS[0].0, EVENTS[1].0, EVENTS[2].0, EVENTS[3].0];
    /// Their checks, for where they cannot be made.
    pub const CHECKS: [&'static str; 4] = ["webhook-endpoint", "webhook-events", "other-endpoints", "deliveries"];
}

/// Judges them.
#[must_use]
pub fn endpoints(known: &Endpoints<'_>) -> Vec<Check> {
    vec![registered(known), subscribed(known), others(known), deliveries(known)]
}

/// Whether a URL leads to this machine, where Stripe itself delivers nothing.
pub(super) fn is_local(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    })
}

/// Without the slash at the end, which Stripe keeps as it was typed.
fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// The endpoints that count: the configured one, or all where none is.
fn ours<'e>(known: &Endpoints<'e>) -> Vec<&'e WebhookEndpoint> {
    let wanted = known.wanted;
    known.registered.iter().filter(|one| wanted.is_none_or(|url| same(&one.url, url))).collect()
}

/// The configured one is not registered where Stripe cannot reach it, and that is in order.
fn forwarded(known: &Endpoints<'_>) -> Option<String> {
    let url = known.wanted.filter(|url| is_local(url) && ours(known).is_empty())?;
    Some(format!("{url} is on this machine: Stripe reaches it through `stripe listen` only"))
}

fn registered(known: &Endpoints<'_>) -> Check {
    const NAME: &str = "webhook-endpoint";
    const HINT: &str = "register it in Stripe's dashboard with the events of Checkout, and take its signing secret";
    if let Some(why) = forwarded(known) {
        return Check::skipped(NAME, why);
    }
    let ours = ours(known);
    let enabled = ours.iter().filter(|endpoint| endpoint.is_enabled()).count();
    match (known.wanted, ours.len(), enabled) {
        (Some(url), 0, _) => {
            let moved = known.registered.iter().find(|one| path(&one.url) == path(url) && path(url).is_some());
            let moved = moved.map_or_else(String::new, |one| format!("; {} is: an old domain?", one.url));
            Check::failure(NAME, format!("{url} is not registered at Stripe{moved}"), HINT)
        }
        (None, 0, _) => {
            let detail = "no endpoint is registered at Stripe, nor configured here: nobody learns of a payment at once";
            if known.live { Check::failure(NAME, detail, HINT) } else { Check::warning(NAME, detail, HINT) }
        }
        (_, _, 0) => {
            let urls: Vec<&str> = ours.iter().map(|one| one.url.as_str()).collect();
            let hint = "enable it in Stripe's dashboard: Stripe disables endpoints that have failed for days";
            Check::failure(NAME, format!("disabled: {}", urls.join(", ")), hint)
        }
        (Some(url), ..) => Check::ok(NAME, format!("{url} is registered and enabled")),
        (None, all, enabled) => Check::warning(
            NAME,
            format!("{enabled} of {all} registered endpoints are enabled, and none is configured here"),
            "write webhook: {url: …} in environments.yaml, so that the right one is looked at",
        ),
    }
}

fn subscribed(known: &Endpoints<'_>) -> Check {
    const NAME: &str = "webhook-events";
    let ours = ours(known);
    if ours.is_empty() {
        return Check::skipped(NAME, forwarded(known).unwrap_or_else(|| "no endpoint to look at".to_owned()));
    }
    let listens = |kind: &str| ours.iter().any(|one| one.is_enabled() && one.gets(kind));
    let missing: Vec<_> = EVENTS.iter().filter(|(kind, _)| !listens(kind)).collect();
    if missing.is_empty() {
        return Check::ok(NAME, "all four events of Checkout are delivered to it");
    }
    let names: Vec<&str> = missing.iter().map(|(kind, _)| *kind).collect();
    let detail = format!("no enabled endpoint gets {}", names.join(", "));
    let hint = "add them to the endpoint in Stripe's dashboard";
    if missing.iter().any(|(_, needed)| *needed) {
        Check::failure(NAME, detail, format!("{hint}: without checkout.session.completed a paid order stays pending"))
    } else {
        Check::warning(NAME, detail, format!("{hint}: delayed payments and expired sessions are told by them"))
    }
}

/// Endpoints besides the configured one: an old domain that still gets payments, one that was disabled.
fn others(known: &Endpoints<'_>) -> Check {
    const NAME: &str = "other-endpoints";
    let Some(wanted) = known.wanted else { return Check::skipped(NAME, "no endpoint is configured") };
    let others = known.registered.iter().filter(|one| !same(&one.url, wanted));
    let about = others.filter(|one| EVENTS.iter().any(|(kind, _)| one.gets(kind)));
    let told: Vec<String> = about
        .map(|one| {
            let state = if one.is_enabled() { "enabled" } else { "disabled" };
            let old = if path(&one.url) == path(wanted) { ", the same path elsewhere: an old domain?" } else { "" };
            format!("{} ({state}{old})", one.url)
        })
        .collect();
    if told.is_empty() {
        return Check::ok(NAME, "no other endpoint gets the events of Checkout");
    }
    let detail = format!("other endpoints get the events of Checkout too: {}", told.join(", "));
    Check::warning(NAME, detail, "remove from Stripe's dashboard what nobody answers any more")
}

fn deliveries(known: &Endpoints<'_>) -> Check {
    const NAME: &str = "deliveries";
    let waiting = known.events.iter().filter(|event| event.pending_webhooks > 0);
    let late = waiting.filter(|event| known.now.duration_since(event.created) > UNDER_WAY).count();
    match (late, known.events.len()) {
        (_, 0) => Check::skipped(NAME, "no event of Checkout in the last week: nothing is known of deliveries"),
        (0, all) => Check::ok(NAME, format!("{all} events of Checkout in the last week, none waits for delivery")),
        (late, all) => Check::failure(
            NAME,
            format!("{late} of {all} events of Checkout in the last week wait for an endpoint that answers with 2xx"),
            "look at the endpoint's deliveries in Stripe's dashboard; tourney plan shows payments that were missed",
        ),
    }
}

/// What stands behind the host; none where nothing does.
fn path(url: &str) -> Option<String> {
    let path = Url::parse(url).ok()?.path().trim_end_matches('/').to_owned();
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    const URL: &str = "https://club.example/hook";

    fn endpoint(url: &str, status: &str, kinds: &[&str]) -> WebhookEndpoint {
        let json = serde_json::json!({"id": "we_1", "url": url, "status": status, "enabled_events": kinds});
        serde_json::from_value(json).unwrap()
    }

    fn event(minutes_ago: i64, pending_webhooks: u32) -> StripeEvent {
        let created = Timestamp::UNIX_EPOCH - SignedDuration::from_mins(minutes_ago);
        StripeEvent { id: "evt_1".to_owned(), kind: EVENTS[0].0.to_owned(), created, pending_webhooks, session: None }
    }

    fn levels(wanted: Option<&str>, registered: &[WebhookEndpoint], events: &[StripeEvent]) -> [Level; 4] {
        let known = Endpoints { wanted, registered, events, now: Timestamp::UNIX_EPOCH, live: true };
        let checks = endpoints(&known);
        assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), Endpoints::CHECKS);
        std::array::from_fn(|index| checks[index].level)
    }

    #[test]
    fn an_endpoint_is_held_against_the_configured_one() {
        use Level::{Failure, Ok, Skipped, Warning};
        let all = endpoint("https://club.example/hook/", "enabled", &["*"]);
        let old = endpoint("https://old.example/hook", "enabled", &["checkout.session.completed"]);
        let off = endpoint(URL, "disabled", &["*"]);
        let deaf = endpoint(URL, "enabled", &["checkout.session.expired"]);
        let partly = endpoint(URL, "enabled", &["checkout.session.completed"]);
        for (wanted, registered, expected) in [
            (Some(URL), vec![all.clone()], [Ok, Ok, Ok, Skipped]),
            (Some(URL), vec![all.clone(), old.clone()], [Ok, Ok, Warning, Skipped]),
            (Some(URL), vec![old.clone()], [Failure, Skipped, Warning, Skipped]),
            (Some(URL), vec![off], [Failure, Failure, Ok, Skipped]),
            (Some(URL), vec![deaf], [Ok, Failure, Ok, Skipped]),
            (Some(URL), vec![partly], [Ok, Warning, Ok, Skipped]),
            (Some(URL), vec![], [Failure, Skipped, Ok, Skipped]),
            (Some("http://localhost:8000/hook"), vec![], [Skipped, Skipped, Ok, Skipped]),
            (None, vec![], [Failure, Skipped, Skipped, Skipped]),
            (None, vec![all, old], [Warning, Ok, Skipped, Skipped]),
        ] {
            assert_eq!(levels(wanted, &registered, &[]), expected, "{wanted:?} {registered:#?}");
        }
    }

    #[test]
    fn what_may_be_under_way_is_not_late() {
        let good = [endpoint(URL, "enabled", &["*"])];
        assert_eq!(levels(Some(URL), &good, &[event(9, 0), event(1, 1)])[3], Level::Ok);
        assert_eq!(levels(Some(URL), &good, &[event(9, 1)])[3], Level::Failure);
    }
}
