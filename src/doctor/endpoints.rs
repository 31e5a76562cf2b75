//! The account's webhook endpoints against the one that is configured, and what became of its events.

use jiff::{SignedDuration, Timestamp};
use url::{Host, Url};

use crate::domain::Mode;
use crate::stripe::{StripeEvent, WebhookEndpoint};

use super::Check;

/// The events of Checkout, what each tells, and whether an order that was paid by card stays pending without it.
const EVENTS: [(&str, &str, bool); 4] = [
    ("checkout.session.completed", "somebody has paid", true),
    ("checkout.session.async_payment_succeeded", "a delayed payment has come", false),
    ("checkout.session.async_payment_failed", "a delayed payment has failed", false),
    ("checkout.session.expired", "a link has died", false),
];
/// Younger than this, an event may well be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(5);

/// What is known of the webhook.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints<'e> {
    /// The configured endpoint's URL.
    pub wanted: Option<&'e str>,
    /// Those that are registered in this mode.
    pub registered: &'e [WebhookEndpoint],
    /// The mode: whether real money is taken here.
    pub mode: Mode,
}

/// What is known of deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Deliveries<'e> {
    /// The recent events of Checkout.
    pub events: &'e [StripeEvent],
    /// How many enabled endpoints get them; none where Stripe did not tell.
    pub endpoints: Option<usize>,
    /// Now, on Stripe's clock.
    pub now: Timestamp,
}

impl Endpoints<'_> {
    /// The types of event that are asked for.
    pub const KINDS: [&'static str; 4] = [EVENTS[0].0, EVENTS[1].0, EVENTS[2].0, EVENTS[3].0];
    /// Their checks, for where they cannot be made.
    pub const CHECKS: [&'static str; 3] = ["webhook-endpoint", "webhook-events", "other-endpoints"];

    /// How many enabled endpoints get events of Checkout.
    #[must_use]
    pub fn listening(&self) -> usize {
        self.registered.iter().filter(|one| one.is_enabled() && is_about_checkout(one)).count()
    }
}

impl Deliveries<'_> {
    /// Its check.
    pub const CHECK: &'static str = "deliveries";
}

/// Judges the endpoints.
#[must_use]
pub fn endpoints(known: &Endpoints<'_>) -> Vec<Check> {
    vec![registered(known), subscribed(known), others(known)]
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

/// In what two addresses differ that a person means to be one; none where they are different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    /// In nothing.
    Same,
    /// In the slash at the end.
    Slash,
    /// In http and https.
    Scheme,
}

fn likeness(one: &str, other: &str) -> Option<Likeness> {
    if one == other {
        return Some(Likeness::Same);
    }
    let (one, other) = (Url::parse(one).ok()?, Url::parse(other).ok()?);
    let place = |url: &Url| (url.host_str().map(str::to_owned), url.port(), url.query().map(str::to_owned));
    let bare = |url: &Url| url.path().trim_end_matches('/').to_owned();
    if place(&one) != place(&other) || bare(&one) != bare(&other) {
        return None;
    }
    Some(match (one.scheme() == other.scheme(), one.path() == other.path()) {
        (false, _) => Likeness::Scheme,
        (true, false) => Likeness::Slash,
        (true, true) => Likeness::Same,
    })
}

/// The endpoints that count, with their likeness to the configured one; all of them where none is configured.
fn ours<'e>(known: &Endpoints<'e>) -> Vec<(&'e WebhookEndpoint, Likeness)> {
    let like = |one: &'e WebhookEndpoint| match known.wanted {
        None => Some((one, Likeness::Same)),
        Some(url) => likeness(&one.url, url).map(|likeness| (one, likeness)),
    };
    known.registered.iter().filter_map(like).collect()
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
    let (ours, mode) = (ours(known), known.mode);
    let enabled: Vec<_> = ours.iter().filter(|(endpoint, _)| endpoint.is_enabled()).collect();
    match (known.wanted, ours.len(), enabled.first()) {
        (Some(url), 0, _) => {
            let moved = known.registered.iter().find(|one| path(&one.url) == path(url) && path(url).is_some());
            let moved = moved.map_or_else(String::new, |one| format!("; {} is: an old domain?", one.url));
            let other = if mode.is_live() { "test" } else { "live" };
            let hint = format!("{HINT}. A {mode} key does not see what is registered in {other} mode");
            Check::failure(NAME, format!("{url} is not registered at Stripe in {mode} mode{moved}"), hint)
        }
        (None, 0, _) => {
            let detail = "no endpoint is registered at Stripe, nor configured here: nobody learns of a payment at once";
            if mode.is_live() { Check::failure(NAME, detail, HINT) } else { Check::warning(NAME, detail, HINT) }
        }
        (_, _, None) => {
            let urls: Vec<&str> = ours.iter().map(|(one, _)| one.url.as_str()).collect();
            let hint = "enable it in Stripe's dashboard: Stripe disables endpoints that have failed for days";
            Check::failure(NAME, format!("disabled: {}", urls.join(", ")), hint)
        }
        (Some(url), _, Some(first)) => one_of(url, &enabled, first),
        (None, all, Some(_)) => Check::warning(
            NAME,
            format!("{} of {all} registered endpoints are enabled, and none is configured here", enabled.len()),
            "write webhook: {url: …} in environments.yaml, so that the right one is looked at",
        ),
    }
}

/// The configured one is registered and enabled, if not quite so or more than once.
fn one_of(
    url: &str,
    enabled: &[&(&WebhookEndpoint, Likeness)],
    (first, likeness): &(&WebhookEndpoint, Likeness),
) -> Check {
    const NAME: &str = "webhook-endpoint";
    if enabled.len() > 1 {
        let urls: Vec<String> = enabled.iter().map(|(one, _)| format!("{} ({})", one.url, one.id)).collect();
        return Check::warning(
            NAME,
            format!("registered {} times, so that each event comes as often: {}", urls.len(), urls.join(", ")),
            "keep the one whose signing secret your application has, and remove the others: each has a secret of its own",
        );
    }
    let difference = match likeness {
        Likeness::Same => {
            let version = first
                .api_version
                .as_ref()
                .map_or_else(|| "the account's own API version".to_owned(), |version| format!("API version {version}"));
            return Check::ok(NAME, format!("{url} is registered and enabled, for events in {version}"));
        }
        Likeness::Slash => "in the slash at the end",
        Likeness::Scheme => "in http and https",
    };
    Check::warning(
        NAME,
        format!("{} is registered, and {url} configured: they differ {difference}", first.url),
        "write the same in both places: Stripe follows no redirect from the one to the other",
    )
}

fn subscribed(known: &Endpoints<'_>) -> Check {
    const NAME: &str = "webhook-events";
    let ours = ours(known);
    if ours.is_empty() {
        return Check::skipped(NAME, forwarded(known).unwrap_or_else(|| "no endpoint to look at".to_owned()));
    }
    let listens = |kind: &str| ours.iter().any(|(one, _)| one.is_enabled() && one.gets(kind));
    let missing: Vec<_> = EVENTS.iter().filter(|(kind, ..)| !listens(kind)).collect();
    if missing.is_empty() {
        return Check::ok(NAME, "all four events of Checkout are delivered to it");
    }
    let names: Vec<String> = missing.iter().map(|(kind, tells, _)| format!("{kind} ({tells})")).collect();
    let detail = format!("no enabled endpoint gets {}", names.join(", "));
    let hint = "add them to the endpoint in Stripe's dashboard";
    if missing.iter().any(|(.., needed)| *needed) {
        Check::failure(NAME, detail, format!("{hint}: without checkout.session.completed a paid order stays pending"))
    } else {
        Check::warning(NAME, detail, format!("{hint}: until then only apply learns of these"))
    }
}

fn is_about_checkout(endpoint: &WebhookEndpoint) -> bool {
    EVENTS.iter().any(|(kind, ..)| endpoint.gets(kind))
}

/// Endpoints besides the configured one: an old domain that still gets payments, one that was disabled.
fn others(known: &Endpoints<'_>) -> Check {
    const NAME: &str = "other-endpoints";
    let Some(wanted) = known.wanted else { return Check::skipped(NAME, "no endpoint is configured") };
    let others = known.registered.iter().filter(|one| likeness(&one.url, wanted).is_none());
    let told: Vec<String> = others
        .filter(|one| is_about_checkout(one))
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

/// Judges what became of events. Stripe counts for each the endpoints of the account, whosever they are, that have not
/// answered with 2xx (`pending_webhooks`).
#[must_use]
pub fn deliveries(known: &Deliveries<'_>) -> Check {
    const NAME: &str = Deliveries::CHECK;
    let waits = |event: &&StripeEvent| event.pending_webhooks > 0;
    let is_late = |event: &&StripeEvent| known.now.duration_since(event.created) > UNDER_WAY;
    let late: Vec<&StripeEvent> = known.events.iter().filter(waits).filter(is_late).collect();
    let all = known.events.len();
    let Some(newest) = late.iter().max_by_key(|event| event.created) else {
        return match all {
            0 => Check::skipped(NAME, "no event of Checkout in the last week: nothing is known of deliveries"),
            all => Check::ok(NAME, format!("{all} events of Checkout in the last week, none waits for delivery")),
        };
    };
    let mut detail = format!(
        "{} of {all} events of Checkout in the last week wait for an endpoint that answers with 2xx, the newest since {} \
         UTC ({})",
        late.len(),
        newest.created.strftime("%Y-%m-%d %H:%M"),
        newest.kind,
    );
    if let Some(several) = known.endpoints.filter(|endpoints| *endpoints > 1) {
        detail.push_str(&format!("; {several} endpoints get them, and Stripe does not say which one fails"));
    }
    let hint = "look at the endpoint's deliveries in Stripe's dashboard; tourney plan shows payments that were missed";
    Check::failure(NAME, detail, hint)
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

    fn levels(wanted: Option<&str>, registered: &[WebhookEndpoint]) -> [Level; 3] {
        let checks = endpoints(&Endpoints { wanted, registered, mode: Mode::Live });
        assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), Endpoints::CHECKS);
        std::array::from_fn(|index| checks[index].level)
    }

    #[test]
    fn an_endpoint_is_held_against_the_configured_one() {
        use Level::{Failure, Ok, Skipped, Warning};
        let all = endpoint(URL, "enabled", &["*"]);
        let slash = endpoint("https://club.example/hook/", "enabled", &["*"]);
        let plain = endpoint("http://club.example/hook", "enabled", &["*"]);
        let old = endpoint("https://old.example/hook", "enabled", &["checkout.session.completed"]);
        let off = endpoint(URL, "disabled", &["*"]);
        let deaf = endpoint(URL, "enabled", &["checkout.session.expired"]);
        let partly = endpoint(URL, "enabled", &["checkout.session.completed"]);
        for (wanted, registered, expected) in [
            (Some(URL), vec![all.clone()], [Ok, Ok, Ok]),
            (Some("https://CLUB.example:443/hook"), vec![all.clone()], [Ok, Ok, Ok]),
            (Some(URL), vec![slash.clone()], [Warning, Ok, Ok]),
            (Some(URL), vec![plain], [Warning, Ok, Ok]),
            (Some(URL), vec![all.clone(), all.clone()], [Warning, Ok, Ok]),
            (Some(URL), vec![all.clone(), slash], [Warning, Ok, Ok]),
            (Some(URL), vec![off.clone(), all.clone()], [Ok, Ok, Ok]),
            (Some("https://club.example/hook?x=1"), vec![all.clone()], [Failure, Skipped, Warning]),
            (Some(URL), vec![all.clone(), old.clone()], [Ok, Ok, Warning]),
            (Some(URL), vec![old.clone()], [Failure, Skipped, Warning]),
            (Some(URL), vec![off], [Failure, Failure, Ok]),
            (Some(URL), vec![deaf], [Ok, Failure, Ok]),
            (Some(URL), vec![partly], [Ok, Warning, Ok]),
            (Some(URL), vec![], [Failure, Skipped, Ok]),
            (Some("http://localhost:8000/hook"), vec![], [Skipped, Skipped, Ok]),
            (None, vec![], [Failure, Skipped, Skipped]),
            (None, vec![all, old], [Warning, Ok, Skipped]),
        ] {
            assert_eq!(levels(wanted, &registered), expected, "{wanted:?} {registered:#?}");
        }
    }

    #[test]
    fn what_may_be_under_way_is_not_late() {
        let of = |events: &[StripeEvent], endpoints| {
            deliveries(&Deliveries { events, endpoints, now: Timestamp::UNIX_EPOCH })
        };
        assert_eq!(of(&[], Some(1)).level, Level::Skipped);
        assert_eq!(of(&[event(9, 0), event(1, 1)], Some(1)).level, Level::Ok);
        let late = of(&[event(60, 1), event(9, 1), event(1, 1)], Some(1));
        assert_eq!(late.level, Level::Failure);
        assert!(late.detail.starts_with("2 of 3 ") && late.detail.contains("1969-12-31 23:51 UTC"), "{}", late.detail);
        assert!(!late.detail.contains("which one"), "{}", late.detail);
        assert!(of(&[event(9, 1)], Some(2)).detail.contains("2 endpoints"), "nobody knows whose it is");
    }
}
